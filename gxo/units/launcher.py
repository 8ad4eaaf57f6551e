"""Launcher: a PID namespace for systemd before 257, made by unshare(1) and setpriv(1).

The unit starts with the capabilities that this takes, within the workload's user namespace if it
has one. unshare makes the PID namespace, setpriv drops what the workload must not have, and only
then come the workload's variables, such as LD_PRELOAD, and its program. Both programs are the
host's own (docs/reference/security-profiles.md).
"""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from gxo.dataclass import dataclass, replace
from gxo.diagnostic.base import Problem
from gxo.diagnostic.lazy import Lazy
from gxo.source import Span
from gxo.spec.host import CAPABILITIES
from gxo.spec.policy import CallAction, Profile, SecurityContext
from gxo.units.directives import directive
from gxo.units.model import Command, Directive
from gxo.units.target import Target

if TYPE_CHECKING:
    from gxo.diagnostic import units as faults
else:
    faults = Lazy("gxo.diagnostic.units")

SINCE = 257
"""The first systemd that makes PID namespaces itself."""
KINDS = ("mnt", "pid")
"""The kinds of namespaces that a launcher makes."""
CALLS = ("capset", "mount")
"""The system calls that a launcher makes, and that a profile's filter may deny."""
OLD_PROC = ("ProcSubset", "ProtectKernelTunables")
"""Directives for the /proc that systemd mounts; the namespace has a new one without them."""

_UNSHARE = ("/usr/bin/unshare", "--pid", "--fork", "--kill-child", "--mount-proc", "--")
_SETPRIV = "/usr/bin/setpriv"
_CAPABILITIES = ("CAP_SETPCAP", "CAP_SYS_ADMIN")
# the calls that not every program makes, and the groups that hold each (systemd.exec(5))
_NEEDED = {
    "capset": ("@privileged", "@system-service"),
    "mount": ("@mount",),
    "prctl": ("@process", "@system-service"),
    "unshare": ("@process", "@system-service"),
}
_BY_SHELL = ("/bin/sh", "-c", 'exec "$0" "$@"')


@dataclass(frozen=True, slots=True)
class Launcher:
    """What stands in front of a unit's commands.

    `main`, before ExecStart=, makes the namespace. The other commands stay outside of it: `beside`
    only drops the capabilities.
    """

    main: tuple[str, ...]
    beside: tuple[str, ...]

    def service(
        self, settings: Sequence[Directive], around: Sequence[Directive]
    ) -> tuple[tuple[Directive, ...], tuple[Directive, ...]]:
        """A lifecycle's settings with this before all commands, and what is left of `around`."""
        said = {item.name: item.value for item in settings}
        variables, rest = _variables(around)
        if "WatchdogSec" in said:
            variables = ("WATCHDOG_PID=1", *variables)
        made = [
            _behind(self.main if item.name == "ExecStart" else self.beside, variables, item)
            for item in settings
        ]
        if "WatchdogSec" in said or said.get("Type") == "notify":
            # the program, which calls sd_notify(3), is not the unit's main process
            made.append(directive("NotifyAccess", "all"))
        return tuple(made), rest


def command_behind(main: tuple[str, ...], command: Sequence[Directive]) -> tuple[Directive, ...]:
    """The command of a step and its environment, behind a launcher's `main`."""
    if not main:
        return tuple(command)
    variables, rest = _variables(command)
    return tuple(_behind(main, variables, item) for item in rest)


def is_launched(context: SecurityContext, target: Target) -> bool:
    """Whether a workload gets its PID namespace by a launcher."""
    wanted = context.namespaces is not None and context.namespaces.pid is True
    return wanted and target.systemd < SINCE and "PrivatePIDs" not in target.gaps


def launcher(context: SecurityContext, target: Target) -> Launcher | None:
    """The launcher of a workload, if it has one."""
    if not is_launched(context, target):
        return None
    bounded = is_bounded(context)
    if context.user is None and not bounded:  # root, which keeps all that it has
        return Launcher(_UNSHARE, ())
    return _dropping(context.capabilities, bounded=bounded)


def plain() -> Launcher:
    """The launcher of a workload without capabilities."""
    return _dropping((), bounded=True)


def _dropping(capabilities: tuple[str, ...], *, bounded: bool) -> Launcher:
    names = (name.lower().removeprefix("cap_") for name in capabilities)
    kept = ",".join(("-all", *(f"+{name}" for name in names)))
    sets = ("--inh-caps", "--ambient-caps", *(("--bounding-set",) if bounded else ()))
    drop = (_SETPRIV, *(f"{each}={kept}" for each in sets), "--")
    return Launcher((*_UNSHARE, *drop), drop)


def kept(settings: Sequence[Directive]) -> tuple[str, ...] | None:
    """The capabilities that a launcher leaves to the program; None where there is no launcher."""
    said = {item.name: item.value for item in settings}
    start = said.get("ExecStart")
    # a playbook's own command may look the same, but no playbook can ask for just these kinds
    if said.get("RestrictNamespaces") != KINDS or not isinstance(start, Command):
        return None
    sets = next((word for word in start.argv if word.startswith("--ambient-caps=")), "")
    return tuple(f"CAP_{name[1:].upper()}" for name in sets.split(",")[1:])


def is_bounded(context: SecurityContext) -> bool:
    """Whether the bounding set limits a workload to the capabilities it asks for."""
    return context.profile is not Profile.HOST or bool(context.capabilities)


def started_with(capabilities: tuple[str, ...]) -> tuple[str, ...]:
    """The capabilities of a workload with those of its launcher, in the order of their numbers."""
    wanted = (*capabilities, *_CAPABILITIES)
    return tuple(name for name in CAPABILITIES if name in wanted)


def refused(context: SecurityContext) -> Iterator[Problem]:
    """What in a context would keep the launcher from its work, or let a workload undo it."""
    if context.root_filesystem is not None:
        yield faults.UnsafeText(
            span=context.root_filesystem.span,
            what="root filesystem",
            reason=f"the PID namespace, before systemd {SINCE}, is made by programs of the host",
            advice="leave out one of the two",
        )
    if "CAP_SYS_ADMIN" in context.capabilities and context.profile is not Profile.HOST:
        yield faults.UnsafeText(
            span=context.where("capabilities"),
            what="list of capabilities",
            reason=f"CAP_SYS_ADMIN leads out of a PID namespace, before systemd {SINCE}",
        )
    for span, call in _denied(context) if context.seccomp else ():
        yield faults.UnsafeText(
            span=span,
            what="seccomp filter",
            reason=f"a PID namespace, before systemd {SINCE}, is made by calls of which it denies"
            f" `{call}`",
        )


def _denied(context: SecurityContext) -> Iterator[tuple[Span, str]]:
    """The calls a launcher needs and a filter denies: one for each place that denies any."""
    wanted = context.seccomp
    assert wanted is not None
    found: dict[Span, str] = {}
    for call, groups in _NEEDED.items():
        words = {call, *groups}
        if not words.isdisjoint(wanted.deny):
            found.setdefault(wanted.where("deny"), call)
        elif not words.isdisjoint(wanted.allow):
            continue
        elif wanted.listed is not None:
            rules = {name: rule.action for rule in wanted.listed.rules for name in rule.names}
            if rules.get(call, wanted.listed.default) in (CallAction.ERRNO, CallAction.KILL):
                found.setdefault(wanted.where("profile_path"), call)
        elif context.profile is Profile.HOST and wanted.allow:
            found.setdefault(wanted.where("allow"), call)
    yield from found.items()


def _variables(around: Sequence[Directive]) -> tuple[tuple[str, ...], tuple[Directive, ...]]:
    """The variables of the playbook, and the other directives."""
    return (
        tuple(str(item.value) for item in around if item.name == "Environment"),
        tuple(item for item in around if item.name != "Environment"),
    )


def _behind(front: tuple[str, ...], variables: tuple[str, ...], item: Directive) -> Directive:
    if not isinstance(item.value, Command):
        return item
    argv = item.value.argv
    if variables:
        # env(1) takes every word with an `=` for a variable
        by_shell = _BY_SHELL if "=" in argv[0] else ()
        argv = ("/usr/bin/env", *variables, *by_shell, *argv)
    return replace(item, value=replace(item.value, argv=(*front, *argv)))

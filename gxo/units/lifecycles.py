"""The directives of a lifecycle: how a service starts, restarts, is ready and stops; a timer's."""

import signal
from collections.abc import Iterator
from typing import TYPE_CHECKING

from gxo.diagnostic.base import Problem
from gxo.diagnostic.lazy import Lazy
from gxo.source import Span
from gxo.spec.lifecycle import SECOND, Address, Backoff, ReadyKind, Restart, Scheduled, Supervise
from gxo.units import scripts
from gxo.units.command import program
from gxo.units.directives import directive, fault
from gxo.units.kinds import INFINITY
from gxo.units.model import Command, Directive, DirectiveValue, UnitType
from gxo.units.names import COUNT, WorkloadNames

if TYPE_CHECKING:
    from gxo.diagnostic import units as faults
else:
    faults = Lazy("gxo.diagnostic.units")

_RESTART = {
    Restart.ON_FAILURE: "on-failure",
    Restart.ALWAYS: "always",
    Restart.NEVER: "no",
}
# time for ExecStartPre= and ExecStartPost= beyond what they wait on purpose
_MARGIN = 5 * SECOND
_SIGNALS = tuple(sorted(s.name for s in signal.Signals if not s.name.startswith("SIGRT")))


def supervised(
    lifecycle: Supervise,
    start: Directive,
    names: WorkloadNames,
    problems: list[Problem],
    *,
    own_pids: bool,
    launched: bool,
) -> tuple[Directive, ...]:
    """A service that is kept running.

    `own_pids`: each of its commands has a PID namespace of its own; `launched`: only its program.
    """
    ready = lifecycle.readiness
    backoff = lifecycle.backoff or Backoff(span=lifecycle.span)
    restarts = lifecycle.restart is not Restart.NEVER
    grows = restarts and len(scripts.gaps(backoff)) > 1
    count = f"/run/{names.restarts}/{COUNT}"
    settings = [
        *_limits(lifecycle),
        directive("Type", "notify" if ready.when is ReadyKind.NOTIFY else "exec"),
        *_directories(names, names.restarts if grows else None),
    ]
    if grows:
        settings.append(directive("ExecStartPre", scripts.wait(backoff, count)))
        settings.append(directive("RuntimeDirectoryPreserve", "restart"))
    settings.append(start)
    if isinstance(ready.when, Address):
        probe = scripts.probe(ready.when, ready.timeout, own_pids=own_pids)
        settings.append(directive("ExecStartPost", probe, span=ready.where("when")))
    if grows:
        settings.append(directive("ExecStop", scripts.forget(count)))
    settings += _reload(lifecycle, problems, own_pids=own_pids or launched)
    settings.append(directive("Restart", _RESTART[lifecycle.restart]))
    if restarts:
        settings.append(directive("RestartSec", backoff.initial))
    longest = max(ready.timeout, backoff.max if grows else 0)
    settings.append(directive("TimeoutStartSec", longest + _MARGIN))
    settings.append(directive("TimeoutStopSec", lifecycle.stop_timeout))
    if lifecycle.watchdog is not None:
        settings.append(directive("WatchdogSec", lifecycle.watchdog))
    # only for files: apply starts the transient unit, and restore does after a boot
    settings.append(directive("WantedBy", ("multi-user.target",)))
    return tuple(settings)


def once(start: Directive, timeout: int | None, names: WorkloadNames) -> tuple[Directive, ...]:
    """A step that runs to its end."""
    return (directive("Type", "oneshot"), *_directories(names, None), start, *_job(timeout))


def scheduled(start: Directive, timeout: int | None) -> tuple[Directive, ...]:
    """The service that a timer starts; systemd skips a turn while the last is under way."""
    return (directive("Type", "oneshot"), start, *_job(timeout))


def timer(lifecycle: Scheduled, label: str) -> tuple[Directive, ...]:
    """The timer of a schedule; it starts the service of its own name."""

    def own(name: str, value: DirectiveValue, span: Span | None = None) -> Directive:
        return directive(name, value, UnitType.TIMER, span=span)

    return (
        own("Description", f"gxo schedule of {label}"),
        own("IgnoreOnIsolate", True),
        *(own("OnCalendar", text, lifecycle.where("calendar")) for text in lifecycle.calendar),
        own("AccuracySec", SECOND),
        *((own("RandomizedDelaySec", lifecycle.jitter),) if lifecycle.jitter else ()),
        *((own("Persistent", True),) if lifecycle.catch_up else ()),
        own("WantedBy", ("timers.target",)),
    )


def _limits(lifecycle: Supervise) -> Iterator[Directive]:
    """No start limit unless the playbook sets one: the back-off keeps a crash loop slow."""
    limit = lifecycle.start_limit
    yield directive("StartLimitIntervalSec", limit.interval if limit else 0)
    if limit:
        yield directive("StartLimitBurst", limit.burst)


def _directories(names: WorkloadNames, beside: str | None) -> Iterator[Directive]:
    workspace = f"/run/{names.workspace}"
    yield directive("RuntimeDirectory", (names.workspace, *((beside,) if beside else ())))
    yield directive("RuntimeDirectoryMode", 0o700)
    yield directive("WorkingDirectory", workspace)
    if beside:
        # systemd would name both directories here, and programs expect one
        yield directive("Environment", f"RUNTIME_DIRECTORY={workspace}")


def _job(timeout: int | None) -> Iterator[Directive]:
    yield directive("TimeoutStartSec", INFINITY if timeout is None else timeout)


def _reload(
    lifecycle: Supervise, problems: list[Problem], *, own_pids: bool
) -> Iterator[Directive]:
    wanted = lifecycle.reload
    if wanted is None:
        return
    span = lifecycle.where("reload")
    if isinstance(wanted, tuple):
        command = Command((program(wanted[0]), *wanted[1:]))
        setting = directive("ExecReload", command, span=span)
        reason = fault(setting)
        if reason:
            problems.append(faults.UnsafeText(span=span, what="reload command", reason=reason))
        yield setting
        return
    if wanted not in _SIGNALS:
        problems.append(faults.UnknownWord(span=span, noun="signal", word=wanted, known=_SIGNALS))
    if own_pids:
        reason = "nothing can signal into a PID namespace of its own"
        problems.append(faults.UnsafeText(span=span, what="reload signal", reason=reason))
    script = f'kill -s {wanted.removeprefix("SIG")} "$MAINPID"'
    yield directive("ExecReload", Command(("/bin/sh", "-c", script)), span=span)

"""A workload's security_context as directives: its profile, and what the playbook adds to it."""

import re
from collections.abc import Iterator
from functools import cache
from pathlib import PurePath
from typing import TYPE_CHECKING

from gxo.diagnostic.base import Problem
from gxo.diagnostic.lazy import Lazy
from gxo.spec.host import CAPABILITIES, NETWORKS, USER
from gxo.spec.policy import Network, Profile, SecurityContext
from gxo.units import profiles
from gxo.units.directives import TABLE, directive, fault
from gxo.units.filters import changes, filters
from gxo.units.launcher import (
    KINDS,
    OLD_PROC,
    SINCE,
    is_bounded,
    is_launched,
    refused,
    started_with,
)
from gxo.units.model import Directive, DirectiveValue
from gxo.units.names import WorkloadNames
from gxo.units.target import OLDEST, Target

if TYPE_CHECKING:
    from gxo.diagnostic import units as faults
else:
    faults = Lazy("gxo.diagnostic.units")

# a kind of namespace, its directive and the value that turns it on
_NAMESPACES: tuple[tuple[str, str, DirectiveValue], ...] = (
    ("pid", "PrivatePIDs", "yes"),
    ("mount", "PrivateMounts", True),
    ("ipc", "PrivateIPC", True),
    ("uts", "ProtectHostname", True),
    ("user", "PrivateUsers", True),
    ("net", "PrivateNetwork", True),
)
_QUOTA_STEP = 100
HIDDEN_HOMES = ("/home", "/root", "/run/user")
"""What ProtectHome= hides (systemd.exec(5))."""
_NOBODY = ("nobody", "65534")


def security(
    context: SecurityContext, names: WorkloadNames, target: Target
) -> tuple[tuple[Directive, ...], tuple[Problem, ...]]:
    """The directives of a context, in a fixed order, and what is wrong with it."""
    problems: list[Problem] = [*_misnamed(context)]
    user = tuple(_user(context, names, problems))
    unmapped = _unmapped(context)
    known = target.systemd >= OLDEST and not target.gaps
    if known and context == _nothing_more(context):
        return (*user, *_plain(context.profile, target.systemd, own_pids=unmapped)), tuple(problems)
    launched = is_launched(context, target)
    if launched:
        problems += refused(context)
    settings = list(user)
    settings += _profile(context, target, problems)
    settings += filters(context, target, problems)
    settings += _resources(context)
    settings += _network(context.network, problems)
    settings += _paths(context, problems)
    settings += _root(context, problems)
    kept = []
    for setting in settings:
        if launched and setting.name == "PrivatePIDs":
            continue
        lacking = _lacking(setting.name, target, launched=launched, unmapped=unmapped)
        if lacking is None:
            kept.append(setting)
        else:
            kind = faults.Degraded if context.degradable(setting.name) else faults.NotEnforced
            span = setting.span or context.where("profile")
            problems.append(kind(span=span, directive=setting.name, reason=lacking))
    return tuple(kept), tuple(problems)


def _lacking(name: str, target: Target, *, launched: bool, unmapped: bool) -> str | None:
    """Why a directive would have no effect for a workload; None where it takes effect."""
    if name == "PrivatePIDs":
        if name not in target.gaps and not unmapped:
            return "systemd gives a PID namespace only to a fixed `user` other than nobody"
        return target.gaps.get(name)
    if launched and name in OLD_PROC:
        return f"a PID namespace, before systemd {SINCE}, has a /proc without it"
    return target.lacks(name, TABLE[name].since)


def _misnamed(context: SecurityContext) -> Iterator[Problem]:
    """Names in `allow_degraded` that are no directives."""
    if isinstance(context.allow_degraded, bool):
        return
    span = context.where("allow_degraded")
    for name in context.allow_degraded:
        if name not in TABLE:
            yield faults.UnknownWord(span=span, noun="directive", word=name, known=tuple(TABLE))


def _unmapped(context: SecurityContext) -> bool:
    """Whether the directories of the workload's user are mounted without an ID mapping.

    systemd maps those of a dynamic user, and all that nobody owns, through a user namespace that
    it cannot make from within a PID namespace: the unit fails with 226/NAMESPACE (257, 258;
    https://github.com/systemd/systemd/issues/41014). Where a file system cannot map it would
    work; a unit must not depend on that.
    """
    if context.user is None:
        return context.profile is Profile.HOST
    return context.user not in _NOBODY


def has_own_pids(settings: tuple[Directive, ...]) -> bool:
    """Whether each command of a unit has a PID namespace of its own."""
    return any(s.name == "PrivatePIDs" and s.value == "yes" for s in settings)


def _nothing_more(context: SecurityContext) -> SecurityContext:
    """The same profile and user, with the defaults for all else."""
    return SecurityContext(
        span=context.span,
        profile=context.profile,
        user=context.user,
        allow_degraded=context.allow_degraded,
    )


@cache
def _plain(profile: Profile, systemd: int, *, own_pids: bool) -> tuple[Directive, ...]:
    """A profile without changes, as most workloads have it; they share one tuple."""
    return (*profiles.profile(profile, systemd, own_pids=own_pids), *profiles.filters(profile))


def _user(
    context: SecurityContext, names: WorkloadNames, problems: list[Problem]
) -> Iterator[Directive]:
    if context.user is not None:
        span = context.where("user")
        if not re.fullmatch(USER, context.user):
            reason = "it is neither a user's name nor a number"
            problems.append(faults.UnsafeText(span=span, what="user", reason=reason))
        elif _is_root(context.user) and context.profile is not Profile.HOST:
            problems.append(
                faults.UnsafeText(
                    span=span,
                    what="user",
                    reason="root can have systemd start anything outside its sandbox",
                    advice="name another user, or say `profile: host`",
                )
            )
        yield directive("User", context.user, span=span)
    elif context.profile is not Profile.HOST:
        # named, so that all revisions of a workload share one user, and the files it owns
        yield directive("DynamicUser", True)
        yield directive("User", names.user)


def _is_root(user: str) -> bool:
    return user == "root" or (user.isdecimal() and int(user) == 0)


def _profile(
    context: SecurityContext, target: Target, problems: list[Problem]
) -> Iterator[Directive]:
    """The profile's list with what the rest of the context changes in it, in place."""
    capabilities = _capabilities(context, problems)
    span, held = context.where("capabilities"), capabilities
    launched = is_launched(context, target)
    if launched:
        assert context.namespaces is not None
        held = started_with(capabilities)
        span = span if capabilities else context.namespaces.where("pid")
    bounds = held and is_bounded(context)
    bounding = directive("CapabilityBoundingSet", held, span=span) if bounds else None
    changed = dict(_changes(context, bounding, launched=launched))
    for setting in profiles.profile(context.profile, target.systemd, own_pids=_unmapped(context)):
        kept = changed.pop(setting.name, setting)
        if kept is not None:
            yield kept
    yield from (setting for setting in changed.values() if setting is not None)
    if held and (context.user or context.profile is not Profile.HOST):
        yield directive("AmbientCapabilities", held, span=span)


def _changes(
    context: SecurityContext, bounding: Directive | None, *, launched: bool
) -> Iterator[tuple[str, Directive | None]]:
    """What the context makes of a profile's directives; None removes one. Later ones win."""
    yield from changes(context.seccomp)
    wanted = context.namespaces
    if launched and wanted and context.profile is not Profile.HOST:
        name = "RestrictNamespaces"
        yield name, directive(name, KINDS, span=wanted.where("pid"))
        # it mounts over files in /proc, and so a user namespace could not mount a new /proc; the
        # filter and the missing capability keep the log closed
        yield "ProtectKernelLogs", None
    if context.capabilities:
        # a capability within a user namespace of one's own is of no use outside it
        yield "PrivateUsers", None
    if bounding is not None:
        yield bounding.name, bounding
    if context.root_filesystem and not context.root_filesystem.read_only:
        # it would make the tree read-only, which its own permissions protect
        yield "ProtectSystem", None
    for key, name, value in _NAMESPACES if wanted else ():
        choice = getattr(wanted, key)
        if wanted and choice is not None:
            yield name, directive(name, value, span=wanted.where(key)) if choice else None


def _capabilities(context: SecurityContext, problems: list[Problem]) -> tuple[str, ...]:
    span = context.where("capabilities")
    problems += (
        faults.UnknownWord(span=span, noun="capability", word=name, known=CAPABILITIES)
        for name in context.capabilities
        if name not in CAPABILITIES
    )
    if context.capabilities and context.namespaces and context.namespaces.user:
        reason = "a capability does not reach out of a user namespace of its own"
        problems.append(faults.UnsafeText(span=span, what="list of capabilities", reason=reason))
    return tuple(name for name in CAPABILITIES if name in context.capabilities)


def _resources(context: SecurityContext) -> Iterator[Directive]:
    limits = context.resources
    if limits is None:
        return
    for key, name in (
        ("memory_max", "MemoryMax"),
        ("tasks_max", "TasksMax"),
        ("io_weight", "IOWeight"),
    ):
        value = getattr(limits, key)
        if value is not None:
            yield directive(name, value, span=limits.where(key))
    if limits.cpu_quota is not None:
        # from thousandths of a percent to microseconds a second, in steps of systemd's, and above 0
        quota = max(limits.cpu_quota // 10, 1) * _QUOTA_STEP
        yield directive("CPUQuota", quota, span=limits.where("cpu_quota"))


def _network(network: Network | None, problems: list[Problem]) -> Iterator[Directive]:
    if network is None:
        return
    from ipaddress import ip_network

    for key, name in (("allow", "IPAddressAllow"), ("deny", "IPAddressDeny")):
        span = network.where(key)
        for text in getattr(network, key):
            if text in NETWORKS:
                yield from (directive(name, each, span=span) for each in NETWORKS[text])
                continue
            try:
                yield directive(name, str(ip_network(text)), span=span)
            except ValueError as error:
                problems.append(
                    faults.UnsafeText(
                        span=span,
                        what="network",
                        reason=str(error),
                        advice="addresses as 10.0.0.0/8 or ::1, or " + ", ".join(NETWORKS),
                    )
                )


def _paths(context: SecurityContext, problems: list[Problem]) -> Iterator[Directive]:
    within = "+" if context.root_filesystem else ""
    for key, name in (("read_write_paths", "ReadWritePaths"), ("read_only_paths", "ReadOnlyPaths")):
        paths = getattr(context, key)
        if paths:
            span = context.where(key)
            setting = directive(name, tuple(within + path for path in paths), span=span)
            reason = fault(setting) or _hidden(paths, context.profile)
            if reason:
                problems.append(faults.UnsafeText(span=span, what="path", reason=reason))
            yield setting


def _hidden(paths: tuple[str, ...], profile: Profile) -> str | None:
    """Why a path cannot be granted: ProtectHome= hides the directory that it is in."""
    if profile is Profile.HOST:
        return None
    for path in paths:
        for home in HIDDEN_HOMES:
            if PurePath(path).is_relative_to(home):
                return (
                    f"this profile hides all of {home} from the workload: keep the files elsewhere,"
                    " as in /srv, or use `profile: host`"
                )
    return None


def _root(context: SecurityContext, problems: list[Problem]) -> Iterator[Directive]:
    root = context.root_filesystem
    if root is None:
        return
    key, name = ("path", "RootDirectory") if root.image is None else ("image", "RootImage")
    setting = directive(name, root.image or root.path or "", span=root.where(key))
    reason = fault(setting)
    if reason:
        problems.append(faults.UnsafeText(span=root.where(key), what="path", reason=reason))
    if not root.read_only and context.user is None and context.profile is not Profile.HOST:
        # a dynamic user's number is reused, so that systemd lets it own no files in the tree
        problems.append(
            faults.UnsafeText(
                span=root.where("read_only"),
                what="writable root filesystem",
                reason="the workload's user is of the moment, and would leave files behind",
                advice="name a `user`, or grant directories of the tree by `read_write_paths`",
            )
        )
    yield setting
    # the scripts that wait and probe run outside of the tree, which may have no shell
    yield directive("RootDirectoryStartOnly", True)
    yield directive("MountAPIVFS", True)
    if root.read_only and context.profile is Profile.HOST:
        yield directive("ReadOnlyPaths", ("+/",), span=root.where("read_only"))

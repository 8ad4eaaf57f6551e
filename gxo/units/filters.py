"""System call filters: a profile's own, one out of a file, and what a playbook adds to either.

The first `SystemCallFilter=` decides: without `~` it begins a list of allowed calls, with it one of
denied calls; later lines add to the list or take away from it (systemd.exec(5)).
"""

import re
from collections.abc import Iterator
from errno import EPERM
from typing import TYPE_CHECKING

from gxo.diagnostic.base import Problem
from gxo.diagnostic.lazy import Lazy
from gxo.source import Span
from gxo.spec.host import CALL_GROUPS
from gxo.spec.policy import CallAction, CallProfile, CallRule, Profile, Seccomp, SecurityContext
from gxo.units import profiles
from gxo.units.directives import directive
from gxo.units.launcher import CALLS, is_launched
from gxo.units.model import Directive
from gxo.units.target import Target

if TYPE_CHECKING:
    from gxo.diagnostic import units as faults
else:
    faults = Lazy("gxo.diagnostic.units")

_SYSCALL = re.compile(r"@?[a-z_][a-z0-9_-]*")
_PROFILES = ("default-minimal",)
_DENIES = (CallAction.ERRNO, CallAction.KILL)


def filters(
    context: SecurityContext, target: Target, problems: list[Problem]
) -> Iterator[Directive]:
    """The filter of a context; `changes` says which other directives of its profile it changes."""
    wanted = context.seccomp
    if wanted is None:
        yield from _own(context, target)
        return
    problems += _unknown(wanted)
    if wanted.listed is not None:
        yield from _listed(wanted, wanted.listed)
    else:
        yield from _own(context, target)
    if wanted.allow:
        yield directive("SystemCallFilter", wanted.allow, span=wanted.where("allow"))
    if wanted.deny:
        yield directive("SystemCallFilter", _inverted(wanted.deny), span=wanted.where("deny"))
    if context.profile is not Profile.HOST and is_launched(context, target):
        # in place of ProtectKernelLogs=, which a launcher cannot have (units/security.py)
        yield directive("SystemCallFilter", ("~syslog",), span=wanted.span)
    problems += _unenforced(context, wanted, target)
    if context.profile is Profile.HOST and wanted.listed is None and (wanted.allow or wanted.deny):
        yield directive("SystemCallErrorNumber", EPERM, span=wanted.span)


def _unknown(wanted: Seccomp) -> Iterator[Problem]:
    """Unknown or unread seccomp profiles, and unknown names of calls."""
    if wanted.profile_path is not None and wanted.listed is None:
        span, reason = wanted.where("profile_path"), "it has not been read"
        yield faults.UnsafeText(span=span, what="seccomp profile", reason=reason)
    if wanted.profile not in _PROFILES:
        yield faults.UnknownWord(
            span=wanted.where("profile"),
            noun="seccomp profile",
            word=wanted.profile,
            known=_PROFILES,
        )
    for key, calls in (("allow", wanted.allow), ("deny", wanted.deny)):
        for call in calls:
            if not _SYSCALL.fullmatch(call) or (call[0] == "@" and call not in CALL_GROUPS):
                yield faults.UnknownWord(
                    span=wanted.where(key),
                    noun="system call or group of them",
                    word=call,
                    known=CALL_GROUPS,
                )


def changes(wanted: Seccomp | None) -> Iterator[tuple[str, Directive | None]]:
    """Directives of the profile that a filter out of a file replaces; None: it removes them."""
    if wanted is None or wanted.listed is None:
        return
    listed, span = wanted.listed, wanted.where("profile_path")
    name = "SystemCallArchitectures"
    yield name, directive(name, listed.architectures, span=span)
    name = "SystemCallErrorNumber"
    if listed.default is CallAction.ERRNO:
        yield name, directive(name, listed.errno, span=span)
    elif listed.default is CallAction.KILL:
        yield name, None
    elif wanted.allow or wanted.deny:
        yield name, directive(name, EPERM, span=span)


def _own(context: SecurityContext, target: Target) -> Iterator[Directive]:
    """The profile's filter, and the calls of a launcher before it drops its capabilities."""
    found = profiles.filters(context.profile)
    yield from found
    if found and context.namespaces is not None and is_launched(context, target):
        yield directive("SystemCallFilter", CALLS, span=context.namespaces.where("pid"))


def _listed(wanted: Seccomp, listed: CallProfile) -> Iterator[Directive]:
    """The filter that a file describes, and nothing beside it."""
    span = wanted.where("profile_path")
    passed = _names(listed, CallAction.ALLOW)
    logged = _names(listed, CallAction.LOG)
    if listed.default in _DENIES:
        # systemd adds @default to every list of allowed calls: this takes it out again
        yield directive("SystemCallFilter", ("@default",), span=span)
        yield directive("SystemCallFilter", ("~@default",), span=span)
        if passed or logged:
            yield directive("SystemCallFilter", (*passed, *logged), span=span)
        if logged:
            yield directive("SystemCallLog", logged, span=span)
        return
    denied = tuple(
        f"{name}:{rule.errno if rule.action is CallAction.ERRNO else 'kill'}"
        for rule in _denying(listed)
        for name in rule.names
    )
    if denied:
        yield directive("SystemCallFilter", _inverted(denied), span=span)
    if listed.default is CallAction.LOG:
        quiet = (*passed, *(name for rule in _denying(listed) for name in rule.names))
        yield directive("SystemCallLog", _inverted(tuple(dict.fromkeys(quiet))), span=span)
    elif logged:
        yield directive("SystemCallLog", logged, span=span)


def _unenforced(context: SecurityContext, wanted: Seccomp, target: Target) -> Iterator[Problem]:
    """Calls that a list of denied calls would leave out, since systemd does not know them."""
    rules: list[tuple[Span, tuple[str, ...]]] = []
    if wanted.listed is None:
        if context.profile is Profile.HOST and not wanted.allow:
            rules.append((wanted.where("deny"), wanted.deny))
    elif wanted.listed.default not in _DENIES:
        rules.append((wanted.where("deny"), wanted.deny))
        rules += [(rule.where("names"), rule.names) for rule in _denying(wanted.listed)]
    if not any(names for _, names in rules):
        return
    from gxo.units.calls import is_known

    kind = faults.Degraded if context.degradable("SystemCallFilter") else faults.NotEnforced
    for span, names in rules:
        for name in names:
            if not is_known(name, target.systemd):
                reason = f"systemd {target.systemd} knows no system call `{name}`"
                yield kind(span=span, directive="SystemCallFilter", reason=reason)


def _denying(listed: CallProfile) -> Iterator[CallRule]:
    return (rule for rule in listed.rules if rule.action in _DENIES)


def _names(listed: CallProfile, action: CallAction) -> tuple[str, ...]:
    found = (name for rule in listed.rules if rule.action is action for name in rule.names)
    return tuple(dict.fromkeys(found))


def _inverted(names: tuple[str, ...]) -> tuple[str, ...]:
    return (f"~{names[0]}", *names[1:])

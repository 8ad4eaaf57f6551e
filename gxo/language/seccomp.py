"""Seccomp profiles in the JSON form of OCI and libseccomp, as far as systemd can say them exactly.

systemd filters by name: one list of what is allowed, with one answer for all else, or one list of
what is denied, each with an answer of its own (systemd.exec(5), SystemCallFilter=). What does not
fit is refused where it stands. JSON is YAML, so that one reader gives both their places.
"""

from collections.abc import Iterable, Iterator, Mapping
from enum import StrEnum
from typing import TYPE_CHECKING

from yaml import Node, ScalarNode

from gxo.dataclass import replace
from gxo.diagnostic.base import Problem
from gxo.diagnostic.lazy import Lazy
from gxo.language.document import compose
from gxo.language.files import read_file
from gxo.language.kinds import Choice, Int, Kind, Prose, Schema, Text, line
from gxo.language.model import Playbook
from gxo.language.reader import Reader
from gxo.language.section import Key, ListOf, Places, Section, Values
from gxo.source import Source, Span
from gxo.spec.policy import CallAction, CallProfile, CallRule, SecurityContext

if TYPE_CHECKING:
    from gxo.diagnostic import keys as key_faults
    from gxo.diagnostic import seccomp as faults
else:
    key_faults = Lazy("gxo.diagnostic.keys")
    faults = Lazy("gxo.diagnostic.seccomp")

_MARK = '"defaultAction"'
"""What every profile has, and hardly anything else."""
_MOST = 4095
"""The highest number of an error that systemd takes."""


class _Architecture(StrEnum):
    """systemd's word for each, by libseccomp's name for it."""

    NATIVE = "native"
    X86 = "x86"
    X86_64 = "x86-64"
    X32 = "x32"
    ARM = "arm"
    AARCH64 = "arm64"
    MIPS = "mips"
    MIPS64 = "mips64"
    MIPS64N32 = "mips64-n32"
    MIPSEL = "mips-le"
    MIPSEL64 = "mips64-le"
    MIPSEL64N32 = "mips64-le-n32"
    PARISC = "parisc"
    PARISC64 = "parisc64"
    PPC = "ppc"
    PPC64 = "ppc64"
    PPC64LE = "ppc64-le"
    RISCV64 = "riscv64"
    S390 = "s390"
    S390X = "s390x"


class _Action(StrEnum):
    """All that libseccomp has; runc takes `SCMP_ACT_KILL` for the thread."""

    ALLOW = "SCMP_ACT_ALLOW"
    LOG = "SCMP_ACT_LOG"
    ERRNO = "SCMP_ACT_ERRNO"
    KILL_PROCESS = "SCMP_ACT_KILL_PROCESS"
    KILL_THREAD = "SCMP_ACT_KILL_THREAD"
    KILL = "SCMP_ACT_KILL"
    TRAP = "SCMP_ACT_TRAP"
    TRACE = "SCMP_ACT_TRACE"
    NOTIFY = "SCMP_ACT_NOTIFY"


_REASONS = {
    _Action.KILL: "it kills the thread alone, systemd the process",
    _Action.KILL_THREAD: "it kills the thread alone, systemd the process",
    _Action.TRAP: "systemd denies with an error, or kills",
    _Action.TRACE: "systemd has no tracer that could decide",
    _Action.NOTIFY: "systemd has no supervisor that could decide",
}


class _TranslatedAction(Kind):
    """An action that systemd has."""

    __slots__ = ()
    takes = "an action such as `SCMP_ACT_ERRNO`"

    def read(self, reader: Reader, node: Node, key: str) -> CallAction | None:
        found = Choice(_Action).read(reader, node, key)
        if not isinstance(found, _Action):
            return None
        reason = _REASONS.get(found)
        if reason is None:
            return CallAction(found.value)
        kills = found in (_Action.KILL, _Action.KILL_THREAD)
        advice = "write `SCMP_ACT_KILL_PROCESS`" if kills else None
        _refuse(reader, reader.span(node), f"say `{found}`", reason, advice)
        return None

    def schema(self) -> Schema:
        return Choice(_Action).schema()


class _TranslatedArchitecture(Kind):
    """An architecture under libseccomp's name, as systemd's word."""

    __slots__ = ()
    takes = "an architecture such as `SCMP_ARCH_X86_64`"
    _PREFIX = "SCMP_ARCH_"

    def read(self, reader: Reader, node: Node, key: str) -> str | None:
        found = line(reader, node, key, self.takes)
        if found is None:
            return None
        member = _Architecture.__members__.get(found.value.removeprefix(self._PREFIX))
        if member is not None and found.value.startswith(self._PREFIX):
            return str(member)
        known = tuple(map(self._PREFIX.__add__, _Architecture.__members__))
        reader.problems.append(
            key_faults.NotOneOf(span=reader.span(found), key=key, value=found.value, choices=known)
        )
        return None

    def schema(self) -> Schema:
        return {"enum": [self._PREFIX + name for name in _Architecture.__members__]}


class _Absent(Kind):
    """A key that may only be there without anything in it."""

    __slots__ = ("_reason", "_what", "takes")

    def __init__(self, what: str, reason: str) -> None:
        self.takes = "nothing"
        self._what = what
        self._reason = reason

    def read(self, reader: Reader, node: Node, key: str) -> None:  # noqa: ARG002
        empty = node.value == "null" if isinstance(node, ScalarNode) else not node.value
        if not empty:
            _refuse(reader, reader.span(node), self._what, self._reason)

    def schema(self) -> Schema:
        return {"type": ["null", "array", "object"], "maxItems": 0, "maxProperties": 0}


class _Unused(Kind):
    """A key that is checked, and says nothing that counts."""

    __slots__ = ("_kind", "takes")

    def __init__(self, kind: Kind) -> None:
        self.takes = kind.takes
        self._kind = kind

    def read(self, reader: Reader, node: Node, key: str) -> None:
        self._kind.read(reader, node, key)

    def schema(self) -> Schema:
        return self._kind.schema()


def _refuse(reader: Reader, span: Span, what: str, reason: str, advice: str | None = None) -> None:
    reader.problems.append(
        faults.Untranslatable(span=span, what=what, reason=reason, advice=advice)
    )


class _Flag(StrEnum):
    """What makes no difference to a program that is about to start: it has one thread."""

    TSYNC = "SECCOMP_FILTER_FLAG_TSYNC"


_CALL = Text("the name of a system call", pattern=r"[a-z_][a-z0-9_]{0,63}", form="a system call")
_ERRNO = Int(1, _MOST)
_ELSEWHERE = "it holds on some hosts and not on others; list what is to hold on this one"


_RULE = Section(
    "syscalls",
    "a rule of `syscalls`",
    "System calls and what they meet.",
    (
        Key("names", ListOf(_CALL, "names of system calls"), "Which.", '["bpf"]', required=True),
        Key("action", _TranslatedAction(), "What they meet.", "SCMP_ACT_ERRNO", required=True),
        Key("errnoRet", _ERRNO, "With which error.", "1", attribute="errno"),
        Key(
            "args",
            _Absent("tell calls apart by their arguments", "it filters by their names alone"),
            "Only with these arguments.",
            "[]",
        ),
        Key("includes", _Absent("make a rule depend on its host", _ELSEWHERE), "Where.", "{}"),
        Key("excludes", _Absent("make a rule depend on its host", _ELSEWHERE), "Not.", "{}"),
        Key("comment", _Unused(Prose()), "For people.", "harmless"),
    ),
    model=CallRule,
)


def _profile(reader: Reader, span: Span, at: Places, values: Values) -> CallProfile | None:
    if not values.get("architectures"):
        values.pop("architectures", None)
    made = CallProfile(span=span, at=at, **values)
    before = len(reader.problems)
    reader.problems += _unfit(made)
    return made if len(reader.problems) == before else None


_PROFILE = Section(
    "seccomp profile",
    "a seccomp profile",
    "System calls, in the JSON form of OCI and libseccomp.",
    (
        Key(
            "defaultAction",
            _TranslatedAction(),
            "What all other calls meet.",
            "SCMP_ACT_ERRNO",
            required=True,
            attribute="default",
        ),
        Key("defaultErrnoRet", _ERRNO, "With which error.", "1", attribute="errno"),
        Key(
            "architectures",
            ListOf(_TranslatedArchitecture(), "architectures"),
            "Of which calls are made; without any, the native one's.",
            "[SCMP_ARCH_X86_64]",
        ),
        Key(
            "archMap",
            _Absent("say `archMap`", "it depends on the host's architecture; list `architectures`"),
            "The same by the host's.",
            "[]",
        ),
        Key("syscalls", ListOf(_RULE, "rules"), "The rules.", "[]", attribute="rules"),
        Key(
            "flags",
            _Unused(ListOf(Choice(_Flag), "flags that change nothing here")),
            "Of seccomp(2).",
            "[]",
        ),
        Key("listenerPath", _Absent("notify a listener", "it has none"), "A socket.", "null"),
        Key("listenerMetadata", _Absent("notify a listener", "it has none"), "For it.", "null"),
        Key("comment", _Unused(Prose()), "For people.", "harmless"),
    ),
    build=_profile,
)


def _unfit(profile: CallProfile) -> Iterator[Problem]:
    """What is wrong with rules beside each other."""
    seen: dict[str, CallRule] = {}
    lists = profile.default in (CallAction.ERRNO, CallAction.KILL)
    for rule in profile.rules:
        for name in rule.names:
            first = seen.setdefault(name, rule)
            if _answer(first.action, first.errno) != _answer(rule.action, rule.errno):
                yield faults.CallTwice(
                    span=rule.where("names"), call=name, first=first.where("names")
                )
        denies = rule.action in (CallAction.ERRNO, CallAction.KILL)
        same = _answer(rule.action, rule.errno) == _answer(profile.default, profile.errno)
        if lists and denies and not same:
            yield faults.Untranslatable(
                span=rule.where("action"),
                what="deny these calls in another way than all that are not listed",
                reason="beside a list of what is allowed it has one answer for all else",
            )
    if profile.default is CallAction.LOG and all(r.action is CallAction.LOG for r in profile.rules):
        yield faults.Untranslatable(
            span=profile.where("defaultAction"),
            what="log each and every call",
            reason="it logs all but those that meet something else, and none does",
        )


def _answer(action: CallAction, errno: int) -> tuple[CallAction, int]:
    return action, errno if action is CallAction.ERRNO else 0


def parse_profile(source: Source, problems: list[Problem]) -> CallProfile | None:
    """The profile that a JSON text is; None where it is none, or not one that systemd can keep."""
    before = len(problems)
    if source.text.lstrip()[:1] != "{" or _MARK not in source.text:
        problems.append(faults.NotAProfile(span=_unseen(source.path)))
        return None
    roots = compose(source, problems)
    if len(problems) > before:
        return None
    if len(roots) != 1 or isinstance(roots[0], ScalarNode):
        problems.append(faults.NotAProfile(span=_unseen(source.path)))
        return None
    found = _PROFILE.read(Reader(source, problems), roots[0], "profile")
    return found if isinstance(found, CallProfile) and len(problems) == before else None


def read_profiles(
    playbooks: Iterable[Playbook],
) -> tuple[Mapping[str, CallProfile | None], tuple[Problem, ...]]:
    """The profiles of all files that playbooks name, by path: None of one that cannot be used."""
    profiles: dict[str, CallProfile | None] = {}
    problems: list[Problem] = []
    for playbook in playbooks:
        for context in _contexts(playbook):
            path = context.seccomp.profile_path if context.seccomp else None
            if path is not None and path not in profiles:
                unreadable: list[Problem] = []
                source = read_file(path, unreadable)
                problems += (replace(problem, span=_unseen(path)) for problem in unreadable)
                profiles[path] = None if source is None else parse_profile(source, problems)
    return profiles, tuple(problems)


def _unseen(path: str) -> Span:
    """A place in a file of which no line is shown: a playbook may name any file of root's."""
    return Span(Source(path, ""), 0, 0)


def _contexts(playbook: Playbook) -> Iterator[SecurityContext]:
    found = [playbook.security_context, *(w.security_context for w in playbook.workloads)]
    yield from (context for context in found if context is not None)

"""What can be wrong when a plan becomes units: text systemd cannot hold, what it cannot enforce."""

from typing import ClassVar

from gxo.dataclass import dataclass
from gxo.diagnostic.base import Problem, Severity, did_you_mean
from gxo.source import Span


@dataclass(frozen=True, slots=True, kw_only=True)
class NotInThisVersion(Problem):
    """Part of the language that this version checks but does not carry out yet."""

    code: ClassVar[str] = "not-in-this-version"
    what: str
    """Completes `cannot …`."""

    def message(self) -> str:
        return f"cannot {self.what}: not in this version"


@dataclass(frozen=True, slots=True, kw_only=True)
class UnsafeText(Problem):
    """Text that a unit cannot hold, or not without another meaning."""

    code: ClassVar[str] = "unsafe-text"
    what: str
    reason: str
    advice: str | None = None

    def message(self) -> str:
        return f"cannot use this {self.what}: {self.reason}"

    def hint(self) -> str | None:
        return self.advice


@dataclass(frozen=True, slots=True, kw_only=True)
class WrongParam(Problem):
    """A param came out as something else than its module takes."""

    code: ClassVar[str] = "wrong-param"
    param: str
    wanted: str
    found: str

    def message(self) -> str:
        return f"`{self.param}` must be {self.wanted}, not {self.found}"


@dataclass(frozen=True, slots=True, kw_only=True)
class HiddenProgram(Problem):
    """A program in a place that is hidden from the workload, or that it has anew for itself."""

    code: ClassVar[str] = "hidden-program"
    place: str
    profile: str

    def message(self) -> str:
        return f"cannot run this program: the profile `{self.profile}` hides all of {self.place}"

    def hint(self) -> str:
        return "keep the program elsewhere, as in /usr/local/bin or /srv, or use `profile: host`"


@dataclass(frozen=True, slots=True, kw_only=True)
class OutOfSight(Problem):
    """An argument, or a shell's line, that names something which is hidden from the workload."""

    code: ClassVar[str] = "out-of-sight"
    severity: ClassVar[Severity] = Severity.WARNING
    place: str
    profile: str

    def message(self) -> str:
        return f"the profile `{self.profile}` hides all of {self.place} from the workload"

    def hint(self) -> str:
        return "keep the files elsewhere, as in /srv, or use `profile: host`"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadyLater(Problem):
    """A time to get ready that systemd cannot hold a service to; `longest` is in microseconds."""

    code: ClassVar[str] = "ready-later"
    severity: ClassVar[Severity] = Severity.WARNING
    longest: int

    def message(self) -> str:
        return (
            f"it has {self.longest / 1_000_000:g}s all the same: with `notify` no less than the"
            " longest gap between restarts"
        )

    def hint(self) -> str:
        return "lower the `max` of `backoff` too"


@dataclass(frozen=True, slots=True, kw_only=True)
class LowPort(Problem):
    """A port that a service without privileges cannot open."""

    code: ClassVar[str] = "low-port"
    severity: ClassVar[Severity] = Severity.WARNING
    port: int

    def message(self) -> str:
        return f"the service may not open port {self.port}: those below 1024 need a capability"

    def hint(self) -> str:
        return "write `security_context: {capabilities: [CAP_NET_BIND_SERVICE]}`"


@dataclass(frozen=True, slots=True, kw_only=True)
class NotEnforced(Problem):
    """A protection that the systemd compiled for cannot give; `reason` names what is missing."""

    code: ClassVar[str] = "not-enforced"
    directive: str
    reason: str

    def message(self) -> str:
        return f"cannot enforce {self.directive}=: {self.reason}"

    def hint(self) -> str:
        return f"with `allow_degraded: [{self.directive}]` the workload runs without it"


@dataclass(frozen=True, slots=True, kw_only=True)
class Degraded(Problem):
    """The same, where the playbook allows it."""

    code: ClassVar[str] = "degraded"
    severity: ClassVar[Severity] = Severity.WARNING
    directive: str
    reason: str

    def message(self) -> str:
        return f"runs without {self.directive}=: {self.reason}"


@dataclass(frozen=True, slots=True, kw_only=True)
class TooExposed(Problem):
    """A workload that `systemd-analyze security` rates above what was asked for."""

    code: ClassVar[str] = "too-exposed"
    workload: str
    score: float
    limit: float

    def message(self) -> str:
        return f"`{self.workload}` has an exposure of {self.score:.1f}, more than {self.limit:g}"

    def hint(self) -> str:
        return "the profiles `default` and `strict` are below 2; `host` is above 9"


@dataclass(frozen=True, slots=True, kw_only=True)
class UnknownWord(Problem):
    """A word where systemd knows a fixed list: a capability, a group of system calls, a signal."""

    code: ClassVar[str] = "unknown-word"
    noun: str
    word: str
    known: tuple[str, ...]

    def message(self) -> str:
        return f"there is no {self.noun} `{self.word}`"

    def hint(self) -> str | None:
        return did_you_mean(self.word, self.known)


@dataclass(frozen=True, slots=True, kw_only=True)
class EdgeIntoService(Problem):
    """A service that reads what a run makes: it starts once and has no run."""

    code: ClassVar[str] = "edge-into-service"
    source: str
    target: str
    kind: str

    def message(self) -> str:
        return (
            f"cannot give `{self.target}` the {self.kind} of `{self.source}`:"
            " a supervised workload runs all the time, outside any run"
        )

    def hint(self) -> str:
        return "only `needs` can order the start of a supervised workload"


@dataclass(frozen=True, slots=True, kw_only=True)
class NameTooLong(Problem):
    code: ClassVar[str] = "name-too-long"
    unit: str
    limit: int
    related_to: tuple[tuple[Span, str], ...] = ()

    def message(self) -> str:
        return (
            "cannot name a unit after this playbook and workload:"
            f" {len(self.unit)} characters once escaped, at most {self.limit}"
        )

    def hint(self) -> str:
        return "letters, digits and `_` count as one character, all others as four"

    def related(self) -> tuple[tuple[Span, str], ...]:
        return self.related_to

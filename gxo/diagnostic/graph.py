"""What can be wrong with a playbook as a whole: names, references, edges, cycles, given values."""

from typing import ClassVar

from gxo.dataclass import dataclass
from gxo.diagnostic.base import Problem, Severity, did_you_mean, there_are
from gxo.source import Name, Span


def _known(noun: str, names: tuple[str, ...]) -> str:
    return there_are(names) if names else f"there is no {noun}"


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaybookTwice(Problem):
    """Two playbooks claim one name; `span` is the second's, `first` the first's."""

    code: ClassVar[str] = "playbook-twice"
    name: str
    first: Span

    def message(self) -> str:
        return f"two playbooks are named `{self.name}`"

    def hint(self) -> str:
        return "give one of them another `name`"

    def related(self) -> tuple[tuple[Span, str], ...]:
        return ((self.first, "the first is here"),)


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkloadTwice(Problem):
    code: ClassVar[str] = "workload-twice"
    name: str
    first: Span

    def message(self) -> str:
        return f"two workloads are named `{self.name}`"

    def related(self) -> tuple[tuple[Span, str], ...]:
        return ((self.first, "the first is here"),)


@dataclass(frozen=True, slots=True, kw_only=True)
class TemplateNameTwice(Problem):
    """Inputs, vars, registered names and loop variables share one flat scope."""

    code: ClassVar[str] = "template-name-twice"
    name: str
    kind: str
    first: Span
    first_kind: str

    def message(self) -> str:
        return f"{self.kind} `{self.name}` has the same name as {self.first_kind}"

    def hint(self) -> str:
        return f"templates read both as `.{self.name}`: rename one"

    def related(self) -> tuple[tuple[Span, str], ...]:
        return ((self.first, f"{self.first_kind} of that name is here"),)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReservedName(Problem):
    code: ClassVar[str] = "reserved-name"
    name: str
    kind: str

    def message(self) -> str:
        return f"{self.kind} cannot be named `{self.name}`: gxo uses that name itself"


@dataclass(frozen=True, slots=True, kw_only=True)
class UnknownWorkload(Problem):
    """A name under `key` that no workload has."""

    code: ClassVar[str] = "unknown-workload"
    name: str
    key: str
    known: tuple[str, ...]

    def message(self) -> str:
        return f"{self.key} names a workload that does not exist: `{self.name}`"

    def hint(self) -> str:
        return did_you_mean(self.name, self.known) or _known("workload", self.known)


@dataclass(frozen=True, slots=True, kw_only=True)
class UnknownReference(Problem):
    """A template reads a name that nothing defines there."""

    code: ClassVar[str] = "unknown-reference"
    name: str
    known: tuple[str, ...]
    loop_var: bool = False

    def message(self) -> str:
        return f"there is no input, var or registered name `{self.name}`"

    def hint(self) -> str:
        if self.loop_var:
            return "only the params of the workload that has the `loop` can read its variable"
        return did_you_mean(self.name, self.known) or _known("name to read", self.known)


@dataclass(frozen=True, slots=True, kw_only=True)
class UnknownBuiltin(Problem):
    """A path under `_gxo` that gxo does not offer."""

    code: ClassVar[str] = "unknown-reference"
    path: str
    known: tuple[str, ...]

    def message(self) -> str:
        return f"gxo offers no `{self.path}`"

    def hint(self) -> str:
        return did_you_mean(self.path, self.known) or _known("such path", self.known)


@dataclass(frozen=True, slots=True, kw_only=True)
class WholeScope(Problem):
    """A template reads everything at once, so that no edge can be inferred from it."""

    code: ClassVar[str] = "whole-scope"
    path: str

    def message(self) -> str:
        return f"cannot read all of `{self.path}`: gxo orders workloads by the names they read"

    def hint(self) -> str:
        if self.path == "_gxo.workloads":
            return "name the workload: `_gxo.workloads.NAME.status`"
        return "name what you read: `.NAME`"


@dataclass(frozen=True, slots=True, kw_only=True)
class VarReadsState(Problem):
    """A var reads what only exists in a run; vars are set before any workload starts."""

    code: ClassVar[str] = "var-reads-state"
    name: str
    defined: Span | None = None

    def message(self) -> str:
        return f"a var cannot read `{self.name}`: vars are set before any workload runs"

    def hint(self) -> str:
        return "read it in the params of the workload that needs it"

    def related(self) -> tuple[tuple[Span, str], ...]:
        return ((self.defined, "registered here"),) if self.defined else ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Cycle(Problem):
    """Things that wait for each other; `path` ends where it begins, `edges` says where each is."""

    code: ClassVar[str] = "cycle"
    noun: str
    path: tuple[str, ...]
    edges: tuple[tuple[Span, str], ...]

    def message(self) -> str:
        return f"{self.noun} wait for each other: {' -> '.join(self.path)}"

    def related(self) -> tuple[tuple[Span, str], ...]:
        return self.edges[1:]

    def hint(self) -> str:
        return f"where it is marked first, {self.edges[0][1]}"


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamDeadlock(Problem):
    """Both ends of a stream run at once, so neither may wait for the other's end."""

    code: ClassVar[str] = "stream-deadlock"
    path: tuple[str, ...]
    edges: tuple[tuple[Span, str], ...]

    def message(self) -> str:
        return (
            "workloads joined by a stream run at the same time and cannot wait for each other: "
            + " -> ".join(self.path)
        )

    def related(self) -> tuple[tuple[Span, str], ...]:
        return self.edges


@dataclass(frozen=True, slots=True, kw_only=True)
class DataIntoSupervise(Problem):
    """A supervised service outlives every run, so no run's data can flow into it."""

    code: ClassVar[str] = "data-into-supervise"
    workload: str
    source: str
    stream: bool

    def message(self) -> str:
        what = "a stream from" if self.stream else "what was registered by"
        return f"supervised workload `{self.workload}` cannot read {what} `{self.source}`"

    def hint(self) -> str:
        return (
            "it can restart long after the run has ended: pass the data in a file, "
            "and order the two with `needs`"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamNameCollision(Problem):
    """Two inputs of one workload would share one environment variable."""

    code: ClassVar[str] = "stream-name-collision"
    variable: str
    name: str
    other: str
    first: Span

    def message(self) -> str:
        return f"streams `{self.other}` and `{self.name}` would both be at `${self.variable}`"

    def hint(self) -> str:
        return "rename one of the two workloads"

    def related(self) -> tuple[tuple[Span, str], ...]:
        return ((self.first, "the other is here"),)


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamAgain(Problem):
    """A workload with a stream that should run more than once; `stream` is where it has one."""

    code: ClassVar[str] = "stream-again"
    workload: str
    key: str
    stream: Span

    def message(self) -> str:
        return f"`{self.workload}` has a stream and cannot have a `{self.key}`"

    def hint(self) -> str:
        if self.key == "retry":
            return "what it has streamed cannot be taken back; `retry: {attempts: 1}` tries once"
        return "what it has streamed cannot be taken back: loop in a workload without a stream"

    def related(self) -> tuple[tuple[Span, str], ...]:
        return ((self.stream, "its stream"),)


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamsOfOneSource(Problem):
    """A program that gets data of one source on two ways, and may wait for the wrong one."""

    code: ClassVar[str] = "streams-of-one-source"
    severity: ClassVar[Severity] = Severity.WARNING
    workload: str
    inputs: tuple[str, str]
    source: str

    def message(self) -> str:
        one, other = self.inputs
        return (
            f"the streams `{one}` and `{other}` of `{self.workload}` both come from"
            f" `{self.source}`: it must read them at the same time"
        )

    def hint(self) -> str:
        return (
            "if it reads one to its end first, the pipe of the other fills up and blocks"
            f" `{self.source}` for ever; give the workload a `timeout`, or pass one of the streams"
            " in a file"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class UnknownInput(Problem):
    code: ClassVar[str] = "unknown-input"
    name: str
    known: tuple[str, ...]

    def message(self) -> str:
        return f"no input is named `{self.name}`"

    def hint(self) -> str:
        return did_you_mean(self.name, self.known) or _known("input", self.known)


@dataclass(frozen=True, slots=True, kw_only=True)
class UnknownVar(Problem):
    """A var given one by one that changes nothing."""

    code: ClassVar[str] = "unknown-var"
    name: str
    known: tuple[str, ...]

    def message(self) -> str:
        return f"no playbook has or reads a var `{self.name}`"

    def hint(self) -> str:
        return did_you_mean(self.name, self.known) or _known("var", self.known)


@dataclass(frozen=True, slots=True, kw_only=True)
class MissingInput(Problem):
    code: ClassVar[str] = "missing-input"
    name: Name

    def message(self) -> str:
        return f"input `{self.name}` has no default and was not given"

    def hint(self) -> str:
        return f"give it with `--input {self.name}=VALUE`"


@dataclass(frozen=True, slots=True, kw_only=True)
class BadInput(Problem):
    """A given input that is not of the declared type."""

    code: ClassVar[str] = "bad-input"
    name: str
    type: str
    reason: str
    declared: Span

    def message(self) -> str:
        return f"input `{self.name}` must be of type {self.type}: {self.reason}"

    def related(self) -> tuple[tuple[Span, str], ...]:
        return ((self.declared, "declared here"),)

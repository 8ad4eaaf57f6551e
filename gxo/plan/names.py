"""The flat scope of a playbook's templates: who defines each name, what each reference reads."""

from collections.abc import Collection, Iterator, Mapping
from enum import StrEnum
from typing import TYPE_CHECKING

from gxo.dataclass import dataclass
from gxo.diagnostic.base import Problem
from gxo.diagnostic.lazy import Lazy
from gxo.language.model import Playbook, Workload
from gxo.plan.model import EdgeKind
from gxo.source import Name, Span
from gxo.template.names import Reference, references
from gxo.template.value import MapValue, Value

if TYPE_CHECKING:
    from gxo.diagnostic import graph as faults
else:
    faults = Lazy("gxo.diagnostic.graph")

BUILTINS = (
    "_gxo.workspace.path",
    "_gxo.run.id",
    "_gxo.playbook.name",
    "_gxo.workloads.NAME.status",
    "_gxo.resume_payload",
    "_gxo.event",
)
_GXO = "_gxo"
# below these lies data of a run, whose shape is not known here
_OPEN = frozenset({"resume_payload", "event"})
_CLOSED = frozenset(
    path[:end]
    for path in (("workspace", "path"), ("run", "id"), ("playbook", "name"))
    for end in (1, 2)
)


class Kind(StrEnum):
    INPUT = "an input"
    VAR = "a var"
    REGISTER = "a registered name"
    LOOP = "a loop variable"


@dataclass(frozen=True, slots=True)
class Binding:
    """Who defines a name; `workload` is set for a registered summary."""

    kind: Kind
    span: Span
    workload: str | None = None


@dataclass(frozen=True, slots=True)
class Read:
    """A template that reads a workload's summary or status: which workload, and where."""

    kind: EdgeKind
    workload: str
    span: Span


def bindings(
    playbook: Playbook, variables: MapValue | None
) -> tuple[Mapping[str, Binding], tuple[Problem, ...]]:
    """Every name that templates may read, and a problem for each defined twice."""
    table: dict[str, Binding] = {}
    problems: list[Problem] = []
    for name, binding in _declared(playbook, variables):
        first = table.setdefault(name.text, binding)
        if name.text == _GXO:
            problems.append(faults.ReservedName(span=name.span, name=_GXO, kind=binding.kind))
        elif first is not binding:
            problems.append(
                faults.TemplateNameTwice(
                    span=binding.span,
                    name=name.text,
                    kind=binding.kind,
                    first=first.span,
                    first_kind=first.kind,
                )
            )
    for workload in playbook.workloads:
        hidden = table.get(loop_var(workload)) if workload.loop is not None else None
        if hidden:
            problems.append(
                faults.TemplateNameTwice(
                    span=_loop_place(workload),
                    name=loop_var(workload),
                    kind=Kind.LOOP,
                    first=hidden.span,
                    first_kind=hidden.kind,
                )
            )
    return table, tuple(problems)


def loop_var(workload: Workload) -> str:
    """The name under which each round of a workload's loop sees its item."""
    return workload.loop_control.loop_var if workload.loop_control else "item"


def _loop_place(workload: Workload) -> Span:
    control = workload.loop_control
    return control.where("loop_var") if control else workload.where("loop")


def _declared(playbook: Playbook, variables: MapValue | None) -> Iterator[tuple[Name, Binding]]:
    for declared in playbook.inputs:
        yield declared.name, Binding(Kind.INPUT, declared.name.span)
    for name, _ in variables.entries if variables else ():
        yield name, Binding(Kind.VAR, name.span)
    for workload in playbook.workloads:
        if workload.register is not None:
            name = workload.register
            yield name, Binding(Kind.REGISTER, name.span, workload.name.text)


@dataclass(frozen=True, slots=True)
class Scope:
    """What may be read in one playbook: the flat names and the workloads."""

    names: Mapping[str, Binding]
    workloads: Mapping[str, Workload]
    loop_vars: frozenset[str] = frozenset()
    """The loop variables of all workloads, each of which only its own can read."""

    def reads(
        self, value: Value | None, problems: list[Problem], local: Collection[str] = ()
    ) -> tuple[Read, ...]:
        """What a value reads of workloads, in order; unknown names go to `problems`.

        `local` are names known only there: a loop variable, and what a module sets for each record.
        """
        if value is None:
            return ()
        found = (self._read(reference, problems, local) for reference in references(value))
        return tuple(read for read in found if read is not None)

    def vars_read(self, value: Value, problems: list[Problem]) -> tuple[tuple[str, Span], ...]:
        """The vars that a var reads and where; unknown names and a run's results are problems."""
        found: list[tuple[str, Span]] = []
        for reference in references(value):
            read = self._read(reference, problems, ())
            if read is not None:
                state = read.kind is EdgeKind.STATE
                problems.append(
                    faults.VarReadsState(
                        span=read.span,
                        name=_written(reference),
                        defined=self.names[str(reference.path[0])].span if state else None,
                    )
                )
            name = str(reference.path[0]) if reference.path else ""
            if name in self.names and self.names[name].kind is Kind.VAR:
                found.append((name, reference.span))
        return tuple(found)

    def _read(
        self, reference: Reference, problems: list[Problem], local: Collection[str]
    ) -> Read | None:
        path = tuple(str(part) for part in reference.path)
        if not path:
            problems.append(faults.WholeScope(span=reference.span, path="."))
        elif path[0] == _GXO:
            return self._builtin(reference, path[1:], problems)
        elif path[0] not in local:
            binding = self.names.get(path[0])
            if binding is None:
                known = tuple(sorted({*self.names, *local}))
                problems.append(
                    faults.UnknownReference(
                        span=reference.span,
                        name=path[0],
                        known=known,
                        loop_var=path[0] in self.loop_vars,
                    )
                )
            elif binding.workload is not None:
                return Read(EdgeKind.STATE, binding.workload, reference.span)
        return None

    def _builtin(
        self, reference: Reference, path: tuple[str, ...], problems: list[Problem]
    ) -> Read | None:
        if path in ((), ("workloads",)):
            problems.append(faults.WholeScope(span=reference.span, path=_written(reference)))
        elif path[0] == "workloads" and path[1] not in self.workloads:
            problems.append(
                faults.UnknownWorkload(
                    span=reference.span,
                    name=path[1],
                    key="`_gxo.workloads`",
                    known=tuple(self.workloads),
                )
            )
        elif path[0] == "workloads" and path[2:] in ((), ("status",)):
            return Read(EdgeKind.STATUS, path[1], reference.span)
        elif path[0] not in _OPEN and path not in _CLOSED:
            problems.append(
                faults.UnknownBuiltin(span=reference.span, path=_written(reference), known=BUILTINS)
            )
        return None


def _written(reference: Reference) -> str:
    return ".".join(str(part) for part in reference.path)

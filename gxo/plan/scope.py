"""What templates may read when a plan is compiled: inputs, and vars evaluated when first read."""

from collections.abc import Iterable, Iterator, Mapping, Set

from gxo.diagnostic.base import Problem
from gxo.plan.model import Plan
from gxo.template.evaluate import Scope, evaluate
from gxo.template.fault import Fault
from gxo.template.functions import COMPILE_FUNCTIONS
from gxo.template.names import references, uses
from gxo.template.value import Data, MapValue, Value


def compile_scope(plan: Plan) -> tuple[Scope, tuple[Problem, ...]]:
    """The scope of a plan's templates, and what is wrong with its vars.

    A var that calls `now`, `secret` or the like can only be evaluated in a run: reading it raises
    Fault, but it is no problem in itself.
    """
    names = Names(dict(plan.inputs), plan.vars)
    order = in_order(names.reads, names.reads)
    names.scope = scope = Scope(
        names=names,
        gxo={"playbook": {"name": plan.playbook.text}},
        functions=COMPILE_FUNCTIONS,
    )
    problems: list[Problem] = []
    late = _late(names, order, {name for name, _ in plan.inputs})
    for name in order:
        if name not in late:
            try:
                names[name]
            except Fault as fault:
                problems.append(fault.problem)
    return scope, tuple(problems)


class Names(Mapping[str, Data]):
    """Values by name; a var is evaluated when it is first read, and only once."""

    scope: Scope

    def __init__(self, known: dict[str, Data], vars: MapValue | None) -> None:  # noqa: A002
        self.written = {name.text: value for name, value in vars.entries} if vars else {}
        self.reads = {name: _read_by(value) for name, value in self.written.items()}
        self._known = known
        self._faults: dict[str, Fault] = {}

    def __getitem__(self, name: str) -> Data:
        if name not in self._known and name in self.written:
            # in order: each within the next would recurse as deep as a chain of vars is long
            for each in in_order(self.reads, [name]):
                self._evaluate(each)
        if name in self._faults:
            raise self._faults[name]
        return self._known[name]

    def _evaluate(self, name: str) -> None:
        if name not in self._known and name not in self._faults:
            try:
                self._known[name] = evaluate(self.written[name], self.scope)
            except Fault as fault:
                self._faults[name] = fault

    def __contains__(self, name: object) -> bool:
        return name in self._known or name in self.written

    def __iter__(self) -> Iterator[str]:
        return iter({**self._known, **self.written})

    def __len__(self) -> int:
        return len({**self._known, **self.written})


def _read_by(value: Value) -> frozenset[str]:
    return frozenset(str(reference.path[0]) for reference in references(value))


def in_order(reads: Mapping[str, Set[str]], wanted: Iterable[str]) -> tuple[str, ...]:
    """The vars wanted and those they read, each after what it reads.

    Vars in a circle, which is reported elsewhere, come in any order.
    """
    order: dict[str, None] = {}
    begun: set[str] = set()
    for first in wanted:
        stack = [first]
        while stack:
            name = stack[-1]
            if name in begun:
                order[stack.pop()] = None
            else:
                begun.add(name)
                stack += sorted(reads[name] & reads.keys() - begun)
    return tuple(order)


def _late(names: Names, order: Iterable[str], given: Set[str]) -> frozenset[str]:
    """Vars that only a run can evaluate, themselves or through a var they read."""
    late: set[str] = set()
    for name in order:
        effects = any(
            function is not None and not COMPILE_FUNCTIONS.can(function)
            for function in (
                COMPILE_FUNCTIONS.get(use.function) for use in uses(names.written[name])
            )
        )
        known = all(
            read in names.written or read in given or read == "_gxo" for read in names.reads[name]
        )
        if effects or not known or names.reads[name] & late:
            late.add(name)
    return frozenset(late)

"""What templates may read when a plan is compiled: inputs, and vars evaluated when first read."""

from collections.abc import Iterable, Iterator, Mapping, Set

from gxo.diagnostic.base import Problem
from gxo.plan.model import Plan
from gxo.template.evaluate import Scope, evaluate
from gxo.template.fault import Fault
from gxo.template.functions import COMPILE_FUNCTIONS
from gxo.template.names import references, uses
from gxo.template.value import Data, Value


def compile_scope(plan: Plan) -> tuple[Scope, tuple[Problem, ...]]:
    """The scope of a plan's templates, and what is wrong with its vars.

    A var that calls `now`, `secret` or the like waits for a run: it is no problem until something
    that is compiled reads it, which then raises Fault.
    """
    values = dict(_vars(plan))
    reads = {name: _read_by(value) for name, value in values.items()}
    order = _in_order(reads)
    names = _Names(dict(plan.inputs), values)
    names.scope = scope = Scope(
        names=names,
        gxo={"playbook": {"name": plan.playbook.text}},
        functions=COMPILE_FUNCTIONS,
    )
    problems: list[Problem] = []
    late = _late(values, reads, order, {name for name, _ in plan.inputs})
    for name in order:
        if name not in late:
            try:
                names[name]
            except Fault as fault:
                problems.append(fault.problem)
    return scope, tuple(problems)


class _Names(Mapping[str, Data]):
    """Inputs and vars by name; a var is evaluated once, when it is first read."""

    scope: Scope

    def __init__(self, known: dict[str, Data], values: Mapping[str, Value]) -> None:
        self._known = known
        self._values = values
        self._faults: dict[str, Fault] = {}

    def __getitem__(self, name: str) -> Data:
        if name in self._faults:
            raise self._faults[name]
        if name not in self._known:
            try:
                self._known[name] = evaluate(self._values[name], self.scope)
            except Fault as fault:
                self._faults[name] = fault
                raise
        return self._known[name]

    def __contains__(self, name: object) -> bool:
        return name in self._known or name in self._values

    def __iter__(self) -> Iterator[str]:
        return iter({**self._known, **self._values})

    def __len__(self) -> int:
        return len({**self._known, **self._values})


def _vars(plan: Plan) -> Iterator[tuple[str, Value]]:
    for name, value in plan.vars.entries if plan.vars else ():
        yield name.text, value


def _read_by(value: Value) -> frozenset[str]:
    return frozenset(str(reference.path[0]) for reference in references(value))


def _in_order(reads: Mapping[str, frozenset[str]]) -> tuple[str, ...]:
    """The vars, each behind those it reads: however long a chain is, none is evaluated in another.

    What goes round in a circle, an error told of elsewhere, stands somewhere.
    """
    order: dict[str, None] = {}
    begun: set[str] = set()
    for first in reads:
        stack = [first]
        while stack:
            name = stack[-1]
            if name in begun:
                order[stack.pop()] = None
            else:
                begun.add(name)
                stack += sorted(reads[name] & reads.keys() - begun)
    return tuple(order)


def _late(
    values: Mapping[str, Value],
    reads: Mapping[str, frozenset[str]],
    order: Iterable[str],
    given: Set[str],
) -> frozenset[str]:
    """Vars that only a run can evaluate, themselves or through a var they read."""
    late: set[str] = set()
    for name in order:
        effects = any(
            function is not None and not COMPILE_FUNCTIONS.can(function)
            for function in (COMPILE_FUNCTIONS.get(use.function) for use in uses(values[name]))
        )
        known = all(read in values or read in given or read == "_gxo" for read in reads[name])
        if effects or not known or reads[name] & late:
            late.add(name)
    return frozenset(late)

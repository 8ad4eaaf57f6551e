"""What templates may read when a plan is compiled: inputs, and vars evaluated when first read."""

from collections.abc import Iterator, Mapping

from gxo.diagnostic.base import Problem
from gxo.plan.model import Plan
from gxo.template.evaluate import Scope, evaluate
from gxo.template.fault import Fault
from gxo.template.functions import COMPILE_FUNCTIONS
from gxo.template.names import references, uses
from gxo.template.value import Data, MapValue, Value


def compile_scope(plan: Plan) -> tuple[Scope, tuple[Problem, ...]]:
    """The scope of a plan's templates, and what is wrong with its vars.

    A var that calls `now`, `secret` or the like waits for a run: it is no problem until something
    that is compiled reads it, which then raises Fault.
    """
    names = Names(dict(plan.inputs), plan.vars)
    names.scope = scope = Scope(
        names=names,
        gxo={"playbook": {"name": plan.playbook.text}},
        functions=COMPILE_FUNCTIONS,
    )
    problems: list[Problem] = []
    late = _late(plan)
    for name, _ in _vars(plan):
        if name not in late:
            try:
                names[name]
            except Fault as fault:
                problems.append(fault.problem)
    return scope, tuple(problems)


class Names(Mapping[str, Data]):
    """What is known by name, and vars; a var is evaluated once, when it is first read."""

    scope: Scope

    def __init__(self, known: dict[str, Data], vars: MapValue | None) -> None:  # noqa: A002
        self._known = known
        self._values = {name.text: value for name, value in vars.entries} if vars else {}

    def __getitem__(self, name: str) -> Data:
        if name not in self._known:
            self._known[name] = evaluate(self._values[name], self.scope)
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


def _late(plan: Plan) -> frozenset[str]:
    """Vars that only a run can evaluate, themselves or through a var they read."""
    values = dict(_vars(plan))
    given = {name for name, _ in plan.inputs}
    reads: dict[str, set[str]] = {}
    late: set[str] = set()
    for name, value in values.items():
        reads[name] = {str(reference.path[0]) for reference in references(value)}
        effects = any(
            function is not None and not COMPILE_FUNCTIONS.can(function)
            for function in (COMPILE_FUNCTIONS.get(use.function) for use in uses(value))
        )
        if effects or not reads[name] <= {*given, *values, "_gxo"}:
            late.add(name)
    while more := {name for name in values if name not in late and reads[name] & late}:
        late |= more
    return frozenset(late)

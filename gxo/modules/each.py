"""Each: a template of a param, evaluated anew for every record."""

from __future__ import annotations

from itertools import count

from gxo.modules.fault import ModuleError
from gxo.modules.moment import now, uuid
from gxo.plan.codec import from_placed_json
from gxo.template.compiled import compile_value
from gxo.template.evaluate import Scope
from gxo.template.fault import Failure, Fault
from gxo.template.functions import run_functions
from gxo.template.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from gxo.modules.flow import Record

    Each = Callable[[list[Record], int], list[Any]]

BINDS = ("record", "index")


def each(told: Mapping[str, Any]) -> Each:
    """What yields the param's value for each of some records, given the number of the first,
    from 0; it raises ModuleError.

    `told` is what the runner makes of the param: the template, what it reads of the playbook's
    names, and the secrets and variables of the environment that it names.
    """
    scope = Scope(
        names=told["names"],
        gxo=told["gxo"],
        functions=run_functions(
            secret=_named("secret", told["secrets"]),
            env=_named("variable", told["environment"]),
            now=now,
            uuid=uuid,
        ),
    )
    make = compile_value(from_placed_json(Value, told), scope, BINDS)

    def values(records: list[Record], first: int) -> list[Any]:
        made: list[Any] = []
        try:
            made.extend(map(make, records, count(first)))
        except Fault as fault:
            raise ModuleError(f"record {first + len(made) + 1}: {fault}") from None
        return made

    return values


def _named(what: str, known: Mapping[str, str]) -> Callable[[str], str]:
    def find(name: str) -> str:
        if name not in known:
            raise Failure(f"a template for each record must name the {what} literally", argument=0)
        return known[name]

    return find

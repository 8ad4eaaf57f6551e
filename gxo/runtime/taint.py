"""Taint: what functions make of a secret is masked as the secret itself."""

from collections.abc import Iterator, Sequence

from gxo.dataclass import dataclass
from gxo.runtime.redact import Redactor
from gxo.template.function import Function, FunctionTable
from gxo.template.limits import Limits
from gxo.template.value import Data

SHORTEST = 4
"""Characters below which a part of a secret is not masked: `no` or `443` stands everywhere."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TaintingTable(FunctionTable):
    """A table whose results are added to a redactor where an argument holds a secret.

    Not those that still hold it, of which that part is masked; nor what was picked from the
    arguments as it was; nor truths (`eq`, `contains`).
    """

    redactor: Redactor

    def call(self, function: Function, arguments: Sequence[Data], limits: Limits) -> Data:
        """As FunctionTable.call."""
        result = FunctionTable.call(self, function, arguments, limits)
        redactor = self.redactor
        if not redactor.empty and any(map(redactor.holds, _texts(arguments))):
            picked = {*_texts(arguments), *_keys(arguments)}
            for text in _texts(result):
                if len(text) >= SHORTEST and text not in picked and not redactor.holds(text):
                    redactor.add(text, derived=True)
        return result


def _texts(value: Data | Sequence[Data]) -> Iterator[str]:
    """The texts and numbers of a value; keys of maps are names, and no secrets."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from _texts(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _texts(item)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield str(value)


def _keys(value: Data | Sequence[Data]) -> Iterator[str]:
    if isinstance(value, dict):
        yield from value
        value = list(value.values())
    if isinstance(value, list | tuple):
        for item in value:
            yield from _keys(item)

"""Values of a playbook that may hold templates, each with its place."""

from __future__ import annotations

from collections.abc import Iterator

from gxo.dataclass import dataclass, field
from gxo.source import Name, Span
from gxo.template.tree import Template

Scalar = None | bool | int | float | str
Data = Scalar | list["Data"] | dict[str, "Data"]
"""What a template evaluates to, and what a summary holds: JSON's own shapes."""


@dataclass(frozen=True, slots=True)
class Literal:
    """A scalar without template text."""

    data: Scalar
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class ListValue:
    items: tuple[Value, ...]
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class MapValue:
    """Keys are literal text, unique, in the order written."""

    entries: tuple[tuple[Name, Value], ...]
    span: Span = field(compare=False)

    def get(self, key: str) -> Value | None:
        return next((value for name, value in self.entries if name.text == key), None)

    def __iter__(self) -> Iterator[str]:
        return (name.text for name, _ in self.entries)


Value = Literal | ListValue | MapValue | Template


def literal_data(value: Value) -> Data:
    """The data of a value that holds no template."""
    match value:
        case Literal():
            return value.data
        case ListValue():
            return [literal_data(item) for item in value.items]
        case MapValue():
            return {name.text: literal_data(item) for name, item in value.entries}
        case Template():
            raise AssertionError("a template where the language allows none")

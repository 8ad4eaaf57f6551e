"""Declared inputs of a playbook: their types, and defaults that are of them."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from yaml import Node, ScalarNode

from gxo.diagnostic.lazy import Lazy
from gxo.language.kinds import Bool, Choice, Kind, Named, Prose, Schema
from gxo.language.model import Input, InputType
from gxo.language.reader import Reader
from gxo.language.section import Key, Section, read_keys
from gxo.language.values import map_items, read_value
from gxo.source import Name
from gxo.template.value import ListValue, Literal, MapValue, Value

if TYPE_CHECKING:
    from gxo.diagnostic import keys as key_faults
else:
    key_faults = Lazy("gxo.diagnostic.keys")

_PHRASES: Mapping[InputType, str] = {
    InputType.STRING: "text",
    InputType.INT: "a whole number",
    InputType.FLOAT: "a number",
    InputType.BOOL: "`true` or `false`",
    InputType.LIST: "a list",
    InputType.MAP: "a map",
}


class Plain(Kind):
    """Data of any type, without templates."""

    __slots__ = ()
    takes = "a value"

    def read(self, reader: Reader, node: Node, key: str) -> Value:
        return read_value(reader, node, key, templates=False)

    def schema(self) -> Schema:
        return {}


INPUT = Section(
    "input",
    "an input",
    "A value that a run is given from outside, with `--input NAME=VALUE`.",
    (
        Key(
            "type",
            Choice(InputType),
            "What it holds. Text from a command line is read as this; lists and maps as JSON.",
            "int",
            default="string",
        ),
        Key(
            "default",
            Plain(),
            "Its value if none is given; without a default, one must be given.",
            "3",
        ),
        Key("description", Prose(), "What it is for.", "How many copies to run."),
        Key(
            "required",
            Bool(),
            "With `false` and no default, it is null if it is not given.",
            "false",
            default="true",
        ),
    ),
    model=dict,
)


class Inputs(Kind):
    """A map of names to declarations."""

    __slots__ = ()
    takes = "a map of names to inputs"
    _NAMED = Named("an input", word=True)

    def read(self, reader: Reader, node: Node, key: str) -> tuple[Input, ...] | None:
        found = reader.map(node, key, self.takes)
        if found is None:
            return None
        inputs = [
            _input(reader, name, child)
            for name, child in map_items(reader, found)
            if self._NAMED.check(reader, name)
        ]
        return tuple(item for item in inputs if item is not None)

    def schema(self) -> Schema:
        return {
            "type": "object",
            "propertyNames": self._NAMED.schema(),
            "additionalProperties": INPUT.schema(),
        }


def _input(reader: Reader, name: Name, node: Node) -> Input | None:
    if isinstance(node, ScalarNode) and node.value in list(InputType):
        reader.wrong(node, name.text, INPUT.takes, f"write {{type: {node.value}}}")
        return None
    found = read_keys(reader, node, name.text, INPUT)
    if found is None:
        return None
    span, at, values = found
    kind: InputType = values.pop("type", InputType.STRING)
    default: Value | None = values.pop("default", None)
    if default is not None and "type" not in at:
        kind = _type_of(default)
    if default is not None:
        default = _typed(reader, default, kind)
    if "required" in at and "default" in at:
        reader.problems.append(
            key_faults.KeyHasNoEffect(
                span=at["required"], name="required", reason="the input has a default"
            )
        )
    return Input(span=span, at=at, name=name, type=kind, default=default, **values)


def _type_of(default: Value) -> InputType:
    """An input without a `type` has that of its default."""
    match default:
        case ListValue():
            return InputType.LIST
        case MapValue():
            return InputType.MAP
        case Literal(data=bool()):
            return InputType.BOOL
        case Literal(data=int()):
            return InputType.INT
        case Literal(data=float()):
            return InputType.FLOAT
        case _:
            return InputType.STRING


def _typed(reader: Reader, default: Value, kind: InputType) -> Value | None:
    """The default as its type; text takes an unquoted number as it is written."""
    empty = isinstance(default, Literal) and default.data is None
    if isinstance(default, Literal) and kind is InputType.STRING and not empty:
        written = default.span.source.text[default.span.start : default.span.end]
        return default if isinstance(default.data, str) else Literal(written, default.span)
    if kind is InputType.FLOAT and _type_of(default) is InputType.INT:
        assert isinstance(default, Literal)
        return Literal(float(str(default.data)), default.span)
    if _type_of(default) is kind and not empty:
        return default
    reader.problems.append(
        key_faults.WrongType(
            span=default.span, key="default", takes=_PHRASES[kind], got=_called(default)
        )
    )
    return None


def _called(value: Value) -> str:
    if isinstance(value, Literal) and value.data is None:
        return "nothing"
    return "text" if _type_of(value) is InputType.STRING else _PHRASES[_type_of(value)]

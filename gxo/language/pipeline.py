"""Params with a form of their own: the steps of a pipeline, the fields of a payload."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from yaml import MappingNode, Node, SequenceNode

from gxo.diagnostic.base import has_errors
from gxo.diagnostic.lazy import Lazy
from gxo.language.conditions import Condition
from gxo.language.inputs import INPUT
from gxo.language.kinds import Named
from gxo.language.modulekinds import ModuleName, RawParams
from gxo.language.reader import Reader
from gxo.language.section import Key, ListOf, Section, read_keys
from gxo.language.values import map_items
from gxo.source import Name, Span
from gxo.spec.library import LIBRARY
from gxo.spec.module import ModuleSpec, Param, Stream
from gxo.template.value import ListValue, Literal, MapValue, Value

if TYPE_CHECKING:
    from gxo.diagnostic import modules as module_faults
else:
    module_faults = Lazy("gxo.diagnostic.modules")

ReadParams = Callable[[Reader, ModuleSpec, MappingNode | None, Span], MapValue]


STEP = Section(
    "step",
    "a step of a pipeline",
    "One step of `stream:pipeline`.",
    (
        Key("id", Named("a step"), "Its name, for `needs` of later steps.", "parse"),
        Key("uses", ModuleName(), "Its module.", "data:parse", required=True),
        Key("with", RawParams(), "The module's params.", "{format: text_lines}", default="{}"),
        Key(
            "needs",
            ListOf(Named("a step"), "ids of steps", unique=True),
            "Ids of the steps whose records it takes (for a join, the left one first); without "
            "it, the step above.",
            "[parse]",
        ),
        Key(
            "when",
            Condition(),
            "Whether the step takes part.",
            "'{{ .verbose }}'",
        ),
        Key(
            "register",
            Named("a registered value", word=True),
            "The key of this step's summary in that of the workload.",
            "parsed",
        ),
    ),
    model=dict,
)


def read_steps(
    reader: Reader, node: Node, param: Param, read_params: ReadParams
) -> ListValue | None:
    """The steps as a list of maps with the keys of `STEP`, the params of each typed."""
    if not isinstance(node, SequenceNode) or not node.value:
        reader.wrong(node, param.name, "a list of steps")
        return None
    steps: list[Value] = []
    ids: dict[str, Span] = {}
    for child in node.value:
        step = _step(reader, child, param, read_params, ids)
        if step is not None:
            steps.append(step)
    return ListValue(tuple(steps), reader.span(node))


def _step(
    reader: Reader,
    node: Node,
    param: Param,
    read_params: ReadParams,
    ids: dict[str, Span],
) -> MapValue | None:
    if not isinstance(node, MappingNode):
        reader.wrong(node, param.name, "a list of steps, each a map")
        return None
    found = read_keys(reader, node, param.name, STEP)
    if found is None:
        return None
    span, at, values = found
    for need in values.get("needs", ()):
        if need.text not in ids:
            reader.problems.append(
                module_faults.UnknownStep(span=need.span, name=need.text, known=tuple(ids))
            )
    if "id" in values:
        _check_id(reader, values["id"], ids)
    uses: Name = values["uses"]
    if not LIBRARY[uses.text].operator:
        reader.problems.append(module_faults.NoStep(span=uses.span, module=uses.text))
    before = len(reader.problems)
    params = read_params(reader, LIBRARY[uses.text], values.get("with"), span)
    if has_errors(reader.problems[before:]):
        return None
    values["with"] = params
    if "needs" in values:
        fed_once(reader, uses, params, fed=bool(values["needs"]))
    entries = [
        (Name(key, place), _value(value, place))
        for key, value in values.items()
        for place in (at.get(key, span),)
    ]
    return MapValue(tuple(entries), span)


def fed_once(reader: Reader, uses: Name, params: MapValue, *, fed: bool) -> None:
    """A step has its records from others or from a param of its own: not from both or neither."""
    spec = LIBRARY[uses.text]
    stand_in = "items" if spec.stream_in is Stream.NONE else spec.stands_in
    given = params.get(stand_in) if stand_in is not None else None
    if stand_in is not None and fed is (given is not None):
        span = uses.span if given is None else given.span
        reader.problems.append(
            module_faults.StreamOrParam(span=span, module=spec.name, param=stand_in, both=fed)
        )


def _check_id(reader: Reader, name: Name, ids: dict[str, Span]) -> None:
    first = ids.setdefault(name.text, name.span)
    if first is not name.span:
        reader.problems.append(module_faults.StepTwice(span=name.span, name=name.text, first=first))


def _value(value: object, span: Span) -> Value:
    if isinstance(value, Name):
        return Literal(value.text, value.span)
    if isinstance(value, tuple):
        return ListValue(tuple(Literal(name.text, name.span) for name in value), span)
    assert isinstance(value, Value)
    return value


def read_fields(reader: Reader, node: Node, param: Param) -> MapValue | None:
    """Declared fields of a payload, each as an input is declared."""
    declared = reader.map(node, param.name, "a map of declared inputs")
    if declared is None:
        return None
    named = Named("an input", word=True)
    entries: list[tuple[Name, Value]] = []
    for name, child in map_items(reader, declared):
        if named.check(reader, name):
            found = read_keys(reader, child, name.text, INPUT)
            if found is not None:
                span, at, values = found
                fields = tuple(
                    (Name(key, at[key]), _field(value, at[key])) for key, value in values.items()
                )
                entries.append((name, MapValue(fields, span)))
    return MapValue(tuple(entries), reader.span(node))


def _field(value: object, span: Span) -> Value:
    if isinstance(value, str):  # a type, which is a StrEnum, among them
        return Literal(str(value), span)
    if isinstance(value, bool):
        return Literal(value, span)
    assert isinstance(value, Value)
    return value

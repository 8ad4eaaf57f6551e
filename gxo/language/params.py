"""Params of a module, read by their types: a literal is checked now, a template when evaluated."""

import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from yaml import MappingNode, Node, ScalarNode, SequenceNode

from gxo.diagnostic.lazy import Lazy
from gxo.language.conditions import read_condition
from gxo.language.reader import BOOLS, NULLS, Reader, boolean_advice
from gxo.language.values import check_text, read_map, read_template, read_value, resolve
from gxo.source import Span
from gxo.spec.module import MODE, Param, ParamType, takes
from gxo.template.tree import Template
from gxo.template.value import ListValue, Literal, Value

if TYPE_CHECKING:
    from gxo.diagnostic import keys as key_faults
    from gxo.diagnostic import modules as module_faults
else:
    key_faults = Lazy("gxo.diagnostic.keys")
    module_faults = Lazy("gxo.diagnostic.modules")

_VARIABLE = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)=")


def read_param(reader: Reader, node: Node, param: Param) -> Value | None:
    """The value of a param that is neither `steps` nor `fields`; None where a problem was found."""
    if isinstance(node, ScalarNode):
        kind = param.type
        if kind is not ParamType.ANY and kind is not ParamType.CONDITION:
            if node.value in NULLS and not node.style:
                reader.no_value(node, param.name, takes(param))
                return None
            if "{" in node.value and ("{{" in node.value or "{%" in node.value):
                return read_template(reader, node, param.name)
    return _READERS[param.type](reader, node, param)


def _text(reader: Reader, node: Node, param: Param) -> Literal | None:
    if not isinstance(node, ScalarNode):
        reader.wrong(node, param.name, takes(param))
        return None
    check_text(reader, node, param.name)
    return Literal(node.value, Span(reader.source, node.start_mark.index, node.end_mark.index))


def _texts(reader: Reader, node: Node, param: Param) -> ListValue | None:
    if not isinstance(node, SequenceNode):
        advice = None
        if isinstance(node, ScalarNode):
            advice = f"write [{', '.join(node.value.split())}]"
        reader.wrong(node, param.name, takes(param), advice)
        return None
    items: list[Value] = []
    for child in node.value:
        item = _item(reader, child, param)
        if item is not None:
            items.append(item)
    return ListValue(tuple(items), reader.span(node))


def _item(reader: Reader, node: Node, param: Param) -> Value | None:
    """A text of a list; an empty one must be quoted, so that it is meant."""
    if not isinstance(node, ScalarNode):
        reader.wrong(node, param.name, takes(param))
        return None
    if node.value in NULLS and not node.style:
        reader.no_value(node, param.name, takes(param))
        return None
    if "{" in node.value and ("{{" in node.value or "{%" in node.value):
        return read_template(reader, node, param.name)
    check_text(reader, node, param.name)
    return Literal(node.value, Span(reader.source, node.start_mark.index, node.end_mark.index))


def _environment(reader: Reader, node: Node, param: Param) -> ListValue | None:
    if isinstance(node, MappingNode) and not reader.refused_template(node):
        first = next((f"{key.value}=…" for key, _ in node.value), "NAME=value")
        reader.wrong(node, param.name, takes(param), f"write each as a list item: - {first}")
        return None
    found = _texts(reader, node, param)
    if found is None:
        return None
    seen: dict[str, Span] = {}
    for item in found.items:
        text = item.text.text if isinstance(item, Template) else str(getattr(item, "data", ""))
        if text.startswith("{{"):
            continue
        form = _VARIABLE.match(text)
        if form is None:
            before, equals, _ = text.split("\n", 1)[0].partition("=")
            shown = f"{before}=…" if equals else before
            reader.problems.append(module_faults.BadVariable(span=item.span, text=shown))
        elif (first_place := seen.setdefault(form[1], item.span)) is not item.span:
            reader.problems.append(
                module_faults.VariableTwice(span=item.span, name=form[1], first=first_place)
            )
    return found


def _line(reader: Reader, node: Node, param: Param) -> Literal | None:
    """Text of one line that is not empty."""
    found = _text(reader, node, param)
    if found is None:
        return None
    value = str(found.data)
    if "\n" in value:
        block = isinstance(node, ScalarNode) and node.style in ("|", ">")
        reader.problems.append(
            key_faults.Multiline(span=reader.span(node), key=param.name, block=block)
        )
        return None
    if not value:
        assert isinstance(node, ScalarNode)
        reader.no_value(node, param.name, takes(param))
        return None
    return found


def _mode(reader: Reader, node: Node, param: Param) -> Literal | None:
    found = _line(reader, node, param)
    if found is not None and not MODE.fullmatch(str(found.data)):
        reader.problems.append(module_faults.BadMode(span=found.span, value=str(found.data)))
        return None
    return found


def _bool(reader: Reader, node: Node, param: Param) -> Literal | None:
    if isinstance(node, ScalarNode) and not node.style and node.value in BOOLS:
        return Literal(BOOLS[node.value], reader.span(node))
    advice = None
    if isinstance(node, ScalarNode):
        advice = "remove the quotes" if node.value in BOOLS else boolean_advice(node.value)
    reader.wrong(node, param.name, takes(param), advice)
    return None


def _number(reader: Reader, node: Node, param: Param) -> Literal | None:
    if not isinstance(node, ScalarNode) or node.style:
        reader.wrong(node, param.name, takes(param))
        return None
    before = len(reader.problems)
    data = resolve(reader, node)
    if len(reader.problems) > before:
        return None
    whole = param.type is ParamType.INT
    if isinstance(data, bool) or not isinstance(data, int if whole else int | float):
        reader.wrong(node, param.name, takes(param))
        return None
    low, high = param.low, param.high
    if (low is not None and data < low) or (high is not None and data > high):
        reader.problems.append(
            key_faults.OutOfRange(
                span=reader.span(node),
                key=param.name,
                value=node.value,
                low=None if low is None else f"{low:g}",
                high=None if high is None else f"{high:g}",
            )
        )
        return None
    return Literal(data, reader.span(node))


def _duration(reader: Reader, node: Node, param: Param) -> Literal | None:
    from gxo.language.quantity import parse_duration

    return _parsed(reader, node, param, parse_duration)


def _size(reader: Reader, node: Node, param: Param) -> Literal | None:
    from gxo.language.quantity import parse_size

    return _parsed(reader, node, param, parse_size)


def _parsed(
    reader: Reader, node: Node, param: Param, parse: Callable[..., object | None]
) -> Literal | None:
    """Text that a parser must accept; it stays text, as a template would yield it."""
    found = _line(reader, node, param)
    if found is None:
        return None
    assert isinstance(node, ScalarNode)
    return None if reader.parsed(parse, node) is None else found


def _address(reader: Reader, node: Node, param: Param) -> Literal | None:
    found = _line(reader, node, param)
    if found is None or str(found.data).startswith("/"):
        return found
    assert isinstance(node, ScalarNode)
    from gxo.language.address import parse_address

    return None if reader.parsed(parse_address, node) is None else found


def _choice(reader: Reader, node: Node, param: Param) -> Literal | None:
    found = _line(reader, node, param)
    if found is not None and found.data not in param.choices:
        reader.problems.append(
            key_faults.NotOneOf(
                span=found.span, key=param.name, value=str(found.data), choices=param.choices
            )
        )
        return None
    return found


def _list(reader: Reader, node: Node, param: Param) -> Value | None:
    if not isinstance(node, SequenceNode):
        reader.wrong(node, param.name, takes(param))
        return None
    return read_value(reader, node, param.name)


def _map(reader: Reader, node: Node, param: Param) -> Value | None:
    if not isinstance(node, MappingNode):
        reader.wrong(node, param.name, takes(param))
        return None
    return read_map(reader, node, param.name)


def _any(reader: Reader, node: Node, param: Param) -> Value:
    return read_value(reader, node, param.name)


def _condition(reader: Reader, node: Node, param: Param) -> Value | None:
    return read_condition(reader, node, param.name)


_READERS: Mapping[ParamType, Callable[[Reader, Node, Param], Value | None]] = {
    ParamType.TEXT: _text,
    ParamType.TEXTS: _texts,
    ParamType.ENVIRONMENT: _environment,
    ParamType.PATH: _line,
    ParamType.MODE: _mode,
    ParamType.BOOL: _bool,
    ParamType.INT: _number,
    ParamType.NUMBER: _number,
    ParamType.DURATION: _duration,
    ParamType.SIZE: _size,
    ParamType.ADDRESS: _address,
    ParamType.CHOICE: _choice,
    ParamType.LIST: _list,
    ParamType.MAP: _map,
    ParamType.ANY: _any,
    ParamType.CONDITION: _condition,
}

"""Values of any type: what may hold templates (vars, params), and plain data."""

import re
from typing import TYPE_CHECKING

from yaml import MappingNode, Node, ScalarNode

from gxo.diagnostic.lazy import Lazy
from gxo.language.document import FORBIDDEN_IN_VALUE
from gxo.language.limits import TEXT
from gxo.language.reader import BOOLS, NULLS, Reader
from gxo.source import Name, Span, Text
from gxo.template.value import ListValue, Literal, MapValue, Scalar, Value

if TYPE_CHECKING:
    from gxo.diagnostic import keys as key_faults
    from gxo.diagnostic import yaml as yaml_faults
else:
    key_faults = Lazy("gxo.diagnostic.keys")
    yaml_faults = Lazy("gxo.diagnostic.yaml")

# Unquoted, just JSON's numbers are numbers: `010`, `0x1f`, `1_000`, `+1`, `.5`, `.inf` are text.
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?")
_FIRST = frozenset("-0123456789")
_LARGEST = 2**63
_DIGITS = 400


def resolve(reader: Reader, node: ScalarNode) -> Scalar:
    """The data of an unquoted scalar without template: JSON's words and numbers, else text."""
    value: str = node.value
    if value in BOOLS:
        return BOOLS[value]
    if value in NULLS:
        return None
    if value[0] not in _FIRST:
        return value
    found = _NUMBER.fullmatch(value)
    if not found:
        return value
    if found[1] or found[2]:
        real = float(value)
        if abs(real) != float("inf"):
            return real
    elif len(value) < _DIGITS and -_LARGEST <= (whole := int(value)) < _LARGEST:
        return whole
    reader.problems.append(key_faults.NumberTooBig(span=reader.span(node)))
    return 0


def read_value(reader: Reader, node: Node, key: str, *, templates: bool = True) -> Value:
    """Scalars, lists and maps as they are; text with `{{` as a template where one may stand."""
    if isinstance(node, ScalarNode):
        value = node.value
        if "{" in value and ("{{" in value or "{%" in value):
            return read_template(reader, node, key, templates=templates)
        if not node.style:
            data = resolve(reader, node)
        else:
            check_text(reader, node, key)
            data = value
        return Literal(data, Span(reader.source, node.start_mark.index, node.end_mark.index))
    if isinstance(node, MappingNode):
        return read_map(reader, node, key, templates=templates)
    items = tuple([read_value(reader, item, key, templates=templates) for item in node.value])
    return ListValue(items, reader.span(node))


def read_map(reader: Reader, node: MappingNode, key: str, *, templates: bool = True) -> MapValue:
    """A map whose keys may be any text."""
    span = reader.span(node)
    if reader.refused_template(node):
        return MapValue((), span)
    entries: list[tuple[Name, Value]] = []
    for name, value in map_items(reader, node):
        entries.append((name, read_value(reader, value, name.text, templates=templates)))
        if "{{" in name.text:
            reader.problems.append(key_faults.NoTemplateHere(span=name.span, key=key, names=True))
    return MapValue(tuple(entries), span)


def map_items(reader: Reader, node: MappingNode) -> list[tuple[Name, Node]]:
    """The entries of a map with free keys; problems for keys that are no text or stand twice."""
    items: list[tuple[Name, Node]] = []
    seen: dict[str, Name] = {}
    for key_node, value in node.value:
        text = reader.key(key_node)
        if text is None:
            continue
        name = Name(text, reader.span(key_node))
        first = seen.setdefault(text, name)
        if first is not name:
            reader.problems.append(
                yaml_faults.DuplicateKey(span=name.span, name=text, first=first.span)
            )
        elif text == "<<" and not key_node.style:
            reader.problems.append(yaml_faults.MergeKey(span=name.span))
        elif check_text(reader, key_node, text):
            items.append((name, value))
    return items


def read_template(reader: Reader, node: ScalarNode, key: str, *, templates: bool = True) -> Value:
    """A scalar that holds `{{`."""
    text = reader.text(node)
    check_text(reader, node, key)
    if not templates:
        refuse_template(reader, text, key)
        return Literal(text.text, text.span)
    from gxo.language.template import parse_template

    return parse_template(text, reader.problems)


def refuse_template(reader: Reader, text: Text, key: str) -> None:
    start = text.text.index("{{")
    end = text.text.rfind("}}") + 2
    span = text.part(start, end if end > start + 1 else len(text.text))
    reader.problems.append(key_faults.NoTemplateHere(span=span, key=key))


def check_text(reader: Reader, node: ScalarNode, key: str) -> bool:
    """Whether the text may be: not too long, and without control characters by way of escapes."""
    if len(node.value) > TEXT:
        reader.problems.append(key_faults.TextTooLong(span=reader.span(node), key=key, limit=TEXT))
        return False
    if node.style != '"':
        return True
    found = FORBIDDEN_IN_VALUE.search(node.value)
    if found is None:
        return True
    place = reader.text(node).part(found.start(), found.end())
    written = reader.source.text
    if written[place.start] == "\\":  # an escape is marked as a whole
        length = {"x": 4, "u": 6, "U": 10}.get(written[place.start + 1 : place.start + 2], 2)
        place = Span(reader.source, place.start, min(place.start + length, len(written)))
    reader.problems.append(yaml_faults.ControlCharacter(span=place, character=found[0]))
    return False

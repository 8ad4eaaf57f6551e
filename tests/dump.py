"""A readable, stable text of a typed playbook: every value that was written, with its place."""

from collections.abc import Iterator
from typing import Any

from gxo.dataclass import MISSING, fields
from gxo.language.model import Playbook, Process
from gxo.source import Name, Source, Span
from gxo.spec.lifecycle import Address, Placed
from gxo.template.tree import Template
from gxo.template.value import ListValue, Literal, MapValue


def dump(playbook: Playbook) -> str:
    """One line a value: indentation, key, value, `@` and where it begins and ends."""
    return "\n".join(_lines("playbook", playbook, 0)) + "\n"


def _lines(key: str, value: Any, depth: int, at: Span | None = None) -> Iterator[str]:
    pad = "  " * depth
    match value:
        case Name():
            yield f"{pad}{key}: {value.text}{_place(value.span)}"
        case Literal():
            yield f"{pad}{key}: {value.data!r}{_place(value.span)}"
        case Template():
            kind = "native template" if value.native else "template"
            yield f"{pad}{key}: {kind} {value.text.text!r}{_place(value.span)}"
        case ListValue() | MapValue():
            entries = (
                ((name.text, item) for name, item in value.entries)
                if isinstance(value, MapValue)
                else (("-", item) for item in value.items)
            )
            yield f"{pad}{key}: {'map' if isinstance(value, MapValue) else 'list'}" + _place(
                value.span
            )
            for name, item in entries:
                yield from _lines(name, item, depth + 1)
        case Process():
            yield f"{pad}{key}: process{_place(value.span)}"
            yield from _lines("module", value.module, depth + 1)
            yield from _lines("params", value.params, depth + 1)
        case Placed():
            yield f"{pad}{key}: {type(value).__name__}{_place(value.span)}"
            yield from _fields(value, depth + 1)
        case Address():
            yield f"{pad}{key}: {value.host!r} port {value.port}{_place(at)}"
        case tuple() if value and not isinstance(value[0], str):
            yield f"{pad}{key}:"
            for item in value:
                yield from _lines("-", item, depth + 1)
        case _:
            shown = str(value) if isinstance(value, str) else repr(value)
            yield f"{pad}{key}: {shown}{_place(at)}"


def _fields(value: Placed, depth: int) -> Iterator[str]:
    for entry in fields(value):
        found = getattr(value, entry.name)
        if entry.name in ("span", "at") or isinstance(found, Source):
            continue
        default = entry.default if entry.default is not MISSING else entry.default_factory
        if entry.name in value.at or default is MISSING or found != default:
            yield from _lines(entry.name, found, depth, value.at.get(entry.name))


def _place(span: Span | None) -> str:
    if span is None:
        return ""
    line, column = span.source.place(span.start)
    end_line, end_column = span.source.place(span.end)
    end = f"{end_column}" if line == end_line else f"{end_line}:{end_column}"
    return f" @{line}:{column}-{end}"

"""Plan <-> JSON: every dataclass of a plan by its own type hints, spans by a table of sources.

A dataclass becomes an object whose `$` is its class; a span `[source, start, end]`; tuples, lists
and sets become arrays, enums their values. All fields are written, so that a default changed later
does not change a plan stored before.

The compact form leaves out places in text and fields at their defaults: digests are taken over it,
and must not change when text moves or when a later version adds a field.
"""

import types
from collections.abc import Callable, Mapping
from enum import Enum
from functools import cache
from typing import Any, TypeVar, Union, cast, get_args, get_origin, get_type_hints

from gxo.dataclass import MISSING, Field, fields, is_dataclass
from gxo.plan.model import VERSION, Plan
from gxo.source import Source, Span, Text

T = TypeVar("T")
_TAG = "$"


class UnreadableRecord(ValueError):
    """Stored JSON that is not what it should be; the text says why."""


class UnreadablePlan(ValueError):
    """A stored plan that this gxo cannot read; the text says why."""


def to_json(plan: Plan) -> dict[str, Any]:
    """The plan as JSON data: `{version, sources: [{path, text}], plan}`."""
    placed = to_placed_json(plan)
    return {"version": VERSION, "sources": placed["sources"], "plan": placed["value"]}


def to_compact_json(plan: Plan, label: str) -> dict[str, Any]:
    """The plan without its text, in the compact form; problems in it name `label` as their file."""
    sources = [{"path": label, "text": ""}]
    return {"version": VERSION, "sources": sources, "plan": _compact(plan)}


def from_json(data: Mapping[str, Any]) -> Plan:
    """The plan that `to_json` or `to_compact_json` wrote.

    Raises UnreadablePlan for another version or a broken record.
    """
    version = data.get("version")
    if version != VERSION:
        raise UnreadablePlan(f"cannot read the plan: its version is {version}, not {VERSION}")
    try:
        sources = tuple(Source(entry["path"], entry["text"]) for entry in data["sources"])
        return cast("Plan", _decoder(Plan)(data["plan"], sources))
    except (LookupError, TypeError, ValueError, AttributeError) as error:
        raise UnreadablePlan(f"cannot read the plan: it is broken ({error})") from error


def encode(value: object, *, compact: bool = False) -> Any:
    """JSON data of a frozen value without spans, by the same rules (records on disk)."""
    if compact:
        return _compact(value)
    encoder = _Encoder()
    data = encoder.value(value)
    assert not encoder.sources, "a record keeps no places"
    return data


def decode(cls: type[T], data: Any) -> T:
    """The value that `encode` wrote; UnreadableRecord where `data` does not fit the type."""
    try:
        return cast("T", _decoder(cast("Any", cls))(data, ()))
    except (LookupError, TypeError, ValueError, AttributeError) as error:
        raise UnreadableRecord(f"it is broken ({error})") from error


def to_placed_json(value: object) -> dict[str, Any]:
    """JSON data of a part of a plan with its places: `{sources, value}`."""
    encoder = _Encoder()
    body = encoder.value(value)
    sources = [{"path": source.path, "text": source.text} for source in encoder.sources]
    return {"sources": sources, "value": body}


def from_placed_json(hint: Any, data: Mapping[str, Any]) -> Any:
    """The value of that type that `to_placed_json` wrote."""
    sources = tuple(Source(entry["path"], entry["text"]) for entry in data["sources"])
    return _decoder(hint)(data["value"], sources)


class _Encoder:
    """Encodes values; collects the sources that their spans stand in."""

    def __init__(self) -> None:
        self.sources: dict[Source, int] = {}

    def value(self, value: object) -> object:
        if isinstance(value, Span):
            number = self.sources.setdefault(value.source, len(self.sources))
            return [number, value.start, value.end]
        if isinstance(value, Enum):
            return value.value
        if value is None or isinstance(value, bool | int | float | str):
            return value
        if isinstance(value, tuple | list):
            return [self.value(item) for item in value]
        if isinstance(value, frozenset):
            return sorted(map(self.value, value), key=str)
        if isinstance(value, Mapping):
            return {key: self.value(item) for key, item in value.items()}
        assert is_dataclass(value), f"{type(value)} is no part of a plan"
        entry: dict[str, object] = {_TAG: type(value).__name__}
        for field in fields(value):
            entry[field.name] = self.value(getattr(value, field.name))
        return entry


def _compact(value: object) -> Any:
    if isinstance(value, Enum):
        return value.value
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, tuple | list):
        return [_compact(item) for item in value]
    if isinstance(value, frozenset):
        return sorted(map(_compact, value), key=str)
    if isinstance(value, Mapping):
        return {key: _compact(item) for key, item in value.items()}
    if isinstance(value, Text):
        return {_TAG: Text.__name__, "text": value.text, "start": 0}
    assert is_dataclass(value), f"{type(value)} is no part of a plan"
    kept = [
        (field.name, found)
        for field in fields(value)
        if (found := getattr(value, field.name)) != _default(field) and not _is_place(found)
    ]
    return {_TAG: type(value).__name__, **{name: _compact(found) for name, found in kept}}


def _is_place(value: object) -> bool:
    """Whether a field holds nothing but places in text."""
    places = value.values() if isinstance(value, Mapping) else (value,)
    return bool(places) and all(isinstance(item, Span) for item in places)


def _default(field: "Field[Any]") -> object:
    """The default of a field; MISSING where it has none."""
    return field.default if field.default_factory is MISSING else field.default_factory()


_Sources = tuple[Source, ...]
_Decode = Callable[[Any, _Sources], object]


@cache
def _decoder(hint: Any) -> _Decode:
    """How JSON becomes a value of that type; built once a type."""
    if hint is Span:
        return lambda data, sources: Span(sources[data[0]], int(data[1]), int(data[2]))
    if isinstance(hint, type) and issubclass(hint, Enum):
        return lambda data, _: hint(data)
    if is_dataclass(hint):
        return _dataclass(cast("type", hint))
    origin, arguments = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        return _union(arguments)
    if origin is tuple:
        return _tuple(arguments)
    if origin is frozenset:
        member = _decoder(arguments[0])
        return lambda data, sources: frozenset(member(entry, sources) for entry in data)
    if origin is not None and issubclass(origin, Mapping) and origin is not dict:
        item = _decoder(arguments[1])
        return lambda data, sources: {k: item(v, sources) for k, v in data.items()}
    # scalars, and the plain JSON that summaries and inputs are
    return lambda data, _: data


def _dataclass(cls: type) -> _Decode:
    decoders: dict[str, _Decode] = {}
    places: dict[str, _Decode] = {}
    optional: set[str] = set()

    def decode(data: Any, sources: _Sources) -> object:
        if not decoders:  # late: the types of a plan are recursive
            hints = get_type_hints(cls)
            for field in fields(cls):
                decoders[field.name] = _decoder(hints[field.name])
                if _default(field) is not MISSING:
                    optional.add(field.name)
                elif hints[field.name] is Span:
                    places[field.name] = lambda _, sources: Span(sources[0], 0, 0)
        if data[_TAG] != cls.__name__:
            raise ValueError(f"{cls.__name__} expected, {data[_TAG]} found")
        values = {
            name: decode(data[name], sources) if name in data else places[name](None, sources)
            for name, decode in decoders.items()
            if name in data or name not in optional
        }
        return cls(**values)

    return decode


def _tuple(arguments: tuple[Any, ...]) -> _Decode:
    if len(arguments) == 2 and arguments[1] is Ellipsis:
        item = _decoder(arguments[0])
        return lambda data, sources: tuple(item(entry, sources) for entry in data)
    items = tuple(_decoder(argument) for argument in arguments)
    return lambda data, sources: tuple(
        decode(entry, sources) for decode, entry in zip(items, data, strict=True)
    )


def _union(arguments: tuple[Any, ...]) -> _Decode:
    """By the shape of the JSON: an object by its tag, an array as the tuple, all else as it is."""
    classes = {
        cls.__name__: _decoder(cls)
        for cls in arguments
        if isinstance(cls, type) and is_dataclass(cls)
    }
    tuples = [_decoder(hint) for hint in arguments if get_origin(hint) is tuple]
    rest = [hint for hint in arguments if isinstance(hint, type) and issubclass(hint, Enum)]
    spans = Span in arguments

    def decode(data: Any, sources: _Sources) -> object:
        if isinstance(data, dict) and classes:
            return classes[data[_TAG]](data, sources)
        if isinstance(data, list) and spans:
            return _decoder(Span)(data, sources)
        if isinstance(data, list) and tuples:
            return tuples[0](data, sources)
        if rest and data is not None:
            return rest[0](data)
        return data

    return decode

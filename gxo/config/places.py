"""Places: the YAML of a configuration as values that know where they stand.

Plain data alone: no tags, no anchors, no second document. PyYAML's events come from libyaml;
building the values is ours.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from gxo.diagnostic.base import Problem
from gxo.diagnostic.lazy import Lazy
from gxo.source import Name, Source, Span
from gxo.template.value import ListValue, Literal, MapValue, Value
from gxo.template.yaml_text import plain

if TYPE_CHECKING:
    from gxo.diagnostic import yaml as faults
else:
    faults = Lazy("gxo.diagnostic.yaml")

DEEPEST = 20


class _Stop(Exception):
    """What follows cannot be read; the problem has been noted."""


def read_values(source: Source, problems: list[Problem]) -> Value | None:
    """The one document; None for an empty file, and where it cannot be read."""
    import yaml

    loader: Any = yaml.CLoader(source.text) if yaml.__with_libyaml__ else yaml.Loader(source.text)
    builder = _Builder(source, problems)
    try:
        return builder.document(iter(loader.get_event, None))
    except _Stop:
        return None
    except yaml.MarkedYAMLError as error:
        mark: Any = error.problem_mark
        at = min(mark.index, len(source.text)) if mark else 0
        reason = f"this is not YAML: {error.problem}"
        problems.append(faults.YamlSyntax(span=Span(source, at, at + 1), reason=reason))
    except (yaml.YAMLError, UnicodeEncodeError):
        reason = "this is not YAML: it holds a control character"
        problems.append(faults.YamlSyntax(span=Span(source, 0, 0), reason=reason))
    finally:
        loader.dispose()
    return None


class _Builder:
    def __init__(self, source: Source, problems: list[Problem]) -> None:
        self.source = source
        self.problems = problems

    def document(self, events: Iterator[Any]) -> Value | None:
        found: Value | None = None
        documents = 0
        for event in events:
            kind = type(event).__name__
            if kind == "DocumentStartEvent":
                documents += 1
                if documents > 1:
                    self.refuse(event, "a configuration is one document, but a second begins here")
            elif kind == "StreamEndEvent":
                break
            elif kind not in ("StreamStartEvent", "DocumentEndEvent"):
                found = self.value(event, events, 0)
        return found

    def value(self, event: Any, events: Iterator[Any], depth: int) -> Value:
        kind = type(event).__name__
        if kind == "AliasEvent" or event.anchor is not None:
            self.refuse(event, "anchors and aliases are not allowed in a configuration")
        if event.tag is not None and event.tag != "!":
            self.problems.append(faults.ExplicitTag(span=self.span(event), tag=event.tag))
            raise _Stop
        if depth > DEEPEST:
            self.problems.append(faults.TooDeep(span=self.span(event), limit=DEEPEST))
            raise _Stop
        if kind == "ScalarEvent":
            data = plain(event.value) if event.implicit[0] else event.value
            assert not isinstance(data, list | dict)
            return Literal(data, self.span(event))
        if kind == "SequenceStartEvent":
            items: list[Value] = []
            while type(inner := next(events)).__name__ != "SequenceEndEvent":
                items.append(self.value(inner, events, depth + 1))
            return ListValue(tuple(items), self.span(event))
        entries: dict[str, tuple[Name, Value]] = {}
        while type(key := next(events)).__name__ != "MappingEndEvent":
            name = self.value(key, events, depth + 1)
            value = self.value(next(events), events, depth + 1)
            self.enter(entries, name, value)
        return MapValue(tuple(entries.values()), self.span(event))

    def enter(self, entries: dict[str, tuple[Name, Value]], key: Value, value: Value) -> None:
        if not isinstance(key, Literal) or not isinstance(key.data, str):
            self.problems.append(faults.KeyNotText(span=key.span, kind=shape(key)))
            return
        name = Name(key.data, key.span)
        if name.text in entries:
            first = entries[name.text][0].span
            self.problems.append(faults.DuplicateKey(span=key.span, name=name.text, first=first))
            return
        entries[name.text] = name, value

    def span(self, event: Any) -> Span:
        start = event.start_mark.index
        end = event.end_mark.index
        return Span(self.source, start, max(start + 1, end))

    def refuse(self, event: Any, reason: str) -> None:
        self.problems.append(faults.YamlSyntax(span=self.span(event), reason=reason))
        raise _Stop


def shape(value: Value) -> str:
    """What a value is, as messages say it."""
    if isinstance(value, ListValue):
        return "a list"
    if isinstance(value, MapValue):
        return "a map"
    assert isinstance(value, Literal)
    match value.data:
        case None:
            return "nothing"
        case bool():
            return f"`{str(value.data).lower()}`"
        case int() | float():
            return "a number"
        case _:
            return "text"

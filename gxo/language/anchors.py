"""A first look at files with tags or anchors: no tag, no alias that expands without end."""

from yaml import (
    AliasEvent,
    CollectionEndEvent,
    CollectionStartEvent,
    DocumentStartEvent,
    ScalarEvent,
    YAMLError,
)
from yaml._yaml import CParser

from gxo.diagnostic.base import Problem
from gxo.diagnostic.yaml import ExplicitTag, RecursiveAlias, TooManyValues
from gxo.language.limits import VALUES
from gxo.source import Source, Span


def inspect(source: Source, text: str, problems: list[Problem]) -> bool:
    """Whether the text may be composed; where it is no YAML, the composer will say so."""
    parser = CParser(text)
    look = _Look(source, problems)
    try:
        while look.sound and parser.check_event():
            look.take(parser.get_event())
    except YAMLError:
        pass
    finally:
        parser.dispose()
    return look.sound


class _Look:
    """Sizes of anchored values, counted as the events of a parser pass by."""

    def __init__(self, source: Source, problems: list[Problem]) -> None:
        self.source = source
        self.problems = problems
        self.sound = True
        self.start()

    def start(self) -> None:
        self.count = 0
        self.sizes: dict[str, int] = {}
        self.open: list[tuple[str | None, Span, int]] = []

    def take(self, event: object) -> None:
        match event:
            case DocumentStartEvent():
                self.start()
            case AliasEvent(anchor=name):
                self.alias(name, event)
            case ScalarEvent(anchor=anchor):
                self.tag(event)
                self.count += 1
                if anchor:
                    self.sizes[anchor] = 1
            case CollectionStartEvent(anchor=anchor):
                self.tag(event)
                self.count += 1
                self.open.append((anchor, self.place(event), self.count))
            case CollectionEndEvent():
                anchor, _, before = self.open.pop()
                if anchor:
                    self.sizes[anchor] = self.count - before + 1

    def alias(self, name: str | None, event: AliasEvent) -> None:
        assert name is not None
        around = next((place for anchor, place, _ in self.open if anchor == name), None)
        if around is not None:
            problem: Problem = RecursiveAlias(span=self.place(event), name=name, anchor=around)
            self.problems.append(problem)
            self.sound = False
            return
        self.count += self.sizes.get(name, 1)
        if self.count > VALUES:
            self.problems.append(TooManyValues(span=self.place(event), limit=VALUES, alias=name))
            self.sound = False

    def tag(self, event: ScalarEvent | CollectionStartEvent) -> None:
        if event.tag is None:
            return
        place = self.place(event)
        written = self.source.text[place.start :].split(None, 1)[0]
        if written.startswith("&"):  # an anchor stands before the tag
            place = Span(self.source, place.start + len(written) + 1, place.end)
            written = self.source.text[place.start :].split(None, 1)[0]
        span = Span(self.source, place.start, min(place.end, place.start + len(written)))
        self.problems.append(ExplicitTag(span=span, tag=written.rstrip(",]}")))

    def place(self, event: AliasEvent | ScalarEvent | CollectionStartEvent) -> Span:
        assert event.start_mark is not None
        assert event.end_mark is not None
        return Span(self.source, event.start_mark.index, event.end_mark.index)

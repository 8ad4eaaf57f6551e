"""Text the user wrote, and places in it."""

from bisect import bisect_right
from functools import lru_cache

from gxo.dataclass import dataclass, field


@dataclass(frozen=True, slots=True, eq=False)
class Source:
    """One text and where it came from; two sources are the same only if they are one object."""

    path: str
    text: str

    def place(self, offset: int) -> tuple[int, int]:
        """Line and column of a character offset, both from 1, columns in code points."""
        starts = _line_starts(self.text)
        line = bisect_right(starts, offset)
        return line, offset - starts[line - 1] + 1

    def line(self, number: int) -> str:
        """The text of a line (from 1), without its line break."""
        starts = _line_starts(self.text)
        end = starts[number] if number < len(starts) else len(self.text)
        return self.text[starts[number - 1] : end].rstrip("\r\n")


@lru_cache(maxsize=32)
def _line_starts(text: str) -> tuple[int, ...]:
    starts = [0]
    at = text.find("\n")
    while at >= 0:
        starts.append(at + 1)
        at = text.find("\n", at + 1)
    return tuple(starts)


@dataclass(frozen=True, slots=True)
class Span:
    """A half-open range of characters in one source."""

    source: Source
    start: int
    end: int

    def within(self, other: "Span") -> bool:
        """Whether all of it lies in the other."""
        same = self.source is other.source
        return same and other.start <= self.start and self.end <= other.end

    def __str__(self) -> str:
        if not self.source.text:  # only the name of what was compiled is kept
            return self.source.path
        line, column = self.source.place(self.start)
        return f"{self.source.path}:{line}:{column}"


@dataclass(frozen=True, slots=True)
class Name:
    """A name as written: equal to its namesakes, wherever they stand."""

    text: str
    span: Span = field(compare=False)

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True, slots=True)
class Text:
    """A string value and where each of its characters stands in the source.

    `span` covers the value as written, quotes included. `offsets` holds the source offset of every
    character and, last, of the end; None where the value stands verbatim from `start` on.
    """

    text: str
    span: Span
    start: int
    offsets: tuple[int, ...] | None = None

    def part(self, start: int, end: int) -> Span:
        """The source range of `text[start:end]`."""
        if self.offsets is None:
            return Span(self.span.source, self.start + start, self.start + end)
        first = self.offsets[start]
        last = self.offsets[end] if end <= start else self.offsets[end - 1] + 1
        return Span(self.span.source, first, max(first, last))

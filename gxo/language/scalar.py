"""Where each character of a YAML scalar's value stands in the source, whatever its style."""

import re

from yaml import ScalarNode

from gxo.source import Source, Span, Text

_BREAK = re.compile(r"\r\n|[\r\n]")
_FOLD = re.compile(r"[ \t]*(?:\r\n|[\r\n])(?:[ \t]*(?:\r\n|[\r\n]))*[ \t]*")
_ESCAPE_LENGTHS = {"x": 4, "u": 6, "U": 10}


def text_of(source: Source, node: ScalarNode) -> Text:
    """The value with the place of every character; cheap where it stands verbatim."""
    start, end = node.start_mark.index, node.end_mark.index
    value = node.value
    style = node.style
    written = source.text
    if not style:
        if written.startswith(value, start) and end - start == len(value):
            return Text(value, Span(source, start, end), start)
        return _mapped(source, value, start, end, _flow(written, start, end, ""))
    if style in "'\"":
        first = written.find(style, start) + 1  # behind a tag or an anchor, where there is one
        inner = max(first, end - 1)
        if first and written.startswith(value, first) and inner - first == len(value):
            return Text(value, Span(source, start, end), first)
        return _mapped(source, value, start, end, _flow(written, first, inner, style))
    return _mapped(source, value, start, end, _block(written, value, start, end))


def end_of(written: str, node: ScalarNode) -> int:
    """The end of a block scalar as a reader sees it: without the line breaks that end it."""
    end: int = node.end_mark.index
    start = node.start_mark.index
    while end > start + 1 and written[end - 1] in " \r\n":
        end -= 1
    return end


def _mapped(source: Source, value: str, start: int, end: int, offsets: list[int]) -> Text:
    if len(offsets) != len(value):
        # an unforeseen form: every character is said to stand where the value does
        offsets = [start] * len(value)
    stop = min(end, len(source.text))
    span = Span(source, start, stop)
    return Text(value, span, offsets[0] if offsets else start, (*offsets, stop))


def _flow(written: str, at: int, end: int, quote: str) -> list[int]:
    """Plain and quoted scalars: escapes, and lines that are folded."""
    offsets: list[int] = []
    while at < end:
        char = written[at]
        fold = _FOLD.match(written, at, end) if char in " \t\r\n" else None
        if fold:
            breaks = [m.start() for m in _BREAK.finditer(written, at, fold.end())]
            offsets += breaks if len(breaks) == 1 else breaks[1:]
            at = fold.end()
        elif char == "\\" and quote == '"':
            escaped = _BREAK.match(written, at + 1)
            if escaped:  # a line goes on: nothing of the break is kept, empty lines below are
                rest = _FOLD.match(written, at + 1, end)
                assert rest is not None
                offsets += [m.start() for m in _BREAK.finditer(written, at + 1, rest.end())][1:]
                at = rest.end()
            else:
                offsets.append(at)
                at += _ESCAPE_LENGTHS.get(written[at + 1 : at + 2], 2)
        else:
            offsets.append(at)
            at += 2 if char == "'" == quote else 1
    return offsets


def _block(written: str, value: str, start: int, end: int) -> list[int]:
    """Literal and folded blocks: the lines of the source found again, in order, in the value."""
    offsets: list[int] = []
    header = _BREAK.search(written, start, end)
    at = header.end() if header else end
    breaks: list[int] = []
    while at < end and len(offsets) < len(value):
        found = _BREAK.search(written, at, end)
        stop = found.start() if found else end
        content = written[at:stop].lstrip(" ")
        if content:
            place = value.find(content, len(offsets))
            if place < 0:
                return []
            gap = place - len(offsets)
            indent = stop - len(content)
            spaces = _spaces(value, place, gap, indent - at)
            fill = (breaks or [at])[: gap - spaces]
            fill += [fill[-1] if fill else at] * (gap - spaces - len(fill))
            offsets += [*fill, *range(indent - spaces, indent), *range(indent, stop)]
            breaks = []
        breaks.append(stop)
        at = found.end() if found else end
    rest = len(value) - len(offsets)
    return offsets + (breaks + [end] * rest)[:rest]


def _spaces(value: str, place: int, gap: int, indent: int) -> int:
    """How many characters before `place` are a line's own leading spaces, not a folded break."""
    count = 0
    while count < min(gap, indent) and value[place - count - 1] == " ":
        count += 1
    return count

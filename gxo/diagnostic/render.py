"""Drawing a problem: for people with the line and a caret, for programs as JSON."""

from collections.abc import Iterator, Sequence
from unicodedata import category, east_asian_width

from gxo.diagnostic.base import Problem, Severity
from gxo.source import Span

# A line longer than this is shown only around the offending text.
_WIDEST = 160
# A message quotes what was written, which may have a million characters.
_LONGEST = 1000


def render(problem: Problem) -> str:
    """The problem as text: heading, place, line, caret, related places, hint; ends in a newline."""
    parts = [f"{problem.severity}[{problem.code}]: {_cut(problem.message())}\n"]
    parts.append(_quote(problem.span, ""))
    parts += [_quote(span, label) for span, label in problem.related()]
    hint = problem.hint()
    if hint:
        parts.append(f"  = hint: {_cut(hint)}\n")
    return "".join(parts)


def render_all(problems: Sequence[Problem]) -> Iterator[str]:
    """Each problem as text; a warning that says the same of several places is drawn once."""
    same: dict[tuple[str, str | None], list[Problem]] = {}
    for problem in problems:
        if problem.severity is Severity.WARNING:
            same.setdefault((problem.message(), problem.hint()), []).append(problem)
    for problem in problems:
        alike = same.get((problem.message(), problem.hint()), [problem])
        if problem.severity is Severity.ERROR or len(alike) == 1:
            yield render(problem)
        elif problem is alike[0]:
            others = ", ".join(visible(str(other.span)) for other in alike[1:])
            yield f"{render(problem)}  = also at {others}\n"


def to_json(problem: Problem) -> dict[str, object]:
    """The problem as programs get it: columns from 1, in code points; the end is exclusive."""
    span = problem.span
    line, column = span.source.place(span.start)
    end_line, end_column = span.source.place(span.end)
    return {
        "code": problem.code,
        "severity": str(problem.severity),
        "message": problem.message(),
        "file": span.source.path,
        "line": line,
        "column": column,
        "end_line": end_line,
        "end_column": end_column,
        "hint": problem.hint(),
    }


def visible(text: str) -> str:
    """`text` with control characters shown as escapes, so that it cannot drive a terminal."""
    return "".join(_escape(c) if hidden(c) else c for c in text)


def hidden(c: str) -> bool:
    """Whether a character is one that drives a terminal, or breaks a line, and shows nothing."""
    return category(c) in ("Cc", "Cf", "Cs", "Zl", "Zp")


def _cut(text: str) -> str:
    return visible(text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…")


def _escape(c: str) -> str:
    return c.encode("unicode_escape").decode("ascii")


def _quote(span: Span, label: str) -> str:
    if not span.source.text:
        return f" --> {visible(span.source.path)}\n"
    number, column = span.source.place(span.start)
    line = span.source.line(number)
    first = column - 1
    last = max(first + 1, min(len(line), first + span.end - span.start))
    gutter = " " * len(str(number))
    line, first, last = _window(line, first, last)
    pad = "".join(_blank(c) for c in line[:first])
    marks = "^" * max(1, sum(_width(c) for c in line[first:last]))
    return (
        f"{gutter}--> {visible(str(span))}\n"
        f"{gutter} |\n"
        f"{number} | {_shown(line)}\n"
        f"{gutter} | {pad}{marks}{' ' + label if label else ''}\n"
    )


def _window(line: str, first: int, last: int) -> tuple[str, int, int]:
    """A readable stretch of a very long line, and the marked range within it."""
    if len(line) <= _WIDEST:
        return line, first, last
    start = max(0, min(first - _WIDEST // 4, len(line) - _WIDEST))
    return line[start : start + _WIDEST], first - start, min(last - start, _WIDEST)


def _shown(line: str) -> str:
    return "".join(c if c == "\t" else visible(c) for c in line)


def _blank(c: str) -> str:
    return "\t" if c == "\t" else " " * _width(c)


def _width(c: str) -> int:
    """Columns a character takes on a terminal: two for wide ones, none for combining ones."""
    shown = visible(c)
    if shown != c:
        return len(shown)
    if category(c) in ("Mn", "Me"):
        return 0
    return 2 if east_asian_width(c) in ("W", "F") else 1

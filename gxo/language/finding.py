"""Problems of a small text, cached with its meaning: places are offsets until the text is known."""

from collections.abc import Callable, Iterable

from gxo.dataclass import dataclass
from gxo.diagnostic import Problem
from gxo.source import Text


@dataclass(frozen=True, slots=True)
class Finding:
    """What is wrong with `text[start:end]`; `problem(span=…)` makes it at its place."""

    start: int
    end: int
    problem: Callable[..., Problem]


def place(text: Text, findings: Iterable[Finding], problems: list[Problem]) -> None:
    """Report findings where the text stands; one at its end marks the last character."""
    size = len(text.text)
    for finding in findings:
        if size == 0:
            span = text.span
        else:
            start = min(finding.start, size - 1)
            span = text.part(start, max(start + 1, min(finding.end, size)))
        problems.append(finding.problem(span=span))

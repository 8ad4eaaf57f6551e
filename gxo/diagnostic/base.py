"""What every problem has: a code, a severity, a place, a message, perhaps a hint."""

from abc import ABC, abstractmethod
from collections.abc import Iterable
from enum import StrEnum
from itertools import islice
from typing import ClassVar

from gxo.dataclass import dataclass
from gxo.source import Span

_LONGEST_NAME = 100
_MOST_NAMES = 2_000
_LISTED = 24
"""A hint that lists what there is stops here: longer lists are not read."""


class Severity(StrEnum):
    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem(ABC):
    """One thing wrong with what the user wrote. A variant adds the data its wording needs."""

    code: ClassVar[str]
    severity: ClassVar[Severity] = Severity.ERROR

    span: Span

    @abstractmethod
    def message(self) -> str:
        """One line, lower case, in the user's terms, without the place."""

    def hint(self) -> str | None:
        """What to do next, where we know it."""
        return None

    def related(self) -> tuple[tuple[Span, str], ...]:
        """Further places that explain the problem, each with a short label."""
        return ()


def has_errors(problems: Iterable[Problem]) -> bool:
    """Whether any of them is more than a warning."""
    return any(problem.severity is Severity.ERROR for problem in problems)


def sort_problems(problems: Iterable[Problem]) -> tuple[Problem, ...]:
    """Problems in the order a reader meets them: by file, then by place; each once."""
    seen: dict[tuple[str, int, int, str, str], Problem] = {}
    for problem in problems:
        span = problem.span
        seen.setdefault(
            (span.source.path, span.start, span.end, problem.code, problem.message()), problem
        )
    return tuple(seen[key] for key in sorted(seen))


def listed(names: Iterable[str]) -> str:
    """`a`, `b`, `c` and 3 more."""
    every = tuple(names)
    more = len(every) - _LISTED
    rest = f" and {more} more" if more > 0 else ""
    return ", ".join(f"`{name}`" for name in every[:_LISTED]) + rest


def there_are(names: Iterable[str]) -> str:
    """Which names there are, one or several, as a hint says it."""
    every = tuple(names)
    return f"there {'is' if len(every) == 1 else 'are'} {listed(every)}"


def did_you_mean(name: str, known: Iterable[str]) -> str | None:
    """`did you mean "x"?` for the likeliest known spelling, or None."""
    close = closest(name, known)
    return f"did you mean `{close}`?" if close is not None else None


def closest(name: str, known: Iterable[str]) -> str | None:
    """The known name that was likeliest meant, or None."""
    from difflib import get_close_matches

    # what is longer is no slip of the pen, and comparing it takes long
    if len(name) > _LONGEST_NAME:
        return None
    short = (word for word in known if len(word) <= _LONGEST_NAME and word != name)
    folded = {spelling.casefold(): spelling for spelling in islice(short, _MOST_NAMES)}
    close = get_close_matches(name.casefold(), folded, 1, 0.6)
    return folded[close[0]] if close else None

"""What can be wrong with a seccomp profile in a file: above all, what systemd has no words for."""

from typing import ClassVar

from gxo.dataclass import dataclass
from gxo.diagnostic.base import Problem
from gxo.source import Span


@dataclass(frozen=True, slots=True, kw_only=True)
class Untranslatable(Problem):
    """A rule that no directive says exactly; the place is in the file of the profile."""

    code: ClassVar[str] = "seccomp-untranslatable"
    what: str
    """Completes `cannot …`."""
    reason: str
    advice: str | None = None

    def message(self) -> str:
        return f"cannot {self.what} in systemd's terms: {self.reason}"

    def hint(self) -> str | None:
        return self.advice


@dataclass(frozen=True, slots=True, kw_only=True)
class CallTwice(Problem):
    code: ClassVar[str] = "seccomp-call-twice"
    call: str
    first: Span

    def message(self) -> str:
        return f"`{self.call}` is in two rules that differ: it is undefined which one holds"

    def related(self) -> tuple[tuple[Span, str], ...]:
        return ((self.first, "the other rule"),)


@dataclass(frozen=True, slots=True, kw_only=True)
class NotAProfile(Problem):
    code: ClassVar[str] = "seccomp-not-a-profile"

    def message(self) -> str:
        path = self.span.source.path
        return f"{path} is not a JSON object with `defaultAction`: it cannot be a seccomp profile"

"""What can go wrong when a template is evaluated."""

from typing import ClassVar

from gxo.dataclass import dataclass
from gxo.diagnostic.base import Problem, did_you_mean, there_are
from gxo.diagnostic.template import short


@dataclass(frozen=True, slots=True, kw_only=True)
class UnknownName(Problem):
    """A name or key that is not there; `within` is what was asked for it, None for all names."""

    code: ClassVar[str] = "unknown-name"
    name: str
    within: str | None
    known: tuple[str, ...]

    def message(self) -> str:
        if self.within is None:
            return f"there is no `.{short(self.name)}`"
        return f"there is no `{short(self.name)}` in `{short(self.within)}`"

    def hint(self) -> str:
        if not self.known:
            return "there is nothing to read here" if self.within is None else "it is empty"
        meant = did_you_mean(self.name, self.known)
        there = there_are(map(short, sorted(self.known)))
        return f"{meant} {there[0].upper()}{there[1:]}" if meant else there


@dataclass(frozen=True, slots=True, kw_only=True)
class UnknownItem(Problem):
    """A list has no item of that number."""

    code: ClassVar[str] = "unknown-name"
    number: str
    within: str
    length: int

    def message(self) -> str:
        return f"there is no item {short(self.number)} in `{short(self.within)}`"

    def hint(self) -> str:
        if not self.length:
            return "the list is empty"
        return f"the list has {self.length} items, numbered from 0 to {self.length - 1}"


@dataclass(frozen=True, slots=True, kw_only=True)
class NoKeys(Problem):
    """A key was asked of what has none; `kind` in the user's words."""

    code: ClassVar[str] = "no-keys"
    key: str
    within: str
    kind: str

    def message(self) -> str:
        return f"cannot read `{short(self.key)}`: `{short(self.within)}` is {self.kind}"

    def hint(self) -> str | None:
        if self.kind == "a list":
            return f"its items are numbered: `{short(self.within)}.0`, or use `range`"
        if self.kind == "text":
            return f"if it holds JSON: `(fromJson {short(self.within)}).{short(self.key)}`"
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class WholeScopeRead(Problem):
    code: ClassVar[str] = "whole-scope"
    written: str

    def message(self) -> str:
        return f"cannot use `{self.written}` here: it stands for all names at once"

    def hint(self) -> str:
        return "name what you need: `.name`"


@dataclass(frozen=True, slots=True, kw_only=True)
class NilOutput(Problem):
    code: ClassVar[str] = "nil-output"
    written: str

    def message(self) -> str:
        return f"cannot print `{short(self.written)}`: the value is nil"

    def hint(self) -> str:
        return 'give a text for this case: `| default "…"`'


@dataclass(frozen=True, slots=True, kw_only=True)
class CannotRange(Problem):
    code: ClassVar[str] = "cannot-range"
    written: str
    kind: str

    def message(self) -> str:
        return f"cannot loop over `{short(self.written)}`: it is {self.kind}"

    def hint(self) -> str:
        if self.kind == "nil":
            return "if it may be missing, write `range (default list …)`"
        return "`range` takes a list, a map or a number of rounds"


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionNotHere(Problem):
    """`known`: the function exists, but what it gives is known only in a run."""

    code: ClassVar[str] = "function-not-here"
    name: str
    known: bool

    def message(self) -> str:
        if not self.known:
            return f"there is no function `{short(self.name)}`"
        return f"cannot use `{self.name}` here: its value is known only in a run"

    def hint(self) -> str | None:
        if not self.known:
            return None
        if self.name == "secret":
            return "secrets go into `environment` and `stdin`, and into the params of a run's steps"
        return "this value is fixed before anything runs; use it in the params of a step in a run"


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionFailed(Problem):
    code: ClassVar[str] = "function-failed"
    name: str
    reason: str
    advice: str | None

    def message(self) -> str:
        return f"cannot {_DOES.get(self.name, f'use `{self.name}`')}: {self.reason}"

    def hint(self) -> str | None:
        return self.advice


_DOES = {
    "print": "print the value",
    **dict.fromkeys(("==", "!=", "<", "<=", ">", ">="), "compare the two"),
    **dict.fromkeys(("eq", "ne", "lt", "le", "gt", "ge"), "compare the two"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class TemplateLimit(Problem):
    """An evaluation took or made too much: `what` of which `limit` are allowed."""

    code: ClassVar[str] = "template-limit"
    what: str
    limit: int

    def message(self) -> str:
        return f"cannot evaluate the template: more than {self.limit} {self.what}"


EVALUATION = (
    UnknownName,
    UnknownItem,
    NoKeys,
    WholeScopeRead,
    NilOutput,
    CannotRange,
    FunctionNotHere,
    FunctionFailed,
    TemplateLimit,
)
"""Every way in which evaluating a value fails."""

"""What can be wrong with the keys of a playbook and their values."""

from typing import ClassVar

from gxo.dataclass import dataclass
from gxo.diagnostic.base import Problem, did_you_mean, listed
from gxo.source import Span

_LONG_EXAMPLE = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class UnknownKey(Problem):
    """A key that its section does not have; `elsewhere` names sections that have it."""

    code: ClassVar[str] = "unknown-key"
    name: str
    section: str
    known: tuple[str, ...]
    elsewhere: str | None = None

    def message(self) -> str:
        return f"{self.section} has no key `{self.name}`"

    def hint(self) -> str:
        if self.elsewhere:
            return f"`{self.name}` belongs to {self.elsewhere}"
        close = did_you_mean(self.name, self.known)
        return close or f"its keys are {listed(self.known)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class MissingKey(Problem):
    code: ClassVar[str] = "missing-key"
    section: str
    name: str
    example: str

    def message(self) -> str:
        return f"{self.section} needs the key `{self.name}`"

    def hint(self) -> str | None:
        if len(self.example) > _LONG_EXAMPLE:
            return None
        return f"for example {self.name}: {self.example}"


@dataclass(frozen=True, slots=True, kw_only=True)
class WrongType(Problem):
    """`takes` and `got` are phrases: "a duration such as `30s`", "a list"."""

    code: ClassVar[str] = "wrong-type"
    key: str
    takes: str
    got: str
    advice: str | None = None

    def message(self) -> str:
        return f"`{self.key}` takes {self.takes}, not {self.got}"

    def hint(self) -> str | None:
        return self.advice


@dataclass(frozen=True, slots=True, kw_only=True)
class NotAMap(Problem):
    """A document that is not a playbook."""

    code: ClassVar[str] = "not-a-map"
    got: str

    def message(self) -> str:
        return f"a playbook is a map with at least `workloads`, not {self.got}"


@dataclass(frozen=True, slots=True, kw_only=True)
class NoValue(Problem):
    code: ClassVar[str] = "no-value"
    key: str
    takes: str
    word: str

    def message(self) -> str:
        return f"`{self.key}` has no value: it takes {self.takes}"

    def hint(self) -> str:
        if self.word:
            return f"leave the key out, or quote '{self.word}' if you mean the text"
        return "give it one, or leave the key out"


@dataclass(frozen=True, slots=True, kw_only=True)
class OutOfRange(Problem):
    """A number beyond its bounds, either of which may be None; `above`: more than the low one."""

    code: ClassVar[str] = "out-of-range"
    key: str
    value: str
    low: str | None
    high: str | None
    above: bool = False

    def message(self) -> str:
        if self.above:
            bound = f"more than {self.low}"
        elif self.low is None or self.high is None:
            bound = f"at least {self.low}" if self.high is None else f"at most {self.high}"
        else:
            bound = f"{self.low} to {self.high}"
        return f"`{self.key}` must be {bound}, not {self.value}"


@dataclass(frozen=True, slots=True, kw_only=True)
class NotOneOf(Problem):
    code: ClassVar[str] = "unknown-value"
    key: str
    value: str
    choices: tuple[str, ...]
    other: str | None = None
    """What the key takes beside the choices, as a phrase."""

    def message(self) -> str:
        return f"`{self.key}` cannot be `{self.value}`"

    def hint(self) -> str:
        close = did_you_mean(self.value, self.choices)
        beside = f" or {self.other}" if self.other else ""
        one = "one of " if len(self.choices) > 1 else ""
        return close or f"it must be {one}{listed(self.choices)}{beside}"


@dataclass(frozen=True, slots=True, kw_only=True)
class BadForm(Problem):
    """Text that has not the form its key takes; `form` is a phrase."""

    code: ClassVar[str] = "bad-form"
    key: str
    value: str
    form: str
    advice: str | None = None

    def message(self) -> str:
        return f"`{self.value}` is not valid for `{self.key}`: it must be {self.form}"

    def hint(self) -> str | None:
        return self.advice


@dataclass(frozen=True, slots=True, kw_only=True)
class Twice(Problem):
    """An entry of a list that stands in it already."""

    code: ClassVar[str] = "twice"
    key: str
    value: str
    first: Span

    def message(self) -> str:
        return f"`{self.key}` lists `{self.value}` twice"

    def related(self) -> tuple[tuple[Span, str], ...]:
        return ((self.first, "the first"),)


@dataclass(frozen=True, slots=True, kw_only=True)
class KeysExclude(Problem):
    """Two keys of which a section takes only one."""

    code: ClassVar[str] = "keys-exclude"
    section: str
    name: str
    other: str
    first: Span
    advice: str | None = None

    def message(self) -> str:
        return f"{self.section} takes `{self.other}` or `{self.name}`, not both"

    def hint(self) -> str | None:
        return self.advice

    def related(self) -> tuple[tuple[Span, str], ...]:
        return ((self.first, f"`{self.other}`"),)


@dataclass(frozen=True, slots=True, kw_only=True)
class NeedsOneOf(Problem):
    code: ClassVar[str] = "needs-one-of"
    section: str
    names: tuple[str, ...]
    example: str

    def message(self) -> str:
        either = " or ".join(f"`{name}`" for name in self.names)
        return f"{self.section} needs {either}"

    def hint(self) -> str:
        return f"for example {self.example}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Disordered(Problem):
    """Two values of which one must not be less than the other."""

    code: ClassVar[str] = "disordered"
    key: str
    other: str
    first: Span

    def message(self) -> str:
        return f"`{self.key}` must not be less than `{self.other}`"

    def related(self) -> tuple[tuple[Span, str], ...]:
        return ((self.first, f"`{self.other}`"),)


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyHasNoEffect(Problem):
    """A key that means nothing here; ignoring it would be a lie."""

    code: ClassVar[str] = "key-without-effect"
    name: str
    reason: str
    advice: str | None = None

    def message(self) -> str:
        return f"`{self.name}` has no effect here: {self.reason}"

    def hint(self) -> str | None:
        return self.advice


@dataclass(frozen=True, slots=True, kw_only=True)
class NoTemplateHere(Problem):
    """Under `key`; `names`: as the name of an entry there."""

    code: ClassVar[str] = "template-not-allowed"
    key: str
    names: bool = False

    def message(self) -> str:
        if self.names:
            return f"the name of an entry of `{self.key}` cannot be a template"
        return f"`{self.key}` cannot hold a template"

    def hint(self) -> str:
        return "templates are allowed in `params`, `when`, `loop` and `vars`"


@dataclass(frozen=True, slots=True, kw_only=True)
class ConditionNotTemplate(Problem):
    code: ClassVar[str] = "condition-not-template"
    key: str
    value: str

    def message(self) -> str:
        return f"`{self.key}` takes a template or `true` or `false`, not the text `{self.value}`"

    def hint(self) -> str:
        folded = self.value.casefold()
        if folded in ("yes", "on"):
            return "write `true`"
        if folded in ("no", "off"):
            return "write `false`"
        return f"to evaluate it, write '{{{{ {self.value} }}}}'"


@dataclass(frozen=True, slots=True, kw_only=True)
class NothingToLoop(Problem):
    code: ClassVar[str] = "nothing-to-loop"
    got: str

    def message(self) -> str:
        return f"`loop` takes a list, a map or a template that yields one, not {self.got}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Multiline(Problem):
    code: ClassVar[str] = "line-break"
    key: str
    block: bool

    def message(self) -> str:
        return f"`{self.key}` cannot hold a line break"

    def hint(self) -> str | None:
        if self.block:
            return "a block that begins with `|` or `>` ends in one: write `|-` or `>-`"
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class TextTooLong(Problem):
    code: ClassVar[str] = "text-too-long"
    key: str
    limit: int

    def message(self) -> str:
        return f"the text of `{self.key}` is longer than {self.limit} characters"


@dataclass(frozen=True, slots=True, kw_only=True)
class NumberTooBig(Problem):
    code: ClassVar[str] = "number-too-big"

    def message(self) -> str:
        return "the number is too large"

    def hint(self) -> str:
        return "quote it if you mean text"

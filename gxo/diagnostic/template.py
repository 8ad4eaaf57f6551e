"""What can be wrong with a template as it is written, before anything is evaluated."""

from typing import ClassVar

from gxo.dataclass import dataclass
from gxo.diagnostic.base import Problem, Severity, did_you_mean
from gxo.source import Span

_LONGEST = 40


def short(text: str) -> str:
    """Text for a message: one line of bearable length."""
    text = " ".join(text.split())
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"


@dataclass(frozen=True, slots=True, kw_only=True)
class TemplateSyntax(Problem):
    """What is written has no meaning; the further classes say so where we know what was meant."""

    code: ClassVar[str] = "template-syntax"
    written: str
    advice: str | None = None

    def message(self) -> str:
        return f"cannot read `{short(self.written)}` here"

    def hint(self) -> str | None:
        return self.advice


@dataclass(frozen=True, slots=True, kw_only=True)
class Unclosed(Problem):
    """`span` is what opens."""

    code: ClassVar[str] = "template-unclosed"
    opener: str
    closer: str

    def message(self) -> str:
        return f"`{self.opener}` is never closed"

    def hint(self) -> str:
        if self.opener == "{{":
            return 'close it with `}}`; to print the two braces, write `{{ "{{" }}`'
        return f"close it with `{self.closer}`" + (
            "; text of several lines goes between backticks" if self.opener in ('"', "'") else ""
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class MissingEnd(Problem):
    """`span` is the end of the text, `opener` where the block begins."""

    code: ClassVar[str] = "template-missing-end"
    word: str
    opener: Span

    def message(self) -> str:
        return f"the text ends, but its `{self.word}` has no `{{{{ end }}}}`"

    def related(self) -> tuple[tuple[Span, str], ...]:
        return ((self.opener, f"the `{self.word}` begins here"),)


@dataclass(frozen=True, slots=True, kw_only=True)
class StrayWord(Problem):
    """An `end` or `else` that belongs to nothing, a second `else`, words where they cannot be."""

    code: ClassVar[str] = "template-stray"
    word: str
    reason: str
    advice: str | None = None

    def message(self) -> str:
        return f"`{self.word}` {self.reason}"

    def hint(self) -> str | None:
        return self.advice


@dataclass(frozen=True, slots=True, kw_only=True)
class MissingValue(Problem):
    """`span` is what wants a value: an operator, a word, empty braces or parentheses."""

    code: ClassVar[str] = "template-missing-value"
    where: str

    def message(self) -> str:
        return f"there is no value {self.where}"


@dataclass(frozen=True, slots=True, kw_only=True)
class UnknownFunction(Problem):
    code: ClassVar[str] = "unknown-function"
    name: str
    known: tuple[str, ...]
    bare: bool
    """Without arguments: perhaps a value was meant."""

    def message(self) -> str:
        return f"there is no function `{short(self.name)}`"

    def hint(self) -> str | None:
        if self.name in _ELSEWHERE:
            return _ELSEWHERE[self.name]
        meant = did_you_mean(self.name, self.known)
        if self.bare:
            dotted = f"`.{short(self.name)}`"
            if meant:
                return f"{meant.removesuffix('?')}, or the value {dotted}?"
            return f"a value is read with a dot before its name: {dotted}"
        return meant


# What people know from other template languages, and what it is here.
_ELSEWHERE = {
    **dict.fromkeys(("elif", "elseif", "elsif"), "write `else if`"),
    **dict.fromkeys(("endif", "endfor", "endwith", "endrange", "endset"), "write `end`"),
    **dict.fromkeys(("for", "foreach", "each"), "write `range`, as in `{{ range $x := .list }}`"),
    **dict.fromkeys(("set", "let", "var"), "write `{{ $x := … }}`"),
    **dict.fromkeys(("none", "None", "null", "Null"), "write `nil`"),
    **dict.fromkeys(("True", "False"), "write `true` or `false`"),
    **dict.fromkeys(("unless",), "write `if not`"),
    **dict.fromkeys(("length", "count", "size"), "write `len`"),
    **dict.fromkeys(("hasKey", "in"), "write `has KEY MAP` or `has ITEM LIST`"),
    **dict.fromkeys(("splitList",), "write `split SEPARATOR TEXT`"),
    **dict.fromkeys(("toYAML", "to_yaml", "to_nice_yaml"), "write `toYaml`"),
    **dict.fromkeys(("toJSON", "tojson", "to_json", "mustToJson"), "write `toJson`"),
    **dict.fromkeys(("b64encode",), "write `b64enc`"),
    **dict.fromkeys(("b64decode",), "write `b64dec`"),
    **dict.fromkeys(("required",), "a missing name is an error by itself"),
    **dict.fromkeys(
        ("define", "template", "block", "include", "import", "extends", "macro"),
        "each value is one template by itself; keep a shared part in `vars`",
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ArgumentCount(Problem):
    """A function called with too few or too many arguments."""

    code: ClassVar[str] = "argument-count"
    name: str
    given: int
    least: int
    most: int | None
    usage: str

    def message(self) -> str:
        if self.most is None:
            wants = f"at least {self.least}"
        elif self.most == self.least:
            wants = str(self.least) if self.least else "no"
        else:
            wants = f"{self.least} to {self.most}"
        noun = "argument" if wants in ("1", "at least 1") else "arguments"
        given = f"{self.given} {'is' if self.given == 1 else 'are'} given"
        return f"`{self.name}` takes {wants} {noun}, {given}"

    def hint(self) -> str:
        return f"write `{self.usage}`; a piped value is the last argument"


@dataclass(frozen=True, slots=True, kw_only=True)
class ArgumentKind(Problem):
    """A written argument that the function can never take."""

    code: ClassVar[str] = "argument-kind"
    name: str
    reason: str
    advice: str | None

    def message(self) -> str:
        return f"cannot use `{self.name}` like this: {self.reason}"

    def hint(self) -> str | None:
        return self.advice


@dataclass(frozen=True, slots=True, kw_only=True)
class NotAFunction(Problem):
    """A value with arguments behind it, or with something piped into it."""

    code: ClassVar[str] = "not-a-function"
    written: str
    piped: bool
    advice: str | None = None
    follows: str = ""
    """The word behind it."""

    def message(self) -> str:
        done = "nothing can be piped into it" if self.piped else "it takes no arguments"
        return f"`{short(self.written)}` is not a function: {done}"

    def hint(self) -> str | None:
        if self.advice or self.piped:
            return self.advice
        return _BEHIND.get(
            self.follows,
            "a function comes before its arguments; `print A B` joins two values",
        )


_BEHIND = {
    "as": "write `range $x := .list`",
    "in": "write `has ITEM LIST`, `has KEY MAP` or `contains PART TEXT`",
    "is": "ask with `empty`, `eq` or `has`",
    "matches": "write `regexMatch PATTERN TEXT`",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class UnknownVariable(Problem):
    code: ClassVar[str] = "unknown-variable"
    name: str
    known: tuple[str, ...]

    def message(self) -> str:
        return f"there is no variable `{short(self.name)}` here"

    def hint(self) -> str:
        meant = did_you_mean(self.name, self.known)
        return meant or f"`{{{{ {short(self.name)} := … }}}}` makes one, up to the end of its block"


@dataclass(frozen=True, slots=True, kw_only=True)
class BadEscape(Problem):
    code: ClassVar[str] = "template-escape"
    written: str
    digits: int
    """How many hexadecimal digits belong to it, else 0."""

    def message(self) -> str:
        return f"there is no escape `{self.written}`"

    def hint(self) -> str:
        if self.digits:
            return f"`{self.written[:2]}` takes {self.digits} hexadecimal digits of a character"
        return r"write `\\` for a backslash, or the text in `…`, where nothing is escaped"


@dataclass(frozen=True, slots=True, kw_only=True)
class BadNumber(Problem):
    code: ClassVar[str] = "template-number"
    written: str
    reason: str = "is not a number"

    def message(self) -> str:
        return f"`{short(self.written)}` {self.reason}"

    def hint(self) -> str:
        return f'if text is meant, quote it: `"{short(self.written)}"`'


@dataclass(frozen=True, slots=True, kw_only=True)
class BadPath(Problem):
    code: ClassVar[str] = "template-path"
    written: str
    advice: str | None

    def message(self) -> str:
        return f"`{short(self.written)}` is not a path to a value"

    def hint(self) -> str:
        return self.advice or "write `.name.key`, `.list.0`, or `index .name KEY` for any other key"


@dataclass(frozen=True, slots=True, kw_only=True)
class TemplateTooDeep(Problem):
    code: ClassVar[str] = "template-too-deep"
    limit: int

    def message(self) -> str:
        return f"cannot read the template: more than {self.limit} nested levels"

    def hint(self) -> str:
        return "keep parts of it in variables: `{{ $x := … }}`"


@dataclass(frozen=True, slots=True, kw_only=True)
class JinjaBlock(Problem):
    """A warning: the text may be meant for another program."""

    code: ClassVar[str] = "jinja-block"
    severity: ClassVar[Severity] = Severity.WARNING
    word: str

    def message(self) -> str:
        return f"`{{% {self.word} … %}}` is plain text here, not a template"

    def hint(self) -> str:
        return (
            "gxo's blocks are `{{ if … }}`, `{{ range … }}` and `{{ with … }}`, up to `{{ end }}`"
        )

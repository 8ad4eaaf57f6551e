"""What libyaml says of text that is not YAML, in the user's terms, at the place that is wrong."""

import re
from collections.abc import Callable

from yaml import MarkedYAMLError

from gxo.dataclass import dataclass
from gxo.diagnostic.base import Problem
from gxo.diagnostic.yaml import (
    AnchorTwice,
    StarUnquoted,
    UnknownAlias,
    UnquotedTemplate,
    YamlSyntax,
)
from gxo.source import Source, Span

_INDICATOR = "quote the value if you mean text"
_ALIAS_NAME = re.compile(r"\*([\w-]+)")
_KEY = re.compile(r"[ \t]*(?:- +)*[A-Za-z_][\w.-]*$")
_FLOW_END = re.compile(r"[]}]|, *\w+:")
_OPENS_TEMPLATE = re.compile(r"(?:^|: |- )\{\{")


@dataclass(frozen=True, slots=True)
class _Fault:
    """libyaml's error: what it met at `at`, and what it had begun at `began` (None if nothing)."""

    source: Source
    met: str
    at: int
    doing: str
    began: int | None

    def span(self, start: int, length: int = 1) -> Span:
        size = len(self.source.text)
        start = max(0, min(start, size))
        return Span(self.source, start, min(size, start + length))

    @property
    def line_start(self) -> int:
        return self.source.text.rfind("\n", 0, self.at) + 1

    @property
    def line(self) -> str:
        end = self.source.text.find("\n", self.at)
        return self.source.text[self.line_start : None if end < 0 else end].rstrip("\r")

    @property
    def found(self) -> str:
        """The character at the place, empty at the end of the text."""
        return self.source.text[self.at : self.at + 1]

    def syntax(self, reason: str, advice: str | None = None, *, length: int = 1) -> YamlSyntax:
        return YamlSyntax(span=self.span(self.at, length), reason=reason, advice=advice)

    def opened(self, reason: str, advice: str | None = None, *, at_opening: bool) -> YamlSyntax:
        """With the place where the unfinished thing began, as the first or the second place."""
        assert self.began is not None
        here, there = self.span(self.at), self.span(self.began)
        if at_opening:
            return YamlSyntax(span=there, reason=reason, advice=advice)
        return YamlSyntax(span=here, reason=reason, advice=advice, opened=there)


def syntax_problem(source: Source, error: MarkedYAMLError) -> Problem:
    """The problem that an error of the parser or composer means."""
    context, problem = error.context or "", error.problem or ""
    mark, began = error.problem_mark, error.context_mark
    size = len(source.text)
    at = min(mark.index if mark else 0, size)
    fault = _Fault(source, problem, at, context, min(began.index, size) if began else None)
    for known, word in _WORDINGS:
        if known in problem or (context and known in context):
            said = word(fault)
            if said is not None:
                return said
    return fault.syntax("the text is not YAML here")


def _alias(fault: _Fault) -> Problem | None:
    """`*/5 …` and `*` alone are text somebody forgot to quote."""
    if fault.began is None:
        return None
    end = fault.source.text.find("\n", fault.began)
    rest = fault.source.text[fault.began : None if end < 0 else end].split(" #")[0]
    value = _FLOW_END.split(rest)[0].strip()
    return StarUnquoted(span=fault.span(fault.began, len(value)), value=value)


def _undefined(fault: _Fault) -> Problem:
    found = _ALIAS_NAME.match(fault.source.text, fault.at)
    name = found[1] if found else ""
    return UnknownAlias(span=fault.span(fault.at, len(name) + 1), name=name)


def _twice(fault: _Fault) -> Problem:
    first = fault.span(fault.began if fault.began is not None else fault.at)
    return AnchorTwice(span=fault.span(fault.at), first=first)


def _tab(fault: _Fault) -> Problem | None:
    text = fault.source.text
    if fault.found != "\t" or text[fault.line_start : fault.at].strip(" \t-"):
        return None
    length = len(text[fault.at :]) - len(text[fault.at :].lstrip("\t"))
    return fault.syntax("a tab cannot indent", "indent YAML with spaces only", length=length)


def _token(fault: _Fault) -> Problem:
    said = _tab(fault)
    if said:
        return said
    if fault.found == "\t":
        return fault.syntax("a tab is not allowed here", "use a space")
    if not fault.found:
        return fault.syntax(
            "the text ends where a value should be", "close every `[` and `{` that is open"
        )
    if fault.found in ",]}":
        return fault.syntax(f"a value is missing before `{fault.found}`", _INDICATOR)
    value = fault.line[fault.at - fault.line_start :].split(" #")[0]
    value = _FLOW_END.split(value)[0].strip()
    advice = _INDICATOR if "'" in value else f"quote it: '{value}'"
    named = "a backtick" if fault.found == "`" else f"`{fault.found}`"
    return fault.syntax(f"a value cannot begin with {named}", advice)


def _template(fault: _Fault) -> Problem | None:
    """`key: {{ .a }}/x`: the flow map has ended, and more text follows."""
    found = _OPENS_TEMPLATE.search(fault.line)
    if not found:
        return None
    start = fault.line_start + found.end() - 2
    return UnquotedTemplate(span=fault.span(start, len(fault.line) - found.end() + 2))


def _no_key(fault: _Fault) -> Problem:
    """Within a block map something stands that is no `key: value`."""
    said = _template(fault) or _tab(fault)
    if said:
        return said
    before = fault.source.text[fault.line_start : fault.at]
    rest = fault.line[len(before) :].rstrip()
    if before.strip():
        if before.rstrip()[-1:] in "'\"":
            return fault.syntax(
                "text follows the closing quote",
                "quote the whole value; a quote within '…' is written twice: ''",
                length=len(rest),
            )
        return fault.syntax("text follows the end of the value", length=len(rest))
    if rest.startswith("- "):
        return fault.syntax(
            "there is a list item among the keys of a map",
            "indent it below the key whose list it belongs to",
        )
    return fault.syntax(
        "the indentation matches no line above",
        "align the line with the first letter of the keys it belongs to",
        length=len(rest),
    )


def _no_item(fault: _Fault) -> Problem:
    return (
        _template(fault)
        or _tab(fault)
        or fault.syntax(
            "a line among the items of a list does not begin with `- `",
            "indent it to belong to the item above, or less to end the list",
            length=max(1, len(fault.line.strip())),
        )
    )


def _no_value_here(fault: _Fault) -> Problem:
    """`a: b: c`, or a line without colon followed by one with."""
    said = _template(fault)
    if said:
        return said
    before = fault.source.text[fault.line_start : fault.at]
    if ": " in before:
        return fault.syntax(
            "there is a second `:` on this line", "quote the value if the colon is part of it"
        )
    above = fault.source.text[: max(0, fault.line_start - 1)].rstrip("\r\n")
    begin = above.rfind("\n") + 1
    if _KEY.match(above[begin:]):
        key = above[begin:]
        return YamlSyntax(
            span=fault.span(begin + len(key) - len(key.lstrip()), len(key.strip())),
            reason=f"no `:` follows `{key.strip().lstrip('- ')}`",
            advice="a key is written `key: value`",
        )
    return fault.syntax(
        "a key is not allowed here: the line above already has a value",
        "check the indentation; quote the value above if it continues on this line",
    )


def _unfinished(fault: _Fault) -> Problem | None:
    if fault.began is None:
        return None
    return fault.opened("the quote is never closed", at_opening=True)


def _flow(fault: _Fault) -> Problem | None:
    if fault.began is None:
        return None
    said = _template(fault)
    if said:
        return said
    if fault.source.text.startswith("{{", fault.at):
        end = fault.line.find("}}", fault.at - fault.line_start)
        length = fault.line_start + end + 2 - fault.at if end >= 0 else 2
        return fault.syntax(
            "within `[` or `{` a template must be quoted",
            "put quotes around the whole value",
            length=length,
        )
    opening = fault.source.text[fault.began : fault.began + 1]
    closing = "]" if opening == "[" else "}"
    if not fault.source.text[fault.at :].strip():
        return fault.opened(f"the `{opening}` is never closed", at_opening=True)
    return fault.opened(f"`,` or `{closing}` is missing here", at_opening=False)


def _no_colon(fault: _Fault) -> Problem | None:
    """Text that would be a key, had it a colon before its line ends."""
    if fault.began is None:
        return None
    end = fault.source.text.find("\n", fault.began)
    key = fault.source.text[fault.began : None if end < 0 else end].rstrip()
    return YamlSyntax(
        span=fault.span(fault.began, len(key)),
        reason="no `:` follows the key on its line",
        advice="a key is written `key: value`",
    )


def _says(
    reason: str, advice: str | None = None, *, at_begin: bool = False
) -> Callable[[_Fault], Problem | None]:
    """A wording that needs nothing of the fault but its place, or that where it began."""

    def word(fault: _Fault) -> Problem | None:
        at = fault.began if at_begin and fault.began is not None else fault.at
        return YamlSyntax(span=fault.span(at), reason=reason, advice=advice)

    return word


# What libyaml says (part of its problem, or of its context), the first that gives a problem wins.
_WORDINGS: tuple[tuple[str, Callable[[_Fault], Problem | None]], ...] = (
    ("while scanning an alias", _alias),
    ("undefined alias", _undefined),
    ("duplicate anchor", _twice),
    ("while scanning an anchor", _says("a value cannot begin with `&`", _INDICATOR, at_begin=True)),
    ("tab character", _tab),
    ("cannot start any token", _token),
    ("unexpected end of stream", _unfinished),
    ("unexpected document indicator", _unfinished),
    (
        "unknown escape character",
        _says(
            'there is no such escape: a backslash in "…" begins one',
            "write '…' instead, or `\\\\` for a backslash",
        ),
    ),
    ("escape code", _says("the escape names no character")),
    ("did not find expected hexdecimal", _says("hexadecimal digits must follow the escape")),
    ("mapping values are not allowed", _no_value_here),
    (
        "block sequence entries are not allowed",
        _says(
            "a list cannot begin on the line of its key",
            "begin the list on the next line, or quote the value",
        ),
    ),
    ("mapping keys are not allowed", _says("a value cannot begin with `?`", _INDICATOR)),
    ("while parsing a block collection", _no_item),
    ("could not find expected ':'", _no_colon),
    ("expected ',' or", _flow),
    ("expected key", _no_key),
    ("expected node content", _token),
    (
        "while scanning a block scalar",
        _says(
            "only an indentation digit, `+` or `-` may follow `|` or `>`",
            "begin the text on the next line",
        ),
    ),
    (
        "while scanning a directive",
        _says("a line cannot begin with `%`", _INDICATOR, at_begin=True),
    ),
    (
        "incompatible YAML document",
        _says("the document asks for a YAML other than 1.1", "leave the `%YAML` line out"),
    ),
    ("directive", _says("a line cannot begin with `%`", _INDICATOR, at_begin=True)),
    ("tag", _says("a value cannot begin with `!`", _INDICATOR, at_begin=True)),
    (
        "expected <document start>",
        _says("text follows the end of the document", "begin another playbook with `---`"),
    ),
)

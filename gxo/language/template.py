"""Parsing templates: text with `{{ … }}` to a tree, by the LALR tables of grammar/template.lark."""

import re
from collections.abc import Callable, Mapping
from functools import cache, lru_cache
from typing import Any

from gxo.dataclass import dataclass
from gxo.diagnostic import Problem
from gxo.language import parser
from gxo.language.lalr import END, Tables
from gxo.language.template_check import check
from gxo.language.template_tree import RULES, Builder, Flaw, Token
from gxo.source import Text
from gxo.template.tree import Item, Output, Template
from gxo.template.value import Literal

UNREAD = "UNREAD"
"""The type of a token that stands where no terminal matches; it is the last one."""
COMMENT = "COMMENT"
"""The type of a token for a comment that is not closed."""

_SPACE = " \t\r\n"
_COMMENT = re.compile(r"\{\{(?:-\s)?\s*/\*")
_COMMENT_END = re.compile(r"\s*(?:(?<=\s)(-))?\}\}")
_JINJA = re.compile(
    r"\{%-?\s*(if|elif|else|endif|for|endfor|set|block|endblock|include|extends|import|macro|raw)\b"
)


def parse_template(text: Text, problems: list[Problem]) -> Literal | Template:
    """The template that a string value holds, or the value itself where it holds none.

    All that is wrong with it goes to `problems`; then the value comes back as it is written.
    """
    written = text.text
    if "{%" in written:
        _warn_of_jinja(text, problems)
    if "{{" not in written:
        return Literal(written, text.span)
    parsed = _parse(written)
    if parsed.flaws:
        problems.extend(flaw(text.part) for flaw in parsed.flaws)
        return Literal(written, text.span)
    return Template(parsed.nodes, parsed.native, text)


@dataclass(frozen=True, slots=True)
class _Parsed:
    """What a text means, wherever it stands: the same text is parsed once."""

    nodes: tuple[Item, ...]
    native: bool
    flaws: tuple[Flaw, ...]


@dataclass(frozen=True, slots=True)
class _Machine:
    """The tables, ready to run: one pattern for all tokens, one function for each rule."""

    tables: Tables
    token: re.Pattern[str]
    opener: re.Pattern[str]
    keywords: Mapping[str, str]
    rules: tuple[tuple[Callable[[Builder, list[Any]], object] | None, int, str], ...]
    """For each rule what it makes (None: it passes its one value on), its length, its symbol."""


@cache
def _machine() -> _Machine:
    tables = parser.fast("template").tables
    by_name = {terminal.name: terminal for terminal in tables.terminals}
    keywords = {t.pattern: t.name for t in tables.terminals if t.literal and t.pattern.isalpha()}
    inside = [
        terminal
        for terminal in tables.terminals
        if terminal.name not in ("TEXT", "OPEN") and terminal.pattern not in keywords
    ]
    # patterns first, as they tell `==` from `=`; then signs, the longer first
    inside.sort(key=lambda t: (t.literal, -t.priority, -len(t.pattern) if t.literal else 0))
    choices = "|".join(
        f"(?P<{t.name}>{re.escape(t.pattern) if t.literal else t.pattern})" for t in inside
    )
    return _Machine(
        tables,
        re.compile(rf"\s*(?:{choices})"),
        re.compile(by_name["OPEN"].pattern),
        keywords,
        tuple(
            (RULES.get(r.name), len(r.keep), r.origin)
            if not (r.single and len(r.keep) == 1)
            else (None, 1, r.origin)
            for r in tables.rules
        ),
    )


@lru_cache(maxsize=4096)
def _parse(text: str) -> _Parsed:
    machine = _machine()
    tokens = _tokens(machine, text)
    builder = Builder(text)
    nodes = _run(machine, tokens, builder)
    flaws = builder.flaws
    if not flaws:
        flaws = check(nodes, text)
    native = (
        len(nodes) == 1
        and isinstance(nodes[0], Output)
        and nodes[0].start == 0
        and nodes[0].end == len(text)
    )
    return _Parsed(() if flaws else nodes, native, tuple(flaws))


def _tokens(machine: _Machine, text: str) -> list[Token]:
    """All tokens of a text, up to the first place that is none."""
    tokens: list[Token] = []
    at = 0
    trims = False
    while True:
        opened = text.find("{{", at)
        comment = _COMMENT.match(text, opened) if opened >= 0 else None
        opener = machine.opener.match(text, opened) if opened >= 0 else None
        _add_text(tokens, text, at, opened, after=trims, before=bool(opener and opener[0] != "{{"))
        if opener is None:
            return tokens
        if comment:
            closed = text.find("*/", comment.end())
            ended = _COMMENT_END.match(text, closed + 2) if closed >= 0 else None
            if not ended:
                tokens.append((COMMENT, opened, len(text) if closed < 0 else closed + 2))
                return tokens
            at, trims = ended.end(), bool(ended[1])
            continue
        tokens.append(("OPEN", opened, opener.end()))
        at, whole = _inside(machine, text, opener.end(), tokens)
        if not whole:
            return tokens
        trims = text[at - 3] == "-" and tokens[-1][2] - tokens[-1][1] > 2


def _add_text(
    tokens: list[Token], text: str, at: int, opened: int, *, after: bool, before: bool
) -> None:
    end = len(text) if opened < 0 else opened
    if before:
        while end > at and text[end - 1] in _SPACE:
            end -= 1
    if after:
        while at < end and text[at] in _SPACE:
            at += 1
    if at < end:
        tokens.append(("TEXT", at, end))


def _inside(machine: _Machine, text: str, at: int, tokens: list[Token]) -> tuple[int, bool]:
    """Tokens up to the end of `{{ … }}`: where it is, and whether all could be read."""
    match, keywords = machine.token.match, machine.keywords
    while True:
        found = match(text, at)
        if found is None:
            start = at
            while start < len(text) and text[start].isspace():
                start += 1
            tokens.append((UNREAD, start, min(start + 1, len(text))))
            return at, False
        kind = str(found.lastgroup)
        start, at = found.span(kind)
        if kind == "NAME":
            kind = keywords.get(text[start:at], kind)
        tokens.append((kind, start, at))
        if kind == "CLOSE":
            return at, True


def _run(machine: _Machine, tokens: list[Token], builder: Builder) -> tuple[Item, ...]:
    """Shift and reduce; a token that does not fit is explained, and ends it."""
    actions, rules = machine.tables.actions, machine.rules
    states = [machine.tables.starts["start"]]
    values: list[Any] = []
    last = machine.tables.ends["start"]
    size = len(builder.text)
    for position, token in enumerate([*tokens, (END, size, size)]):
        kind = token[0]
        while True:
            action = actions[states[-1]].get(kind)
            if action is None:
                from gxo.language.template_errors import explain

                builder.flaws.append(explain(builder.text, tokens, position, values))
                return ()
            if action >= 0:
                states.append(action)
                values.append(token)
                break
            make, length, symbol = rules[~action]
            if make is not None:
                if length:
                    made = make(builder, values[-length:])
                    del states[-length:], values[-length:]
                else:
                    made = make(builder, [])
                values.append(made)
            else:
                del states[-1]
            states.append(actions[states[-1]][symbol])
            if kind == END and states[-1] == last:
                result: tuple[Item, ...] = values[-1]
                return result
    raise AssertionError("the tables accept without an end")


def _warn_of_jinja(text: Text, problems: list[Problem]) -> None:
    found = _JINJA.search(text.text)
    if found:
        from gxo.diagnostic.template import JinjaBlock

        problems.append(JinjaBlock(span=text.part(*found.span()), word=found[1]))

"""Why a template cannot be read, in its writer's words: found where the parser came to a stop."""

import re
from bisect import bisect_left
from collections.abc import Sequence
from functools import partial
from typing import Any

from gxo.diagnostic.template import (
    BadNumber,
    BadPath,
    MissingEnd,
    MissingValue,
    StrayWord,
    TemplateSyntax,
    Unclosed,
    UnknownFunction,
)
from gxo.language.template_tree import Flaw, Token, flaw
from gxo.template.functions import FUNCTIONS

_BLOCKS = {"IF": "if", "WITH": "with", "RANGE": "range"}
_UNSUPPORTED = ("define", "template", "block")
_INFIX = frozenset(
    {"RELATION", "RELATION_WORD", "BARS", "OR", "AMPERSANDS", "AND", "VBAR", "BANG", "NOT",
     "DECLARE", "EQUAL"}
)  # fmt: skip
_VALUES = frozenset(
    {"NAME", "PATH", "VARIABLE", "NUMBER", "QUOTED", "RAW", "TRUE", "FALSE", "NIL", "RPAR", "TAIL"}
)
_WORDS = frozenset({"IF", "WITH", "RANGE", "END", "ELSE", "BREAK", "CONTINUE"})
_CLOSERS = {'"': '"', "'": "'", "`": "`"}
_ARITHMETIC = {"+": "add", "-": "sub", "*": "mul", "/": "div", "%": "mod"}
_DOTTED = re.compile(r"[^\W\d]\w*(?:\.\w+)+")


def explain(text: str, tokens: Sequence[Token], position: int, values: Sequence[Any]) -> Flaw:
    """The flaw of a text whose token at `position` (the end, behind all) does not fit.

    `values` is what the parser holds: nodes, and tokens not yet part of one.
    """
    return _Stop(text, tokens, position, values).flaw()


class _Stop:
    def __init__(
        self, text: str, tokens: Sequence[Token], position: int, values: Sequence[Any]
    ) -> None:
        self.text = text
        self.tokens = tokens
        self.values = values
        self.position = position
        size = len(text)
        self.kind, self.start, self.end = (
            tokens[position] if position < len(tokens) else ("$END", size, size)
        )
        self.before = tokens[position - 1] if position else ("", 0, 0)

    def flaw(self) -> Flaw:
        unsupported = self.unsupported()
        if unsupported:
            return unsupported
        if self.kind == "$END":
            return self.missing_end()
        if self.kind == "COMMENT":
            return self.comment()
        if self.kind == "UNREAD":
            return self.unread()
        return self.unexpected()

    # what was read so far

    def written(self, token: Token) -> str:
        return self.text[token[1] : token[2]]

    def held(self, kinds: Sequence[str]) -> list[Token]:
        """The tokens of these types that the parser has read and not yet made a node of."""
        return [
            value
            for value in self.values
            if type(value) is tuple and len(value) == 3 and value[0] in kinds
        ]

    def opener(self) -> Token:
        """The `{{` of the action we are in."""
        return next(t for t in reversed(self.tokens[: self.position + 1]) if t[0] == "OPEN")

    def parentheses(self) -> list[Token]:
        """Those of the action we are in that are open."""
        start = self.opener()[1]
        return [token for token in self.held(("LPAR",)) if token[1] > start]

    def first(self) -> Token:
        """The first token of the action we are in."""
        opener = self.opener()
        index = bisect_left(self.tokens, opener[2], key=lambda token: token[1])
        return self.tokens[index] if index < len(self.tokens) else opener

    def block(self) -> Token | None:
        """The word that began the innermost block around."""
        limit = self.opener()[1] if self.kind != "$END" else len(self.text)
        for token in reversed(self.held(tuple(_BLOCKS))):
            if token[1] < limit and self.before_word(token) != "ELSE":
                return token
        return None

    def before_word(self, token: Token) -> str:
        index = bisect_left(self.tokens, token[1], key=lambda other: other[1])
        return self.tokens[index - 1][0] if index else ""

    def syntax(self, advice: str | None = None, start: int = -1, end: int = -1) -> Flaw:
        start, end = (self.start, self.end) if start < 0 else (start, end)
        make = partial(TemplateSyntax, written=self.text[start:end], advice=advice)
        return flaw(make, start, end)

    # the end of the text

    def unsupported(self) -> Flaw | None:
        for before, token in zip(self.tokens, self.tokens[1:], strict=False):
            word = self.written(token)
            if before[0] == "OPEN" and token[0] == "NAME" and word in _UNSUPPORTED:
                make = partial(
                    StrayWord,
                    word=word,
                    reason="is not supported",
                    advice="each value is one template by itself; keep a shared part in `vars`",
                )
                return flaw(make, token[1], token[2])
        return None

    def missing_end(self) -> Flaw:
        for before, token in zip(self.tokens, self.tokens[1:], strict=False):
            word = self.written(token)
            if before[0] == "OPEN" and token[0] == "NAME" and word.startswith("end"):
                make = partial(UnknownFunction, name=word, known=tuple(FUNCTIONS), bare=True)
                return flaw(make, token[1], token[2])
        block = self.block()
        assert block is not None
        end = len(self.text.rstrip()) or len(self.text)
        kind, first, last = block
        return lambda place: MissingEnd(
            span=place(end - 1, end), word=_BLOCKS[kind], opener=place(first, last)
        )

    def comment(self) -> Flaw:
        """One that is not closed, or that does not stand alone."""
        if self.text.find("*/", self.start) < 0:
            opener = self.text.index("/*", self.start)
            make = partial(Unclosed, opener="/*", closer="*/}}")
            return flaw(make, opener, opener + 2)
        start = self.end
        while start < len(self.text) - 1 and self.text[start].isspace():
            start += 1
        if start >= len(self.text):
            opener = self.start
            return flaw(partial(Unclosed, opener="{{", closer="}}"), opener, opener + 2)
        return self.syntax("a comment must stand alone in its `{{ }}`", start, start + 1)

    # places where nothing matches

    def unread(self) -> Flaw:
        rest = self.text[self.start :]
        char = rest[:1]
        if not char or rest.startswith("{{"):
            return self.unclosed()
        if char in _CLOSERS:
            end = len(self.text) if char == "`" else self.start + len(rest.partition("\n")[0])
            return flaw(partial(Unclosed, opener=char, closer=_CLOSERS[char]), self.start, end)
        dotted = _DOTTED.match(rest)
        if dotted:
            bad = partial(BadPath, written=dotted[0], advice=f"write `.{dotted[0]}`")
            return flaw(bad, self.start, self.start + dotted.end())
        if char.isdigit() or (char in "+-" and rest[1:2].isdigit()):
            end = self.start + len(re.match(r"[-+]?[\w.]*", rest)[0])  # type: ignore[index]
            return flaw(partial(BadNumber, written=self.text[self.start : end]), self.start, end)
        if char in ".$":
            return self.bad_path(rest)
        return self.bad_character(char, rest)

    def unclosed(self) -> Flaw:
        parentheses = self.parentheses()
        if parentheses and self.start < len(self.text):
            return self.open_parenthesis(parentheses[-1])
        opener = self.opener()
        return flaw(partial(Unclosed, opener="{{", closer="}}"), opener[1], opener[1] + 2)

    def open_parenthesis(self, token: Token) -> Flaw:
        return flaw(partial(Unclosed, opener="(", closer=")"), token[1], token[2])

    def bad_path(self, rest: str) -> Flaw:
        path = re.match(r"[.$][\w.$-]*", rest)
        written = path[0] if path else rest[:1]
        if written.endswith("-") and rest.startswith("}}", len(written)):
            end = self.start + len(written)
            return self.syntax("write a space before `-}}`", end - 1, end)
        clean = re.sub(r"[.$-]{2,}", ".", written).rstrip(".-$")
        advice = f"write `{clean}`" if re.fullmatch(r"\$?(\.\w+)+", clean) else None
        make = partial(BadPath, written=written, advice=advice)
        return flaw(make, self.start, self.start + len(written))

    def bad_character(self, char: str, rest: str) -> Flaw:
        end = self.start + 1
        if char == "[":
            return self.bracket(rest)
        if char == "-" and rest.startswith("-}}"):
            return self.syntax("write a space before `-}}`")
        if char == "-" and self.before[0] == "OPEN":
            return self.syntax("write a space after `{{-`")
        if char in _ARITHMETIC:
            name = _ARITHMETIC[char]
            return self.syntax(f"there is no operator for it: write `{name} LEFT RIGHT`")
        if char in "“”„‘’«»":
            return self.syntax('text goes between straight quotes: `"…"`')
        if char == "}":
            return self.syntax("a template ends with `}}`")
        if char == "{":
            return self.syntax("two braces open a template; a map is `dict KEY VALUE …`")
        if char == "&":
            return self.syntax("write `&&` or `and`")
        if char == "?":
            return self.syntax("write `ternary YES NO CONDITION`")
        if char == "~":
            return self.syntax("write `print LEFT RIGHT`")
        if char == "#":
            return self.syntax("a comment is `{{/* … */}}`, a block `{{ if … }}` … `{{ end }}`")
        return self.syntax(None, self.start, end)

    def bracket(self, rest: str) -> Flaw:
        """`.list[0]`, `.map["key"]`: another language's way to an entry."""
        inner, closed, _ = rest[1:].partition("]")
        base = self.written(self.before)
        if self.before[0] not in ("PATH", "VARIABLE") or self.before[2] != self.start or not closed:
            return self.syntax("a list is written `list A B …`; an entry is read with `index`")
        key = inner.strip().strip("\"'`")
        end = self.start + len(inner) + 2
        plain = re.fullmatch(r"\w+(-+\w+)*", key)
        advice = f"write `{base}.{key}`" if plain else f"write `index {base} {inner.strip()}`"
        return self.syntax(advice, self.start, end)

    # tokens in places where they do not fit

    def unexpected(self) -> Flaw:
        if self.kind in ("END", "ELSE") and self.before[0] == "OPEN":
            return self.stray()
        if self.kind == "CLOSE":
            return self.closed_early()
        if self.kind in ("RPAR", "TAIL"):
            return self.parenthesis()
        if self.kind == "EQUAL":
            return self.equals()
        if self.kind == "DECLARE":
            if self.first()[0] == "RANGE":
                return self.syntax("write `range $key, $item := …`")
            name = self.written(self.before)
            advice = (
                f"write `${name} := …`"
                if self.before[0] == "NAME"
                else ("only a variable is set: `$name := …`")
            )
            return self.syntax(advice)
        if self.kind == "COMMA":
            return self.syntax("arguments are separated by spaces: `function A B`")
        if self.kind in _INFIX - {"BANG", "NOT"}:
            return self.operator()
        if self.kind in _WORDS:
            return self.word()
        if self.first()[0] in ("END", "ELSE", "BREAK", "CONTINUE"):
            word = self.written(self.first())
            make = partial(StrayWord, word=word, reason="must stand alone in its `{{ }}`")
            return flaw(make, self.first()[1], self.first()[2])
        return self.syntax()

    def stray(self) -> Flaw:
        word = self.written((self.kind, self.start, self.end))
        block = self.block()
        reason = "has no `if`, `range` or `with` before it"
        if block:
            reason = f"is the second one of its `{_BLOCKS[block[0]]}`"
        return flaw(partial(StrayWord, word=word, reason=reason), self.start, self.end)

    def closed_early(self) -> Flaw:
        before, start, end = self.before
        parentheses = self.parentheses()
        if before == "OPEN":
            make = partial(MissingValue, where="between `{{` and `}}`")
            return flaw(make, start, self.end)
        if before in _INFIX or before in _BLOCKS:
            return self.nothing_behind()
        if parentheses:
            return self.open_parenthesis(parentheses[-1])
        if self.first()[0] == "RANGE":
            return self.syntax("write `range $key, $item := …`", start, end)
        return self.syntax(None, start, self.end)

    def nothing_behind(self) -> Flaw:
        _, start, end = self.before
        written = self.written(self.before)
        return flaw(partial(MissingValue, where=f"after `{written}`"), start, end)

    def parenthesis(self) -> Flaw:
        if self.before[0] == "LPAR":
            make = partial(MissingValue, where="between `(` and `)`")
            return flaw(make, self.before[1], self.start + 1)
        if self.before[0] in _INFIX:
            return self.nothing_behind()
        parentheses = self.parentheses()
        if parentheses:
            return self.syntax()
        return self.syntax("no `(` is open here", self.start, self.start + 1)

    def equals(self) -> Flaw:
        if self.text[self.end : self.end + 1] == ">":
            return self.syntax("write `>=`", self.start, self.end + 1)
        if self.first()[0] in _BLOCKS or self.first()[0] == "ELSE":
            return self.syntax("to compare, write `==`; to set a variable, `:=`")
        if self.before[0] == "RELATION":
            return self.syntax(f"write `{self.written(self.before)}`")
        return self.syntax("to compare, write `==`; only a variable is set: `$name = …`")

    def operator(self) -> Flaw:
        written = self.text[self.start : self.end]
        relation = self.kind.startswith("RELATION")
        if relation and self.before[0] in _VALUES:
            return self.syntax("compare two at a time: `A < B && B < C`")
        if self.before[0] in _INFIX and self.kind != "VBAR" and self.written(self.before) != "!":
            return self.syntax(self.double(written))
        make = partial(MissingValue, where=f"before `{written}`")
        return flaw(make, self.start, self.end)

    def double(self, written: str) -> str | None:
        both = self.written(self.before) + written
        return "write `!=`" if both == "<>" else None

    def word(self) -> Flaw:
        word = self.text[self.start : self.end]
        if self.kind in ("IF", "ELSE") and self.first()[0] in _VALUES:
            return self.syntax("a choice within a value is `ternary YES NO CONDITION`")
        if self.before[0] == "ELSE":
            block = self.block()
            around = _BLOCKS[block[0]] if block else "if"
            reason = f"cannot follow the `else` of `{around}`"
            return flaw(partial(StrayWord, word=word, reason=reason), self.start, self.end)
        reason = "must be the first word in its `{{ }}`"
        return flaw(partial(StrayWord, word=word, reason=reason), self.start, self.end)

"""What node each rule of grammar/template.lark makes."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, NamedTuple, cast

from gxo.dataclass import dataclass, field
from gxo.diagnostic import Problem
from gxo.language.template_words import CODES, escape, number
from gxo.source import Span
from gxo.template.tree import (
    Assign,
    Branch,
    Break,
    Call,
    Chain,
    Constant,
    Continue,
    Expr,
    If,
    Item,
    Output,
    Path,
    Plain,
    Range,
    With,
)

Token = tuple[str, int, int]
"""Type, start, end."""

Flaw = Callable[[Callable[[int, int], Span]], Problem]
"""A problem of a text that has no place yet: called with what turns offsets into spans."""

# A longer chain of one operator becomes a call within a call: copying it must not be quadratic.
_LONGEST_CHAIN = 100

OPERATORS = {"==": "eq", "!=": "ne", "<": "lt", "<=": "le", ">": "gt", ">=": "ge"}
_WORDS = {"true": True, "false": False, "nil": None}


def flaw(make: Callable[..., Problem], start: int, end: int) -> Flaw:
    """A flaw whose problem needs no place but its own."""
    return lambda place: make(span=place(start, end))


class Operand(NamedTuple):
    """An operand with all that belongs to it, parentheses too; `name` for a bare word."""

    expr: Expr
    start: int
    end: int
    name: bool = False


@dataclass(slots=True)
class Builder:
    """One text's nodes; what is wrong with them goes to `flaws`."""

    text: str
    flaws: list[Flaw] = field(default_factory=list)

    def slice(self, token: Token) -> str:
        return self.text[token[1] : token[2]]

    # items

    def start(self, values: list[Any]) -> tuple[Item, ...]:
        return tuple(values[0])

    def no_items(self, _: list[Any]) -> list[Item]:
        return []

    def more_items(self, values: list[Any]) -> list[Item]:
        items, item = values
        cast("list[Item]", items).append(item)
        return cast("list[Item]", items)

    def text_item(self, values: list[Token]) -> Item:
        token = values[0]
        return Plain(token[1], token[2], self.slice(token))

    def output(self, values: list[Any]) -> Item:
        opener, value, closer = values
        return Output(opener[1], closer[2], value)

    def declare(self, values: list[Any], *, declares: bool = True) -> Item:
        opener, variable, _, value, closer = values
        return Assign(opener[1], closer[2], self.slice(variable), value, declares)

    def assign(self, values: list[Any]) -> Item:
        return self.declare(values, declares=False)

    def break_item(self, values: list[Token]) -> Item:
        return Break(values[0][1], values[2][2])

    def continue_item(self, values: list[Token]) -> Item:
        return Continue(values[0][1], values[2][2])

    # blocks; a tail is the list of further branches, in reverse, what is done otherwise, its end

    def if_item(self, values: list[Any], kind: type[If] | type[With] = If) -> Item:
        opener, _, condition, _, body, (branches, otherwise, end) = values
        first = _branch(opener[1], condition, body)
        return kind(opener[1], end, (first, *reversed(branches)), otherwise)

    def with_item(self, values: list[Any]) -> Item:
        return self.if_item(values, With)

    def range_item(self, values: list[Any]) -> Item:
        opener, _, (key, item, over), _, body, (_, otherwise, end) = values
        return Range(opener[1], end, key, item, over, tuple(body), otherwise)

    def tail_end(self, values: list[Any]) -> Any:
        return [], (), values[2][2]

    def tail_else(self, values: list[Any]) -> Any:
        return [], tuple(values[3]), values[6][2]

    def else_branch(self, values: list[Any]) -> Any:
        opener, _, _, condition, _, body, (branches, otherwise, end) = values
        branches.append(_branch(opener[1], condition, body))
        return branches, otherwise, end

    def condition(self, values: list[Any]) -> tuple[str | None, Expr]:
        return None, values[0]

    def condition_kept(self, values: list[Any]) -> tuple[str | None, Expr]:
        return self.slice(values[0]), values[2]

    def range_clause(self, values: list[Any]) -> tuple[str | None, str | None, Expr]:
        return None, None, values[0]

    def range_clause_item(self, values: list[Any]) -> tuple[str | None, str | None, Expr]:
        return None, self.slice(values[0]), values[2]

    def range_clause_key(self, values: list[Any]) -> tuple[str | None, str | None, Expr]:
        return self.slice(values[0]), self.slice(values[2]), values[4]

    # expressions

    def pipe(self, values: list[Any]) -> Expr:
        """The piped value is the last argument of the function behind the bar."""
        value, bar, stage = values
        bare = not self.text[bar[2] : stage.start].strip()
        if not (isinstance(stage, Call) and stage.name_start == stage.start and bare) or (
            self.text[stage.start] == "!"
        ):
            from gxo.diagnostic.template import NotAFunction

            written = self.text[stage.start : stage.end]
            advice = None
            if isinstance(stage, Call) and bare:
                advice = (
                    f"`|` binds loosest: write `(… | …) {written[len(_head(written)) :].strip()}`"
                )
            make = partial(NotAFunction, written=written, piped=True, advice=advice)
            self.flaws.append(flaw(make, stage.start, stage.end))
            return cast("Expr", value)
        return Call(
            stage.start,
            stage.end,
            stage.function,
            (*stage.arguments, value),
            stage.name_start,
            stage.name_end,
        )

    def infix(self, name: str, left: Expr, token: Token, right: Expr) -> Expr:
        return Call(left.start, right.end, name, (left, right), token[1], token[2])

    def disjunction(self, values: list[Any], name: str = "or") -> Expr:
        """A chain of one operator is one call: it is as deep as it looks."""
        left, token, right = values
        if (
            isinstance(left, Call)
            and left.function == name
            and 1 < len(left.arguments) < _LONGEST_CHAIN
        ):
            return Call(
                left.start,
                right.end,
                name,
                (*left.arguments, right),
                left.name_start,
                left.name_end,
            )
        return self.infix(name, left, token, right)

    def conjunction(self, values: list[Any]) -> Expr:
        return self.disjunction(values, "and")

    def relation(self, values: list[Any]) -> Expr:
        left, token, right = values
        word = self.slice(token)
        return self.infix(OPERATORS.get(word, word), left, token, right)

    def negation(self, values: list[Any]) -> Expr:
        token, value = values
        return Call(token[1], value.end, "not", (value,), token[1], token[2])

    def command(self, values: list[Any]) -> Expr:
        operands: list[Operand] = values[0]
        head, *rest = operands
        if not rest:
            return head.expr
        if not head.name:
            from gxo.diagnostic.template import NotAFunction

            written = self.text[head.start : head.end]
            advice = None
            word = {"+": "add", "-": "sub"}.get(self.text[rest[0].start])
            if word:
                advice = f"there is no operator for it: write `{word} {written} …`"
            follows = self.text[rest[0].start : rest[0].end]
            make = partial(
                NotAFunction, written=written, piped=False, advice=advice, follows=follows
            )
            self.flaws.append(flaw(make, head.start, head.end))
            return head.expr
        return self.called((self.slice(("", head.start, head.end)), head.start, head.end), rest)

    def called(self, name: Token, operands: list[Operand]) -> Expr:
        """A call; the token's first part is the function's name."""
        end = operands[-1].end if operands else name[2]
        arguments = tuple(operand.expr for operand in operands)
        return Call(name[1], end, name[0], arguments, name[1], name[2])

    def word_command(self, values: list[Any]) -> Expr:
        token, operands = values
        return self.called((self.slice(token), token[1], token[2]), operands)

    def word_alone(self, values: list[Token]) -> Expr:
        token = values[0]
        return self.called((self.slice(token), token[1], token[2]), [])

    def one_operand(self, values: list[Any]) -> list[Operand]:
        return [values[0]]

    def more_operands(self, values: list[Any]) -> list[Operand]:
        operands, operand = values
        cast("list[Operand]", operands).append(operand)
        return cast("list[Operand]", operands)

    def name(self, values: list[Token]) -> Operand:
        _, start, end = values[0]
        call = Call(start, end, self.text[start:end], (), start, end)
        return Operand(call, start, end, name=True)

    def path(self, values: list[Token]) -> Operand:
        _, start, end = values[0]
        base, *keys = self.text[start:end].split(".")
        if base == "_gxo" or (not base and keys[0] == "_gxo"):
            keys, base = (["_gxo", *keys] if base else keys), "$"
        path = Path(start, end, base or ".", tuple(key for key in keys if key))
        return Operand(path, start, end)

    def number(self, values: list[Token]) -> Operand:
        _, start, end = values[0]
        written = self.text[start:end]
        value = number(written)
        if value is None:
            from gxo.diagnostic.template import BadNumber

            make = partial(BadNumber, written=written, reason="is too large a number")
            self.flaws.append(flaw(make, start, end))
        return Operand(Constant(start, end, value or 0), start, end)

    def quoted(self, values: list[Token]) -> Operand:
        _, start, end = values[0]
        text = self.text[start + 1 : end - 1]
        if "\\" in text:
            text = self.unescaped(start + 1, end - 1)
        return Operand(Constant(start, end, text), start, end)

    def unescaped(self, at: int, end: int) -> str:
        parts: list[str] = []
        while at < end:
            stop = self.text.find("\\", at, end)
            if stop < 0:
                stop = end
            parts.append(self.text[at:stop])
            if stop == end:
                break
            at, char = escape(self.text, stop, end)
            if char is None:
                from gxo.diagnostic.template import BadEscape

                digits = CODES.get(self.text[stop + 1], 0)
                make = partial(BadEscape, written=self.text[stop:at], digits=digits)
                self.flaws.append(flaw(make, stop, at))
            parts.append(char or "")
        return "".join(parts)

    def raw(self, values: list[Token]) -> Operand:
        _, start, end = values[0]
        return Operand(Constant(start, end, self.text[start + 1 : end - 1]), start, end)

    def word(self, values: list[Token]) -> Operand:
        _, start, end = values[0]
        return Operand(Constant(start, end, _WORDS[self.text[start:end]]), start, end)

    def group(self, values: list[Any]) -> Operand:
        opener, inner, closer = values
        return Operand(inner, opener[1], closer[2])

    def chain(self, values: list[Any]) -> Operand:
        opener, inner, tail = values
        keys = self.text[tail[1] + 2 : tail[2]].split(".")
        chain = Chain(opener[1], tail[2], inner, tuple(keys))
        return Operand(chain, opener[1], tail[2])


def _branch(start: int, condition: tuple[str | None, Expr], body: list[Item]) -> Branch:
    variable, value = condition
    return Branch(start, value.end, value, variable, tuple(body))


def _head(written: str) -> str:
    """The words before an operator."""
    for sign in ("==", "!=", "<=", ">=", "<", ">", "&&", "||"):
        if sign in written:
            return written.partition(sign)[0]
    return ""


RULES: Mapping[str, Callable[[Builder, list[Any]], object]] = {
    "start": Builder.start,
    "no_items": Builder.no_items,
    "more_items": Builder.more_items,
    "text": Builder.text_item,
    "output": Builder.output,
    "declare": Builder.declare,
    "assign": Builder.assign,
    "break_item": Builder.break_item,
    "continue_item": Builder.continue_item,
    "if_item": Builder.if_item,
    "with_item": Builder.with_item,
    "range_item": Builder.range_item,
    "tail_end": Builder.tail_end,
    "tail_else": Builder.tail_else,
    "last_tail": lambda _, values: values[0],
    "else_if": Builder.else_branch,
    "last_with": lambda _, values: values[0],
    "else_with": Builder.else_branch,
    "condition": Builder.condition,
    "condition_kept": Builder.condition_kept,
    "range_clause": Builder.range_clause,
    "range_clause_item": Builder.range_clause_item,
    "range_clause_key": Builder.range_clause_key,
    "pipe": Builder.pipe,
    "disjunction": Builder.disjunction,
    "conjunction": Builder.conjunction,
    "relation": Builder.relation,
    "negation": Builder.negation,
    "command": Builder.command,
    "word_command": Builder.word_command,
    "word_alone": Builder.word_alone,
    "one_operand": Builder.one_operand,
    "more_operands": Builder.more_operands,
    "name": Builder.name,
    "path": Builder.path,
    "variable": Builder.path,
    "number": Builder.number,
    "quoted": Builder.quoted,
    "raw": Builder.raw,
    "word": Builder.word,
    "group": Builder.group,
    "chain": Builder.chain,
}
"""By the name of the rule. A rule that stands for one symbol alone passes its value on."""

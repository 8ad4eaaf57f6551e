"""Evaluating values: templates to data, everything else as it stands.

What a template reads is data and stays data: no text that comes out is ever parsed again. There is
nothing to reach but the scope's names and the function table.
"""

from collections.abc import Iterator, Mapping
from typing import Never

from gxo.dataclass import dataclass, field
from gxo.source import Span
from gxo.template import faults
from gxo.template.data import copy, to_text, truth, weigh
from gxo.template.fault import Failure, Fault, TooMuch
from gxo.template.function import Function, FunctionTable
from gxo.template.functions import COMPILE_FUNCTIONS
from gxo.template.limits import DEFAULT, Limits
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
    Template,
    With,
    is_index,
)
from gxo.template.value import Data, ListValue, Literal, MapValue, Value

GXO = "_gxo"


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """What templates may read and call. `names` are the flat ones, `gxo` lies under `_gxo`."""

    names: Mapping[str, Data]
    gxo: Mapping[str, Data] = field(default_factory=dict)
    functions: FunctionTable = COMPILE_FUNCTIONS
    limits: Limits = DEFAULT


def evaluate(value: Value, scope: Scope) -> Data:
    """The data of a value, sharing nothing with the scope; raises Fault at the first problem.

    The limits hold for all of the value together (steps) and for each template in it (size).
    """
    return _Run(scope).value(value)


class _Root:
    """The `.` of a template's top: all names at once, which cannot be used as one value."""


_ROOT = _Root()
_Dot = Data | _Root
_Break = object()
_Continue = object()


class _Absent:
    """What a key that is not there leads to."""


_ABSENT = _Absent()


class _Run:
    """One evaluation: what is left of its limits, and the template it stands in."""

    def __init__(self, scope: Scope) -> None:
        self.scope = scope
        self.limits = scope.limits
        self.left = scope.limits.steps
        self.template: Template | None = None
        self.variables: list[dict[str, Data]] = []
        self.parts: list[str] = []
        self.size = 0

    def value(self, value: Value) -> Data:
        if isinstance(value, Literal):
            return value.data
        if isinstance(value, Template):
            return self.render(value)
        if isinstance(value, ListValue):
            return [self.value(item) for item in value.items]
        assert isinstance(value, MapValue)
        return {name.text: self.value(entry) for name, entry in value.entries}

    def render(self, template: Template) -> Data:
        self.template = template
        self.variables = [{}]
        self.parts, self.size = [], 0
        try:
            if template.native:
                (node,) = template.nodes
                assert isinstance(node, Output)
                return self.native(node)
            self.block(template.nodes, _ROOT)
            return "".join(self.parts)
        except RecursionError:
            self.too_much(0, len(template.text.text), "levels within each other", self.limits.depth)

    def native(self, node: Output) -> Data:
        result = self.expression(node.value, _ROOT)
        try:
            weigh(result, self.limits)
        except TooMuch as much:
            self.too_much(node.value.start, node.value.end, much.what, much.limit)
        return copy(result)

    # items

    def block(self, items: tuple[Item, ...], dot: _Dot) -> object:
        """Evaluate items in a scope of variables of their own; what ended them early, or None."""
        self.variables.append({})
        ended = None
        for item in items:
            ended = self.item(item, dot)
            if ended is not None:
                break
        self.variables.pop()
        return ended

    def item(self, item: Item, dot: _Dot) -> object:
        match item:
            case Plain(_, _, text):
                self.emit(text, item)
            case Output(_, _, value):
                self.emit(self.printed(value, self.expression(value, dot)), item)
            case Assign(_, _, name, value, declares):
                self.assign(name, self.expression(value, dot), declares=declares)
            case If(_, _, branches, otherwise):
                return self.branch(branches, otherwise, dot, moves=False)
            case With(_, _, branches, otherwise):
                return self.branch(branches, otherwise, dot, moves=True)
            case Range():
                return self.range(item, dot)
            case Break():
                return _Break
            case Continue():
                return _Continue
        return None

    def emit(self, text: str, item: Plain | Output) -> None:
        self.size += len(text)
        if self.size > self.limits.size:
            self.too_much(item.start, item.end, "characters", self.limits.size)
        self.parts.append(text)

    def printed(self, expr: Expr, value: Data) -> str:
        if isinstance(value, str):
            return value
        if value is None:
            raise Fault(faults.nil_output(self.at(expr), self.written(expr)))
        try:
            return to_text(value, self.limits)
        except Failure as failure:
            raise Fault(
                faults.function_failed(self.at(expr), "print", failure.reason, failure.hint)
            ) from None
        except TooMuch as much:
            self.too_much(expr.start, expr.end, much.what, much.limit)

    def assign(self, name: str, value: Data, *, declares: bool) -> None:
        if not declares:
            for frame in reversed(self.variables):
                if name in frame:
                    frame[name] = value
                    return
        self.variables[-1][name] = value

    def branch(
        self, branches: tuple[Branch, ...], otherwise: tuple[Item, ...], dot: _Dot, *, moves: bool
    ) -> object:
        self.variables.append({})
        body, inner = otherwise, dot
        for branch in branches:
            condition = self.expression(branch.condition, dot)
            if branch.variable is not None:
                self.assign(branch.variable, condition, declares=True)
            if truth(condition):
                body, inner = branch.body, condition if moves else dot
                break
        ended = self.block(body, inner)
        self.variables.pop()
        return ended

    def range(self, node: Range, dot: _Dot) -> object:
        over = self.expression(node.over, dot)
        empty = True
        for key, item in self.rounds(node, over):
            empty = False
            self.step(node)
            self.variables.append({})
            if node.key is not None:
                self.assign(node.key, key, declares=True)
            if node.item is not None:
                self.assign(node.item, item, declares=True)
            ended = self.block(node.body, item)
            self.variables.pop()
            if ended is _Break:
                break
        return self.block(node.otherwise, dot) if empty else None

    def rounds(self, node: Range, over: Data) -> Iterator[tuple[Data, Data]]:
        if isinstance(over, list):
            return iter(enumerate(over))
        if isinstance(over, dict):
            return ((key, over[key]) for key in sorted(over))
        if isinstance(over, int) and not isinstance(over, bool):
            return ((number, number) for number in range(over))
        raise Fault(faults.cannot_range(self.at(node.over), self.written(node.over), over))

    # expressions

    def expression(self, expr: Expr, dot: _Dot, *, lenient: bool = False) -> Data:
        """The value; `lenient`: a key missing behind the first name of a path is nil."""
        self.step(expr)
        if isinstance(expr, Constant):
            return expr.value
        if isinstance(expr, Path):
            return self.path(expr, dot, lenient=lenient)
        if isinstance(expr, Chain):
            inner = self.expression(expr.inner, dot, lenient=lenient)
            return self.follow(expr, inner, 0, lenient=lenient)
        return self.call(expr, dot)

    def path(self, path: Path, dot: _Dot, *, lenient: bool) -> Data:
        if path.base == ".":
            base = dot
        elif path.base == "$":
            base = _ROOT
        else:
            base = next(
                frame[path.base] for frame in reversed(self.variables) if path.base in frame
            )
        if not isinstance(base, _Root):
            return self.follow(path, base, 0, lenient=lenient)
        if not path.keys:
            raise Fault(faults.whole_scope(self.at(path), self.written(path)))
        names, taken = self.scope.names, 0
        if path.keys[0] == GXO:
            names, taken = self.scope.gxo, 1
        if taken == len(path.keys):
            return dict(names)
        first = path.keys[taken]
        if first not in names:
            place = self.key_at(path, taken)
            raise Fault(faults.unknown_name(place, first, "_gxo" if taken else None, names))
        return self.follow(path, names[first], taken + 1, lenient=lenient)

    def follow(self, node: Path | Chain, value: Data, taken: int, *, lenient: bool) -> Data:
        """Follow the keys from number `taken` on."""
        for index in range(taken, len(node.keys)):
            key = node.keys[index]
            found = _entry(value, key)
            if isinstance(found, _Absent):
                missing = isinstance(value, dict | list) and not _misnumbered(value, key)
                if lenient and (missing or value is None):
                    found = None
                else:
                    make = faults.unknown_key if missing else faults.no_keys
                    within = self.before(node, index)
                    raise Fault(make(self.key_at(node, index), within, key, value))
            value = found
        return value

    def call(self, call: Call, dot: _Dot) -> Data:
        function = self.scope.functions.get(call.function)
        if function is None or not self.scope.functions.can(function):
            place = self.part(call.name_start, call.name_end)
            raise Fault(faults.not_here(place, call.function, known=function is not None))
        if call.function in ("and", "or"):
            return self.short(call, dot, until=call.function == "or")
        arguments = [
            self.expression(argument, dot, lenient=function.lenient) for argument in call.arguments
        ]
        self.left -= sum(
            len(argument) >> 4 for argument in arguments if isinstance(argument, str | list | dict)
        )
        return self.apply(call, function, arguments)

    def short(self, call: Call, dot: _Dot, *, until: bool) -> Data:
        value: Data = None
        for argument in call.arguments:
            value = self.expression(argument, dot)
            if truth(value) is until:
                break
        return value

    def apply(self, call: Call, function: Function, arguments: list[Data]) -> Data:
        try:
            return self.scope.functions.call(function, arguments, self.limits)
        except Failure as failure:
            name = self.part(call.name_start, call.name_end)
            place = name
            if failure.argument is not None and failure.argument < len(call.arguments):
                place = self.at(call.arguments[failure.argument])
            written = self.template_text()[call.name_start : call.name_end]
            raise Fault(
                faults.function_failed(place, written, failure.reason, failure.hint)
            ) from None
        except TooMuch as much:
            self.too_much(call.name_start, call.name_end, much.what, much.limit)

    # limits and places

    def step(self, node: Expr | Range) -> None:
        self.left -= 1
        if self.left < 0:
            self.too_much(node.start, node.end, "steps", self.limits.steps)

    def too_much(self, start: int, end: int, what: str, limit: int) -> Never:
        raise Fault(faults.too_much(self.part(start, end), what, limit)) from None

    def template_text(self) -> str:
        assert self.template is not None
        return self.template.text.text

    def part(self, start: int, end: int) -> Span:
        assert self.template is not None
        return self.template.part(start, end)

    def at(self, node: Expr) -> Span:
        return self.part(node.start, node.end)

    def written(self, node: Expr) -> str:
        return self.template_text()[node.start : node.end]

    def key_at(self, node: Path | Chain, index: int) -> Span:
        """Where a key of a path stands, without its dot."""
        end = node.end - sum(len(key) + 1 for key in node.keys[index + 1 :])
        return self.part(end - len(node.keys[index]), end)

    def before(self, node: Path | Chain, index: int) -> str:
        """What stands before a key of a path."""
        end = node.end - sum(len(key) + 1 for key in node.keys[index:])
        return self.template_text()[node.start : end]


def _entry(box: Data, key: str) -> Data | _Absent:
    if isinstance(box, dict):
        return box.get(key, _ABSENT)
    if isinstance(box, list) and is_index(key):
        number = int(key)
        return box[number] if number < len(box) else _ABSENT
    return _ABSENT


def _misnumbered(box: Data, key: str) -> bool:
    """Whether a list was asked for a key that is no number."""
    return isinstance(box, list) and not (key.isascii() and key.isdigit())

"""What values read and call, found without evaluating them: edges and secrets come from this."""

from collections.abc import Iterator

from gxo.dataclass import dataclass, field
from gxo.source import Span
from gxo.template.tree import (
    Assign,
    Call,
    Chain,
    Constant,
    Expr,
    If,
    Item,
    Output,
    Path,
    Range,
    Template,
    With,
    is_index,
)
from gxo.template.value import ListValue, MapValue, Value


@dataclass(frozen=True, slots=True)
class Reference:
    """A free name that is read: `.reg.stdout` is `("reg", "stdout")`; () reads all names at once.

    The path goes as far as it is known before the run; digits that count items are numbers.
    """

    path: tuple[str | int, ...]
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class Use:
    """A call of a function: `argument` is its first one where that is written as text."""

    function: str
    argument: str | None
    span: Span = field(compare=False)


def references(value: Value) -> tuple[Reference, ...]:
    """All free names that a value reads, in order. What `.` is within `range` and `with`, and
    variables, count where they get their value.
    """
    return tuple(
        reference
        for template in templates(value)
        for reference in _Reader(template).block(template.nodes, root=True)
    )


def uses(value: Value) -> tuple[Use, ...]:
    """All function calls of a value, in order; operators are calls of their functions."""
    return tuple(
        _use(template, call) for template in templates(value) for call in _calls(template.nodes)
    )


def secrets(value: Value) -> tuple[Use, ...]:
    """The calls of `secret`; `argument` is the secret's name, or None where only a run can tell."""
    return tuple(use for use in uses(value) if use.function == "secret")


def templates(value: Value) -> Iterator[Template]:
    """Every template in a value, in order."""
    if isinstance(value, Template):
        yield value
    elif isinstance(value, ListValue):
        for item in value.items:
            yield from templates(item)
    elif isinstance(value, MapValue):
        for _, entry in value.entries:
            yield from templates(entry)


class _Reader:
    """Walks one template; `root` says whether `.` is all names there."""

    def __init__(self, template: Template) -> None:
        self.template = template

    def block(self, items: tuple[Item, ...], *, root: bool) -> Iterator[Reference]:
        for item in items:
            if isinstance(item, Output | Assign):
                yield from self.expression(item.value, root=root)
            elif isinstance(item, If | With):
                inner = root and isinstance(item, If)
                for branch in item.branches:
                    yield from self.expression(branch.condition, root=root)
                    yield from self.block(branch.body, root=inner)
                yield from self.block(item.otherwise, root=root)
            elif isinstance(item, Range):
                yield from self.expression(item.over, root=root)
                yield from self.block(item.body, root=False)
                yield from self.block(item.otherwise, root=root)

    def expression(self, expr: Expr, *, root: bool) -> Iterator[Reference]:
        if isinstance(expr, Constant):
            return
        path = self.known(expr, root=root)
        if path is not None:
            yield Reference(path, self.template.part(expr.start, expr.end))
            return
        if isinstance(expr, Chain):
            yield from self.expression(expr.inner, root=root)
        elif isinstance(expr, Call):
            for argument in expr.arguments:
                yield from self.expression(argument, root=root)

    def known(self, expr: Expr, *, root: bool) -> tuple[str | int, ...] | None:
        """The path that an expression reads, where all of it is a path of free names.

        `index` and `get` with written keys are paths too; a fallback ends what is known.
        """
        if isinstance(expr, Path) and (expr.base == "$" or (expr.base == "." and root)):
            return tuple(map(_key, expr.keys))
        if isinstance(expr, Chain):
            inner = self.known(expr.inner, root=root)
            return None if inner is None else (*inner, *map(_key, expr.keys))
        if isinstance(expr, Call) and expr.function in ("index", "get") and expr.arguments:
            box, *keys = expr.arguments
            inner = self.known(box, root=root)
            values = [key.value for key in keys if isinstance(key, Constant)]
            if inner is not None and len(values) == len(keys):
                taken = values[:1] if expr.function == "get" else values
                return (*inner, *(key for key in taken if isinstance(key, str | int)))
        return None


def _key(key: str) -> str | int:
    return int(key) if is_index(key) else key


def _calls(items: tuple[Item, ...]) -> Iterator[Call]:
    for item in items:
        if isinstance(item, Output | Assign):
            yield from _within(item.value)
        elif isinstance(item, If | With):
            for branch in item.branches:
                yield from _within(branch.condition)
                yield from _calls(branch.body)
            yield from _calls(item.otherwise)
        elif isinstance(item, Range):
            yield from _within(item.over)
            yield from _calls(item.body)
            yield from _calls(item.otherwise)


def _within(expr: Expr) -> Iterator[Call]:
    if isinstance(expr, Chain):
        yield from _within(expr.inner)
    elif isinstance(expr, Call):
        yield expr
        for argument in expr.arguments:
            yield from _within(argument)


def _use(template: Template, call: Call) -> Use:
    first = call.arguments[0] if call.arguments else None
    written = first.value if isinstance(first, Constant) and isinstance(first.value, str) else None
    return Use(call.function, written, template.part(call.start, call.end))

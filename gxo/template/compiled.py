"""Compiled values: what is evaluated anew for each of many records, many times as fast.

A value becomes closures that do what is common. Where one is unsure, or fails, `evaluate` does the
whole value again: its result or its fault counts. So a closure has to be right or to give up.

Steps are not counted. A record that could need too many, because of long texts or many rounds, is
left to `evaluate`: no argument may have more entries, and no `range` more rounds, than the limit
has room for if all did.
"""

from collections import ChainMap
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from gxo.dataclass import replace
from gxo.template.closures import Block, Frame, Get, Slots, Unsure, expression
from gxo.template.data import copy, to_text, weigh
from gxo.template.evaluate import Scope, evaluate
from gxo.template.limits import Limits
from gxo.template.names import templates
from gxo.template.tree import (
    Assign,
    Break,
    Continue,
    If,
    Item,
    Output,
    Plain,
    Range,
    Template,
    With,
)
from gxo.template.value import Data, ListValue, Literal, MapValue, Value

_ROUNDS = 64
_BREAK = "break"
_CONTINUE = "continue"
_Write = Callable[[Frame], object]
"""What an item adds to the text at hand; what ended its block early, or None."""


def compile_value(value: Value, scope: Scope, binds: Sequence[str] = ()) -> Callable[..., Data]:
    """A function of what `binds` name, in their order: what `evaluate` makes of the value in a
    scope with these names too. It raises Fault as `evaluate` does.

    The scope must not change any more: what is read of it is read once.
    """
    names: Any = scope.names  # only read, never written

    def slow(*bound: Data) -> Data:
        own = dict(zip(binds, bound, strict=True))
        return evaluate(value, replace(scope, names=ChainMap(own, names)))

    room = _room(value, scope.limits)
    if room < 1:
        return slow
    slots = Slots(scope, binds, room)
    get = _value(value, slots)
    blank = [None] * (slots.count - 1 - len(binds))

    def fast(*bound: Data) -> Data:
        try:
            return get([None, *bound, *blank])  # type: ignore[no-any-return]
        except Exception:  # noqa: BLE001 - whatever it is, the evaluator says it in its words
            return slow(*bound)

    return fast


def _room(value: Value, limits: Limits) -> int:
    """Entries that each argument may have, so that the steps suffice whatever is done."""
    found = tuple(templates(value))
    written = 1 + sum(len(template.text.text) for template in found)  # more than there are nodes
    deepest = max((_depth(template.nodes) for template in found), default=0)
    return 16 * (limits.steps // (written * _ROUNDS**deepest) - 1) if limits.size else 0


def _depth(items: Iterable[Item]) -> int:
    """How many `range` stand within each other."""
    depths = [0]
    for item in items:
        if isinstance(item, If | With):
            depths += [_depth(branch.body) for branch in item.branches]
            depths.append(_depth(item.otherwise))
        elif isinstance(item, Range):
            depths += [1 + _depth(item.body), _depth(item.otherwise)]
    return max(depths)


def _value(value: Value, slots: Slots) -> Get:
    if isinstance(value, Literal):
        data = value.data
        return lambda _: data
    if isinstance(value, Template):
        block = Block(slots, {})
        return _native(value, block) if value.native else _text(value, block)
    if isinstance(value, ListValue):
        gets = [_value(item, slots) for item in value.items]
        return lambda frame: [get(frame) for get in gets]
    assert isinstance(value, MapValue)
    named = [(name.text, _value(entry, slots)) for name, entry in value.entries]
    return lambda frame: {name: get(frame) for name, get in named}


def _native(template: Template, block: Block) -> Get:
    (node,) = template.nodes
    assert isinstance(node, Output)
    get = expression(node.value, block)
    limits = block.slots.scope.limits
    most = limits.size

    def native(frame: Frame) -> Any:
        value = get(frame)
        kind = type(value)
        if kind is str:
            if len(value) >= most:
                raise Unsure
        elif kind is list or kind is dict:
            weigh(value, limits)
            return copy(value)
        return value

    return native


def _text(template: Template, block: Block) -> Get:
    write = _block(template.nodes, block)
    most = block.slots.scope.limits.size

    def text(frame: Frame) -> str:
        pieces: list[str] = []
        frame[0] = pieces
        write(frame)
        written = "".join(pieces)
        if len(written) > most:
            raise Unsure
        return written

    return text


# items


def _block(items: Sequence[Item], block: Block) -> _Write:
    """Items in a block of their own."""
    inner = block.inner()
    writes = [_MAKERS[type(item)](item, inner) for item in items]
    if len(writes) == 1:
        return writes[0]

    def write(frame: Frame) -> object:
        for each in writes:
            ended = each(frame)
            if ended is not None:
                return ended
        return None

    return write


def _plain(item: Plain, _: Block) -> _Write:
    text = item.text

    def write(frame: Frame) -> None:
        frame[0].append(text)

    return write


def _output(item: Output, block: Block) -> _Write:
    get = expression(item.value, block)
    limits = block.slots.scope.limits

    def write(frame: Frame) -> None:
        value = get(frame)
        kind = type(value)
        frame[0].append(
            value if kind is str else str(value) if kind is int else to_text(value, limits)
        )

    return write


def _assign(item: Assign, block: Block) -> _Write:
    get = expression(item.value, block)
    slot = block.declare(item.variable) if item.declares else block.variables[item.variable]

    def write(frame: Frame) -> None:
        frame[slot] = get(frame)

    return write


def _if(item: If | With, block: Block) -> _Write:
    own = block.inner()
    branches = []
    for branch in item.branches:
        condition = expression(branch.condition, own)
        kept = own.slots.new() if branch.variable is None else own.declare(branch.variable)
        body = _block(branch.body, own.inner(dot=kept if isinstance(item, With) else None))
        branches.append((condition, kept, body))
    otherwise = _block(item.otherwise, own)

    def write(frame: Frame) -> object:
        for condition, kept, body in branches:
            frame[kept] = value = condition(frame)
            if value:
                return body(frame)
        return otherwise(frame)

    return write


def _range(item: Range, block: Block) -> _Write:
    over = expression(item.over, block)
    dot = block.slots.new()
    own = block.inner(dot=dot)
    key = block.slots.new() if item.key is None else own.declare(item.key)
    entry = dot if item.item is None else own.declare(item.item)
    body = _block(item.body, own)
    otherwise = _block(item.otherwise, block)
    most = block.slots.scope.limits.size

    def write(frame: Frame) -> object:
        rounds = _rounds(over(frame))
        if not rounds:
            return otherwise(frame)
        before = frame[0]
        size = 0
        for number, value in rounds:
            pieces: list[str] = []
            frame[0] = pieces
            frame[key] = number
            frame[dot] = frame[entry] = value
            ended = body(frame)
            text = "".join(pieces)
            size += len(text)
            if size > most:
                raise Unsure
            before.append(text)
            if ended is _BREAK:
                break
        frame[0] = before
        return None

    return write


def _rounds(over: Any) -> Sequence[tuple[Any, Any]]:
    kind = type(over)
    if kind not in (list, dict, int) or (over if kind is int else len(over)) > _ROUNDS:
        raise Unsure
    if kind is list:
        return tuple(enumerate(over))
    if kind is dict:
        return [(key, over[key]) for key in sorted(over)]
    return [(number, number) for number in range(over)]


_MAKERS: Mapping[type, Callable[[Any, Block], _Write]] = {
    Plain: _plain,
    Output: _output,
    Assign: _assign,
    If: _if,
    With: _if,
    Range: _range,
    Break: lambda _item, _block: lambda _: _BREAK,
    Continue: lambda _item, _block: lambda _: _CONTINUE,
}

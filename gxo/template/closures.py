"""Closures over expressions: what a compiled value reads, compares and calls for each record.

A closure does the common case, and raises Unsure wherever the outcome could be another one.
"""

import operator
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from types import NoneType
from typing import Any

from gxo.dataclass import dataclass
from gxo.template.evaluate import GXO, Scope
from gxo.template.function import Function, FunctionTable, Kind
from gxo.template.limits import Limits
from gxo.template.tree import Call, Chain, Constant, Expr, Path, is_index

Frame = list[Any]
"""What one evaluation keeps: the pieces of the text at hand, the bound names, the variables."""

Get = Callable[[Frame], Any]
"""What an expression comes to."""

_Test = Callable[[Any, Any], bool]


class Unsure(Exception):
    """Something that is left to `evaluate`: a fault, a limit that may be passed, what is rare."""


class Slots:
    """What all closures of a value share. `room`: entries that an argument may have."""

    def __init__(self, scope: Scope, binds: Sequence[str], room: int) -> None:
        self.scope = scope
        self.bound = {name: slot for slot, name in enumerate(binds, 1)}
        self.room = room
        self.count = 1 + len(binds)
        self.watched = type(scope.functions).call is not FunctionTable.call
        """Whether the table does more at each call than to call, as to look for secrets."""

    def new(self) -> int:
        self.count += 1
        return self.count - 1


@dataclass(frozen=True, slots=True)
class Block:
    """Where an expression stands: the slots of its variables, and of `.` unless that is all names.

    Variables declared in a block are entered while it is compiled, in their order.
    """

    slots: Slots
    variables: dict[str, int]
    dot: int | None = None

    def inner(self, dot: int | None = None) -> "Block":
        """A block within this one; what it declares ends with it."""
        return Block(self.slots, dict(self.variables), self.dot if dot is None else dot)

    def declare(self, variable: str) -> int:
        self.variables[variable] = slot = self.slots.new()
        return slot


def expression(expr: Expr, block: Block, *, lenient: bool = False) -> Get:
    """The closure of an expression; what is the same for all records is evaluated now."""
    get = _MAKERS[type(expr)](expr, block, lenient)
    if not _fixed(expr, block):
        return get
    try:
        value = get([])
    except Exception:  # noqa: BLE001 - it stands for each record that comes to this place
        return get
    return lambda _: value


def _fixed(expr: Expr, block: Block) -> bool:
    """Whether it reads neither a record nor a variable, and calls nothing that has effects."""
    if isinstance(expr, Path):
        return _is_root(expr, block) and bool(expr.keys) and not _is_bound(expr, block)
    if isinstance(expr, Chain):
        return _fixed(expr.inner, block)
    if isinstance(expr, Call):
        function = block.slots.scope.functions.get(expr.function)
        pure = function is not None and function.pure and not block.slots.watched
        return pure and all(_fixed(argument, block) for argument in expr.arguments)
    return True


def _constant(expr: Constant, _block: Block, _lenient: bool) -> Get:  # noqa: FBT001
    value = expr.value
    return lambda _: value


# paths


def _path(path: Path, block: Block, lenient: bool) -> Get:  # noqa: FBT001
    keys = path.keys
    if _is_root(path, block):
        if not keys:
            return _unsure
        if not _is_bound(path, block):
            return _outer(path, block.slots.scope, lenient=lenient)
        return _entry(block.slots.bound[keys[0]], keys[1:], lenient=lenient)
    slot = block.dot if path.base == "." else block.variables[path.base]
    assert slot is not None
    return _entry(slot, keys, lenient=lenient)


def _is_root(path: Path, block: Block) -> bool:
    return path.base == "$" or (path.base == "." and block.dot is None)


def _is_bound(path: Path, block: Block) -> bool:
    return path.keys[0] != GXO and path.keys[0] in block.slots.bound


def _outer(path: Path, scope: Scope, *, lenient: bool) -> Get:
    """What the scope itself has."""
    names, keys = (scope.gxo, path.keys[1:]) if path.keys[0] == GXO else (scope.names, path.keys)
    if not keys:
        return lambda _: dict(names)
    first, *rest = keys
    follow = _follow_lenient if lenient else _follow
    return lambda _: follow(names[first], rest)


def _entry(slot: int, keys: tuple[str, ...], *, lenient: bool) -> Get:
    if lenient:
        return lambda frame: _follow_lenient(frame[slot], keys)
    if any(map(is_index, keys)):
        return lambda frame: _follow(frame[slot], keys)
    match keys:  # lists and texts have no such keys, and raise as dicts do
        case ():
            return lambda frame: frame[slot]
        case (key,):
            return lambda frame: frame[slot][key]
        case (first, second):
            return lambda frame: frame[slot][first][second]
    return lambda frame: _follow(frame[slot], keys)


def _chain(chain: Chain, block: Block, lenient: bool) -> Get:  # noqa: FBT001
    inner = expression(chain.inner, block, lenient=lenient)
    follow = _follow_lenient if lenient else _follow
    keys = chain.keys
    return lambda frame: follow(inner(frame), keys)


def _follow(value: Any, keys: Sequence[str]) -> Any:
    for key in keys:
        value = value[int(key) if type(value) is list and is_index(key) else key]
    return value


def _follow_lenient(value: Any, keys: Sequence[str]) -> Any:
    """As _follow, and nil where an entry is missing."""
    for key in keys:
        if type(value) is dict:
            value = value.get(key)
        elif type(value) is list and is_index(key):
            value = value[int(key)] if int(key) < len(value) else None
        elif value is not None:
            raise Unsure
    return value


# calls


def _call(call: Call, block: Block, _lenient: bool) -> Get:  # noqa: FBT001
    slots = block.slots
    table = slots.scope.functions
    function = table.get(call.function)
    if function is None or not table.can(function):
        return _unsure
    gets = [expression(each, block, lenient=function.lenient) for each in call.arguments]
    if call.function in ("and", "or"):
        return _short(gets, until=call.function == "or")
    if slots.watched or not function.pure:
        return _watched(function, gets, slots)
    general = _general(function, gets, slots)
    if call.function in _COMPARE and len(gets) == 2:
        return _compared(_COMPARE[call.function], (gets[0], gets[1]), slots.room, general)
    if len(gets) == 1 and function.grows is None:
        return _unary(function, gets[0], slots)
    return general


def _short(gets: Sequence[Get], *, until: bool) -> Get:
    def short(frame: Frame) -> Any:
        value = None
        for get in gets:
            value = get(frame)
            if bool(value) is until:
                break
        return value

    return short


def _watched(function: Function, gets: Sequence[Get], slots: Slots) -> Get:
    """A call through the table, which has a part in it."""
    call, limits, room = slots.scope.functions.call, slots.scope.limits, slots.room

    def watched(frame: Frame) -> Any:
        values = [get(frame) for get in gets]
        if any(type(value) in _SIZED and len(value) > room for value in values):
            raise Unsure
        return call(function, values, limits)

    return watched


def _unary(function: Function, get: Get, slots: Slots) -> Get:
    """A call with one argument."""
    work, limit, room = _work(function, slots.scope.limits), slots.scope.limits.size, slots.room
    taken = _TYPES[function.param(0).kind]

    def unary(frame: Frame) -> Any:
        value = get(frame)
        kind = type(value)
        if kind not in taken or (kind in _SIZED and len(value) > room):
            raise Unsure
        result = work(value)
        if type(result) is str and len(result) > limit:
            raise Unsure
        return result

    return unary


def _general(function: Function, gets: Sequence[Get], slots: Slots) -> Get:
    """A call with as many arguments as one likes."""
    work, limit, room = _work(function, slots.scope.limits), slots.scope.limits.size, slots.room
    wants = [(get, _TYPES[function.param(index).kind]) for index, get in enumerate(gets)]
    grows = function.grows

    def general(frame: Frame) -> Any:
        values = []
        for get, taken in wants:
            value = get(frame)
            kind = type(value)
            if kind not in taken or (kind in _SIZED and len(value) > room):
                raise Unsure
            values.append(value)
        if grows is not None and grows(values) > limit:
            raise Unsure
        result = work(*values)
        if type(result) is str and len(result) > limit:
            raise Unsure
        return result

    return general


def _compared(test: _Test, sides: tuple[Get, Get], room: int, general: Get) -> Get:
    """A comparison of two numbers or two texts; of anything else it is a call as any other."""
    left, right = sides

    def compared(frame: Frame) -> Any:
        first, second = left(frame), right(frame)
        kind = type(first)
        if kind is str is type(second):
            if len(first) > room or len(second) > room:
                raise Unsure
        elif kind not in _NUMBERS or type(second) not in _NUMBERS:
            return general(frame)
        return test(first, second)

    return compared


def _work(function: Function, limits: Limits) -> Callable[..., Any]:
    assert function.implementation is not None
    if function.limited:
        return partial(function.implementation, limits)
    return function.implementation


def _unsure(_: Frame) -> Any:
    raise Unsure


_MAKERS: Mapping[type, Callable[[Any, Block, bool], Get]] = {
    Constant: _constant,
    Path: _path,
    Chain: _chain,
    Call: _call,
}

# as gxo/template/data.py compares: what is neither less nor more is equal
_COMPARE: Mapping[str, _Test] = {
    "eq": operator.eq,
    "ne": operator.ne,
    "lt": operator.lt,
    "le": lambda first, second: not first > second,
    "gt": operator.gt,
    "ge": lambda first, second: not first < second,
}
_NUMBERS = frozenset({int, float})
_SIZED = frozenset({str, list, dict})
_TYPES: Mapping[Kind, frozenset[type]] = {
    Kind.ANY: frozenset({NoneType, bool, int, float, str, list, dict}),
    Kind.TEXT: frozenset({str}),
    Kind.INTEGER: frozenset({int}),
    Kind.NUMBER: _NUMBERS,
    Kind.LIST: frozenset({list}),
    Kind.MAP: frozenset({dict}),
    Kind.BOX: frozenset({list, dict}),
    Kind.SIZED: _SIZED,
    Kind.ROW: frozenset({str, list}),
}

"""Questions about data: its kind in the user's words, truth, sameness, order, size, its text."""

import json
import re
from collections.abc import Iterable
from typing import cast

from gxo.template.fault import Failure, TooMuch
from gxo.template.limits import Limits
from gxo.template.value import Data

Number = int | float
_BOXES = (list, dict)
_JSON = json.JSONEncoder(ensure_ascii=False, allow_nan=False, sort_keys=True)
_HALF = re.compile("[\ud800-\udfff]")


def kind(value: Data) -> str:
    """What a value is, as messages say it: `nil`, `text`, `a number`, `a list` …"""
    match value:
        case None:
            return "nil"
        case bool():
            return "a boolean"
        case int() | float():
            return "a number"
        case str():
            return "text"
        case list():
            return "a list"
        case _:
            return "a map"


def is_number(value: Data) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def truth(value: Data) -> bool:
    """As in Go: false, 0, nil, and empty text, lists and maps are false."""
    return bool(value)


def same(left: Data, right: Data) -> bool:
    """Equal and of one kind, all the way down: `1` is not `true`."""
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(same, left, right))
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(same(left[key], right[key]) for key in left)
    return kind(left) == kind(right) and left == right


def equal(left: Data, right: Data) -> bool:
    """What `eq` says: nil may be compared with all, other values with their like only."""
    if left is not None and right is not None and kind(left) != kind(right):
        raise _unlike(left, right)
    return same(left, right)


def compare(left: Data, right: Data) -> int:
    """Below 0, 0 or above 0, for two numbers or two texts."""
    if kind(left) != kind(right):
        raise _unlike(left, right)
    if isinstance(left, str) and isinstance(right, str):
        return (left > right) - (left < right)
    if is_number(left):
        first, second = cast("Number", left), cast("Number", right)
        return (first > second) - (first < second)
    raise Failure(f"{kind(left)} cannot be ordered", hint="only numbers and texts can")


def _unlike(left: Data, right: Data) -> Failure:
    kinds = {kind(left), kind(right)}
    hint = None
    if kinds == {"text", "a number"}:
        hint = "convert one of them: `int`, `float` or `toString`"
    elif kinds == {"text", "a boolean"}:
        hint = "convert the text with `bool`"
    return Failure(f"{kind(left)} and {kind(right)} are of different kinds", hint=hint)


def weigh(value: Data, limits: Limits) -> int:
    """Characters and entries of a value; TooMuch where it is too big or too deep to be held."""
    total = 0
    level: list[Data] = [value]
    depth = 0
    while level:
        if depth > limits.depth:
            raise TooMuch("levels of lists and maps within each other", limits.depth)
        inner: list[Data] = []
        for entry in level:
            if isinstance(entry, str):
                total += len(entry)
            elif isinstance(entry, list):
                total += len(entry)
                inner += entry
            elif isinstance(entry, dict):
                total += len(entry) + sum(map(len, entry))
                inner += entry.values()
            total += 1
            if total > limits.size:
                raise TooMuch("characters and entries", limits.size)
        level = inner
        depth += 1
    return total


def weigh_all(limits: Limits, *values: Data) -> None:
    """TooMuch for lists and maps that hold too much to be walked (parts may be shared)."""
    for value in values:
        if isinstance(value, _BOXES):
            weigh(value, limits)


def copy(value: Data) -> Data:
    """The value with lists and maps of its own."""
    if isinstance(value, list):
        return [copy(item) if isinstance(item, _BOXES) else item for item in value]
    if isinstance(value, dict):
        return {
            key: copy(item) if isinstance(item, _BOXES) else item for key, item in value.items()
        }
    return value


def whole(value: Data) -> Data:
    """The value with U+FFFD for each half of a character (a lone surrogate): UTF-8 has none."""
    if isinstance(value, str):
        return _HALF.sub("\N{REPLACEMENT CHARACTER}", value)
    if isinstance(value, list):
        return [whole(item) for item in value]
    if isinstance(value, dict):
        return {_HALF.sub("\N{REPLACEMENT CHARACTER}", key): whole(value[key]) for key in value}
    return value


def to_text(value: Data, limits: Limits) -> str:
    """How a value prints: text as it is, lists and maps as JSON; Failure for nil."""
    if isinstance(value, str):
        return value
    if value is None:
        raise Failure("the value is nil", hint="give a value for this case with `default`")
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return number_text(value)
    return to_json(value, limits)


def number_text(value: Number) -> str:
    try:
        return str(value)
    except ValueError:
        raise TooMuch("digits in a number", 4300) from None


def to_json(value: Data, limits: Limits) -> str:
    """One line, keys in order, so that equal data gives equal text."""
    weigh(value, limits)
    try:
        return _JSON.encode(value)
    except ValueError:
        raise Failure("a number in it is not finite, which JSON has no word for") from None


def texts(values: Iterable[Data], limits: Limits) -> list[str]:
    """Each value as it prints; TooMuch where they are too much together."""
    total = 0
    parts = []
    for value in values:
        parts.append(to_text(value, limits))
        total += len(parts[-1])
        if total > limits.size:
            raise TooMuch("characters", limits.size)
    return parts

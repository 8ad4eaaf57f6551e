"""Functions on numbers: whole ones have 64 bits, as in Go; others are IEEE doubles."""

import math
import re

from gxo.template.data import Number, kind
from gxo.template.fault import Failure
from gxo.template.value import Data

LARGEST = 2**63 - 1
_WHOLE = re.compile(r"[-+]?[0-9]{1,40}")
_DECIMAL = re.compile(r"[-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?")
_MOST_DIGITS = 15


def held(number: Number) -> Number:
    """The number, where it fits."""
    if isinstance(number, int):
        if not -LARGEST - 1 <= number <= LARGEST:
            raise Failure("the result needs more than 64 bits")
    elif not math.isfinite(number):
        raise Failure("the result is too large for a number")
    return number


def to_int(value: Data) -> int:
    if isinstance(value, str):
        if not _WHOLE.fullmatch(value.strip()):
            raise Failure("the text is not a whole number", argument=0)
        return int(held(int(value)))
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, int):
        return int(held(value))
    if isinstance(value, float):
        return int(held(math.trunc(value)))
    raise Failure(f"{kind(value)} is not a number", argument=0)


def to_float(value: Data) -> float:
    if isinstance(value, str):
        if not _DECIMAL.fullmatch(value.strip()):
            raise Failure("the text is not a number", argument=0)
        return float(held(float(value)))
    if isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    raise Failure(f"{kind(value)} is not a number", argument=0)


def to_bool(value: Data) -> bool:
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.strip().lower() in ("true", "false"):
        return value.strip().lower() == "true"
    raise Failure(f"{kind(value)} is neither `true` nor `false`", argument=0)


def add(*numbers: Number) -> Number:
    total: Number = 0
    for number in numbers:
        total = held(total + number)
    return total


def sub(left: Number, right: Number) -> Number:
    return held(left - right)


def mul(*numbers: Number) -> Number:
    product: Number = 1
    for number in numbers:
        product = held(product * number)
    return product


def div(left: Number, right: Number) -> Number:
    """Two whole numbers divide to a whole one, towards zero, as in Go."""
    if right == 0:
        raise Failure("the divisor is zero", argument=1)
    if isinstance(left, int) and isinstance(right, int):
        quotient = abs(left) // abs(right)
        return held(quotient if (left < 0) == (right < 0) else -quotient)
    return held(left / right)


def mod(left: Number, right: Number) -> Number:
    """The remainder has the sign of the dividend, as in Go."""
    if right == 0:
        raise Failure("the divisor is zero", argument=1)
    if isinstance(left, int) and isinstance(right, int):
        rest = abs(left) % abs(right)
        return held(rest if left >= 0 else -rest)
    return held(math.fmod(left, right))


def least(*numbers: Number) -> Number:
    return min(numbers)


def most(*numbers: Number) -> Number:
    return max(numbers)


def rounded(number: Number, digits: int | None = None) -> Number:
    """Half goes away from zero; without digits a whole number comes out."""
    if digits is None:
        return held(number if isinstance(number, int) else _half_up(number))
    if not 0 <= digits <= _MOST_DIGITS:
        raise Failure(f"DIGITS must be from 0 to {_MOST_DIGITS}", argument=1)
    scaled = float(number) * 10**digits
    if abs(scaled) > 2**52:  # no digits there to round
        return float(number)
    return _half_up(scaled) / float(10**digits)


def _half_up(number: float) -> int:
    whole = math.floor(abs(number) + 0.5)
    return whole if number >= 0 else -whole

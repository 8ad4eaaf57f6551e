"""Functions that choose and compare: what stands for a missing value, `and`, `or`, `not`, `eq` …"""

from gxo.template.data import compare, equal, truth, weigh_all
from gxo.template.limits import Limits
from gxo.template.value import Data


def default(fallback: Data, value: Data) -> Data:
    return value if truth(value) else fallback


def coalesce(*values: Data) -> Data:
    return next((value for value in values if truth(value)), None)


def ternary(yes: Data, no: Data, condition: Data) -> Data:
    return yes if truth(condition) else no


def empty(value: Data) -> bool:
    return not truth(value)


def eq(limits: Limits, left: Data, *others: Data) -> bool:
    """Equal to any of the others, as in Go."""
    weigh_all(limits, left, *others)
    return any(equal(left, other) for other in others)


def ne(limits: Limits, left: Data, right: Data) -> bool:
    return not eq(limits, left, right)


def lt(left: Data, right: Data) -> bool:
    return compare(left, right) < 0


def le(left: Data, right: Data) -> bool:
    return compare(left, right) <= 0


def gt(left: Data, right: Data) -> bool:
    return compare(left, right) > 0


def ge(left: Data, right: Data) -> bool:
    return compare(left, right) >= 0


def conjunction(*values: Data) -> Data:
    return next((value for value in values if not truth(value)), values[-1])


def disjunction(*values: Data) -> Data:
    return next((value for value in values if truth(value)), values[-1])


def negate(value: Data) -> bool:
    return not truth(value)

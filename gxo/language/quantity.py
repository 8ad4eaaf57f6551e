"""Durations as in Go (`1h30m`, `500ms`) and sizes with K, M, G, T (1024)."""

from collections.abc import Callable, Mapping
from functools import lru_cache, partial
from typing import TYPE_CHECKING

from gxo.diagnostic import Problem
from gxo.diagnostic.lazy import Lazy
from gxo.language.finding import Finding, place
from gxo.language.lalr import Node, ParseError, Token
from gxo.language.parser import fast
from gxo.source import Text

if TYPE_CHECKING:
    from gxo.diagnostic import quantity as faults
else:
    faults = Lazy("gxo.diagnostic.quantity")

# nanoseconds; both signs for micro, as Go has them
_TIMES: Mapping[str, int] = {
    "ns": 1,
    "us": 1_000,
    "µs": 1_000,
    "μs": 1_000,
    "ms": 1_000_000,
    "s": 1_000_000_000,
    "m": 60_000_000_000,
    "h": 3_600_000_000_000,
}
_SIZES: Mapping[str, int] = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40}
_LARGEST = (1 << 63) - 1
# what people write who come from systemd, sleep(1) or English
_OTHER_TIMES: Mapping[str, tuple[int, str]] = {
    **dict.fromkeys(("d", "day", "days"), (24, "h")),
    **dict.fromkeys(("w", "week", "weeks"), (168, "h")),
    **dict.fromkeys(("hr", "hrs", "hour", "hours"), (1, "h")),
    **dict.fromkeys(("min", "mins", "minute", "minutes"), (1, "m")),
    **dict.fromkeys(("sec", "secs", "second", "seconds"), (1, "s")),
    **dict.fromkeys(("msec", "msecs", "millisecond", "milliseconds"), (1, "ms")),
    **dict.fromkeys(("usec", "usecs", "microsecond", "microseconds"), (1, "us")),
}
# a number of more digits is too large or too fine for any unit
_DIGITS = 40

_Read = tuple[int | None, tuple[Finding, ...]]


def parse_duration(text: Text, problems: list[Problem]) -> int | None:
    """Whole microseconds, or None with a problem added. At most Go's 2^63 - 1 ns, 292 years."""
    return _report(text, _duration(text.text), problems)


def parse_size(text: Text, problems: list[Problem]) -> int | None:
    """Bytes, a fraction of one dropped; or None with a problem added. At most 2^63 - 1."""
    return _report(text, _size(text.text), problems)


def _report(text: Text, read: _Read, problems: list[Problem]) -> int | None:
    value, findings = read
    place(text, findings, problems)
    return value


@lru_cache(maxsize=1024)
def _duration(text: str) -> _Read:
    if text == "0":
        return 0, ()
    try:
        tree = fast("quantity").parse(text)
    except ParseError:
        return _broken(text, "duration", _duration)
    findings: list[Finding] = []
    nanoseconds = 0
    for part in tree.nodes():
        number, unit = _split(part)
        if unit not in _TIMES:
            findings.append(_finding(list(part.tokens())[-1], _wrong_time(number, unit)))
            continue
        amount, rest = _amount(number, _TIMES[unit])
        if rest or amount % 1000:
            findings.append(_finding(part, partial(faults.QuantityTooFine, text=number + unit)))
        nanoseconds += amount
    _check(tree, nanoseconds, findings, "duration", "2562047h (292 years)")
    return (None if findings else nanoseconds // 1000), tuple(findings)


@lru_cache(maxsize=1024)
def _size(text: str) -> _Read:
    try:
        tree = fast("quantity").parse(text)
    except ParseError:
        return _broken(text, "size", _size)
    first, *more = tree.nodes()
    if more:
        wrong = partial(faults.QuantitySyntax, kind="size", text=text)
        return None, (_finding(tree, wrong),)
    findings: list[Finding] = []
    number, unit = _split(first)
    if unit not in _SIZES:
        instead = _other_size(number, unit)
        wrong_unit = partial(faults.UnknownUnit, kind="size", unit=unit, instead=instead)
        findings.append(_finding(list(first.tokens())[-1], wrong_unit))
    size, _ = _amount(number, _SIZES.get(unit, 1))
    _check(tree, size, findings, "size", "8388607T")
    return (None if findings else size), tuple(findings)


def _check(tree: Node, value: int, findings: list[Finding], kind: str, most: str) -> None:
    """What holds for a quantity as a whole."""
    if value and any(token.text == "-" for token in tree.tokens()):
        findings.append(_finding(tree, partial(faults.NegativeQuantity, kind=kind)))
    elif value > _LARGEST and not findings:
        findings.append(_finding(tree, partial(faults.QuantityTooLarge, kind=kind, most=most)))


def _finding(node: Node | Token, problem: Callable[..., Problem]) -> Finding:
    return Finding(node.start, node.end, problem)


def _split(part: Node) -> tuple[str, str]:
    number, *unit = part.tokens()
    return number.text, unit[0].text if unit else ""


def _amount(number: str, unit: int) -> tuple[int, bool]:
    """`number` units, rounded down, and whether anything was dropped."""
    whole, _, fraction = number.partition(".")
    if len(whole.lstrip("0")) > _DIGITS:
        return (_LARGEST + 1) * 1000, False
    scale = 10 ** min(len(fraction), _DIGITS)
    amount, rest = divmod(int((whole or "0") + fraction[:_DIGITS]) * unit, scale)
    return amount, bool(rest or fraction[_DIGITS:].strip("0"))


def _wrong_time(number: str, unit: str) -> Callable[..., Problem]:
    if not unit:
        return partial(faults.UnitMissing, number=number)
    instead = None
    if unit.lower() in _TIMES:
        instead = number + unit.lower()
    elif unit.lower() in _OTHER_TIMES and len(number) <= _DIGITS:
        factor, name = _OTHER_TIMES[unit.lower()]
        whole, dropped = _amount(number, factor)
        instead = number + name if factor == 1 else None if dropped else f"{whole}{name}"
    return partial(faults.UnknownUnit, kind="duration", unit=unit, instead=instead)


def _other_size(number: str, unit: str) -> str | None:
    """`64MiB`, `64MB`, `64Mi`, `64m` are `64M`; `512B` is `512`; `1P` is `1024T`."""
    letter = unit.upper().removesuffix("B").removesuffix("I")
    if letter in _SIZES and unit.upper() in (letter, f"{letter}B", f"{letter}I", f"{letter}IB"):
        return number + letter
    return f"{int(number) * 1024}T" if letter == "P" and number.isdigit() else None


def _broken(text: str, kind: str, read: Callable[[str], _Read]) -> _Read:
    """Spaces are the likeliest fault: does it read without them?"""
    joined = "".join(text.split())
    instead = joined if joined != text and read(joined)[0] is not None else None
    wrong = partial(faults.QuantitySyntax, kind=kind, text=text, instead=instead)
    return None, (Finding(0, len(text), wrong),)

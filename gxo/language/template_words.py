"""What a template's numbers and escapes stand for, which are Go's."""

from gxo.template.numbers import LARGEST

_SIMPLE = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v",
           "\\": "\\", '"': '"', "'": "'"}  # fmt: skip
CODES = {"x": 2, "u": 4, "U": 8}
_HEX = frozenset("0123456789abcdefABCDEF")


def number(written: str) -> int | float | None:
    """The number, or None for one that is too large."""
    digits = written.lstrip("+-").lower()
    if digits[:2] in ("0x", "0o", "0b"):
        value: int | float = int(written, 0)
    elif digits.isdigit():
        value = int(written) if len(digits) < 30 else LARGEST + 1
    else:
        value = float(written)
        return value if abs(value) != float("inf") else None
    return value if -LARGEST - 1 <= value <= LARGEST else None


def escape(text: str, at: int, end: int) -> tuple[int, str | None]:
    """Behind an escape, and its character; None where there is no such escape."""
    letter = text[at + 1]
    if letter in _SIMPLE:
        return at + 2, _SIMPLE[letter]
    size = CODES.get(letter, 0)
    digits = text[at + 2 : min(end, at + 2 + size)]
    if size and len(digits) == size and _HEX.issuperset(digits):
        code = int(digits, 16)
        ok = code <= 0x10FFFF and not 0xD800 <= code <= 0xDFFF
        return at + 2 + size, chr(code) if ok else None
    return at + 2, None

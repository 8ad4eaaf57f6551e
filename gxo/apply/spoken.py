"""Spoken: a unit's property as `systemctl show` writes it, for the lines of drift."""

import errno
import json
import signal
from collections.abc import Callable, Mapping
from contextlib import suppress
from ipaddress import ip_address
from typing import Any

from gxo.spec.host import CAPABILITIES
from gxo.units import kinds
from gxo.units.directives import TABLE
from gxo.units.kinds import Kind
from gxo.units.quote import file_word

_TIMES = (
    ("w", 7 * 86_400_000_000),
    ("d", 86_400_000_000),
    ("h", 3_600_000_000),
    ("min", 60_000_000),
    ("s", 1_000_000),
    ("ms", 1_000),
    ("us", 1),
)
_SIZES = (("T", 1 << 40), ("G", 1 << 30), ("M", 1 << 20), ("K", 1 << 10))


def spoken(name: str, text: str) -> str:
    """A D-Bus property, given as JSON text, in systemctl's words; else the text as it is."""
    say = _SAY.get(_KINDS.get(name, kinds.TEXT), _plain)
    if name.startswith("Memory"):
        say = _size
    # another systemd may give a property another form
    with suppress(ValueError, LookupError, TypeError, AttributeError):
        return say(json.loads(text))
    return text


def _plain(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return "infinity" if value == kinds.INFINITY else str(value)
    if isinstance(value, list):
        return " ".join(map(_plain, value)) or "none"
    return str(value)


def _time(value: int) -> str:
    if value == kinds.INFINITY:
        return "infinity"
    parts = []
    for unit, size in _TIMES:
        count, value = divmod(value, size)
        if count:
            parts.append(f"{count}{unit}")
    return " ".join(parts) or "0"


def _size(value: int) -> str:
    if value == kinds.INFINITY:
        return "infinity"
    fits = ((unit, size) for unit, size in _SIZES if value >= size and value % size == 0)
    unit, size = next(fits, ("", 1))
    return f"{value // size}{unit}"


def _quota(value: int) -> str:
    return "infinity" if value == kinds.INFINITY else f"{value / 10_000:g}%"


def _words(value: list[str]) -> str:
    return " ".join(map(file_word, value)) or "none"


def _commands(value: list[Any]) -> str:
    return "; ".join(_words(row[1]) for row in value) or "none"


def _filter(value: list[Any]) -> str:
    allowed, names = value
    return ("" if allowed else "~") + (" ".join(names) or "none")


def _capabilities(value: int) -> str:
    held = [name for number, name in enumerate(CAPABILITIES) if value >> number & 1]
    names = " ".join(name.removeprefix("CAP_") for name in held)
    return "all" if len(held) == len(CAPABILITIES) else names or "none"


def _namespaces(value: int) -> str:
    """RestrictNamespaces=: which may be made; `yes` restricts to none of them."""
    held = [name for name, flag in kinds.NAMESPACES.items() if value & flag]
    return "no" if len(held) == len(kinds.NAMESPACES) else " ".join(held) or "yes"


def _prefixes(value: list[Any]) -> str:
    """Rows of family, address and length; an address is bytes, in hexadecimal or numbers."""
    return " ".join(f"{_address(raw)}/{length}" for _, raw, length in value) or "none"


def _address(raw: str | list[int]) -> str:
    return str(ip_address(bytes.fromhex(raw) if isinstance(raw, str) else bytes(raw)))


def _fields(value: list[str]) -> str:
    return " ".join(bytes.fromhex(item).decode("utf-8", "replace") for item in value) or "none"


def _rows(value: list[Any]) -> str:
    return " ".join(str(row[1]) for row in value) or "none"


_SAY: Mapping[Kind, Callable[[Any], str]] = {
    kinds.TIME: _time,
    kinds.QUOTA: _quota,
    kinds.MODE: lambda value: f"{value:04o}",
    kinds.WORDS: _words,
    kinds.PATHS: _words,
    kinds.VARIABLE: _words,
    kinds.COMMAND: _commands,
    kinds.FILTER: _filter,
    kinds.CAPABILITY_SET: _capabilities,
    kinds.NAMESPACE_SET: _namespaces,
    kinds.ADDRESS_PREFIX: _prefixes,
    kinds.FIELD: _fields,
    kinds.SIGNAL: lambda value: signal.Signals(value).name,
    kinds.ERRNO: lambda value: errno.errorcode[value],
    kinds.CALENDAR: _rows,
    kinds.LISTEN_STREAM: _rows,
    kinds.LISTEN_DATAGRAM: _rows,
}
_KINDS = {row.property: row.kind for row in TABLE.values()}

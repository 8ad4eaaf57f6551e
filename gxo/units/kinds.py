"""Kinds of directive values: how each is written to a unit file, sent over D-Bus and checked."""

import signal
from base64 import b64encode
from collections.abc import Callable
from errno import errorcode
from typing import Any

from gxo.dataclass import dataclass
from gxo.spec.host import CAPABILITIES
from gxo.units import quote
from gxo.units.model import Command

INFINITY = (1 << 64) - 1
"""No limit: of time, memory, tasks."""

# CLONE_NEW* of namespaces(7), by systemd's words
NAMESPACES = {
    "mnt": 0x00020000,
    "cgroup": 0x02000000,
    "uts": 0x04000000,
    "ipc": 0x08000000,
    "user": 0x10000000,
    "pid": 0x20000000,
    "net": 0x40000000,
}


@dataclass(frozen=True, slots=True)
class Kind:
    """`file` yields the text behind `=`, `bus` data for `signature`, `fault` why not."""

    signature: str
    file: Callable[[Any], str]
    bus: Callable[[Any], object] = lambda value: value
    fault: Callable[[Any], str | None] = lambda _value: None


def _yes_no(value: bool) -> str:  # noqa: FBT001 - the value itself
    return "yes" if value else "no"


def _time(microseconds: int) -> str:
    if microseconds == INFINITY:
        return "infinity"
    for unit, size in (("s", 1_000_000), ("ms", 1_000)):
        if microseconds % size == 0:
            return f"{microseconds // size}{unit}"
    return f"{microseconds}us"


def _amount(value: int) -> str:
    return "infinity" if value == INFINITY else str(value)


def _words(values: tuple[str, ...]) -> str:
    return " ".join(map(quote.file_word, values))


def _first_fault(check: Callable[[str], str | None]) -> Callable[[tuple[str, ...]], str | None]:
    return lambda values: next(filter(None, map(check, values)), None)


def _command_fault(command: Command) -> str | None:
    words = (quote.words_fault(word) for word in command.argv)
    return (
        quote.program_fault(command.argv[0])
        or next(filter(None, words), None)
        or quote.line_fault(command.argv)
    )


def _command_bus(command: Command) -> object:
    flags = ("ignore-failure", "no-env-expand") if command.ignore_failure else ("no-env-expand",)
    return ((command.argv[0], command.argv, flags),)


def _variable_fault(text: str) -> str | None:
    name, equals, _ = text.partition("=")
    if not equals:
        return "it has no `=`"
    if not name:
        return "it has no name before its `=`"
    if not name.isascii() or not name.replace("_", "a").isalnum() or name[0].isdigit():
        # without the text, which may be part of a secret
        return "what comes before its `=` is not the name of a variable"
    return quote.words_fault(text)


def _bind_fault(text: str) -> str | None:
    paths = text.split(":")
    if len(paths) != 2:
        return "it is not one path, `:` and another"
    return next(filter(None, map(quote.path_fault, paths)), None)


def _mask(names: tuple[str, ...]) -> int:
    return sum(1 << CAPABILITIES.index(name) for name in names)


def _filter(values: tuple[str, ...]) -> object:
    """A list of allowed names, or with a first `~` of denied ones."""
    return (not values[0].startswith("~"), tuple(value.lstrip("~") for value in values))


def _namespaces(allowed: tuple[str, ...]) -> str:
    return " ".join(allowed) if allowed else "yes"


def _prefix(text: str) -> object:
    from ipaddress import ip_network

    network = ip_network(text)
    family = 2 if network.version == 4 else 10
    return ((family, tuple(network.network_address.packed), network.prefixlen),)


def _signal_name(number: int) -> str:
    return signal.Signals(number).name


BOOL = Kind("b", _yes_no)
TIME = Kind("t", _time)
AMOUNT = Kind("t", _amount)
NUMBER = Kind("u", str)
MODE = Kind("u", lambda value: f"{value:04o}")
TEXT = Kind("s", quote.file_text, fault=quote.text_fault)
PATH = Kind("s", quote.file_text, fault=quote.path_fault)
PATHS = Kind(
    "as", _words, fault=_first_fault(lambda path: quote.path_fault(path.removeprefix("+")))
)
"""Of the host; behind a `+` of the root directory that the unit has."""
WORDS = Kind("as", _words, fault=_first_fault(quote.text_fault))
BIND = Kind("a(ssbt)", quote.file_text, lambda text: ((*text.split(":"), False, 0),), _bind_fault)
"""One `SOURCE:DESTINATION`; the directive repeats."""
COMMAND = Kind(
    "a(sasas)",
    lambda c: quote.file_command(c.argv, ignore_failure=c.ignore_failure),
    _command_bus,
    _command_fault,
)
VARIABLE = Kind("as", quote.file_word, lambda text: (text,), _variable_fault)
"""One `NAME=value`; the directive repeats."""
FIELD = Kind("aay", quote.file_word, lambda text: (tuple(text.encode()),), quote.text_fault)
"""One `NAME=value` without blanks: systemd 252 and 257 lose the rest of it at a reload."""
SIGNAL = Kind("i", _signal_name)
ERRNO = Kind("i", lambda value: errorcode.get(value, str(value)))
BYTES = Kind(
    "ay",
    lambda text: b64encode(text.encode()).decode(),
    lambda text: text.encode(),
    quote.data_fault,
)
"""Text handed over as bytes."""
CREDENTIAL = Kind(
    "a(ss)", quote.file_text, lambda text: (tuple(text.split(":", 1)),), quote.text_fault
)
"""One `NAME:PATH`; the directive repeats."""
CAPABILITY_SET = Kind("t", " ".join, _mask, _first_fault(quote.text_fault))
FILTER = Kind("(bas)", " ".join, _filter, _first_fault(quote.text_fault))
NAMESPACE_SET = Kind(
    "t",
    _namespaces,
    lambda names: sum(NAMESPACES[name] for name in names),
    _first_fault(quote.text_fault),
)
"""The kinds of namespaces that may be made; none is `RestrictNamespaces=yes`."""
ADDRESS_PREFIX = Kind("a(iayu)", str, _prefix, quote.text_fault)
"""One network in CIDR notation; the directive repeats."""
QUOTA = Kind("t", lambda value: f"{value / 10_000:.2f}".rstrip("0").rstrip(".") + "%")
"""Microseconds of one CPU a second, shown in percent; systemd keeps hundredths of a percent."""
CALENDAR = Kind("a(ss)", quote.file_text, lambda text: (("OnCalendar", text),), quote.text_fault)
LISTEN_STREAM = Kind("a(ss)", quote.file_text, lambda text: (("Stream", text),), quote.text_fault)
LISTEN_DATAGRAM = Kind(
    "a(ss)", quote.file_text, lambda text: (("Datagram", text),), quote.text_fault
)

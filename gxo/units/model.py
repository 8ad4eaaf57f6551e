"""Unit: a systemd unit as one value; a file and a set of D-Bus properties are its renderings."""

from enum import StrEnum

from gxo.dataclass import dataclass, field
from gxo.source import Span


class UnitType(StrEnum):
    SERVICE = "service"
    TIMER = "timer"
    SOCKET = "socket"
    SLICE = "slice"


@dataclass(frozen=True, slots=True)
class Command:
    """One command line: the program's path and its arguments, none of it quoted or expanded."""

    argv: tuple[str, ...]
    ignore_failure: bool = False


DirectiveValue = bool | int | str | Command | tuple[str, ...]
"""Times are microseconds, sizes bytes; what each directive takes stands in units/directives.py."""


@dataclass(frozen=True, slots=True)
class Directive:
    """One setting. Directives that systemd lets repeat are repeated, in order."""

    section: str
    name: str
    value: DirectiveValue
    span: Span | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """`name` is the full name (`gxo-site.web.service`); `digest` is over all other content."""

    name: str
    type: UnitType
    playbook: str
    workload: str
    directives: tuple[Directive, ...]
    digest: str


@dataclass(frozen=True, slots=True)
class Property:
    """One D-Bus property of a unit: its name, its D-Bus signature, and plain Python data for it."""

    name: str
    signature: str
    value: object

"""Grants: what a workload may do beyond the default profile, by its units; plans show it."""

from collections.abc import Iterable, Iterator, Sequence

from gxo.units.instance import step_of
from gxo.units.launcher import kept
from gxo.units.model import Directive, Unit, UnitType
from gxo.units.profiles import DEFAULT_FILTER
from gxo.units.steps import USER

_ROOTS = ("RootDirectory", "RootImage")


def grants(units: Iterable[Unit]) -> tuple[str, ...]:
    """Phrases such as `profile host`, `user www-data`, `writes /srv`, `capability CAP_CHOWN`."""
    return tuple(
        dict.fromkeys(
            phrase
            for unit in units
            if unit.type is UnitType.SERVICE
            for phrase in _of_service(step_of(unit) or unit)
        )
    )


def _of_service(unit: Unit) -> Iterator[str]:
    names = {item.name for item in unit.directives}
    # only the profile `host` lets a program gain more than it has
    if "NoNewPrivileges" not in names:
        yield "profile host"
    else:
        if "ProtectSystem" not in names:
            yield from (f"writes {item.value}" for item in unit.directives if item.name in _ROOTS)
        yield from _calls([_words(i) for i in unit.directives if i.name == "SystemCallFilter"])
    for item in unit.directives:
        if item.name == "User" and "DynamicUser" not in names and item.value != USER:
            yield f"user {item.value}"
        elif item.name == "AmbientCapabilities":
            left = kept(unit.directives)
            yield from (f"capability {word}" for word in (_words(item) if left is None else left))
        elif item.name == "ReadWritePaths":
            yield from (f"writes {path}" for path in _words(item))


def _calls(lines: Sequence[tuple[str, ...]]) -> Iterator[str]:
    """Calls that a filter allows beyond the profile's, or that the filter is a different one."""
    if not lines or lines[0] != (DEFAULT_FILTER,):
        yield "a list of system calls of its own"
        return
    for line in lines[1:]:
        if not line[0].startswith("~"):
            yield from (f"system call {call}" for call in line)


def _words(item: Directive) -> tuple[str, ...]:
    words = item.value if isinstance(item.value, tuple) else (str(item.value),)
    return tuple(word.removeprefix("+") for word in words)

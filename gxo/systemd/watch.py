"""Watching units until each is where it should be, or can no longer get there."""

from collections.abc import Callable, Iterable
from functools import partial
from time import monotonic

from gxo.systemd.bus import PROPERTIES
from gxo.systemd.loop import Loop
from gxo.systemd.manager import Manager, unit_path
from gxo.systemd.states import UnitResult

_POLL = 1.0
"""Seconds after which all are read again: a signal can be lost when systemd re-executes itself."""


def watch(
    manager: Manager,
    units: Iterable[str],
    until: Callable[[UnitResult], bool],
    timeout: float,
) -> tuple[dict[str, UnitResult], frozenset[str]]:
    """Wait until `until` holds of every unit, at most `timeout` seconds.

    Gives the last result read of each, and the names of those for which `until` held; a unit is
    watched no longer once it did. To let units settle, watch for `failed`: the others stayed up.
    Raises BusError, Unreachable.
    """
    names = tuple(dict.fromkeys(units))
    last: dict[str, UnitResult] = {}
    changed: set[str] = set()
    still = set(names)
    deadline = monotonic() + timeout
    with Loop(manager.bus) as loop:
        for name in names:
            loop.subscribe(
                unit_path(name),
                PROPERTIES,
                "PropertiesChanged",
                partial(_note, changed, name),
            )
        loop.ask_for_signals()
        due = set(names)
        while True:
            changed.clear()
            last |= manager.results(sorted(due))
            still.difference_update([name for name in due if until(last[name])])
            left = deadline - monotonic()
            if not still or left <= 0:
                return last, frozenset(names) - still
            heard = loop.run(lambda: not still.isdisjoint(changed), min(_POLL, left))
            due = changed & still if heard else set(still)


def _note(changed: set[str], name: str, _args: tuple[object, ...]) -> None:
    changed.add(name)

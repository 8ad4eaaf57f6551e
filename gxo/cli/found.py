"""Found: runs as commands come upon them: tidied up, and by an id or how it begins."""

from contextlib import suppress
from typing import TYPE_CHECKING

from gxo.cli import output
from gxo.cli.exits import Failure
from gxo.runtime.store import RunRow, Store

if TYPE_CHECKING:
    from gxo.systemd.manager import Manager

_LISTED = 10
"""Runs named where an id's beginning fits several."""


def tidy(store: Store, manager: "Manager") -> tuple[str, ...]:
    """Sweep, and note what could not be removed; the ids of the runs that were cut off."""
    from gxo.runtime.sweep import sweep

    swept = sweep(store, manager)
    for reason in swept.left:
        output.note(reason)
    return swept.runs


def mend(store: Store) -> None:
    """Fail the runs that say they run and have no runner, as after a power cut."""
    from gxo.runtime.sweep import sweep, under_way
    from gxo.systemd.bus import Bus, SystemdError
    from gxo.systemd.manager import Manager

    if under_way(store):
        # `gxo run` says it where that cannot be done; what there is can be looked at all the same
        with suppress(SystemdError), Bus.system() as bus:
            sweep(store, Manager(bus))


def find(store: Store, wanted: str) -> RunRow:
    """The run of that id, or the only one whose id begins with it; raises Failure."""
    found = tuple(filter(None, map(store.run, store.named(wanted, _LISTED + 1))))
    if len(found) == 1:
        return found[0]
    reason = "`gxo runs` lists them"
    if found:
        listed = ", ".join(f"{row.id} of {row.playbook}" for row in found[:_LISTED])
        more = " and more" if len(found) > _LISTED else ""
        reason = f"several begin so: {listed}{more}; give more of the id"
    raise Failure(f"cannot find run `{wanted}`: {reason}")

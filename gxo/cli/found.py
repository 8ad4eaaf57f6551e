"""Found: runs as commands come upon them: tidied up, and by an id or how it begins."""

from contextlib import suppress
from typing import TYPE_CHECKING

from gxo.cli import output
from gxo.cli.exits import Failure
from gxo.runtime.store import RunRow, Store

if TYPE_CHECKING:
    from gxo.systemd.manager import Manager


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
    found = store.named(wanted)
    if len(found) == 1 and (row := store.run(found[0])):
        return row
    reason = "several ids begin with that; give more of it" if found else "`gxo runs` lists them"
    raise Failure(f"cannot find run `{wanted}`: {reason}")

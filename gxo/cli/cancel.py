"""`gxo cancel`: a run stopped, from wherever it was started."""

import signal
import time
from typing import TYPE_CHECKING

import typer

from gxo.cli import options, output
from gxo.cli.exits import Exit, Failure

if TYPE_CHECKING:
    from gxo.runtime.store import RunRow, Store
    from gxo.systemd.manager import Manager

app = typer.Typer()
_BEAT = 0.05


@app.command(epilog="Example: gxo cancel 0141d9b3e1dd")
def cancel(
    run: options.Run,
    json: options.Json = False,
) -> int:
    """Cancel a run and wait for its end.

    Its steps get SIGTERM, and ten seconds later SIGKILL.
    """
    from gxo.cli.found import find, tidy
    from gxo.cli.root import need_root
    from gxo.runtime.store import Store
    from gxo.systemd.bus import Bus
    from gxo.systemd.manager import Manager

    need_root("cancel")
    with Store() as store, Bus.system() as bus:
        manager = Manager(bus)
        tidy(store, manager)
        row = find(store, run)
        if row.status.terminal:
            raise Failure(f"cannot cancel run {row.id}: it has already ended, as {row.status}")
        ended = _cancelled(store, manager, row)
    if json:
        output.emit({"run": row.id, "status": ended})
    else:
        output.say(f"run {row.id} of {row.playbook}: {ended}")
    return Exit.DONE


def _cancelled(store: "Store", manager: "Manager", row: "RunRow") -> str:
    """How it ended: it may have come to its end before it was told."""
    from gxo.cli.statuses import CANCELLING
    from gxo.runtime.names import RunNames
    from gxo.runtime.sweep import runner_ended, settle, sweep

    names = RunNames(run=row.id, playbook=row.playbook)
    told = False
    while not row.status.terminal:
        gone = runner_ended(manager, names)
        if gone and told:
            settle(store, manager, names)
        elif gone:  # it is not there yet, or was never to come
            sweep(store, manager)
        elif not told:
            output.note(CANCELLING)
            manager.kill(names.runner, signal.SIGTERM, whom="main")
            told = True
        time.sleep(_BEAT)
        row = store.run(row.id) or row
    while not runner_ended(manager, names):  # it removes what is left
        time.sleep(_BEAT)
    settle(store, manager, names)
    return row.status.value

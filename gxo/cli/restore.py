"""`gxo restore`: what gxo-restore.service runs at boot."""

import typer

from gxo.cli import options, output
from gxo.cli.exits import Exit

app = typer.Typer()


@app.command(epilog="Example: gxo restore")
def restore(lock_timeout: options.LockTimeout = 60.0) -> int:
    """Start again what was applied before the last boot; gxo-restore.service calls it.

    Runs that the end of the last boot cut off have Failed, and their workspaces go.
    """
    from gxo.apply.operations import restore as bring_back
    from gxo.cli import changes
    from gxo.cli.root import need_root

    need_root("restore")
    left = bring_back(listen=changes.progress, lock_timeout=lock_timeout)
    for run in _cut_off():
        output.note(f"run {run} was cut off: it has failed")
    for line in left:
        output.note(line)
    return Exit.FAILED if left else Exit.DONE


def _cut_off() -> tuple[str, ...]:
    from gxo.cli.found import tidy
    from gxo.runtime.store import PLACE, Store
    from gxo.systemd.bus import Bus
    from gxo.systemd.manager import Manager

    if not PLACE.exists():
        return ()
    with Store() as store, Bus.system() as bus:
        return tidy(store, Manager(bus))

"""`gxo restore`: what gxo-restore.service runs at boot."""

import typer

from gxo.cli import options, output
from gxo.cli.exits import Exit

app = typer.Typer()


@app.command(epilog="Example: gxo restore")
def restore(lock_timeout: options.LockTimeout = 60.0) -> int:
    """Start again what was applied before the last boot; gxo-restore.service calls it."""
    from gxo.apply.operations import restore as bring_back
    from gxo.cli import changes
    from gxo.cli.guard import need_root

    need_root("restore")
    left = bring_back(listen=changes.progress, lock_timeout=lock_timeout)
    for line in left:
        output.note(line)
    return Exit.FAILED if left else Exit.DONE

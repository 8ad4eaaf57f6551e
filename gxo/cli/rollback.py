"""`gxo rollback`: apply a recorded revision again."""

import sys
from typing import Annotated

import typer

from gxo.cli import options, output
from gxo.cli.exits import Exit

app = typer.Typer()


@app.command(epilog="Example: gxo rollback site 3")
def rollback(
    playbook: Annotated[str, typer.Argument(metavar="PLAYBOOK", help="An applied playbook.")],
    number: Annotated[
        int | None,
        typer.Argument(metavar="[N]", help="The revision; the one before by default."),
    ] = None,
    yes: options.Yes = False,
    lock_timeout: options.LockTimeout = 60.0,
    json: options.Json = False,
) -> int:
    """Go back to a recorded revision of a playbook. `run_once` workloads are not undone."""
    from gxo.apply.operations import rollback as go_back
    from gxo.apply.result import Planned
    from gxo.cli import changes
    from gxo.cli.guard import need_root

    need_root("roll back")

    def confirm(found: Planned) -> bool:
        if json:
            return True
        changes.show(found)
        sys.stdout.flush()
        return not changes.pending(found.changes) or changes.confirmed("apply this?", yes=yes)

    applied = go_back(
        playbook,
        number,
        listen=changes.silent if json else changes.progress,
        confirm=confirm,
        lock_timeout=lock_timeout,
    )
    if applied is None:
        output.note("nothing was changed")
        return Exit.CANCELLED
    if json:
        output.emit(changes.applied_json(applied))
    else:
        output.say(f"applied: {playbook} {applied.revisions[playbook]}")
    return Exit.DONE

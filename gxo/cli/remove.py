"""`gxo remove`: stop and forget a playbook."""

import typer

from gxo.cli import options, output
from gxo.cli.exits import Exit

app = typer.Typer()


@app.command(epilog="Example: gxo remove --yes site")
def remove(
    playbook: options.Playbook,
    yes: options.Yes = False,
    lock_timeout: options.LockTimeout = 60.0,
    json: options.Json = False,
) -> int:
    """Stop all units of a playbook and forget its revisions.

    The files that its workloads wrote stay.
    """
    from gxo.apply.operations import remove as take_away
    from gxo.cli import changes
    from gxo.cli.guard import need_root
    from gxo.cli.interrupt import interrupts

    need_root(f"remove {playbook}")
    question = f"stop and forget `{playbook}`?"
    with interrupts() as heard:
        done = take_away(
            playbook,
            listen=changes.silent if json else changes.progress,
            confirm=lambda: changes.confirmed(question, yes=yes or json),
            lock_timeout=lock_timeout,
            cancelled=heard.asked,
        )
    if done is None:
        output.note("nothing was changed")
        return Exit.CANCELLED
    if json:
        output.emit({"changes": changes.to_json(done)})
    else:
        output.say(f"removed: {playbook}")
    return Exit.DONE

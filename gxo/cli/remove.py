"""`gxo remove`: stop and forget playbooks."""

import typer

from gxo.cli import options, output
from gxo.cli.exits import Exit

app = typer.Typer()


@app.command(epilog="Example: gxo remove --yes site")
def remove(
    playbooks: options.Playbooks,
    yes: options.Yes = False,
    lock_timeout: options.LockTimeout = 60.0,
    json: options.Json = False,
) -> int:
    """Stop all units of playbooks and forget their revisions.

    The files that their workloads wrote stay.
    """
    from gxo.apply.operations import remove as take_away
    from gxo.cli import changes
    from gxo.cli.interrupt import interrupts
    from gxo.cli.root import need_root

    need_root(f"remove {' '.join(playbooks)}")
    question = f"stop and forget {', '.join(f'`{name}`' for name in playbooks)}?"
    with interrupts() as heard:
        done = take_away(
            playbooks,
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
        for name in dict.fromkeys(playbooks):
            output.say(f"removed: {name}")
    return Exit.DONE

"""`gxo apply`: make this host run what playbooks say."""

import sys

import typer

from gxo.cli import exits, options, output
from gxo.cli.exits import Exit
from gxo.cli.plan import Prune

app = typer.Typer()


@app.command(epilog="Example: gxo apply --yes site/")
def apply(
    paths: options.Paths,
    prune: Prune = None,
    yes: options.Yes = False,
    lock_timeout: options.LockTimeout = 60.0,
    inputs: options.Inputs = [],
    variables: options.Vars = [],
    vars_files: options.VarsFiles = [],
    json: options.Json = False,
) -> int:
    """Converge this host to playbooks, or roll back if anything fails.

    Unchanged units are not touched. `run_once` workloads run if they are new or changed, or if they
    failed last time; a rollback does not undo them. --json implies --yes.
    """
    from gxo.apply.change import Action
    from gxo.apply.operations import apply as converge
    from gxo.apply.result import Planned
    from gxo.apply.setup import setup
    from gxo.cli import changes
    from gxo.cli.interrupt import interrupts
    from gxo.cli.load import directories, given, load_to_apply, pruning
    from gxo.cli.root import need_root

    loaded = load_to_apply(paths, given(inputs, variables, vars_files), as_json=json)
    need_root("apply")

    def confirm(found: Planned) -> bool:
        if not json:
            changes.show(found)
            sys.stdout.flush()
        if not changes.pending(found.changes):
            return True
        if not changes.confirmed("apply this?", yes=yes or json):
            return False
        for done in setup():
            output.note(f"set up this host: {done}")
        return True

    with interrupts() as heard:
        applied = converge(
            loaded.plans,
            loaded.units,
            prune=pruning(prune),
            over=directories(paths),
            listen=changes.silent if json else changes.progress,
            confirm=confirm,
            lock_timeout=lock_timeout,
            cancelled=heard.asked,
        )
    if applied is None:
        output.note("nothing was changed")
        return Exit.CANCELLED
    if json:
        output.emit(changes.applied_json(applied))
    elif changes.pending(applied.changes):
        changed = {c.playbook for c in applied.changes if c.action is not Action.NONE}
        revisions = (f"{n} {number}" for n, number in applied.revisions.items() if n in changed)
        output.say(f"applied: {', '.join(revisions)}")
    return exits.failed(applied.damaged)

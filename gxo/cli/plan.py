"""`gxo plan`: what `apply` would change."""

from typing import Annotated

import typer

from gxo.cli import exits, options, output
from gxo.cli.exits import Exit

app = typer.Typer()

Prune = Annotated[
    bool | None,
    typer.Option(
        "--prune/--no-prune",
        help="Stop workloads that left their playbooks (the default); with --prune, also playbooks"
        " of the given directories whose files are gone.",
        show_default=False,
    ),
]


@app.command(epilog="Example: gxo plan site/ || echo 'exit 2: there are changes'")
def plan(
    paths: options.Paths,
    prune: Prune = None,
    inputs: options.Inputs = [],
    variables: options.Vars = [],
    vars_files: options.VarsFiles = [],
    json: options.Json = False,
) -> int:
    """Show what `gxo apply` would change.

    Each change with its reason, the difference to the unit that runs, and what it is granted.
    """
    from gxo.apply.operations import plan_changes
    from gxo.apply.result import barriers
    from gxo.cli import changes
    from gxo.cli.load import directories, given, load_to_apply, pruning
    from gxo.cli.root import need_root

    loaded = load_to_apply(paths, given(inputs, variables, vars_files), as_json=json)
    need_root("plan")
    found = plan_changes(loaded.plans, loaded.units, prune=pruning(prune), over=directories(paths))
    exposure = changes.exposure(found.changes)
    if json:
        output.emit(changes.planned_json(found, exposure))
    else:
        changes.show(found, exposure)
        for line in barriers(found.changes):
            output.note(f"warning: {line}")
    to_do = changes.pending(found.changes) or found.interrupted
    return exits.failed(found.damaged) or (Exit.CHANGES if to_do else Exit.DONE)

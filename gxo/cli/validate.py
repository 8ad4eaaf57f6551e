"""`gxo validate`: all problems of playbooks, in one go."""

import typer

from gxo.cli import options, output
from gxo.cli.exits import Exit
from gxo.cli.load import given, host_target, load_to_read

app = typer.Typer()


@app.command(epilog="Example: gxo validate site/ && gxo apply site/")
def validate(
    paths: options.Paths,
    inputs: options.Inputs = [],
    variables: options.Vars = [],
    vars_files: options.VarsFiles = [],
    systemd: options.SystemdVersion = None,
    json: options.Json = False,
) -> int:
    """Check playbooks and show every problem with its place. Needs no systemd; exit 1 if any."""
    loaded = load_to_read(paths, given(inputs, variables, vars_files), host_target(systemd))
    if json:
        output.emit_problems(loaded.problems)
    else:
        output.report(loaded.problems)
        if not loaded.failed:
            workloads = sum(len(plan.steps) for plan in loaded.plans)
            output.say(f"{len(loaded.plans)} playbooks, {workloads} workloads: no errors")
    return Exit.FAILED if loaded.failed else Exit.DONE

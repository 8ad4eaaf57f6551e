"""`gxo run`: carry out a playbook's run_once workloads now, with its services beside them."""

from typing import Annotated

import typer

from gxo.cli import options
from gxo.runtime.task import JOBS

app = typer.Typer()


@app.command(epilog="Example: gxo run --input branch=main build.yaml")
def run(
    path: Annotated[
        str, typer.Argument(metavar="PATH", help="A playbook; `-` reads standard input.")
    ],
    jobs: Annotated[
        int,
        typer.Option(
            "--jobs", "-j", metavar="N", min=1, help="Steps that may run at once, 128 at most."
        ),
    ] = JOBS,
    detach: options.Detach = False,
    junit: options.JUnit = None,
    inputs: options.Inputs = [],
    variables: options.Vars = [],
    vars_files: options.VarsFiles = [],
    json: options.Json = False,
) -> int:
    """Run the `run_once` workloads of a playbook now, in order.

    Each is a transient unit, and all work in a private workspace that goes with the run.
    `supervise` workloads are kept running until the run ends. Ctrl-C cancels the run; if this
    command is killed, the run continues.
    """
    from gxo.cli.carry_out import carry_out
    from gxo.cli.load import given

    values = given(inputs, variables, vars_files)
    return carry_out(path, values, jobs=jobs, detach=detach, junit=junit, as_json=json)

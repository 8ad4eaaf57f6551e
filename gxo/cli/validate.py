"""`gxo validate`: all problems of playbooks, in one go."""

from typing import Annotated

import typer

from gxo.cli import options

app = typer.Typer()


@app.command(epilog="Example: gxo validate --max-exposure 2 site/ && gxo apply site/")
def validate(
    paths: options.Paths,
    inputs: options.Inputs = [],
    variables: options.Vars = [],
    vars_files: options.VarsFiles = [],
    systemd: options.SystemdVersion = None,
    max_exposure: Annotated[
        float | None,
        typer.Option(
            metavar="N",
            min=0,
            max=10,
            help="Refuse workloads that `systemd-analyze security` rates above N (0 to 10).",
            show_default=False,
        ),
    ] = None,
    json: options.Json = False,
) -> int:
    """Check playbooks and show every problem with its place.

    Needs neither root nor systemd.
    """
    from gxo.cli.check import check
    from gxo.cli.load import given

    values = given(inputs, variables, vars_files)
    return check(paths, values, systemd, as_json=json, max_exposure=max_exposure)

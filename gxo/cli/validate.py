"""`gxo validate`: all problems of playbooks, in one go."""

import typer

from gxo.cli import options

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
    from gxo.cli.check import check
    from gxo.cli.load import given

    values = given(inputs, variables, vars_files)
    return check(paths, values, systemd, as_json=json)

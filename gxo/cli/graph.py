"""`gxo graph`: a playbook's workloads and what each waits for."""

from enum import StrEnum
from typing import Annotated

import typer

from gxo.cli import options, output
from gxo.cli.exits import Exit
from gxo.cli.load import given, host_target, load_to_read, or_fail

app = typer.Typer()


class Format(StrEnum):
    TEXT = "text"
    DOT = "dot"
    MERMAID = "mermaid"


@app.command(epilog="Example: gxo graph site.yaml --format dot | dot -Tsvg > site.svg")
def graph(
    paths: options.Paths,
    form: Annotated[
        Format,
        typer.Option("--format", "-f", metavar="text|dot|mermaid", help="How to draw it."),
    ] = Format.TEXT,
    inputs: options.Inputs = [],
    variables: options.Vars = [],
    vars_files: options.VarsFiles = [],
) -> int:
    """Draw the order of a playbook's workloads: a text tree, DOT or Mermaid."""
    from gxo.plan import draw

    values = given(inputs, variables, vars_files)
    loaded = or_fail(load_to_read(paths, values, host_target(None)), as_json=False)
    drawer = {Format.TEXT: draw.text, Format.DOT: draw.dot, Format.MERMAID: draw.mermaid}[form]
    for plan in loaded.plans:
        output.say(drawer(plan).rstrip("\n"))
    return Exit.DONE

"""`gxo schema`: the JSON Schema of playbooks, for editors and other programs."""

import json
import sys

import typer

from gxo.cli.exits import Exit

app = typer.Typer()


@app.command(epilog="Example: gxo schema > playbook.schema.json")
def schema() -> int:
    """Print the JSON Schema of playbooks, for editors."""
    from gxo.language.schema import playbook_schema

    json.dump(playbook_schema(), sys.stdout, indent=2)
    sys.stdout.write("\n")
    return Exit.DONE

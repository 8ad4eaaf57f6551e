"""The `gxo` command: a table of commands, each loaded only when it is called."""

import sys
from importlib import import_module
from typing import NoReturn

import typer
from typer.core import TyperCommand, TyperGroup

from gxo.cli import exits
from gxo.version import __version__

# command -> module of gxo.cli that holds its typer app, in the order of `gxo --help`
COMMANDS = {
    "validate": "validate",
    "compile": "compile",
    "plan": "plan",
    "apply": "apply",
    "try": "try_out",
    "status": "status",
    "logs": "logs",
    "graph": "graph",
    "start": "control",
    "stop": "control",
    "restart": "control",
    "reload": "control",
    "trigger": "control",
    "rollback": "rollback",
    "remove": "remove",
    "schema": "schema",
    "setup": "setup",
    "doctor": "doctor",
    "restore": "restore",
}


class Commands(TyperGroup):
    """Builds a command when it is asked for: starting gxo costs what that one command costs."""

    def list_commands(self, ctx: typer.Context) -> list[str]:  # type: ignore[override]
        return list(COMMANDS)

    def get_command(self, ctx: typer.Context, cmd_name: str) -> TyperCommand | None:  # type: ignore[override]
        if cmd_name not in COMMANDS:
            return None
        app: typer.Typer = import_module(f"gxo.cli.{COMMANDS[cmd_name]}").app
        found = typer.main.get_command(app)
        # an app of one command is that command; of several, a group that holds them by name
        if isinstance(found, TyperGroup):
            return found.commands[cmd_name]  # type: ignore[return-value]
        return found  # type: ignore[return-value]


app = typer.Typer(
    name="gxo",
    cls=Commands,
    no_args_is_help=True,
    add_completion=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _show_version(wanted: bool) -> None:  # noqa: FBT001 (typer's callback shape)
    if wanted:
        sys.stdout.write(f"gxo {__version__}\n")
        raise typer.Exit


@app.callback(epilog=exits.HELP)
def top(
    version: bool = typer.Option(  # noqa: ARG001, FBT001 (typer reads the signature)
        False, "--version", callback=_show_version, is_eager=True, help="Show the version."
    ),
) -> None:
    """Compile playbooks to systemd units, apply them to this host, and look after what runs."""


def main() -> NoReturn:
    """Run the command line and leave with one of the exit codes of 8-contracts.md."""
    sys.exit(exits.run(typer.main.get_command(app)))

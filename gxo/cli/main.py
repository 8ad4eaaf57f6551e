"""The `gxo` command: a table of commands, each loaded only when it is called."""

import sys
from importlib import import_module
from typing import Any, NoReturn

import typer
from typer.core import TyperCommand, TyperGroup

from gxo.cli import exits
from gxo.diagnostic.base import did_you_mean
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

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002 (typer's signature)
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> TyperCommand | None:  # noqa: ARG002
        if cmd_name not in COMMANDS:
            return None
        app: typer.Typer = import_module(f"gxo.cli.{COMMANDS[cmd_name]}").app
        found = typer.main.get_command(app)
        # an app of one command is that command; of several, a group that holds them by name
        if isinstance(found, TyperGroup):
            return found.commands[cmd_name]  # type: ignore[return-value]
        return found  # type: ignore[return-value]

    def resolve_command(
        self, ctx: Any, args: list[str]
    ) -> tuple[str | None, TyperCommand | None, list[str]]:
        if args[0] not in COMMANDS:
            hint = did_you_mean(args[0], COMMANDS) or "`gxo --help` lists them"
            raise exits.UsageError(f"no command `{args[0]}`: {hint}", ctx=ctx)
        return args[0], self.get_command(ctx, args[0]), args[1:]


app = typer.Typer(
    name="gxo",
    cls=Commands,
    invoke_without_command=True,
    add_completion=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _show_version(wanted: bool) -> None:
    if wanted:
        sys.stdout.write(f"gxo {__version__}\n")
        raise typer.Exit


@app.callback(epilog=exits.HELP)
def top(
    context: typer.Context,
    version: bool = typer.Option(  # noqa: ARG001 (its callback does it)
        False, "--version", callback=_show_version, is_eager=True, help="Show the version."
    ),
) -> None:
    """Compile playbooks to systemd units, apply them to this host, and look after what runs."""
    if context.invoked_subcommand is None:
        sys.stderr.write(context.get_help() + "\n")
        raise typer.Exit(exits.Exit.USAGE)


def main() -> NoReturn:
    """Run the command line and leave with one of the exit codes of 8-contracts.md."""
    sys.exit(exits.run(typer.main.get_command(app)))

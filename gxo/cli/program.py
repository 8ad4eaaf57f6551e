"""The command line as typer reads it: each command is loaded only when it is called."""

import sys
from importlib import import_module
from typing import Any, NoReturn

import typer
from typer.core import TyperCommand, TyperGroup

from gxo.cli import codes, exits
from gxo.cli.main import COMMANDS, HIDDEN
from gxo.diagnostic.base import did_you_mean
from gxo.version import __version__

# typer hides click (newer ones bundle it): the base classes of what a user can do wrong
UsageError: type[Any] = typer.BadParameter.__mro__[1]
CommandError: type[Exception] = UsageError.__mro__[1]


class Commands(TyperGroup):
    """Builds a command when it is asked for: starting gxo costs what that one command costs."""

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002 (typer's signature)
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> TyperCommand | None:  # noqa: ARG002
        if cmd_name not in COMMANDS:
            return None
        app: typer.Typer = import_module(f"gxo.cli.{COMMANDS[cmd_name]}").app
        found = typer.main.get_command(app)
        # an app of one command is that command; one of several holds them by name, unless it is
        # a command with others beneath it
        several = found.commands if isinstance(found, TyperGroup) else {}
        command: Any = several.get(cmd_name, found)
        command.rich_markup_mode = None
        # typer gives each app of one command these, which belong to `gxo` itself
        command.params = [p for p in command.params if not str(p.name).endswith("_completion")]
        for name, each in getattr(command, "commands", {}).items():
            each.epilog = codes.epilog(f"{cmd_name} {name}", each.epilog)
            each.short_help = first_sentence(each)
        command.epilog = codes.epilog(cmd_name, command.epilog)
        return command  # type: ignore[no-any-return]

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """Each command with the whole first sentence of its help, wrapped, not cut off."""
        with formatter.section("Commands"):
            rows = [(name, self.get_command(ctx, name)) for name in COMMANDS if name not in HIDDEN]
            formatter.write_dl([(name, first_sentence(found)) for name, found in rows])

    def resolve_command(
        self, ctx: Any, args: list[str]
    ) -> tuple[str | None, TyperCommand | None, list[str]]:
        if args[0] not in COMMANDS:
            hint = did_you_mean(args[0], COMMANDS) or "`gxo --help` lists them"
            raise UsageError(f"no command `{args[0]}`: {hint}", ctx=ctx)
        return args[0], self.get_command(ctx, args[0]), args[1:]


def first_sentence(command: TyperCommand | None) -> str:
    """The help of a command up to its first full stop."""
    text = " ".join(((command and command.help) or "").split())
    return text.partition(". ")[0].removesuffix(".")


app = typer.Typer(
    name="gxo",
    cls=Commands,
    invoke_without_command=True,
    add_completion=True,
    rich_markup_mode=None,  # plain help: the same on every terminal, in every pipe
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
    """Compile playbooks to systemd units, apply them to this host, and look after what runs.

    Most commands need root; `validate`, `compile`, `graph` and `schema` do not.
    """
    if context.invoked_subcommand is None:
        sys.stderr.write(context.get_help() + "\n")
        raise typer.Exit(exits.Exit.USAGE)


def call() -> int:
    """Run the command that this process's arguments name; its exit code."""
    try:
        code = typer.main.get_command(app)(prog_name="gxo", standalone_mode=False)
    except typer.Abort:
        return exits.Exit.CANCELLED
    except CommandError as error:
        _usage(error)
    return code if isinstance(code, int) else exits.Exit.DONE


def _usage(error: Any) -> NoReturn:
    context = getattr(error, "ctx", None)
    message = error.format_message()
    if context is not None:
        sys.stderr.write(context.get_usage() + "\n")
        sys.stderr.write(f"Try `{context.command_path} --help` for help.\n")
    raise exits.Usage(message)

"""docs/reference/commands.md and the manual page, from the commands themselves."""

from collections.abc import Iterator
from typing import Any

import typer

from gxo.cli import exits
from gxo.cli.main import COMMANDS
from gxo.cli.program import app
from gxo.version import __version__

# commands that gxo calls itself
_HIDDEN = {"restore"}


def markdown() -> str:
    """The reference page of all commands."""
    parts = [
        "# Commands\n\n<!-- generated from the commands by `./dev test --accept` -->\n",
        f"{exits.HELP}\n",
        "Diagnostics go to stderr, results to stdout; `--json` puts one JSON document on stdout.\n",
    ]
    for name, command, context in _commands():
        parts.append(f"## gxo {name}\n\n```\n{_usage(context)}\n```\n\n{_prose(command.help)}\n")
        rows = [f"| {_code(row)} | {text} |" for row, text in _parameters(command, context)]
        if rows:
            parts.append("\n".join(["| option | meaning |", "| --- | --- |", *rows]) + "\n")
        if command.epilog:
            parts.append(f"Example: `{command.epilog.removeprefix('Example: ')}`\n")
    return "\n".join(parts)


def manual() -> str:
    """gxo(1) in mdoc's older sister man(7), for `man -l docs/man/gxo.1`."""
    lines = [
        f'.TH GXO 1 "" "gxo {__version__}" "User Commands"',
        ".SH NAME",
        "gxo \\- a declarative automation kernel for Linux servers: a compiler to systemd",
        ".SH SYNOPSIS",
        ".B gxo",
        "COMMAND [ARGUMENT]...",
        ".SH COMMANDS",
    ]
    for _, command, context in _commands():
        lines += [".SS " + _man(_usage(context)), _man(_prose(command.help))]
        for row, text in _parameters(command, context):
            lines += [".TP", f".B {_man(row)}", _man(text)]
        if command.epilog:
            lines += [".PP", "Example: " + _man(command.epilog.removeprefix("Example: "))]
    lines += [".SH EXIT STATUS", _man(exits.HELP)]
    return "\n".join(lines) + "\n"


def _commands() -> Iterator[tuple[str, Any, Any]]:
    group: Any = typer.main.get_command(app)
    root = group.make_context("gxo", ["--help"], resilient_parsing=True)
    for name in COMMANDS:
        if name not in _HIDDEN:
            command: Any = group.get_command(root, name)
            yield (
                name,
                command,
                command.make_context(name, [], parent=root, resilient_parsing=True),
            )


def _usage(context: Any) -> str:
    return " ".join(context.get_usage().removeprefix("Usage: ").split())


def _prose(text: str | None) -> str:
    """Help text without the line breaks of its source, its paragraphs kept."""
    paragraphs = (text or "").split("\n\n")
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in paragraphs)


def _parameters(command: Any, context: Any) -> Iterator[tuple[str, str]]:
    for parameter in command.params:
        record = parameter.get_help_record(context)
        if record is not None and "--help" not in parameter.opts:
            yield " ".join(record[0].split()), " ".join(record[1].split())


def _code(text: str) -> str:
    return "`" + text.replace("|", "\\|") + "`"


def _man(text: str) -> str:
    safe = text.replace("\\", "\\e").replace("-", "\\-").replace("\n\n", "\n.PP\n")
    return "\n".join("\\&" + line if line.startswith("'") else line for line in safe.split("\n"))

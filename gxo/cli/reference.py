"""docs/reference/commands.md and the manual page, from the commands themselves."""

from collections.abc import Iterator
from typing import Any

import typer

from gxo.cli import codes, exits
from gxo.cli.main import COMMANDS, HIDDEN
from gxo.cli.program import app
from gxo.dataclass import dataclass
from gxo.version import __version__

_STREAMS = (
    "Results go to stdout, diagnostics to stderr; `--json` puts one JSON document on stdout, "
    "that of an error being the problems that `gxo validate --json` prints. "
    "Colour is used on a terminal only, and never where `NO_COLOR` is set."
)
# command -> its schema in docs/reference/json/, of what it prints with `--json`
SCHEMAS = {
    **{name: name for name in ("validate", "compile", "plan", "apply", "status", "logs")},
    **{name: name for name in ("graph", "setup", "doctor")},
    "rollback": "apply",
    "run": "event",
    "runs": "runs",
    "runs show": "run",
    "runs rerun": "event",
    "runs prune": "pruned",
    "cancel": "cancel",
    "secrets list": "secrets",
    **dict.fromkeys(("secrets set", "secrets rm"), "secret"),
    **dict.fromkeys(("modules", "modules list", "modules verify"), "modules"),
    **dict.fromkeys(("start", "stop", "restart", "reload", "trigger", "remove"), "control"),
}
# the same, of what it prints with `--list`
LISTED = {"rollback": "revisions"}


@dataclass(frozen=True, slots=True)
class Entry:
    """What is known of one command: `options` are (spelling, meaning), arguments among them."""

    name: str
    usage: str
    paragraphs: tuple[str, ...]
    options: tuple[tuple[str, str], ...]
    codes: str
    example: str


def entries() -> Iterator[Entry]:
    """Every command a user calls, in the order of `gxo --help`; those beneath one behind it."""
    group: Any = typer.main.get_command(app)
    for top in COMMANDS:
        if top in HIDDEN:
            continue
        whole = group.get_command(None, top)
        beneath = getattr(whole, "commands", {}).items()
        for name, command in ((top, whole), *((f"{top} {sub}", found) for sub, found in beneath)):
            arguments = [p for p in command.params if p.param_type_name == "argument"]
            options = ["[OPTION]…"] if len(command.params) > len(arguments) else []
            yield Entry(
                name,
                " ".join(["gxo", name, *options, *(p.metavar for p in arguments)]),
                tuple(" ".join(part.split()) for part in command.help.split("\n\n")),
                tuple((_spelling(p), _meaning(p)) for p in command.params),
                codes.line(name),
                command.epilog.partition("\n\nExample: ")[2],
            )


def markdown() -> str:
    """The reference page of all commands."""
    parts = [
        "# Commands\n\n<!-- generated from the commands by `./dev test --accept` -->\n",
        f"{exits.HELP}\n",
        f"{_STREAMS}\n",
        "`gxo COMMAND --help` says the same; `gxo --install-completion` sets the shell"
        " up to complete commands, options, files and the names of what is applied.\n",
    ]
    for entry in entries():
        parts.append(f"## gxo {entry.name}\n\n```\n{entry.usage}\n```\n")
        parts += [f"{paragraph}\n" for paragraph in entry.paragraphs]
        rows = [f"| {_code(spelling)} | {meaning} |" for spelling, meaning in entry.options]
        if rows:
            parts.append("\n".join(["| option | meaning |", "| --- | --- |", *rows]) + "\n")
        if entry.name in SCHEMAS:
            schema = f"json/{SCHEMAS[entry.name]}.schema.json"
            more = f"json/{LISTED[entry.name]}.schema.json" if entry.name in LISTED else ""
            also = f"; with `--list` by [{more}]({more})" if more else ""
            parts.append(f"The JSON it prints is described by [{schema}]({schema}){also}.\n")
        parts += [f"{entry.codes}\n", f"Example: `{entry.example}`\n"]
    return "\n".join(parts)


def manual() -> str:
    """gxo(1) in man(7), for `man -l docs/man/gxo.1`."""
    lines = [
        f'.TH GXO 1 "" "gxo {__version__}" "User Commands"',
        ".SH NAME",
        "gxo \\- a declarative automation kernel for Linux servers: a compiler to systemd",
        ".SH SYNOPSIS",
        ".B gxo",
        "COMMAND [OPTION]... [ARGUMENT]...",
        ".SH DESCRIPTION",
        _man("gxo compiles playbooks (YAML lists of workloads) to systemd units and converges"),
        _man("the host to them. " + _STREAMS),
        ".SH COMMANDS",
    ]
    for entry in entries():
        lines += [f".SS {_man(entry.usage)}", _man(entry.paragraphs[0])]
        for paragraph in entry.paragraphs[1:]:
            lines += [".PP", _man(paragraph)]
        for spelling, meaning in entry.options:
            lines += [".TP", f".B {_man(spelling)}", _man(meaning)]
        lines += [".PP", _man(entry.codes), ".PP", "Example:", f".B {_man(entry.example)}"]
    lines += [".SH EXIT STATUS", _man(exits.HELP.removeprefix("Exit codes: "))]
    return "\n".join(lines) + "\n"


def _spelling(parameter: Any) -> str:
    """`PATH…`, `--vars FILE`, `--yes, -y`."""
    if parameter.param_type_name == "argument":
        return str(parameter.metavar)
    spelled = ", ".join([*parameter.opts, *parameter.secondary_opts])
    return spelled if parameter.is_flag else f"{spelled} {parameter.metavar}"


def _meaning(parameter: Any) -> str:
    text = " ".join(parameter.help.split())
    default = parameter.default
    if parameter.show_default and default and not isinstance(default, list):
        shown = f"{default:g}" if isinstance(default, float) else getattr(default, "value", default)
        return f"{text} Default: {shown}."
    return text


def _code(text: str) -> str:
    return "`" + text.replace("|", "\\|") + "`"


def _man(text: str) -> str:
    """Text as roff prints it: nothing in it is a request, a hyphen can be pasted to a shell."""
    for plain, written in (("\\", "\\e"), ("-", "\\-"), ("…", "..."), ("'", "\\(aq"), ("`", "")):
        text = text.replace(plain, written)
    return "\\&" + text if text.startswith(".") else text

"""The `gxo` command: its table of commands, and the way to the one that is called."""

import gc
import os
import sys
from typing import NoReturn

from gxo.cli import exits

# command -> module of gxo.cli that holds its typer app, in the order of `gxo --help`
COMMANDS = {
    "validate": "validate",
    "compile": "compile",
    "plan": "plan",
    "apply": "apply",
    "run": "run",
    "runs": "runs",
    "cancel": "cancel",
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
    "secrets": "secrets",
    "modules": "modules",
    "schema": "schema",
    "setup": "setup",
    "doctor": "doctor",
    "restore": "restore",
}
SELDOM = (100_000, 50, 50)
"""Looking for cycles at Python's own pace takes a tenth of the time of a command."""
# commands that gxo's own units call
HIDDEN = {"restore"}


def main() -> NoReturn:
    """Run the command line and leave with one of the codes of `gxo.cli.exits`."""
    gc.set_threshold(*SELDOM)
    # at once: all is written out, and to take apart what is loaded costs Python up to 20 ms
    os._exit(command(sys.argv[1:]))


def command(words: list[str]) -> int:
    """Run a command line; its exit code, once all that it says is written out."""
    return exits.run(lambda: _call(words), as_json=_wants_json(words))


def _wants_json(words: list[str]) -> bool:
    """Whether `--json` is given, also where the rest of the command line cannot be read."""
    options = words[: words.index("--")] if "--" in words else words
    return "--json" in options


def _call(words: list[str]) -> int:
    """Typer reads the command line: but loading it takes longer than checking a playbook does.

    So `gxo validate PATH…`, which editors and hooks run at each save, goes without, and so does
    `gxo run PATH`.
    """
    command, paths = words[:1], words[1:]
    if paths and not any(map(_is_option, paths)):
        if command == ["validate"]:
            from gxo.cli.check import check

            return check(paths, as_json=False)
        if command == ["run"] and len(paths) == 1:
            from gxo.cli.carry_out import carry_out

            return carry_out(paths[0])
    from gxo.cli.program import call

    return call()


def _is_option(word: str) -> bool:
    return word.startswith("-") and word != "-"

"""`gxo secrets`: the secrets of this host, by their names."""

import os
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from gxo.cli import options, output
from gxo.cli.exits import Exit, Failure

if TYPE_CHECKING:
    from gxo.runtime.credstore import Listed

app = typer.Typer(rich_markup_mode=None, invoke_without_command=True)


def _kept(incomplete: str) -> list[str]:
    """The names that gxo keeps, for the shell; nobody but root may know them."""
    from gxo.runtime.credstore import PLACE

    try:
        return sorted(path.name for path in PLACE.iterdir() if path.name.startswith(incomplete))
    except OSError:
        return []


Name = Annotated[
    str,
    typer.Argument(
        metavar="NAME", help='The name, as in `{{ secret "NAME" }}`.', autocompletion=_kept
    ),
]


@app.callback(epilog="Example: gxo secrets list")
def secrets(context: typer.Context) -> int:
    """Keep, list and remove the secrets of this host."""
    if context.invoked_subcommand is None:
        sys.stderr.write(context.get_help() + "\n")
        return Exit.USAGE
    return Exit.DONE


@app.command("set", epilog="Example: gxo secrets set token < token.txt")
def set_(name: Name, json: options.Json = False) -> int:
    """Keep a secret as an encrypted systemd credential.

    It replaces any of that name. The value is read from standard input, without a line break at
    its end; on a terminal it is asked for twice, and not shown. Services get the new value with
    the next `gxo apply`.
    """
    from gxo.cli.root import need_root
    from gxo.runtime.credstore import keep
    from gxo.runtime.secrets import SecretError

    need_root("secrets set")
    try:
        path = keep(name, _value(name))
    except SecretError as error:
        raise Failure(f"cannot keep the secret `{name}`: {error}") from None
    if json:
        output.emit({"secret": name, "place": str(path), "done": "set"})
    else:
        output.say(f"{name}: kept in {path}")
    return Exit.DONE


@app.command("list", epilog="Example: gxo secrets list")
def list_(json: options.Json = False) -> int:
    """List secrets by name, never a value.

    Each with its provider: the first one in the configuration that knows the name.
    """
    from gxo.cli.root import need_root
    from gxo.cli.table import coloured, table
    from gxo.dataclass import asdict

    need_root("secrets list")
    found, silent = _listed(as_json=json)
    if json:
        output.emit({"secrets": [asdict(item) for item in found], "not_listed": list(silent)})
        return Exit.DONE
    for program in silent:
        output.note(f"the secrets of `{program}` cannot be listed")
    if not found:
        output.note("no secrets; `gxo secrets set NAME` keeps one")
        return Exit.DONE
    rows = [(item.name, item.provider, item.place) for item in found]
    header = ("NAME", "PROVIDER", "WHERE")
    output.say(table(rows, header=header, colour=coloured()).rstrip("\n"))
    return Exit.DONE


@app.command(epilog="Example: gxo secrets rm --yes token")
def rm(name: Name, yes: options.Yes = False, json: options.Json = False) -> int:
    """Remove a secret that `gxo secrets set` has kept.

    What is running keeps the value that it was given.
    """
    from gxo.cli import changes
    from gxo.cli.root import need_root
    from gxo.runtime.credstore import drop
    from gxo.runtime.secrets import SecretError

    need_root("secrets rm")
    if not changes.confirmed(f"remove the secret `{name}`?", yes=yes or json):
        output.note("nothing was changed")
        return Exit.CANCELLED
    try:
        path = drop(name)
    except SecretError as error:
        raise Failure(f"cannot remove the secret `{name}`: {error}") from None
    if path is None:
        raise Failure(f"cannot remove the secret `{name}`: {_elsewhere(name)}")
    if json:
        output.emit({"secret": name, "place": str(path), "done": "removed"})
    else:
        output.say(f"{name}: removed from {path}")
    return Exit.DONE


def _value(name: str) -> bytes:
    from gxo.runtime.secrets import LONGEST

    if not sys.stdin.isatty():
        return sys.stdin.buffer.read(LONGEST + 2)
    from getpass import getpass

    value = getpass(f"{name}: ")
    if value != getpass(f"{name}, once more: "):
        raise Failure(f"cannot keep the secret `{name}`: what was typed differs")
    return value.encode("utf-8", "surrogateescape")


def _listed(*, as_json: bool) -> "tuple[tuple[Listed, ...], tuple[str, ...]]":
    from gxo.cli.given import configured
    from gxo.runtime.credstore import listed

    _, providers = configured(as_json=as_json)
    return listed(providers, os.environ)


def _elsewhere(name: str) -> str:
    """Why there is nothing of that name to remove."""
    for item in _listed(as_json=False)[0]:
        if item.name == name:
            return f"`gxo secrets` does not keep it: it comes from {item.place}; remove it there"
    return "there is none; `gxo secrets list` lists them"

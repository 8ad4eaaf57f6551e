"""`gxo compile`: the unit files that `apply` would install, for review, images and packages."""

from collections.abc import Container, Iterable
from pathlib import Path
from typing import Annotated

import typer

from gxo.cli import options, output
from gxo.cli.exits import Exit, Failure
from gxo.cli.load import given, host_target, load, or_fail

app = typer.Typer()


@app.command(name="compile", epilog="Example: gxo compile site/ -o /tmp/units --systemd 257")
def compile_(
    paths: options.Paths,
    directory: Annotated[
        Path | None,
        typer.Option("-o", "--output", metavar="DIR", help="Write files here instead of printing."),
    ] = None,
    inputs: options.Inputs = [],
    variables: options.Vars = [],
    vars_files: options.VarsFiles = [],
    systemd: options.SystemdVersion = None,
    json: options.Json = False,
) -> int:
    """Write the unit files that playbooks compile to.

    Needs neither root nor systemd. With -o, gxo removes from DIR the files of units that these
    playbooks no longer have; all others stay.
    """
    from gxo.units.files import render_file

    values = given(inputs, variables, vars_files)
    loaded = or_fail(load(paths, values, host_target(systemd)), as_json=json)
    files = [(unit.name, render_file(unit)) for unit in loaded.units]
    if directory is not None:
        _write(directory, files)
        _clear(directory, {plan.playbook.text for plan in loaded.plans}, dict(files))
    if json:
        output.emit({"units": [{"name": name, "text": text} for name, text in files]})
    elif directory is None:
        output.say("\n".join(f"# {name}\n{text}" for name, text in files).rstrip("\n"))
    else:
        output.say(f"{output.counted(len(files), 'unit file')} in {directory}")
    return Exit.DONE


def _clear(directory: Path, playbooks: Container[str], written: Container[str]) -> None:
    """Remove what an earlier compile of the same playbooks left: it would be enabled with the rest.

    A name alone says whose a unit is: nobody else's begins so.
    """
    from gxo.units.names import parse

    try:
        for path in sorted(directory.iterdir()):
            name = parse(path.name)
            if name and name.playbook in playbooks and path.name not in written and path.is_file():
                path.unlink()
                output.note(f"removed {path}: its playbook no longer has it")
    except OSError as error:
        raise Failure(f"cannot clear {error.filename}: {error.strerror}") from None


def _write(directory: Path, files: Iterable[tuple[str, str]]) -> None:
    """Make the directory and the files in it; files of other names stay as they are.

    A link of such a name goes, and what it leads to stays.
    """
    path = directory
    try:
        directory.mkdir(parents=True, exist_ok=True)
        for name, text in files:
            path = directory / name
            path.unlink(missing_ok=True)
            with path.open("x", encoding="utf-8") as file:
                file.write(text)
    except OSError as error:
        raise Failure(f"cannot write {path}: {error.strerror}") from None

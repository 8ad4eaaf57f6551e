"""`gxo compile`: the unit files that `apply` would install, for review, images and packages."""

from collections.abc import Iterable
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
    """Write the unit files of playbooks. Needs no systemd."""
    from gxo.units.files import render_file

    values = given(inputs, variables, vars_files)
    loaded = or_fail(load(paths, values, host_target(systemd)), as_json=json)
    files = [(unit.name, render_file(unit)) for unit in loaded.units]
    if directory is not None:
        _write(directory, files)
    if json:
        output.emit({"units": [{"name": name, "text": text} for name, text in files]})
    elif directory is None:
        output.say("\n".join(f"# {name}\n{text}" for name, text in files).rstrip("\n"))
    else:
        output.say(f"{output.counted(len(files), 'unit file')} in {directory}")
    return Exit.DONE


def _write(directory: Path, files: Iterable[tuple[str, str]]) -> None:
    """Make the directory and the files in it; files of other names stay as they are."""
    try:
        directory.mkdir(parents=True, exist_ok=True)
        for name, text in files:
            (directory / name).write_text(text, encoding="utf-8")
    except OSError as error:
        raise Failure(f"cannot write {error.filename}: {error.strerror}") from None

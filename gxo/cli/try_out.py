"""`gxo try`: any command on a throw-away systemd over a copy-on-write view of this host."""

import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gxo.cli import output
from gxo.cli.root import need_root

if TYPE_CHECKING:
    from gxo.lab import Lab

app = typer.Typer()


@app.command(
    name="try",
    epilog="Example: gxo try --exec 'curl -s http://127.0.0.1:8080/' examples/site",
    # what stands behind the first word is the tried command's
    context_settings={"allow_interspersed_args": False},
)
def try_out(
    context: typer.Context,
    words: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[COMMAND] [ARGUMENT]…",
            help="A gxo command with its arguments, or playbooks to apply.",
            show_default=False,
        ),
    ] = None,
    programs: Annotated[
        list[str],
        typer.Option("--exec", metavar="COMMAND", help="Then run this shell command there."),
    ] = [],
    shell: Annotated[bool, typer.Option("--shell", help="Then open a shell there.")] = False,
    keep_state: Annotated[
        bool, typer.Option("--keep-state", help="Start with a copy of this host's /var/lib/gxo.")
    ] = False,
    binds: Annotated[
        list[str],
        typer.Option("--bind", metavar="SRC[:DST]", help="Share a path of this host, for real."),
    ] = [],
) -> int:
    """Run a gxo command on a throw-away systemd.

    `gxo try PATH…` is `gxo try apply PATH…`, and then shows the units, their exposure and their
    journal. This host stays as it is: the throw-away system sees its files copy-on-write, and
    none of its units.
    """
    from gxo.lab import Bind, Lab, LabSpec
    from gxo.lab.program import own_binds, shared

    need_root("boot a throw-away systemd")
    words = words or []
    if not words and not shell and not programs:
        raise typer.BadParameter("give a command or a playbook to try", ctx=context)
    given = [path for word in words if (path := Path(word)).exists()]
    spec = LabSpec(
        binds=(*own_binds(), *shared([*given, Path.cwd()]), *map(Bind.parse, binds)),
        keep_state=keep_state,
    )
    with Lab.boot(spec) as lab:
        code = _try(lab, words) if words else 0
        for program in programs:
            output.note(f"\n$ {program}")
            code = _enter(lab, "/bin/sh", "-c", program) or code
        if shell:
            _enter(lab, "/bin/bash")
    return code if code >= 0 else 128 - code  # killed: as a shell tells it


def _try(lab: "Lab", words: list[str]) -> int:
    """A gxo command in the lab, or playbooks applied there and what came of them shown."""
    from gxo.cli.main import COMMANDS

    if words[0] in COMMANDS:
        return _gxo(lab, *words)
    code = _gxo(lab, "apply", "--yes", *words)
    for report in (("status",), ("logs", "--lines", "50")):
        output.note("")
        _gxo(lab, *report)
    return code


def _gxo(lab: "Lab", *arguments: str) -> int:
    from gxo.lab.program import own_argv

    return _enter(lab, *own_argv(*arguments))


def _enter(lab: "Lab", *argv: str) -> int:
    """Run a program in the lab with our terminal and, where the guest has it, our directory."""
    from gxo.lab.program import seen

    here = Path.cwd()
    there = str(here) if seen(here) or any(b.target == here for b in lab.spec.binds) else "/"
    return subprocess.run(
        lab.exec_argv(["/usr/bin/env", f"--chdir={there}", *argv]), check=False
    ).returncode

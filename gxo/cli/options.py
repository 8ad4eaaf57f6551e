"""Arguments and options that several commands share, each worded once."""

import math
from pathlib import Path
from typing import Annotated

import typer

from gxo.cli import complete


def _number(value: float) -> float:
    """The value itself: `nan` passes every bound, since it compares as false."""
    if math.isnan(value):
        raise typer.BadParameter("nan is not a number of seconds")
    return value


# as text: Path("") is the current directory, and an unset variable of a script's is not
Paths = Annotated[
    list[str],
    typer.Argument(
        metavar="PATH…",
        help="Playbooks, or directories of them (*.yaml, *.yml); `-` reads standard input.",
        show_default=False,
    ),
]
Inputs = Annotated[
    list[str],
    typer.Option(
        "--input",
        "-i",
        metavar="K=V",
        help="Set a declared input of the playbook; repeatable.",
        show_default=False,
    ),
]
Vars = Annotated[
    list[str],
    typer.Option(
        "--var",
        metavar="K=V",
        help="Set a variable, in place of one of `vars`; repeatable.",
        show_default=False,
    ),
]
VarsFiles = Annotated[
    list[Path],
    typer.Option(
        "--vars",
        metavar="FILE",
        help="Set variables from the map in a YAML or JSON file.",
        show_default=False,
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")]
SystemdVersion = Annotated[
    int | None,
    typer.Option(
        "--systemd",
        metavar="VERSION",
        min=252,
        help="The version of systemd to compile for; by default this host's, else 252.",
        show_default=False,
    ),
]
Targets = Annotated[
    list[str],
    typer.Argument(
        metavar="PLAYBOOK[.WORKLOAD]…",
        help="Applied playbooks, or single workloads of them.",
        autocompletion=complete.targets,
    ),
]
Playbook = Annotated[
    str,
    typer.Argument(
        metavar="PLAYBOOK", help="An applied playbook.", autocompletion=complete.playbooks
    ),
]
Playbooks = Annotated[
    list[str],
    typer.Argument(
        metavar="PLAYBOOK…", help="Applied playbooks.", autocompletion=complete.playbooks
    ),
]
Run = Annotated[str, typer.Argument(metavar="RUN", help="The id of a run, or its beginning.")]
Detach = Annotated[
    bool, typer.Option("--detach", help="Print the run's id and return; the run continues.")
]
LockTimeout = Annotated[
    float,
    typer.Option(
        "--lock-timeout",
        metavar="SECONDS",
        min=0,
        callback=_number,
        help="How long to wait for another apply.",
    ),
]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask for confirmation.")]
JUnit = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="Write a JUnit XML report here.", show_default=False),
]

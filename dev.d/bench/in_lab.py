"""Commands in a lab: a booted one with gxo set up, and jobs that are whole commands there."""

import subprocess
import time
from collections.abc import Mapping, Sequence

from timing import Job

from gxo.lab import Bind, Lab, LabSpec
from gxo.lab.program import own_argv, own_binds

PLACE = "/srv/bench"


def ready(files: Mapping[str, str], *binds: Bind) -> Lab:
    """A lab in which gxo is set up, with files at PLACE."""
    lab = Lab.boot(LabSpec(binds=(*own_binds(), *binds)))
    lab.path(PLACE).mkdir(parents=True)
    for name, text in files.items():
        lab.path(f"{PLACE}/{name}").write_text(text)
    run(lab, own_argv("setup"))
    return lab


def gxo_run(playbook: str, *options: str) -> tuple[str, ...]:
    return own_argv("run", *options, f"{PLACE}/{playbook}")


def job(lab: Lab, argv: Sequence[str]) -> Job:
    return lambda: timed(lab, argv)


def timed(lab: Lab, argv: Sequence[str], given: str | None = None) -> float:
    """Seconds from the start of a command to its end."""
    began = time.perf_counter()
    run(lab, argv, given)
    return time.perf_counter() - began


def run(lab: Lab, argv: Sequence[str], given: str | None = None) -> str:
    """What a command writes; it must succeed."""
    try:
        return lab.run(argv, input=given, check=True, timeout=900).stdout
    except subprocess.CalledProcessError as error:
        raise SystemExit(f"{argv} failed: {error.stdout}{error.stderr}") from None

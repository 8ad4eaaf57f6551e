"""What `apply` says while it waits: counted on a terminal, now and then elsewhere."""

import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parent.parent.parent
WAITS = """
from gxo.apply.event import Event, Kind
from gxo.cli.changes import Progress
progress = Progress()
for kind, waited in [(Kind.WAITING, n) for n in (1, 4, 6, 9, 12, 30)] + [(Kind.STARTED, 0)]:
    progress(Event(time=0, kind=kind, playbook="site", workload="web", unit="w", waited=waited))
"""


@pytest.mark.parametrize("term", ["xterm", "dumb"])
def test_a_long_wait(term: str) -> None:
    """A terminal has one line that counts, and is written over; others a line at growing gaps."""
    ours, theirs = pty.openpty()
    done = subprocess.run(
        [sys.executable, "-c", WAITS],
        env={"TERM": term, "PYTHONPATH": str(CHECKOUT)},
        stderr=theirs,
        check=False,
    )
    os.close(theirs)
    said = os.read(ours, 65536).decode().replace("\r\n", "\n")
    os.close(ours)
    assert done.returncode == 0
    if term == "dumb":
        counted = [f"  waiting   for site.web ({n} s)\n" for n in (6, 12, 30)]
        assert said == "".join(counted) + "  started   site.web\n"
    else:
        counted = [f"  waiting   for site.web ({n} s)\x1b[K\r" for n in (1, 4, 6, 9, 12, 30)]
        assert said == "".join(counted) + "\x1b[K  started   site.web\n"

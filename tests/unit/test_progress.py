"""What `apply` says while it waits: counted on a terminal, now and then elsewhere."""

import os
import pty
import subprocess
import sys
import termios
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parent.parent.parent
WAITS = """
from gxo.apply.event import Event, Kind
from gxo.cli.changes import Progress
progress = Progress()
def event(kind, waited, time, workload="web"):
    said = {"playbook": "site", "workload": workload, "unit": "w"}
    progress(Event(time=(1000 + time) * 1_000_000, kind=kind, waited=waited, **said))
"""
LONG = """
for waited in (1, 4, 6, 9, 12, 30):
    event(Kind.WAITING, waited, waited)
event(Kind.STARTED, 0, 31)
"""
BUSY = """
for second in range(1, 9):
    event(Kind.STOPPED, 0, second, f"job{second}")
    event(Kind.WAITING, second, second, f"job{second + 1}")
event(Kind.WAITING, 13, 13, "job9")
"""


@pytest.mark.parametrize("term", ["xterm", "dumb"])
def test_a_long_wait(term: str) -> None:
    """A terminal has one line that counts, and is written over; others a line at growing gaps."""
    ours, theirs = pty.openpty()
    done = subprocess.run(
        [sys.executable, "-c", WAITS + LONG],
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


def test_a_long_name_in_a_narrow_terminal() -> None:
    """The line that counts stays one line: a name is cut, the seconds are not."""
    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (24, 40))
    done = subprocess.run(
        [sys.executable, "-c", WAITS + "event(Kind.WAITING, 7, 7, 'x' * 60)"],
        env={"TERM": "xterm", "PYTHONPATH": str(CHECKOUT)},
        stderr=theirs,
        check=False,
    )
    os.close(theirs)
    said = os.read(ours, 65536).decode()
    os.close(ours)
    assert done.returncode == 0
    assert said == f"  waiting   for site.{'x' * 11}… (7 s)\x1b[K\r"


def test_no_wait_is_told_of_while_others_end() -> None:
    """What waits its turn among many is no news; that nothing has ended for long is."""
    done = subprocess.run(
        [sys.executable, "-c", WAITS + BUSY],
        env={"PYTHONPATH": str(CHECKOUT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0
    assert done.stderr.splitlines() == [
        *(f"  stopped   site.job{second}" for second in range(1, 9)),
        "  waiting   for site.job9 (13 s)",
    ]

"""Whatever is killed, nothing of a lab stays: owner, guardian, nspawn, at any moment."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from gxo.lab import Lab, LabError, sweep
from tests.lab.remains import remains, wait_until_gone

# boots, says the lab's name and leader, and waits
_OWNER = """
import time
from gxo.lab import Lab
lab = Lab.boot()
print(lab.machine, lab.leader, flush=True)
time.sleep(600)
"""


def test_owner_killed() -> None:
    """Kill -9 of the process that booted: its guardian takes all of the lab away."""
    with subprocess.Popen([sys.executable, "-c", _OWNER], stdout=subprocess.PIPE, text=True) as own:
        assert own.stdout
        machine, leader = own.stdout.readline().split()
        assert remains(machine)
        own.kill()
    assert wait_until_gone(machine) == []
    assert not Path(f"/proc/{leader}/ns").exists()


@pytest.mark.parametrize("moment", [0.02, 0.08, 0.16, 0.24, 0.32])
def test_owner_killed_while_booting(moment: float) -> None:
    """Kill -9 at any instant of the boot leaves nothing either."""
    with subprocess.Popen([sys.executable, "-c", _OWNER], stdout=subprocess.PIPE) as own:
        deadline = time.monotonic() + 20
        while not (machine := _guarded_by_child_of(own.pid)):
            assert time.monotonic() < deadline
            time.sleep(0.002)
        time.sleep(moment)
        own.kill()
    assert wait_until_gone(machine) == []


def _guarded_by_child_of(pid: int) -> str:
    """The name of the lab whose guardian is a child of that process, once it runs."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    for child in children:
        words = Path(f"/proc/{child}/cmdline").read_text().split("\0")
        if "gxo.lab.guardian" in words:
            return words[-2]
    return ""


def test_nspawn_killed() -> None:
    """Kill -9 of systemd-nspawn, which by itself would leave the guest running, ends the lab."""
    with Lab.boot() as lab:
        leader = lab.leader
        os.kill(_parent(leader), signal.SIGKILL)
        assert wait_until_gone(lab.machine) == []
        assert not Path(f"/proc/{leader}/ns").exists()
        with pytest.raises(LabError, match="cannot reach the lab: it is gone"):
            lab.run(["true"])


def test_guardian_killed() -> None:
    """Kill -9 of the guardian: the kernel ends the lab, and the next boot sweeps up its groups."""
    lab = Lab.boot()
    leader = lab.leader
    os.kill(lab.guardian, signal.SIGKILL)
    deadline = time.monotonic() + 10
    while Path(f"/proc/{leader}/ns").exists() and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not [left for left in remains(lab.machine) if left.startswith("process")]
    with Lab.boot():
        assert remains(lab.machine) == []
    lab.close()


def test_guardian_killed_and_lab_closed() -> None:
    """The owner's close() clears up after a guardian that could not."""
    with Lab.boot() as lab:
        os.kill(lab.guardian, signal.SIGKILL)
    assert remains(lab.machine) == []


def test_a_living_lab_is_not_swept() -> None:
    """A sweep takes away only labs whose guardian is dead."""
    with Lab.boot() as lab:
        assert lab.machine not in sweep.sweep()
        assert lab.run(["systemctl", "is-system-running"]).stdout == "running\n"


def test_a_guest_that_resists(lab: Lab) -> None:
    """Frozen control groups and processes that ignore signals do not outlast close()."""
    with Lab.boot() as stubborn:
        stubborn.run(["systemd-run", "--unit=deaf", "sh", "-c", "trap '' TERM; sleep 600 & wait"])
        stubborn.run(["systemctl", "freeze", "deaf.service"])
    assert remains(stubborn.machine) == []
    assert lab.run(["true"]).returncode == 0


def _parent(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])

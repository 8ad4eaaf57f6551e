"""The apply lock, between real processes."""

import subprocess
import sys
import time
from pathlib import Path

import pytest

from gxo.apply.lock import LockTimeout, locked

HOLDER = (
    "import sys, time; from pathlib import Path; from gxo.apply.lock import locked\n"
    "with locked('gxo apply site/', place=Path(sys.argv[1])):\n"
    "    print('held', flush=True); time.sleep(60)"
)


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return tmp_path / "run" / "apply.lock"


def hold(place: Path) -> "subprocess.Popen[str]":
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(place)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    return process


def test_who_waits_in_vain_learns_for_whom(place: Path) -> None:
    """The error names command, process and time of the holder, and how to wait longer."""
    holder = hold(place)
    start = time.monotonic()
    with pytest.raises(LockTimeout) as raised, locked("gxo plan", timeout=0.2, place=place):
        pass
    assert 0.2 <= time.monotonic() - start < 2
    said = str(raised.value)
    assert said.startswith("cannot take the lock within 0.2 s: `gxo apply site/` (process ")
    assert f"(process {holder.pid}) has held it since " in said
    assert "--lock-timeout" in said
    holder.kill()
    holder.communicate()


def test_a_killed_holder_frees_the_lock(place: Path) -> None:
    """Kill -9 of the holder lets the next one in at once."""
    holder = hold(place)
    holder.kill()
    holder.communicate()
    with locked("gxo apply", timeout=0.5, place=place):
        pass


def test_a_child_does_not_keep_the_lock(place: Path) -> None:
    """A program started under the lock and still running later does not hold it."""
    with locked("gxo apply", timeout=0, place=place):
        child = subprocess.Popen(["sleep", "60"], close_fds=False)
    try:
        with locked("gxo apply", timeout=0, place=place):
            assert child.poll() is None
    finally:
        child.kill()
        child.wait()


def test_the_lock_is_taken_again_and_again(place: Path) -> None:
    """Freed after the block and after an error in it; the file tells of no holder then."""
    with pytest.raises(KeyError), locked("gxo apply", timeout=0, place=place):
        raise KeyError
    with locked("gxo apply", timeout=0, place=place):
        pass
    assert place.read_text() == "{}"


def test_who_waits_gets_it(place: Path) -> None:
    """Several processes take turns, none at the same time as another."""
    code = (
        "import sys, time; from pathlib import Path; from gxo.apply.lock import locked\n"
        "with locked('x', timeout=30, place=Path(sys.argv[1])):\n"
        "    mark = Path(sys.argv[2]); mark.mkdir(); time.sleep(0.05); mark.rmdir()"
    )
    mark = place.parent.parent / "inside"
    racers = [
        subprocess.Popen([sys.executable, "-c", code, str(place), str(mark)]) for _ in range(5)
    ]
    assert [racer.wait() for racer in racers] == [0] * 5

"""A racing attacker gains nothing: not by a swap, a rename, a link of either kind, or a mount."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.unit.racing import KINDS, SECRET

TOP = Path(__file__).parent.parent.parent


def race(kind: str, tries: int, seed: int) -> None:
    """What lies outside stays as it is, and is never read."""
    argv = [sys.executable, "-m", "tests.unit.racing", kind, str(tries), str(seed)]
    done = subprocess.run(argv, cwd=TOP, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    assert found["same"], found["ends"]
    assert SECRET not in "".join(found["read"])
    # it was a race: each side was the first now and then
    lost = KINDS[kind][2]
    assert found["ends"].get("done"), found["ends"]
    assert any(end.startswith(lost) for end in found["ends"]), found["ends"]


@pytest.mark.parametrize("kind", KINDS)
def test_an_attacker_who_races(kind: str) -> None:
    """A few hundred acts, drawn by a seed, while the other side does nothing but attack."""
    race(kind, 400, 1)


@pytest.mark.soak
@pytest.mark.parametrize("kind", KINDS)
def test_an_attacker_who_races_a_hundred_thousand_times(kind: str) -> None:
    """The same, twenty thousand times for each way of five."""
    race(kind, 20_000, 2)

"""Streams of which a runner, a pump or an end is killed at any instant: nothing hangs or stays."""

import random
import time

import pytest

from tests.lab.machine import Machine
from tests.lab.running import step
from tests.lab.test_run_kills import MARK, TOGETHER, batch, kill_unit

SPAN = 4.0
"""Seconds from the first runner's start to the last kill; undisturbed, they take about as long."""
PUMP = "shim/pump[.]py"
STUBBORN = f"trap '' TERM; while read line; do :; done; sleep 0.5 # {MARK}"
"""A reader that takes systemd the whole stop timeout to end, where it is stopped."""
WORKLOADS = (
    step("make", f"for n in $(seq 30); do seq 20000; sleep 0.1; done # {MARK}")
    + step("one", "exec tr 0-9 a-j", "stream_inputs: [make], ")
    + step("two", f"cat; true # {MARK}", "stream_inputs: [make], ")
    + step(
        "both",
        f'cat "$GXO_STREAM_ONE" >x & cat "$GXO_STREAM_TWO" >y & wait; cat x y # {MARK}',
        "stream_inputs: [one, two], ",
    )
    + step("late", f"sleep 2; exec sha256sum # {MARK}", "stream_inputs: [both], ")
    + step(
        "news",
        "cat >/dev/null",
        "stream_inputs: [make], channel_policy: {overflow_strategy: drop_oldest}, ",
    )
    + step("last", "true", "needs: [late], ")
)


@pytest.fixture(autouse=True)
def ready(machine: Machine) -> None:
    """The host is set up."""
    machine.gxo("setup", check=True)


def kill_and_look(machine: Machine, batches: int, seed: int, stubborn: float = 0) -> None:
    """Batches of runs, each with kills at random instants; nothing is left behind any.

    `stubborn` is the part of them in which one ignores SIGTERM.
    """
    print(f"seed {seed}")
    chance = random.Random(seed)
    for _ in range(batches):
        more = step("stubborn", STUBBORN, "stream_inputs: [two], timeout: 6s, ")
        workloads = WORKLOADS + (more if chance.random() < stubborn else "")
        path = machine.write("/srv/cut.yaml", f"name: cut\nworkloads:\n{workloads}")
        batch(machine, path, lambda: kill_some(machine, chance))
        assert machine.run("pgrep", "-af", PUMP).stdout == ""


def kill_some(machine: Machine, chance: random.Random) -> None:
    """About one kill a run, of what is there at the instant: a runner, a pump or a step."""
    start = time.monotonic()
    for instant in sorted(chance.uniform(0, SPAN) for _ in range(TOGETHER)):
        time.sleep(max(start + instant - time.monotonic(), 0))
        kind = chance.choice(("gxo-run-*", "gxorun-*", PUMP))
        if kind != PUMP:
            kill_unit(machine, kind, chance)
        elif pumps := machine.run("pgrep", "-f", PUMP).stdout.split():
            machine.run("kill", "-KILL", chance.choice(pumps))


def test_killed_streams_leave_nothing(machine: Machine) -> None:
    """A few runs killed at random instants leave nothing of their streams behind."""
    kill_and_look(machine, 1, seed=machine.version)


@pytest.mark.soak
@pytest.mark.timeout(3600)
def test_many_killed_streams_leave_nothing(machine: Machine) -> None:
    """Nor do 100 of them."""
    seed = random.SystemRandom().randrange(2**32)
    kill_and_look(machine, 100 // TOGETHER, seed=seed, stubborn=0.3)

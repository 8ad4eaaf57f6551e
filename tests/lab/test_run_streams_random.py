"""Random topologies of streams: what comes out is what plain Python makes of the same data."""

import random

import pytest

from tests.lab.machine import Machine
from tests.lab.running import run
from tests.lab.topologies import PLACE, drawn


@pytest.fixture(autouse=True)
def ready(machine: Machine) -> None:
    """The host is set up."""
    machine.gxo("setup", check=True)


def compare(machine: Machine, count: int, seed: int) -> None:
    """So many playbooks, by turns of programs alone and with gxo's own modules."""
    print(f"seed {seed}")
    chance = random.Random(seed)
    for number in range(count):
        topology = drawn(chance, chance.randint(3, 9), modules=number % 2 == 1)
        machine.run("rm", "-rf", PLACE)
        machine.run("mkdir", "-p", PLACE, check=True)
        ran = run(machine, topology.workloads, name="topology")
        said = f"seed {seed}, number {number}\n{topology.workloads}"
        assert (ran.code, set(ran.steps.values())) == (0, {"Completed"}), (ran, said)
        assert not (found := topology.differs(machine.read)), f"{found}\n{said}"


def test_topologies(machine: Machine) -> None:
    """In a few random nets of streams every reader gets what the model says."""
    compare(machine, 4, seed=machine.version)


@pytest.mark.soak
@pytest.mark.timeout(3600)
def test_many_topologies(machine: Machine) -> None:
    """So it does in 50 others each time."""
    compare(machine, 50, seed=random.SystemRandom().randrange(2**32))

"""Streams in bulk: every byte comes through, and nothing of gxo's grows with them."""

import hashlib
import random
from collections.abc import Iterator

import pytest

from tests.lab.applying import until
from tests.lab.machine import Machine
from tests.lab.running import left, run, step, summaries, use

MIB = 1 << 20
BLOCKS = f"""\
import random, sys
block = random.Random(1).randbytes({MIB})
for number in range(int(sys.argv[1])):
    sys.stdout.buffer.write(number.to_bytes(8, "big") + block[8:])
"""
"""Writes so many MiB, no two of them alike."""
GROWTH = 10 * 1024
"""What a process may take more for a hundred times the data, in KiB."""
KINDS = {"runner": "gxo[.]runtime", "pump": "shim/pump[.]py", "worker": "gxo[.]modules"}
"""How each kind of process of ours looks in a list of them."""


@pytest.fixture(autouse=True)
def ready(machine: Machine) -> Iterator[None]:
    """The host is set up; what makes data, and what tests leave, goes after each."""
    machine.gxo("setup", check=True)
    machine.write("/srv/bulk/blocks.py", BLOCKS)
    yield
    machine.run("rm", "-rf", "/srv/bulk")


def digest(mebibytes: int) -> str:
    """Of what BLOCKS writes."""
    block = random.Random(1).randbytes(MIB)
    whole = hashlib.sha1(usedforsecurity=False)
    for number in range(mebibytes):
        whole.update(number.to_bytes(8, "big"))
        whole.update(memoryview(block)[8:])
    return whole.hexdigest()


def come_through(machine: Machine, mebibytes: int) -> None:
    """Through three programs in a row, to a checksum."""
    ran = run(
        machine,
        step("make", f"exec python3 /srv/bulk/blocks.py {mebibytes}", "register: make, ")
        + step("pass", "exec cat", "stream_inputs: [make], ")
        + step("check", "exec sha1sum", "stream_inputs: [pass], register: check, "),
        name="bulk",
        timeout=1800,
    )
    assert ran.code == 0, ran.events
    assert summaries(machine, ran.id)["check"]["stdout"] == f"{digest(mebibytes)}  -"


def peaks(machine: Machine, mebibytes: int) -> dict[str, int]:
    """The most memory (KiB) that each process of ours has had when so much has passed."""
    machine.run("rm", "-f", "/srv/bulk/written", "/srv/bulk/go")
    make = f"python3 /srv/bulk/blocks.py {mebibytes}; touch /srv/bulk/written"
    wait = "until test -e /srv/bulk/go; do sleep 0.05; done"
    path = machine.write(
        "/srv/bulk/bulk.yaml",
        "name: bulk\nworkloads:\n"
        + step("make", f"{make}; {wait}", "security_context: {profile: host}, ")
        + step("one", "exec cat >/dev/null", "stream_inputs: [make], ")
        + use("two", "passthrough", "stream_inputs: [make], ")
        + step("three", "exec cat >/dev/null", "stream_inputs: [two], "),
    )
    process = machine.popen(*machine.gxo_argv("run", path), env=machine.gxo_env)
    try:
        assert until(lambda: machine.exists("/srv/bulk/written"), 1800), process.communicate()
        found = {kind: peak(machine, pattern) for kind, pattern in KINDS.items()}
    finally:
        machine.write("/srv/bulk/go", "")
        process.communicate(timeout=60)
    assert (process.returncode, left(machine)) == (0, [])
    return found


def peak(machine: Machine, pattern: str) -> int:
    """The VmHWM of the one process of which the command line has this."""
    (pid,) = machine.run("pgrep", "-f", "--", pattern, check=True).stdout.split()
    status = machine.run("cat", f"/proc/{pid}/status", check=True).stdout
    return int(status.split("VmHWM:")[1].split()[0])


def stay_flat(machine: Machine, little: int, much: int) -> None:
    before, after = peaks(machine, little), peaks(machine, much)
    print(before, after)
    assert all(after[kind] - before[kind] < GROWTH for kind in KINDS)


def test_much_comes_through(machine: Machine) -> None:
    """300 MiB come through three programs whole."""
    come_through(machine, 300)


def test_memory_stays_flat(machine: Machine) -> None:
    """The runner, a pump and a worker take no more for 300 MiB than for 3."""
    stay_flat(machine, 3, 300)


@pytest.mark.soak
@pytest.mark.timeout(3600)
def test_ten_gigabytes_come_through(machine: Machine) -> None:
    """10 GB come through three programs whole."""
    come_through(machine, 10_000)


@pytest.mark.soak
@pytest.mark.timeout(3600)
def test_memory_stays_flat_for_ten_gigabytes(machine: Machine) -> None:
    """The runner, a pump and a worker take no more for 10 GB than for 100 MB."""
    stay_flat(machine, 100, 10_000)

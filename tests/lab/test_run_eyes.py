"""What is to be seen of a run: while it goes on, at its end, and later."""

import os
import signal

import pytest

from tests.lab.applying import until
from tests.lab.machine import Machine
from tests.lab.running import left, step
from tests.schemas import held


@pytest.fixture(autouse=True)
def ready(machine: Machine) -> None:
    """The host is set up."""
    machine.gxo("setup", check=True)


def playbook(machine: Machine, workloads: str, name: str = "eyes") -> str:
    """The path of a playbook of these workloads."""
    return machine.write(f"/srv/{name}.yaml", f"name: {name}\nworkloads:\n{workloads}")


def test_a_suspended_command_holds_nothing_up(machine: Machine) -> None:
    """The run ends without it; once it goes on it prints all that happened, and exits as it should.

    What is told is far more than a pipe holds.
    """
    much = "for n in 1 2 3 4 5 6 7 8 9; do head -c 20000 /dev/zero | tr '\\0' x; echo; done; exit 3"
    names = ["a", "b", "c", "d"]
    path = playbook(
        machine,
        step("first", "while ! test -e /srv/go; do sleep 0.1; done")
        + "".join(step(n, much, "needs: [first], ignore_errors: true, ") for n in names),
        "sleepy",
    )
    machine.run("rm", "-f", "/srv/go")
    process = machine.popen(*machine.gxo_argv("run", "--json", path), env=machine.gxo_env)
    try:
        assert until(lambda: any(unit.endswith("first.service") for unit in left(machine)))
        os.killpg(process.pid, signal.SIGSTOP)
        machine.write("/srv/go", "")
        assert until(lambda: left(machine) == [])
        shown = held("runs", machine.gxo("runs", "-n", "1", "--json", check=True).stdout)
        assert shown["runs"][0]["status"] == "Failed"
        os.killpg(process.pid, signal.SIGCONT)
        out, _ = process.communicate(timeout=60)
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate(timeout=20)
    told = [held("event", line) for line in out.splitlines()]
    ends = {e["step"] for e in told if (e["event"], e["status"]) == ("step", "Failed")}
    words = [e["detail"] for e in told if e["event"] == "output"]
    assert ends == set(names)
    assert [len(said) for said in words] == [9 * 20001 - 1] * 4
    assert (told[-1]["event"], told[-1]["status"], process.returncode) == ("run", "Failed", 1)

"""Runs and the end of a boot: none stays Running."""

from tests.lab.applying import until
from tests.lab.machine import Machine
from tests.lab.running import left, step, steps
from tests.schemas import held


def test_power_lost_in_a_run(whole_machine: Machine) -> None:
    """After the next boot the run has Failed, and its workspace is gone."""
    machine = whole_machine
    machine.gxo("setup", check=True)
    path = machine.write("/srv/cut.yaml", f"name: cut\nworkloads:\n{step('long', 'sleep 1000')}")
    run_id = machine.gxo("run", "--detach", path, check=True).stdout.strip()
    assert until(lambda: steps(machine) != [])
    machine.lab.kill()
    machine.lab.start()
    assert until(lambda: left(machine) == [], 30)
    shown = held("run", machine.gxo("runs", "show", "--json", run_id, check=True).stdout)
    assert (shown["status"], shown["steps"]["long"]["status"]) == ("Failed", "Failed")

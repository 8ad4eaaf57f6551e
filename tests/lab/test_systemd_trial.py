"""What a host enforces, found by trying it out."""

import pytest

from gxo.lab import CgroupMode, Lab, LabSpec
from gxo.lab.spec import LabError
from gxo.systemd.bus import Bus
from gxo.systemd.manager import Manager
from gxo.systemd.trial import Trial, attempt
from gxo.systemd.trials import trials
from gxo.units.model import Property
from tests.lab.machine import Machine

# a lab may not set the clock, which is the host's, nor reach the kernel's keys: vm-tests try them
ELSEWHERE = ("clock", "private-keys")
LIMITS = {"memory-limit": "MemoryMax", "task-limit": "TasksMax", "cpu-limit": "CPUQuota"}


def test_what_this_machine_enforces(machine: Machine) -> None:
    """Each protection holds, and not without its directive; limits where the lab says so."""
    machine.run("mkdir", "-p", "/usr/lib/modules", check=True)
    with Bus.at(machine.lab.bus_address) as bus:
        manager = Manager(bus)
        verdicts = {v.trial.name: v for v in attempt(manager, trials(machine.version))}
        assert manager.units("gxo-doctor-*") == ()
    for name, directive in LIMITS.items():
        assert verdicts.pop(name).enforced == machine.lab.limits.enforces(directive), name
    for name in ELSEWHERE:
        assert verdicts.pop(name).enforced is None
    assert {name: v.reason for name, v in verdicts.items() if not v.enforced} == {}


def test_limits_without_a_controller_are_found_out() -> None:
    """Where cgroup v2 lacks its controllers, systemd accepts the limits and the trial says no."""
    try:
        lab = Lab.boot(LabSpec(cgroup=CgroupMode.V2))
    except LabError as error:  # a host of version 1 alone cannot show version 2
        assert "cgroup" in str(error)
        return
    with lab, Bus.at(lab.bus_address) as bus:
        manager = Manager(bus)
        limits = ("memory-limit", "task-limit")
        wanted = [trial for trial in trials(manager.version) if trial.name in limits]
        verdicts = {v.trial.name: v.enforced for v in attempt(manager, wanted)}
        assert verdicts == {
            "memory-limit": lab.limits.enforces("MemoryMax"),
            "task-limit": lab.limits.enforces("TasksMax"),
        }


@pytest.mark.parametrize(
    ("argv", "properties", "reason"),
    [
        (("/bin/false",), (), "the trial fails without the limit as well"),
        (("/bin/true",), (Property("Nope", "s", "x"),), "systemd refuses it: "),
        (
            ("/bin/true",),
            (Property("WorkingDirectory", "s", "/nonexistent"),),
            "systemd cannot set it up here (exit status 200)",
        ),
    ],
)
def test_a_trial_that_proves_nothing(
    machine: Machine, argv: tuple[str, ...], properties: tuple[Property, ...], reason: str
) -> None:
    """A trial that fails for another reason than its limit is unknown, not enforced."""
    trial = Trial(name="none", protects="nothing", directives=(), properties=properties, argv=argv)
    with Bus.at(machine.lab.bus_address) as bus:
        (verdict,) = attempt(Manager(bus), [trial])
    assert verdict.enforced is None
    assert verdict.reason.startswith(reason)

"""What systemd says of itself and its units, held against systemctl."""

import signal
import time
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gxo.systemd.bus import MANAGER, MANAGER_PATH, Bus, BusError
from gxo.systemd.manager import Manager, major, unit_path
from gxo.systemd.states import SystemState
from tests.lab.applying import until
from tests.lab.machine import Machine
from tests.lab.systemd_units import ONESHOT, service


@pytest.fixture
def manager(machine: Machine) -> Iterator[Manager]:
    """The machine's systemd, over a connection of the test's own."""
    with Bus.at(machine.lab.bus_address) as bus:
        yield Manager(bus)


def test_version_and_state(machine: Machine, manager: Manager) -> None:
    """The version is the machine's, as a number and as systemd says it; the state is known."""
    assert manager.version == machine.version
    assert manager.version_text.startswith(f"{machine.version}.")
    assert manager.state in (SystemState.RUNNING, SystemState.DEGRADED)


@pytest.mark.parametrize(
    ("text", "number"),
    [("252.39-1~deb12u1", 252), ("257", 257), ("v256-rc2", 256), ("", 0), ("unknown", 0)],
)
def test_major(text: str, number: int) -> None:
    """The major version is the number that the text starts with."""
    assert major(text) == number


def test_units_by_pattern_and_by_name(manager: Manager) -> None:
    """Patterns list loaded units, a backslash as it stands; names also give those not there."""
    manager.start_transient("list-a.service", service("exec sleep 60"))
    manager.start_transient("list-b.service", service("exec sleep 60"))
    try:
        assert [(u.name, u.load, u.active, u.sub, u.job) for u in manager.units("list-*")] == [
            ("list-a.service", "loaded", "active", "running", ""),
            ("list-b.service", "loaded", "active", "running", ""),
        ]
        assert manager.units("list-*", states=["failed"]) == ()
        manager.start_transient("list-c\\x2dd.service", service("exec sleep 60"))
        assert [u.name for u in manager.units("list-c\\x2d*")] == ["list-c\\x2dd.service"]
        manager.stop("list-c\\x2dd.service")
        named = manager.named("list-b.service", "list-z.service")
        assert named["list-b.service"].found
        assert not named["list-z.service"].found
    finally:
        manager.stop("list-a.service")
        manager.stop("list-b.service")


def test_properties_agree_with_systemctl(machine: Machine, manager: Manager) -> None:
    """What is read over the bus is what `systemctl show` prints, of one unit and of many."""
    names = ("Id", "ActiveState", "MainPID", "FragmentPath", "Type", "Slice")
    shown = machine.show("systemd-journald.service", *names)
    read = manager.properties("systemd-journald.service", names)
    assert {name: str(value) for name, value in read.items()} == shown
    many = manager.properties_of_many(["systemd-journald.service", "basic.target"], names)
    assert many["systemd-journald.service"] == read
    assert list(many) == ["systemd-journald.service", "basic.target"]
    assert many["basic.target"] == {
        "Id": "basic.target",
        "ActiveState": "active",
        "FragmentPath": many["basic.target"]["FragmentPath"],
    }


def test_all_properties(manager: Manager) -> None:
    """Without names the properties of all of a unit's interfaces come."""
    everything = manager.properties("systemd-journald.service")
    assert everything["ActiveState"] == "active"
    assert everything["MainPID"] > 0


def test_a_unit_that_is_not_there(manager: Manager) -> None:
    """An unknown name reads as not found and inactive, with nothing loaded by the reading."""
    result = manager.result("not-there.service")
    assert (result.found, result.active, result.pid, result.invocation) == (
        False,
        "inactive",
        0,
        "",
    )


def test_how_a_process_ended(machine: Machine, manager: Manager) -> None:
    """Result, code, status, restarts and invocation are read of exits, signals and restarts."""
    with manager.jobs() as jobs:
        jobs.start_transient("e-exit.service", service("exit 3", ONESHOT))
        jobs.start_transient("e-kill.service", service("kill -9 $$$$", ONESHOT))
        keep = ("RemainAfterExit", "b", True)
        jobs.start_transient("e-good.service", service("true", ONESHOT, keep))
        jobs.wait(30)
    results = manager.results(["e-exit.service", "e-kill.service", "e-good.service"])
    assert [(r.active, r.result, r.code, r.status, r.pid) for r in results.values()] == [
        ("failed", "exit-code", "exited", 3, 0),
        ("failed", "signal", "killed", 9, 0),
        ("active", "success", "exited", 0, 0),
    ]
    shown = machine.show("e-good.service", "InvocationID")
    assert results["e-good.service"].invocation == shown["InvocationID"]
    assert abs(results["e-good.service"].since / 1e6 - time.time()) < 60
    manager.stop("e-good.service")
    for name in ("e-exit.service", "e-kill.service", "e-good.service", "not-there.service"):
        manager.reset_failed(name)
    assert not manager.result("e-exit.service").found


def test_a_reference_keeps_the_result(manager: Manager) -> None:
    """A unit that succeeded is collected at once, and stays readable while it is referenced."""
    manager.start_transient("ref-no.service", service("sleep 0.2"))
    manager.start_transient("ref-yes.service", service("sleep 0.2"))
    manager.ref("ref-yes.service")
    assert until(lambda: not manager.result("ref-no.service").found)
    assert until(lambda: not manager.result("ref-yes.service").pid)
    assert (manager.result("ref-yes.service").code, manager.result("ref-yes.service").status) == (
        "exited",
        0,
    )
    manager.unref("ref-yes.service")
    with pytest.raises(BusError):
        manager.unref("ref-no.service")


def test_signals(machine: Machine, manager: Manager) -> None:
    """A signal reaches a unit's main process; there need be no such unit."""
    script = "trap 'exit 7' USR1; touch /run/trapped; while :; do sleep 0.05; done"
    manager.start_transient("kill-me.service", service(script))
    assert until(lambda: machine.exists("/run/trapped"))
    manager.kill("kill-me.service", signal.SIGUSR1, whom="main")
    assert until(lambda: manager.result("kill-me.service").active == "failed")
    assert manager.result("kill-me.service").status == 7
    manager.kill("not-there.service", signal.SIGTERM)
    manager.reset_failed("kill-me.service")


def test_reload_reads_new_files(machine: Machine, manager: Manager) -> None:
    """A unit file written after the boot is known after daemon_reload."""
    machine.write(
        "/run/systemd/system/filed.service", "[Unit]\nDescription=old\n[Service]\nExecStart=true\n"
    )
    manager.daemon_reload()
    assert manager.properties("filed.service", ["Description"]) == {"Description": "old"}
    machine.lab.path("/run/systemd/system/filed.service").unlink()
    manager.daemon_reload()
    assert not manager.result("filed.service").found


NAMES = st.text(
    "abcXYZ019_.-:@\\", min_size=1, max_size=40
)  # what a unit's name may hold (systemd.unit(5))


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(name=NAMES)
def test_paths_are_systemds_own(manager: Manager, name: str) -> None:
    """The object path we make of any name is the one that systemd gives."""
    unit = f"{name}.service"
    try:
        path = manager.bus.call(MANAGER_PATH, MANAGER, "LoadUnit", "s", (unit,))[0]
    except BusError as error:
        assert "not valid" in error.message or "Invalid" in error.name, error.message
    else:
        assert path == unit_path(unit)

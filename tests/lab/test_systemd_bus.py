"""The connection to a bus: what can go wrong on it, each as the exception that says so."""

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from gxo.systemd.bus import MANAGER, Bus, BusError, NotPermitted, TimedOut, Unreachable
from gxo.systemd.manager import Manager
from tests.lab.machine import Machine
from tests.lab.systemd_units import ONESHOT, service

PATH = "/org/freedesktop/systemd1"


def test_no_bus(tmp_path: Path) -> None:
    """Where there is no socket, systemd is unreachable, and the message says what to try."""
    with pytest.raises(Unreachable) as caught:
        Bus.at(f"unix:path={tmp_path}/none")
    assert str(caught.value).startswith("cannot reach systemd: Could not connect: No such file")
    assert str(caught.value).endswith("; try `gxo try`")


def test_not_an_address() -> None:
    """Text that is no D-Bus address makes systemd unreachable."""
    with pytest.raises(Unreachable):
        Bus.at("nonsense")


def test_a_listener_that_never_answers(tmp_path: Path) -> None:
    """A socket that takes the connection and says nothing costs the timeout, not for ever."""
    path = tmp_path / "socket"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen()
        start = time.monotonic()
        with pytest.raises(Unreachable, match=r"did not answer within 0\.3 s"):
            Bus.at(f"unix:path={path}", timeout=0.3)
    assert 0.2 < time.monotonic() - start < 5


def test_a_listener_that_hangs_up(tmp_path: Path) -> None:
    """A server that ends the connection at once makes systemd unreachable."""
    path = tmp_path / "socket"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen()
        child = os.fork()
        if child == 0:
            listener.accept()[0].close()
            os._exit(0)
        with pytest.raises(Unreachable):
            Bus.at(f"unix:path={path}")
        os.waitpid(child, 0)


def test_an_error_has_its_name_and_text(machine: Machine) -> None:
    """A refusal carries D-Bus' error name and the bare message."""
    with Bus.at(machine.lab.bus_address) as bus, pytest.raises(BusError) as caught:
        bus.call(PATH, MANAGER, "GetUnit", "s", ("nope.service",))
    assert caught.value.name == "org.freedesktop.systemd1.NoSuchUnit"
    assert str(caught.value) == "Unit nope.service not loaded."


def test_a_reply_of_another_type_is_an_error(machine: Machine) -> None:
    """What was declared as the reply's type is held."""
    with Bus.at(machine.lab.bus_address) as bus, pytest.raises((BusError, Unreachable)):
        bus.call(PATH, MANAGER, "ListUnits", "", (), "u")


def test_a_service_that_is_not_there(machine: Machine) -> None:
    """A bus without the service asked for is unreachable, not an error of a unit."""
    with Bus.at(machine.lab.bus_address) as bus, pytest.raises(Unreachable):
        bus.call("/", "org.gxo.Nope", "Nope", destination="org.gxo.Nope")


def test_a_call_that_gets_no_answer(machine: Machine) -> None:
    """While systemd stands still a call ends with its timeout; the connection goes on after it."""
    with Bus.at(machine.lab.bus_address) as bus:
        os.kill(machine.lab.leader, signal.SIGSTOP)
        try:
            with pytest.raises(TimedOut, match="no answer to ListJobs in time"):
                bus.call(PATH, MANAGER, "ListJobs", timeout=0.2)
        finally:
            os.kill(machine.lab.leader, signal.SIGCONT)
        assert Manager(bus).version == machine.version


def test_pydbus_stands_on_the_same_connection(machine: Machine) -> None:
    """A pydbus proxy answers by our connection, and what only calls and listens never loads it."""
    code = f"""
import sys
from gxo.systemd.bus import Bus
from gxo.systemd.manager import Manager
with Bus.at({machine.lab.bus_address!r}) as bus:
    manager = Manager(bus)
    manager.stop("there-is-none.service")
    print("pydbus" in sys.modules, bus.pydbus.get(".systemd1").Version == manager.version_text)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("False True\n", "")


def test_another_user_may_look_and_not_touch(machine: Machine) -> None:
    """An ordinary user reads states, and is not permitted to start or stop anything."""
    code = f"""
import os
from gxo.systemd.bus import Bus, NotPermitted
from gxo.systemd.manager import Manager
from gi.repository import Gio
import pydbus
os.chdir("/proc/{machine.lab.leader}/root/run/dbus")
os.setresgid(65534, 65534, 65534)
os.setresuid(65534, 65534, 65534)
manager = Manager(Bus.at("unix:path=system_bus_socket"))
print(manager.result("dbus.service").active)
for act in (manager.stop, manager.reload, manager.reset_failed):
    try:
        act("dbus.service")
    except NotPermitted as error:
        print(str(error).startswith("not permitted: "))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("active\nTrue\nTrue\nTrue\n", "")


def test_the_end_of_the_bus_does_not_end_us(fresh_machine: Machine) -> None:
    """When the bus goes away, waiting and calling both say unreachable, and the process lives."""
    with Bus.at(fresh_machine.lab.bus_address) as bus:
        manager = Manager(bus)
        with manager.jobs() as jobs:
            jobs.start_transient("slow.service", service("sleep 60", ONESHOT))
            assert [o.result for o in jobs.wait(0.3).values()] == ["waiting"]
            fresh_machine.run("systemctl", "kill", "--signal=KILL", "dbus.service", check=True)
            with pytest.raises(Unreachable, match="the connection to the bus was lost"):
                jobs.wait(20)
        with pytest.raises(Unreachable):
            _ = manager.version


def test_closing_twice_is_fine(machine: Machine) -> None:
    """A closed bus can be closed again, and says it is closed when called."""
    bus = Bus.at(machine.lab.bus_address)
    bus.close()
    bus.close()
    assert bus.closed
    with pytest.raises(Unreachable):
        _ = Manager(bus).version
    assert issubclass(NotPermitted, BusError)

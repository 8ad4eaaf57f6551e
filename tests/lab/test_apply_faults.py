"""Applies that are killed, that run at once, and machines that lose power."""

import os
import random
import signal
import time
from collections.abc import Iterator

import pytest

from tests.lab.applying import HOST, Site, schedule, service, site, until
from tests.lab.machine import Machine
from tests.lab.running import step
from tests.schemas import held

RAN = "/srv/{name}/ran"


@pytest.fixture
def here(machine: Machine) -> Iterator[Site]:
    with site(machine, "fault") as found:
        yield found


def form(here: Site, number: int) -> dict[str, str]:
    """Write form `number` of a playbook of which two differ in everything; what it must come to.

    The unit of each service, and the seconds that it sleeps.
    """
    seconds = 1000 + number
    extra = "even" if number % 2 == 0 else "odd"
    here.write(
        step("setup", f"sleep 0.1; echo {number} >>{RAN.format(name=here.name)}")
        + service("web", f"exec sleep {seconds}", "needs: [setup], ")
        + service("db", f"exec sleep {seconds}")
        + service(extra, f"exec sleep {seconds}", "needs: [db], ")
        + schedule("job", f"true {number}", "04:00", ", catch_up: true"),
        HOST,
    )
    return {here.unit(name): str(seconds) for name in ("web", "db", extra)}


def assert_converged(here: Site, number: int, wanted: dict[str, str]) -> None:
    """Just the wanted units run, in the wanted form; nothing is left to do, nor of an intent."""
    assert here.plan() == {}
    active = here.units("active")
    (timer,) = [name for name in active if name.endswith(".timer")]
    assert active.keys() - {timer} == wanted.keys()
    for unit, seconds in wanted.items():
        pid = here.machine.show(unit, "MainPID")["MainPID"]
        assert here.machine.run("ps", "-o", "args=", "-p", pid).stdout.split()[-1] == seconds
    assert here.lines(RAN.format(name=here.name))[-1] == str(number)
    files = here.machine.run("ls", "-A", f"/var/lib/gxo/applied/{here.name}").stdout.split()
    assert all(name == "observed.json" or name.split(".")[0].isdigit() for name in files)
    stamps = here.machine.run("ls", "/var/lib/systemd/timers").stdout.split()
    assert [name for name in stamps if here.name in name] == [f"stamp-{timer}"]
    failed = here.machine.run("systemctl", "list-units", "--state=failed", f"gxo-{here.name}.*")
    assert "0 loaded units" in failed.stdout


def kill_and_mend(here: Site, rounds: int, seed: int) -> None:
    """Kill an apply at a random instant, look, apply again: it comes to what was wanted."""
    chance = random.Random(seed)
    machine = here.machine
    form(here, 0)
    start = time.monotonic()
    here.apply()
    whole = time.monotonic() - start
    for number in range(1, rounds + 1):
        last = number
        wanted = form(here, last)
        process = machine.popen(*machine.gxo_argv("apply", "--yes", here.path), env=machine.gxo_env)
        time.sleep(chance.uniform(0.2, 1.1) * whole)
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        # what the next apply is told may be another form again
        if chance.random() < 0.3:
            last = number + 1000
            wanted = form(here, last)
        here.apply()
        assert_converged(here, last, wanted)


def test_a_killed_apply_is_mended(here: Site) -> None:
    """Kill -9 at a few random instants, each followed by an apply that converges."""
    kill_and_mend(here, 4, seed=here.machine.version)


@pytest.mark.soak
@pytest.mark.timeout(1800)
def test_many_killed_applies_are_mended(here: Site) -> None:
    """Kill -9 at 50 random instants, each followed by an apply that converges."""
    kill_and_mend(here, 50, seed=1000 + here.machine.version)


def test_a_killed_first_apply_is_mended(here: Site) -> None:
    """Before anything was recorded: the next apply converges, or removing leaves nothing."""
    machine = here.machine
    wanted = form(here, 1)
    for delay in (0.9, 1.3):
        process = machine.popen(*machine.gxo_argv("apply", "--yes", here.path), env=machine.gxo_env)
        time.sleep(delay)
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
    here.apply()
    assert_converged(here, 1, wanted)


def test_eight_applies_at_once(here: Site) -> None:
    """Each waits for its turn and succeeds; in the end there is one of the two forms, whole."""
    machine = here.machine
    wanted = {}
    for number in (1, 2):
        wanted[number] = form(here, number)
        machine.run("cp", here.path, f"/srv/fault-{number}.yaml", check=True)
    racers = [
        machine.popen(
            *machine.gxo_argv("apply", "--yes", f"/srv/fault-{1 + turn % 2}.yaml"),
            env=machine.gxo_env,
        )
        for turn in range(8)
    ]
    said = [racer.communicate(timeout=120) for racer in racers]
    assert [racer.returncode for racer in racers] == [0] * 8, said
    last = int(here.lines(RAN.format(name="fault"))[-1])
    machine.run("cp", f"/srv/fault-{last}.yaml", here.path, check=True)
    assert_converged(here, last, wanted[last])


def test_who_cannot_wait_learns_for_whom(here: Site) -> None:
    """Exit 75, with command and process of the apply that holds the lock."""
    machine = here.machine
    here.write(step("slow", "sleep 5"), HOST)
    process = machine.popen(*machine.gxo_argv("apply", "--yes", here.path), env=machine.gxo_env)
    assert process.stderr is not None
    assert any("running" in line for line in process.stderr)
    done = here.gxo("apply", "--yes", "--lock-timeout", "0.3", here.path)
    assert done.returncode == 75
    assert "cannot take the lock within 0.3 s: `gxo apply fault` (process " in done.stderr
    process.communicate()
    assert process.returncode == 0


def test_an_apply_under_way_is_told_of(here: Site) -> None:
    """It is not one that was cut off, nor is what it has begun unknown; when it ends, none is."""
    machine = here.machine
    here.write(
        service("web", "sleep 1000") + step("slow", "while ! test -e /srv/go; do sleep 0.1; done")
    )
    machine.lab.path("/srv/go").unlink(missing_ok=True)
    process = machine.popen(*machine.gxo_argv("apply", "--yes", here.path), env=machine.gxo_env)
    assert process.stderr is not None
    assert any("started" in line for line in process.stderr)
    plan, status, unknown = (
        here.gxo("plan", here.path),
        here.gxo("status"),
        here.gxo("status", "fault.web"),
    )
    told = held("plan", here.gxo("plan", "--json", here.path).stdout)
    shown = held("status", here.gxo("status", "--json").stdout)
    machine.write("/srv/go", "")
    process.communicate()
    assert process.returncode == 0
    assert "interrupted" not in plan.stdout
    assert "; what it has yet to do is not in this plan\n" in plan.stderr
    assert "unknown: gxo-fault" not in status.stdout
    assert "has been under way since" in status.stdout
    assert "has been under way since" in unknown.stderr
    assert told["interrupted"] == []
    assert told["under_way"] == shown["under_way"]
    assert told["under_way"].startswith("`gxo apply fault` (process ")
    assert held("status", here.gxo("status", "--json").stdout)["under_way"] is None


@pytest.mark.parametrize("power_cut", [False, True])
def test_what_was_applied_is_there_after_a_boot(whole_machine: Machine, power_cut: bool) -> None:
    """Services and timers run again in their order, steps do not, and a missed turn is made up."""
    machine = whole_machine
    here = Site(machine, "boot")
    log = "/srv/boot/log"
    machine.run("mkdir", "-p", "/srv/boot")
    here.write(
        step("setup", f"echo setup >>{log}")
        + service("db", f"echo db >>{log}; sleep 1000", "needs: [setup], ")
        + service("web", f"echo web >>{log}; sleep 1000", "needs: [db], ")
        + schedule("owed", f"echo owed >>{log}", "*-01-01", ", catch_up: true")
        + schedule("idle", f"echo idle >>{log}", "*-01-01"),
        HOST,
    )
    here.apply()
    assert here.lines(log) == ["setup", "db", "web"]
    (owed,) = [name for name in here.timers() if ".owed." in name]
    machine.run("touch", "--date=2 years ago", f"/var/lib/systemd/timers/stamp-{owed}", check=True)
    if power_cut:
        machine.lab.kill()
        machine.lab.start()
    else:
        machine.lab.reboot()
    assert until(lambda: len(here.units("active")) == 4 and "web" in here.lines(log)[3:], 30)
    assert until(lambda: "owed" in here.lines(log), 5)
    again = here.lines(log)[3:]
    assert [line for line in again if line != "owed"] == ["db", "web"]
    assert again.count("owed") == 1
    assert here.plan() == {}
    assert machine.show("gxo-restore.service", "ActiveState")["ActiveState"] == "active"
    pid = here.pid("web")
    here.apply()
    assert here.pid("web") == pid


def test_power_lost_in_an_apply(whole_machine: Machine) -> None:
    """After the boot runs what was applied last in full; the apply again converges."""
    machine = whole_machine
    here = Site(machine, "cut")
    old = form(here, 1)
    here.apply()
    wanted = form(here, 2)
    process = machine.popen(*machine.gxo_argv("apply", "--yes", here.path), env=machine.gxo_env)
    assert process.stderr is not None
    assert any("settling" in line for line in process.stderr)
    machine.lab.kill()
    process.communicate()
    machine.lab.start()
    assert until(lambda: old.keys() <= here.units("active").keys(), 30)
    for unit, seconds in old.items():
        pid = machine.show(unit, "MainPID")["MainPID"]
        assert machine.run("ps", "-o", "args=", "-p", pid).stdout.split()[-1] == seconds
    here.apply()
    assert_converged(here, 2, wanted)


def test_a_service_that_fails_at_boot_keeps_nobody_down(whole_machine: Machine) -> None:
    """The restore says so and fails, and all else runs."""
    machine = whole_machine
    here = Site(machine, "half")
    here.write(
        service("bad", "exec sleep 1000") + service("good", "exec sleep 1000", "needs: [bad], "),
        HOST,
    )
    here.apply()
    # a name that is taken by a file cannot be made
    machine.write(f"/etc/systemd/system/{here.unit('bad')}", "[Service]\nExecStart=/bin/true\n")
    machine.lab.reboot()
    assert until(lambda: here.unit("good") in here.units("active"), 30)
    done = machine.show("gxo-restore.service", "ActiveState", "Result")
    assert done == {"ActiveState": "failed", "Result": "exit-code"}
    said = machine.journal("-u", "gxo-restore.service")
    assert "cannot start `half.bad`" in said


def test_a_stale_file_of_systemd_bars_nothing(here: Site) -> None:
    """After a crash of systemd a transient file can be left: its name is taken all the same."""
    here.write(service("web", "exec sleep 1000"), HOST)
    machine = here.machine
    place = f"/run/systemd/transient/{here.unit('web')}"
    machine.write(place, "[Service]\nExecStart=/bin/false\n")
    machine.run("systemctl", "daemon-reload", check=True)
    here.apply()
    assert here.pid("web")


def test_systemd_is_executed_anew_in_an_apply(here: Site) -> None:
    """As an upgrade of it does, again and again: nothing fails, nothing is done twice."""
    again = "for i in 1 2 3 4 5; do systemctl daemon-reexec; sleep 0.2; done"
    here.write(
        step("upgrade", again)
        + step("one", f"echo one >>{RAN.format(name=here.name)}")
        + "".join(service(f"web{n}", "exec sleep 1000") for n in range(3))
        + service("last", "exec sleep 1000", "needs: [upgrade], "),
        HOST,
    )
    here.apply()
    assert here.lines(RAN.format(name=here.name)) == ["one"]
    assert here.plan() == {}


def test_the_bus_goes_away_in_an_apply(fresh_machine: Machine) -> None:
    """Exit 69; it is said that all is half done and what mends it, which does."""
    machine = fresh_machine
    here = Site(machine, "lost")
    here.write(service("web", "exec sleep 1000").replace("settle: 300ms", "settle: 60s"), HOST)
    process = machine.popen(*machine.gxo_argv("apply", "--yes", here.path), env=machine.gxo_env)
    assert process.stderr is not None
    assert any("settling" in line for line in process.stderr)
    machine.run("systemctl", "restart", "dbus.service", check=True)
    said = process.communicate(timeout=60)[1]
    assert (process.returncode, said) == (
        69,
        "error: cannot reach systemd any more: the connection to the bus was lost\n"
        "what was to change is changed in part: `gxo plan` shows the rest, `gxo apply` mends it\n",
    )
    here.write(service("web", "exec sleep 1000"), HOST)
    here.apply()
    assert here.plan() == {}


def test_without_a_bus_nothing_changes(machine: Machine) -> None:
    """Without a system bus `apply` exits with 69 and says what to try instead."""
    with site(machine, "nobus") as here:
        here.write(service("web", "sleep 1000"))
        done = machine.gxo(
            "apply", "--yes", here.path,
            env={"DBUS_SYSTEM_BUS_ADDRESS": "unix:path=/nowhere"},
        )  # fmt: skip
        assert done.returncode == 69
        assert "cannot reach systemd" in done.stderr
        assert not machine.exists("/var/lib/gxo/applied/nobus")

"""Jobs: many at once, and how each ended."""

import time
from collections.abc import Iterator

import pytest

from gxo.systemd.bus import Bus, BusError
from gxo.systemd.jobs import JobResult, Outcome
from gxo.systemd.manager import Manager
from gxo.units.model import Property
from tests.lab.machine import Machine
from tests.lab.systemd_units import ONESHOT, service


@pytest.fixture
def manager(machine: Machine) -> Iterator[Manager]:
    """The machine's systemd, over a connection of the test's own."""
    with Bus.at(machine.lab.bus_address) as bus:
        yield Manager(bus)


def test_a_hundred_at_once(manager: Manager) -> None:
    """A burst of 100 starts gives 100 outcomes in the order of asking, and 100 running units."""
    names = [f"burst-{i}.service" for i in range(100)]
    with manager.jobs() as jobs:
        asked = [jobs.start_transient(name, service("exec sleep 600")) for name in names]
        outcomes = jobs.wait(60)
        assert list(outcomes) == asked
        assert {o.result for o in outcomes.values()} == {JobResult.DONE}
        assert [u.name for u in manager.units("burst-*") if u.sub == "running"] == sorted(names)
        for name in names:
            jobs.stop(name)
        assert all(o.ok for o in jobs.wait(60).values())
    assert manager.units("burst-*") == ()


def test_each_its_own_result(manager: Manager) -> None:
    """Done, failed, refused and failed by dependency are told apart within one batch."""
    with manager.jobs() as jobs:
        good = jobs.start_transient("r-good.service", service("true", ONESHOT))
        bad = jobs.start_transient("r-bad.service", service("sleep 0.2; exit 3", ONESHOT))
        needs = (("Requires", "as", ["r-bad.service"]), ("After", "as", ["r-bad.service"]))
        behind = jobs.start_transient("r-behind.service", service("true", ONESHOT, *needs))
        none = jobs.start("r-none.service")
        worse = jobs.start_transient("r-worse.service", service("true", ("Nope", "s", "x")))
        skipped = jobs.start_transient(
            "r-skipped.service",
            service("true", ("Conditions", "a(sbbs)", [("ConditionHost", False, False, "nope")])),
        )
        outcomes = jobs.wait(30)
    results = {job: outcome.result for job, outcome in outcomes.items()}
    assert results == {
        good: JobResult.DONE,
        bad: JobResult.FAILED,
        behind: JobResult.DEPENDENCY,
        none: JobResult.REFUSED,
        worse: JobResult.REFUSED,
        skipped: JobResult.DONE,
    }
    errors = {job: o.error.name for job, o in outcomes.items() if isinstance(o.error, BusError)}
    assert errors == {
        none: "org.freedesktop.systemd1.NoSuchUnit",
        worse: "org.freedesktop.DBus.Error.PropertyReadOnly",
    }
    manager.reset_failed("r-bad.service")


def test_a_late_one_can_be_waited_for_again(manager: Manager) -> None:
    """What is not over in time is waiting; a later wait gives how it ended."""
    with manager.jobs() as jobs:
        job = jobs.start_transient("late.service", service("sleep 2", ONESHOT))
        start = time.monotonic()
        assert jobs.wait(0.1)[job].result is JobResult.WAITING
        assert time.monotonic() - start < 1.5
        assert jobs.wait(30, job)[job].result is JobResult.DONE
        assert jobs.wait(0) == {}
        assert jobs.wait(0, job)[job].result is JobResult.DONE


def test_waiting_for_one_leaves_the_others(manager: Manager) -> None:
    """Waiting for a named job does not wait for a slower one, nor forget it."""
    with manager.jobs() as jobs:
        slow = jobs.start_transient("w-slow.service", service("sleep 3", ONESHOT))
        quick = jobs.start_transient("w-quick.service", service("true", ONESHOT))
        start = time.monotonic()
        assert jobs.wait(30, quick)[quick].ok
        assert time.monotonic() - start < 2.5
        assert jobs.wait(30) == {slow: Outcome(job=slow, result=JobResult.DONE)}


def test_a_stop_cancels_the_start_under_way(manager: Manager) -> None:
    """A start that a stop overtakes ends as canceled, the stop as done."""
    with manager.jobs() as jobs:
        start = jobs.start_transient("cut.service", service("sleep 60", ONESHOT))
        stop = jobs.stop("cut.service")
        outcomes = jobs.wait(30)
    assert (outcomes[start].result, outcomes[stop].result) == ("canceled", "done")


def test_two_starts_that_systemd_merges(manager: Manager) -> None:
    """Two starts of one unit are one job, and both get its end."""
    with manager.jobs() as jobs:
        jobs.start_transient("merged.service", service("sleep 0.4", ONESHOT))
        jobs.start("merged.service")
        assert [o.result for o in jobs.wait(30).values()] == ["done", "done"]


def test_a_timer_and_its_service_together(manager: Manager) -> None:
    """A timer is created with the service it starts, in one call."""
    with manager.jobs() as jobs:
        jobs.start_transient(
            "pair.timer",
            [Property("TimersMonotonic", "a(st)", [("OnActiveSec", 3_600_000_000)])],
            [("pair.service", service("true"))],
        )
        assert [o.result for o in jobs.wait(30).values()] == ["done"]
    read = manager.properties("pair.timer", ["Unit", "ActiveState"])
    assert read == {"Unit": "pair.service", "ActiveState": "active"}
    assert manager.stop("pair.timer").ok


def test_one_by_one(manager: Manager) -> None:
    """The manager's own verbs start, reload and stop a unit and wait for it."""
    reload = ("ExecReload", "a(sasb)", [("/bin/true", ["true"], False)])
    assert manager.start_transient("single.service", service("exec sleep 600", reload)).ok
    assert manager.reload("single.service").ok
    with pytest.raises(BusError, match="already loaded"):
        manager.start_transient("single.service", service("true"))
    assert manager.stop("single.service").ok
    assert manager.stop("single.service").ok
    with pytest.raises(BusError, match=r"single\.service not found"):
        manager.reload("single.service")


INSIDE = """
import time
from gxo.systemd.bus import Bus
from gxo.systemd.manager import Manager
from gxo.units.model import Property
with Bus.system() as bus:
    manager = Manager(bus)
    with manager.jobs() as jobs:
        for i in range(20):
            command = [("/bin/sh", ["sh", "-c", f"sleep 0.2; exit {i}"], False)]
            jobs.start_transient(f"inside-{i}.service", [Property("ExecStart", "a(sasb)", command)])
        names = [outcome.job.unit for outcome in jobs.wait(30).values() if outcome.ok]
    deadline = time.monotonic() + 30
    while any(r.pid for r in manager.results(names).values()) and time.monotonic() < deadline:
        time.sleep(0.05)
    print(sorted(r.status for r in manager.results(names).values()))
    for name in names:
        manager.reset_failed(name)
"""


def test_the_room_works_inside(machine: Machine) -> None:
    """With the guest's own interpreter, PyGObject and pydbus, units start and end."""
    done = machine.run(machine.gxo_argv()[0], "-c", INSIDE, env=machine.gxo_env)
    assert (done.stdout, done.stderr) == (f"{list(range(20))}\n", "")


def test_systemd_executes_itself_again(fresh_machine: Machine) -> None:
    """A job that was waited for while systemd re-executed itself is still seen to end."""
    with Bus.at(fresh_machine.lab.bus_address) as bus, Manager(bus).jobs() as jobs:
        job = jobs.start_transient("over.service", service("sleep 3", ONESHOT))
        assert jobs.wait(0.3)[job].result is JobResult.WAITING
        fresh_machine.run("systemctl", "daemon-reexec", check=True)
        start = time.monotonic()
        assert jobs.wait(30, job)[job].result is JobResult.DONE
        assert time.monotonic() - start < 10


def test_results_unknown_to_us_are_failures() -> None:
    """A word that a later systemd brings counts as a failure, not as success or a crash."""
    assert JobResult("someday") is JobResult.FAILED

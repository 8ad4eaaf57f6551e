"""Drift: what somebody changes under gxo is seen, shown, and put right by the next apply."""

import json
from collections.abc import Iterator

import pytest

from tests.lab.applying import HOST, Site, schedule, service, site, step, until
from tests.lab.machine import Machine


@pytest.fixture
def here(machine: Machine) -> Iterator[Site]:
    with site(machine, "drift") as found:
        found.write(service("web", "sleep 1000") + schedule("job", "true", "04:00"), HOST)
        found.apply()
        yield found


@pytest.mark.parametrize("lasting", [True, False])
def test_set_property(here: Site, lasting: bool) -> None:
    """`systemctl set-property`, for now or for good, is undone by a restart without it."""
    unit = here.unit("web")
    how = [] if lasting else ["--runtime"]
    here.machine.run("systemctl", "set-property", *how, unit, "TasksMax=77", check=True)
    action, reason = here.plan()["web"]
    assert (action, reason.split(":")[0]) == ("restart", "drifted")
    here.apply()
    assert here.plan() == {}
    assert here.machine.show(unit, "TasksMax")["TasksMax"] != "77"
    assert here.machine.show(unit, "DropInPaths")["DropInPaths"] == ""


def test_an_edited_timer(here: Site) -> None:
    """A timer that is changed is started anew under its name."""
    (timer,) = here.timers()
    path = f"/run/systemd/transient/{timer}"
    here.machine.run("sed", "-i", "s/04:00/05:00/", path, check=True)
    here.machine.run("systemctl", "daemon-reload", check=True)
    assert here.plan()["job"][1].startswith("drifted: TimersCalendar: ")
    here.apply()
    assert here.plan() == {}
    assert here.timers() == [timer]


def test_a_drop_in_of_the_administrator(here: Site) -> None:
    """It is seen once; the apply that follows takes it into account, and it stays."""
    unit = here.unit("web")
    path = f"/etc/systemd/system/{unit}.d/mine.conf"
    here.machine.write(path, "[Service]\nTasksMax=78\n")
    here.machine.run("systemctl", "daemon-reload", check=True)
    try:
        assert path in here.plan()["web"][1]
        here.apply()
        assert here.plan() == {}
        assert here.machine.show(unit, "TasksMax")["TasksMax"] == "78"
    finally:
        here.machine.run("rm", "-r", f"/etc/systemd/system/{unit}.d")
        here.machine.run("systemctl", "daemon-reload")


def test_what_was_stopped_by_hand(here: Site) -> None:
    """A stopped service and a stopped timer are started again."""
    (timer,) = here.timers()
    here.machine.run("systemctl", "stop", here.unit("web"), timer, check=True)
    assert here.plan() == {"web": ("start", "not running"), "job": ("start", "not running")}
    here.apply()
    assert here.plan() == {}
    assert here.timers() == [timer]


def test_a_reload_of_systemd_is_no_drift(here: Site) -> None:
    """Nor does it break what runs: services restart with all they had, on old systemds too."""
    here.machine.run("systemctl", "daemon-reload", check=True)
    assert here.plan() == {}
    pid = here.pid("web")
    here.machine.run("kill", "-9", pid, check=True)
    assert until(lambda: here.units()[here.unit("web")] == "active" and here.pid("web") != pid)
    assert "sleep 1000" in here.machine.run("ps", "-o", "args=", "-p", here.pid("web")).stdout


def test_a_reload_while_a_step_runs(here: Site) -> None:
    """A step that installs something reloads systemd under itself, and still ends well."""
    here.write(step("setup", "sleep 0.5; systemctl daemon-reload; sleep 0.5; true; exit 0"), HOST)
    here.apply()
    assert here.plan() == {}


def test_a_service_that_crashed_for_good(here: Site) -> None:
    """Past its start limit it is failed; plan says so and apply starts it anew."""
    here.write(
        service(
            "web", "test -e /srv/drift/broken && exit 1; sleep 1000",
            lifecycle=", start_limit: {burst: 1, interval: 100s}, backoff: {initial: 100ms}",
        ),
        HOST,
    )  # fmt: skip
    here.apply()
    here.machine.write("/srv/drift/broken", "")
    here.machine.run("kill", "-9", here.pid("web"), check=True)
    assert until(lambda: here.units()[here.unit("web")] == "failed", 20)
    assert here.plan()["web"] == ("start", "failed")
    here.machine.run("rm", "/srv/drift/broken")
    here.apply()
    assert here.pid("web")


def test_status_shows_drift(here: Site) -> None:
    """Each workload with what is not as applied; nothing where all is."""

    def drift() -> dict[str, list[str]]:
        done = here.gxo("status", "--json", "drift")
        assert done.returncode == 0, done.stderr
        return {w["workload"]: w["drift"] for w in json.loads(done.stdout)["workloads"]}

    assert drift() == {"web": [], "job": []}
    here.machine.run("systemctl", "set-property", here.unit("web"), "TasksMax=77", check=True)
    here.machine.run("systemctl", "stop", here.timers()[0], check=True)
    found = drift()
    assert any("TasksMax" in line for line in found["web"])
    assert found["job"][0] == "not loaded"

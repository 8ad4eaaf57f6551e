"""Drift: what somebody changes under gxo is seen, shown, and put right by the next apply."""

import json
from collections.abc import Iterator

import pytest

from gxo.apply.spoken import spoken
from tests.lab.applying import HOST, Site, schedule, service, site, until
from tests.lab.machine import Machine
from tests.lab.running import step


@pytest.fixture
def here(machine: Machine) -> Iterator[Site]:
    with site(machine, "drift") as found:
        found.write(service("web", "sleep 1000") + schedule("job", "true", "04:00"), HOST)
        found.apply()
        yield found


def drift(here: Site) -> dict[str, list[str]]:
    """What `gxo status` tells of each workload."""
    done = here.gxo("status", "--json", "drift")
    assert done.returncode == 0, done.stderr
    return {w["workload"]: w["drift"] for w in json.loads(done.stdout)["workloads"]}


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


# what systemctl adds the state of the moment to, or shows as a bare number; `none` is empty there
NOT_AS_SHOWN = {"SystemCallErrorNumber", "MemoryMax", "CapabilityBoundingSet", "TimersCalendar"}


def test_drift_is_worded_as_systemctl_does(here: Site) -> None:
    """Properties have the values that people know, and not those that go over D-Bus."""
    limited = "security_context: {resources: {memory_max: 512M}}, "
    here.write(service("web", "sleep 1000", limited) + schedule("job", "true", "04:00"))
    here.apply()
    record = json.loads(here.machine.read("/var/lib/gxo/applied/drift/observed.json"))["record"]
    assert len(record["baselines"]) == 2
    for unit, found in record["baselines"].items():
        shown = here.machine.show(unit)
        for name, text in found["properties"].items():
            if name not in NOT_AS_SHOWN and not name.startswith("Exec"):
                assert spoken(name, text) == shown[name], (unit, name)
    change = ("set-property", "--runtime", here.unit("web"), "MemoryMax=infinity")
    here.machine.run("systemctl", *change, check=True)
    assert here.plan()["web"][1].endswith("; MemoryMax: 512M -> infinity")


def test_an_edited_timer(here: Site) -> None:
    """A timer that is changed is started anew under its name."""
    (timer,) = here.timers()
    path = f"/run/systemd/transient/{timer}"
    here.machine.run("sed", "-i", "s/04:00/05:00/", path, check=True)
    here.machine.run("systemctl", "daemon-reload", check=True)
    found = here.plan()["job"][1]
    assert found == "drifted: TimersCalendar: *-*-* 04:00:00 -> *-*-* 05:00:00"
    here.apply()
    assert here.plan() == {}
    assert here.timers() == [timer]


@pytest.mark.parametrize("loaded", [True, False])
@pytest.mark.parametrize("place", ["/etc/systemd/system", "/run/systemd/system"])
def test_a_drop_in_of_the_administrator(here: Site, place: str, loaded: bool) -> None:
    """In effect or not yet, it is drift until it is gone: an apply refuses, and nothing changes."""
    unit, pid = here.unit("web"), here.pid("web")
    path = f"{place}/{unit}.d/mine.conf"
    here.machine.write(path, "[Service]\nTasksMax=78\n")
    if loaded:
        here.machine.run("systemctl", "daemon-reload", check=True)
    try:
        for _ in range(2):
            assert here.plan()["web"][1].startswith(f"drifted: drop-in added: {path}")
            assert here.fail() == (
                f"error: cannot apply `drift.web`: {path} changes {unit}; put what it says into "
                "the playbook, then remove that file and run `systemctl daemon-reload`\n"
            )
        assert f"drop-in added: {path}" in drift(here)["web"]
        assert here.pid("web") == pid
    finally:
        here.machine.run("rm", "-r", f"{place}/{unit}.d")
        here.machine.run("systemctl", "daemon-reload")
    here.apply()
    assert here.plan() == {}


def test_a_masked_service_is_not_restarted(here: Site) -> None:
    """It could not start again, so it is not stopped; the error says what to do."""
    unit, pid = here.unit("web"), here.pid("web")
    here.machine.run("systemctl", "mask", unit, check=True)
    try:
        done = here.gxo("restart", "drift.web")
        assert (done.returncode, done.stderr) == (
            1,
            f"error: cannot restart `drift.web`: /etc/systemd/system/{unit} masks {unit}; "
            f"run `systemctl unmask {unit}`\n",
        )
        assert here.pid("web") == pid
    finally:
        here.machine.run("systemctl", "unmask", unit, check=True)


def test_a_drop_in_for_every_service_of_the_host(here: Site) -> None:
    """It is the host's own policy: seen once, and normal after the next apply."""
    path = "/etc/systemd/system/service.d/all.conf"
    here.machine.write(path, "[Service]\nNice=3\n")
    here.machine.run("systemctl", "daemon-reload", check=True)
    try:
        assert path in here.plan()["web"][1]
        here.apply()
        assert here.plan() == {}
    finally:
        here.machine.run("rm", path)
        here.machine.run("systemctl", "daemon-reload")


@pytest.mark.parametrize("runtime", [True, False])
@pytest.mark.parametrize("what", ["web", "job", "slice"])
def test_a_mask(here: Site, what: str, runtime: bool) -> None:
    """Plan and status tell of it; an apply refuses with the command that lifts it."""
    (timer,) = here.timers()
    unit = {"web": here.unit("web"), "job": timer, "slice": "gxo-drift.slice"}[what]
    how = ["--runtime"] if runtime else []
    here.machine.run("systemctl", "mask", *how, unit, check=True)
    path = f"/{'run' if runtime else 'etc'}/systemd/system/{unit}"
    try:
        action, reason = here.plan()["" if what == "slice" else what]
        assert (action, reason) == (
            "reload" if what == "slice" else "restart",
            f"drifted: masked: {path}",
        )
        command = " ".join(["systemctl", "unmask", *how, unit])
        said = here.fail()
        assert f"{path} masks {unit}; run `{command}`\n" in said
        assert here.gxo("plan", here.path).stderr == said.replace("error: ", "warning: ")
        lines = drift(here)["web" if what == "slice" else what]
        assert any(f"masked: {path}" in line for line in lines)
    finally:
        here.machine.run("systemctl", "unmask", *how, unit, check=True)
    assert here.plan() == {}


@pytest.mark.parametrize("unit", ["gxo-drift.slice", "gxo.slice"])
def test_a_limit_on_a_slice(here: Site, unit: str) -> None:
    """It is drift, and an apply lifts it without a restart of anything in the slice."""
    pid = here.pid("web")
    here.machine.run("systemctl", "set-property", unit, "TasksMax=55", check=True)
    done = here.gxo("plan", here.path)
    assert done.returncode == 2
    assert done.stdout.startswith(f"reload  {unit}  drifted\n    drop-in added: /")
    assert done.stdout.endswith("1 to reload, 2 unchanged\n")
    assert any(line.startswith(f"{unit}: drop-in added: ") for line in drift(here)["web"])
    here.apply()
    assert here.plan() == {}
    shown = here.machine.show(unit, "TasksMax", "DropInPaths")
    assert shown["TasksMax"] != "55"
    assert shown["DropInPaths"] == ""
    assert here.pid("web") == pid


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
    assert drift(here) == {"web": [], "job": []}
    here.machine.run("systemctl", "set-property", here.unit("web"), "TasksMax=77", check=True)
    here.machine.run("systemctl", "stop", here.timers()[0], check=True)
    found = drift(here)
    assert any("TasksMax" in line for line in found["web"])
    assert found["job"][0] == "not loaded"


def test_what_lost_its_unit_file_goes_on_to_run(here: Site) -> None:
    """Somebody emptied systemd's directory: it is restarted as it should be, or removed whole."""
    machine = here.machine
    lose = f"rm /run/systemd/transient/gxo-{here.name}.*; systemctl daemon-reload"
    here.write(service("web", "exec sleep 1000"), HOST)
    here.apply()
    before = here.pid("web")
    machine.run("sh", "-c", lose, check=True)
    assert here.plan() == {"web": ("restart", "changed")}
    here.apply()
    assert here.plan() == {}
    last = here.pid("web")
    assert last != before
    machine.run("sh", "-c", lose, check=True)
    assert here.gxo("remove", "--yes", here.name).returncode == 0
    assert machine.run("ps", "-p", f"{before},{last}").returncode == 1

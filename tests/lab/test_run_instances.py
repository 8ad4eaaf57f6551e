"""Scheduled workloads as runs: each turn has a workspace, a row in `gxo runs` and all keys."""

import json
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import pytest

from tests.lab.applying import Site, schedule, site, until
from tests.lab.machine import Machine
from tests.lab.running import left
from tests.schemas import held

NEVER = "*-01-01"


@pytest.fixture
def here(machine: Machine) -> Iterator[Site]:
    with site(machine, "turns") as found:
        yield found


def job(
    name: str, command: str, calendar: str = NEVER, extra: str = "", lifecycle: str = ""
) -> str:
    """A scheduled workload with a run of its own."""
    text = schedule(name, command, calendar, lifecycle).replace(
        "workspace: none", "catch_up: false"
    )
    return text.replace("lifecycle:", f"{extra}lifecycle:", 1)


def runs(here: Site, workload: str) -> list[dict[str, Any]]:
    """The runs of a workload that have begun, the newest first."""
    found = held("runs", here.gxo("runs", "--json").stdout)["runs"]
    return [r for r in found if (r["playbook"], r["workload"]) == (here.name, workload)]


def statuses(here: Site, workload: str) -> list[str]:
    return [run["status"] for run in runs(here, workload)]


def test_a_turn_is_rated_by_its_step(here: Site) -> None:
    """The exposure that is shown is that of what runs, not of what starts it."""
    here.write(
        job("tell", "true") + job("free", "true", extra="security_context: {profile: host}, ")
    )
    here.apply()
    found = held("status", here.gxo("status", "--json", here.name).stdout)["workloads"]
    rated = {each["workload"]: each["exposure"] for each in found}
    assert 0 < rated["tell"] < 5 < rated["free"]


def test_a_turn_is_a_run(here: Site) -> None:
    """With a workspace that goes, a state directory that stays, and a row that names it."""
    said = 'cd "$STATE_DIRECTORY"; echo x >>log; cd - && id -un && ls && wc -l <"$OLDPWD/log"'
    here.write(job("tell", said, extra="register: told, "))
    here.apply()
    assert here.plan() == {}
    for turn in (1, 2):
        done = here.gxo("trigger", "turns.tell")
        assert done.returncode == 0, done.stderr
        run = runs(here, "tell")[0]
        assert run["status"] == "Completed"
        where, *rest = run["steps"]["tell"]["summary"]["stdout"].split()
        assert where.startswith("/var/lib/gxo/workspaces/")
        assert rest == ["gxo", str(turn)]
    assert left(here.machine) == []
    assert here.plan() == {}
    lines = here.gxo("logs", "turns.tell").stdout
    assert "turns.tell: gxo\n" in lines
    assert f"turns.tell: run {run['id']} completed\n" in lines
    assert "turns.tell" in here.gxo("runs", "-n", "1").stdout
    shown = held("status", here.gxo("status", "--json", "turns").stdout)["workloads"]
    assert [item["drift"] for item in shown] == [[]]


def test_a_turn_notifies_and_keeps(here: Site) -> None:
    """What a playbook of schedules alone says of the end of a run holds for each turn."""
    told = {"command": "echo {{ _gxo.workloads.make.status }} >told", "shell": True}
    actions = json.dumps([{"module": "exec", "params": told}])
    here.write(job("make", "echo x >out"), f"on_success: {actions}\nartifacts: [out, told]\n")
    here.apply()
    assert here.gxo("trigger", "turns.make").returncode == 0
    found = held("run", here.gxo("runs", "show", "--json", runs(here, "make")[0]["id"]).stdout)
    assert {name: each["status"] for name, each in found["steps"].items()} == {
        "make": "Completed",
        "on_success.1": "Completed",
    }
    kept = {item["path"]: item["size"] for item in found["artifacts"]}
    assert kept == {"out": 2, "told": len("Completed\n")}
    assert here.plan() == {}
    (shown,) = held("status", here.gxo("status", "--json", "turns").stdout)["workloads"]
    assert 0 < shown["exposure"] < 5


def test_a_turn_has_a_secret(here: Site) -> None:
    """From the host's own place for them; what it writes is masked."""
    here.machine.run("install", "-d", "-m", "0700", "/etc/gxo/secrets", check=True)
    here.machine.write("/etc/gxo/secrets/turn", "hunter2-and-more", 0o600)
    text = job("tell", 'echo "$T ${#T}"', extra="register: told, ")
    here.write(text.replace("params: {", "params: {environment: ['T={{ secret `turn` }}'], "))
    here.apply()
    done = here.gxo("trigger", "turns.tell")
    assert done.returncode == 0, done.stderr
    summary = runs(here, "tell")[0]["steps"]["tell"]["summary"]
    assert summary["stdout"] == "[REDACTED_SECRET] 16"


def test_the_timer_starts_runs(here: Site) -> None:
    """One a turn, and none beside one that is still under way."""
    here.write(job("tick", "sleep 2.5", "*:*:*"))
    here.apply()
    assert until(lambda: statuses(here, "tick").count("Completed") >= 2, 30)
    here.gxo("stop", "turns.tick")
    done = [run for run in runs(here, "tick")[::-1] if run["status"] == "Completed"]
    assert all(one["ended"] <= other["started"] for one, other in pairwise(done))


def test_overlap_is_allowed(here: Site) -> None:
    """With `overlap: allow` turns run beside each other, as many as `max_runs` lets."""
    one = job("both", "sleep 1000", "*:*:*", lifecycle=", overlap: allow")
    here.write(one, "max_runs: 2\n")
    here.apply()
    assert until(lambda: statuses(here, "both") == ["Running", "Running"], 30)
    refused = "cannot run `turns`: 2 runs are under way"
    assert until(lambda: refused in here.gxo("logs", "turns.both").stdout, 30)
    here.gxo("stop", "turns.both")
    for run in runs(here, "both"):
        here.machine.run("systemctl", "stop", f"gxo-run-{run['id']}.service")
    assert statuses(here, "both") == ["Cancelled", "Cancelled"]
    assert left(here.machine) == []


def test_a_turn_that_fails(here: Site) -> None:
    """All keys of a run hold; `trigger` fails with it, and shows the step's last words."""
    here.write(
        job("bad", "echo no luck; exit 3", extra="retry: {attempts: 2, delay: 10ms}, ")
        + job("many", "echo {{ .item }} $(date +%s)", extra="loop: [1, 2], when: '{{ now }}', ")
        + job("off", "true", extra="when: '{{ eq 1 2 }}', ")
    )
    here.apply()
    assert {name.split(".")[1] for name in here.units()} == {"bad", "many"}
    done = here.gxo("trigger", "turns.bad")
    assert done.returncode == 1
    assert "no luck" in done.stderr
    run = runs(here, "bad")[0]
    assert (run["status"], run["steps"]["bad"]["attempts"]) == ("Failed", 2)
    assert here.gxo("trigger", "turns.many").returncode == 0
    assert set(runs(here, "many")[0]["steps"]) == {"many", "many[0]", "many[1]"}
    assert here.plan() == {}


def test_stopping_a_turn_cancels_its_run(here: Site) -> None:
    """Removing a schedule cancels the run of its turn, while an edit leaves it alone."""
    here.write(job("long", "sleep 1000"))
    here.apply()
    service = here.timers()[0].replace(".timer", ".service")
    here.machine.run("systemctl", "start", "--no-block", service, check=True)
    assert until(lambda: statuses(here, "long") == ["Running"], 20)
    here.write(job("long", "sleep 999"))
    here.apply()
    assert here.plan() == {}
    assert statuses(here, "long") == ["Running"]
    assert here.gxo("remove", "--yes", "turns").returncode == 0
    assert until(lambda: statuses(here, "long") == ["Cancelled"], 20)
    assert left(here.machine) == []


def test_a_turn_whose_process_was_killed(here: Site) -> None:
    """Its run goes on, and the next turn waits for that instead of starting beside it."""
    here.write(job("orphan", "until test -e go; do sleep 0.1; done"))
    here.apply()
    service = here.timers()[0].replace(".timer", ".service")
    here.machine.run("systemctl", "start", "--no-block", service, check=True)
    assert until(lambda: statuses(here, "orphan") == ["Running"], 20)
    here.machine.run("systemctl", "kill", "-s", "KILL", service, check=True)
    assert until(lambda: here.machine.show(service, "ActiveState")["ActiveState"] == "failed")
    here.machine.run("systemctl", "start", "--no-block", service, check=True)
    waiting = "is still under way: waiting for its end"
    assert until(lambda: waiting in here.gxo("logs", "turns.orphan").stdout, 20)
    assert statuses(here, "orphan") == ["Running"]
    here.machine.run("sh", "-c", "cd /var/lib/gxo/workspaces/* && touch go", check=True)
    assert until(lambda: statuses(here, "orphan") == ["Completed"], 20)
    assert until(lambda: here.machine.show(service, "ActiveState", "Result") == {
        "ActiveState": "inactive", "Result": "success"}, 20)  # fmt: skip


def test_what_else_changes_leaves_a_schedule_alone(here: Site) -> None:
    """An edit elsewhere in the playbook is no change of it; one of a var it reads is."""
    text = job("tell", "echo {{ .word }} {{ .deep }}")
    head = "vars: {{word: {}, deep: '{{{{ .base }}}}', base: {}, other: {}}}\n"
    here.write(text, head.format("a", 1, 1))
    here.apply()
    here.write("  # more\n" + text + job("new", "true"), "# text\n" + head.format("a", 1, 2))
    assert set(here.plan()) == {"new"}
    here.write(text, head.format("a", 2, 2))
    assert here.plan() == {"tell": ("restart", "changed")}


def test_compiled_files_run_too(here: Site) -> None:
    """What `gxo compile` writes for a schedule passes systemd's own check, and runs."""
    here.write(job("tell", 'echo from a file > "$STATE_DIRECTORY/said"'))
    units = json.loads(here.gxo("compile", "--json", here.path).stdout)["units"]
    paths = [f"/etc/systemd/system/{unit['name']}" for unit in units]
    for path, unit in zip(paths, units, strict=True):
        here.machine.write(path, unit["text"])
    try:
        checked = here.machine.run("systemd-analyze", "verify", *paths)
        assert (checked.returncode, checked.stderr) == (0, "")
        here.machine.run("systemctl", "daemon-reload", check=True)
        service = next(unit["name"] for unit in units if unit["name"].endswith(".service"))
        here.machine.run("systemctl", "start", service, check=True)
    finally:
        here.machine.run("rm", *paths)
        here.machine.run("systemctl", "daemon-reload", check=True)
    assert here.lines("/var/lib/gxo/state/turns.tell/said") == ["from a file"]

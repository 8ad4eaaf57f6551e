"""`gxo status`, `gxo logs` and `gxo doctor` on a real systemd."""

import json
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.lab.applying import until
from tests.lab.machine import CHECKOUT, Machine
from tests.schemas import held

SITE = """
workloads:
  - name: web
    lifecycle: {policy: supervise, ready: {settle: 10ms}}
    process: {module: exec, params: {command: /bin/sh, args: ["-c", "echo hello; sleep 1000"]}}
  - name: backup
    lifecycle: {policy: scheduled, cron: "0 4 * * *", workspace: none}
    process: {module: exec, params: {command: /bin/true}}
"""
CRASH = """
workloads:
  - name: loop
    lifecycle: {policy: supervise, ready: {settle: 10ms}}
    process: {module: exec, params: {command: /bin/sh, args: ["-c", "sleep 0.5; exit 3"]}}
"""


def workload(machine: Machine, target: str) -> dict[str, Any]:
    """The one workload that `gxo status TARGET --json` shows."""
    done = machine.gxo("status", target, "--json")
    assert (done.returncode, done.stderr) == (0, "")
    (found,) = held("status", done.stdout)["workloads"]
    return dict(found)


def applied(machine: Machine, name: str, text: str) -> str:
    """Apply a playbook of that name; its path."""
    path = machine.write(f"/opt/{name}.yaml", text)
    done = machine.gxo("apply", "--yes", path)
    assert done.returncode == 0, done.stderr
    return path


@pytest.fixture
def site(machine: Machine, request: pytest.FixtureRequest) -> Iterator[str]:
    """An applied playbook with a service and a schedule, under a name of its own."""
    name = f"st-{time.time_ns()}"
    applied(machine, name, SITE)
    yield name
    machine.gxo("remove", name)


def test_status_of_what_runs(machine: Machine, site: str) -> None:
    """States, PIDs, exposure, next run and revision are what systemd has, and nothing drifts."""
    web = workload(machine, f"{site}.web")
    (unit,) = web["units"]
    shown = machine.show(unit["name"], "MainPID", "ActiveState")
    assert (web["state"], web["drift"], web["revision"]) == ("running", [], 1)
    assert (str(unit["pid"]), unit["active"]) == (shown["MainPID"], "active")
    assert 0 < web["exposure"] < 5
    backup = workload(machine, f"{site}.backup")
    assert (backup["state"], backup["drift"]) == ("waiting", [])
    assert backup["next_elapse"][11:19] == "04:00:00"
    assert [u["sub"] for u in backup["units"]] == ["waiting", "dead"]
    both = held("status", machine.gxo("status", site, "--json").stdout)
    assert [w["workload"] for w in both["workloads"]] == ["web", "backup"]
    assert both["strays"] == []


def test_status_as_a_table(machine: Machine, site: str) -> None:
    """People see a line a workload, plain where no terminal reads it."""
    done = machine.gxo("status", site)
    lines = done.stdout.splitlines()
    assert lines[0].split() == [
        *("WORKLOAD", "LIFECYCLE", "STATE", "SINCE"),
        *("NEXT", "RESTARTS", "EXPOSURE"),
    ]
    assert [line.split()[:3] for line in lines[1:]] == [
        [f"{site}.web", "supervise", "running"],
        [f"{site}.backup", "scheduled", "waiting"],
    ]
    assert "\x1b" not in done.stdout
    assert all(line == line.rstrip() for line in lines)


def test_drift_and_a_stopped_service_show(machine: Machine, site: str) -> None:
    """A setting that somebody changed, then a service that somebody stopped, is drift."""
    unit = workload(machine, f"{site}.web")["units"][0]["name"]
    machine.run("systemctl", "set-property", "--runtime", unit, "TasksMax=9", check=True)
    assert any("TasksMax" in line for line in workload(machine, f"{site}.web")["drift"])
    machine.run("systemctl", "stop", unit, check=True)
    found = workload(machine, f"{site}.web")
    assert found["state"] == "stopped"
    assert found["drift"] == ["not loaded"]
    assert machine.gxo("status", f"{site}.web").stdout.splitlines()[1].split()[-1] == "stopped"


def test_a_crash_loop_shows(machine: Machine) -> None:
    """A service that dies again and again shows how it ends and how often it came back."""
    name = f"crash-{time.time_ns()}"
    applied(machine, name, CRASH)
    try:
        assert until(lambda: workload(machine, name)["units"][0]["restarts"] > 0, 30)
        assert workload(machine, name)["state"] in ("restarting", "running", "activating")
    finally:
        machine.gxo("remove", name)


@pytest.mark.parametrize(
    ("workspace", "told"),
    [(", workspace: none", "it exited with status 1"), ("", "its run failed")],
    ids=["service", "run"],
)
def test_a_failed_job_shows(machine: Machine, workspace: str, told: str) -> None:
    """What a schedule's job came to is told; a catch-up that never ran shows no run."""
    name = f"job-{time.time_ns()}"
    text = SITE.replace("/bin/true", "/bin/false").replace("cron:", "catch_up: true, cron:")
    text = text.replace(", workspace: none", workspace)
    applied(machine, name, text)
    try:
        backup = workload(machine, f"{name}.backup")
        assert (backup["last_trigger"], backup["last_run"]) == (None, None)
        assert machine.gxo("trigger", f"{name}.backup").returncode == 1
        backup = workload(machine, f"{name}.backup")
        assert (backup["state"], backup["last_run"]["ok"]) == ("waiting", False)
        said = machine.gxo("status", name).stdout
        assert f"\n  last run failed: {told}\n" in said
        hint = f"`gxo logs {name}.backup` shows what it said"
        assert said.endswith(f"failed: {name}.backup; {hint}\n")
        # it did not fail because it is stopped now
        stopped = sorted(machine.gxo("remove", "--yes", name).stderr.splitlines())
        assert stopped == [f"  stopped   {name}.backup", f"  stopped   {name}.web"]
    finally:
        machine.gxo("remove", "--yes", name)


def test_an_orphan_and_a_stray_show(machine: Machine, site: str) -> None:
    """A playbook whose file is gone, and a unit that no record knows, are named with what to do."""
    machine.lab.path(f"/opt/{site}.yaml").unlink()
    stray = f"gxo-{site.replace('-', 'x')}.lost.service"
    machine.run("systemd-run", f"--unit={stray}", "sleep", "60", check=True)
    done = machine.gxo("status")
    machine.run("systemctl", "stop", stray)
    assert f"orphaned: {site}, whose file /opt/{site}.yaml is gone" in done.stdout
    assert f"unknown: {stray} (running); `gxo remove " in done.stdout
    assert workload(machine, f"{site}.web")["orphaned"] is True


def test_status_of_what_is_not_there(machine: Machine, site: str) -> None:
    """An unknown name is an error with the likely one; hostile names are only unknown."""
    done = machine.gxo("status", site[:-1])
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        f"error: cannot show `{site[:-1]}`: no playbook of that name is applied;"
        f" did you mean `{site}`?\n"
    )
    for name in ("../../etc", f"{site}.nope", "a/b.c", "*", "--"):
        assert machine.gxo("status", "--", name).returncode == 1


def test_nothing_applied(fresh_machine: Machine) -> None:
    """On a bare host status says so, the logs are empty, and neither fails."""
    done = fresh_machine.gxo("status")
    assert (done.returncode, done.stdout) == (0, "nothing is applied; `gxo apply PATH` does\n")
    assert held("status", fresh_machine.gxo("status", "--json").stdout)["workloads"] == []
    done = fresh_machine.gxo("logs")
    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr == "no lines of applied workloads in the journal\n"


# what is needed is loaded while the checkout can be read, which may be closed to others
AS_NOBODY = """
import json, os, sys
import gxo.cli.root, gxo.cli.logs, gxo.cli.program, gxo.cli.status, gxo.diagnostic.render
import gxo.systemd.journal, gxo.units.names
from gxo.cli.main import main
os.setgroups([])
os.setresgid(65534, 65534, 65534)
os.setresuid(65534, 65534, 65534)
main()
"""


def test_status_needs_root(machine: Machine) -> None:
    """The records belong to root: another user is told so, with the code for not permitted."""
    python = machine.gxo_argv()[0]
    done = machine.run(python, "-c", AS_NOBODY, "status", env=machine.gxo_env)
    assert (done.returncode, done.stdout) == (77, "")
    assert done.stderr.startswith("error: cannot show the status: not root")


def test_logs_need_a_journal_that_can_be_read(machine: Machine, site: str) -> None:
    """Who may not read it is told so, rather than that there are no lines."""
    machine.run("journalctl", "--sync")
    python = machine.gxo_argv()[0]
    done = machine.run(python, "-c", AS_NOBODY, "logs", site, env=machine.gxo_env)
    assert (done.returncode, done.stdout) == (77, "")
    assert done.stderr.startswith("error: cannot read the journal: not permitted; run it with sudo")


def test_logs_of_a_name_that_is_not_applied(machine: Machine, site: str) -> None:
    """The likely one is named; the lines of what was removed are still shown."""
    done = machine.gxo("logs", f"{site}.wbe")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.endswith(f"is applied; did you mean `{site}.web`?\n")
    machine.run("journalctl", "--sync")
    assert machine.gxo("remove", "--yes", site).returncode == 0
    assert "hello" in machine.gxo("logs", site).stdout


def test_logs_of_a_workload(machine: Machine, site: str) -> None:
    """Its lines and systemd's about it come, labelled; those of the other workload do not."""
    machine.run("journalctl", "--sync")
    text = machine.gxo("logs", f"{site}.web").stdout
    assert f" {site}.web: hello\n" in text
    assert f" {site}.web: Started gxo-" in text
    assert ".backup" not in text
    assert f" {site}.backup: Started " in machine.gxo("logs", site).stdout
    assert machine.gxo("logs", f"{site}.web", "-n", "1").stdout.count("\n") == 1
    lines = machine.gxo("logs", f"{site}.web", "--json").stdout.splitlines()
    entries = [held("logs", line) for line in lines]
    (hello,) = [e for e in entries if e["message"] == "hello"]
    assert (hello["playbook"], hello["workload"], hello["systemd"]) == (site, "web", False)
    assert {(e["playbook"], e["workload"]) for e in entries} == {(site, "web")}


def test_logs_show_no_forgery(machine: Machine, site: str) -> None:
    """What another unit writes in a workload's name is not shown as its."""
    fields = f"MESSAGE=forged\nGXO_PLAYBOOK={site}\nGXO_WORKLOAD=web\nUNIT=gxo-{site}.web.service"
    machine.run("systemd-run", "--wait", "sh", "-c", f"logger --journald <<'E'\n{fields}\nE\n")
    machine.run("journalctl", "--sync")
    assert "forged" in machine.journal(f"GXO_PLAYBOOK={site}")
    assert "forged" not in machine.gxo("logs", site).stdout


def test_following_logs(machine: Machine, site: str) -> None:
    """New lines come as they are written; the end of the reader is the end of the command."""
    following = machine.popen(
        *machine.gxo_argv("logs", "-f", "-n", "0", f"{site}.web"), env=machine.gxo_env
    )
    try:
        assert until(lambda: machine.run("pgrep", "-f", "journalctl.*--follow").stdout != "", 30)
        assert machine.gxo("restart", f"{site}.web").returncode == 0
        assert following.stdout is not None
        seen = [following.stdout.readline() for _ in range(2)]
        assert all(f" {site}.web: " in line for line in seen)
    finally:
        os.killpg(following.pid, signal.SIGTERM)
        following.communicate(timeout=20)
    assert until(lambda: machine.run("pgrep", "-f", "journalctl.*--follow").stdout == "")


@pytest.mark.parametrize(
    ("args", "code", "said"),
    [
        (
            ["--since", "bogus"],
            1,
            "error: cannot read the journal: Failed to parse timestamp: bogus",
        ),
        (["a."], 64, "`a.` is not PLAYBOOK[.WORKLOAD]"),
        (["-n", "-1"], 64, "'--lines'"),
        (["-n", "x"], 64, "'--lines'"),
        (["--", "--output=x"], 1, "error: cannot show the lines of `--output=x`: no playbook of"),
        (["nope"], 1, "no playbook of that name is applied; `gxo status` lists what there is\n"),
    ],
)
def test_bad_questions_to_the_logs(machine: Machine, args: list[str], code: int, said: str) -> None:
    """What cannot be asked is an error in the user's terms, and reaches no journalctl option."""
    done = machine.gxo("logs", *args)
    assert (done.returncode, done.stdout) == (code, "")
    assert said in done.stderr


def test_doctor(fresh_machine: Machine) -> None:
    """A bare host lacks what setup makes; after it, all that can be had is there."""
    bare = held("doctor", fresh_machine.gxo("doctor", "--quick", "--json").stdout)
    assert bare["host"]["systemd"] == fresh_machine.version
    assert {c["name"] for c in bare["checks"] if c["state"] == "broken"} == set()
    assert {"user", "records", "restore"} <= lacking(bare)
    assert fresh_machine.gxo("setup").returncode == 0
    done = fresh_machine.gxo("doctor", "--json")
    assert done.returncode == 0
    document = held("doctor", done.stdout)
    assert not {"user", "records", "restore", "read-only-system"} & lacking(document)
    limited = fresh_machine.lab.limits.enforces("MemoryMax")
    assert ("memory-limit" in lacking(document)) == (not limited)
    assert "ok       user " in fresh_machine.gxo("doctor", "--quick").stdout


def test_doctor_warns_of_workspaces_on_the_hosts_disk(fresh_machine: Machine) -> None:
    """Until they have a filesystem of their own; it says where that is explained."""
    path = "/var/lib/gxo/workspaces"
    assert fresh_machine.gxo("setup").returncode == 0
    assert "docs/how-to/workspaces.md" in fresh_machine.gxo("doctor", "--quick").stdout
    fresh_machine.run("mkdir", "-p", path)
    assert "workspaces" in lacking(
        held("doctor", fresh_machine.gxo("doctor", "--quick", "--json").stdout)
    )
    fresh_machine.run("mount", "-t", "tmpfs", "none", path, check=True)
    after = held("doctor", fresh_machine.gxo("doctor", "--quick", "--json").stdout)
    assert "workspaces" not in lacking(after)


def test_doctor_reads_the_configuration(fresh_machine: Machine) -> None:
    """One that cannot be used is broken, told with its place; so are secrets open to others."""

    def found() -> tuple[str, str]:
        document = held("doctor", fresh_machine.gxo("doctor", "--quick", "--json").stdout)
        (check,) = [c for c in document["checks"] if c["name"] == "configuration"]
        return check["state"], check["detail"]

    assert found() == ("ok", "there is no /etc/gxo/config.yaml: the defaults apply")
    path = fresh_machine.write("/etc/gxo/config.yaml", "secrets: {providers: [{type: directory}]}")
    assert found() == ("ok", path)
    fresh_machine.run("install", "-d", "-m", "0750", "/etc/gxo/secrets", check=True)
    assert found() == (
        "broken",
        "secrets in /etc/gxo/secrets are accessible to users other than root",
    )
    fresh_machine.write(path, "secret: {}")
    assert found() == ("broken", f"{path}:1:1: the configuration has no key `secret`")


def test_doctor_finds_records_open_to_others(fresh_machine: Machine) -> None:
    """Records that others could write decide what root runs: the doctor calls that broken."""
    assert fresh_machine.gxo("setup").returncode == 0
    fresh_machine.lab.path("/var/lib/gxo/applied").chmod(0o777)
    done = fresh_machine.gxo("doctor", "--quick", "--json")
    assert done.returncode == 1
    checks = held("doctor", done.stdout)["checks"]
    assert [c["name"] for c in checks if c["state"] == "broken"] == ["records"]


def lacking(document: dict[str, Any]) -> set[str]:
    """The names of the checks that did not come out well."""
    return {check["name"] for check in document["checks"] if check["state"] != "ok"}


def test_schemas_are_strict() -> None:
    """Every schema refuses what it does not describe, so that no field goes undocumented."""
    for path in (Path(CHECKOUT) / "docs/reference/json").glob("*.schema.json"):
        for found in objects(json.loads(path.read_text())):
            entries = found.get("additionalProperties")  # of a map: what stands under any key
            assert entries is False or (entries and "properties" not in found), path


def objects(schema: object) -> Iterator[dict[str, Any]]:
    """Every description of an object within a schema."""
    if isinstance(schema, dict):
        if schema.get("type") == "object":
            yield schema
        for part in schema.values():
            yield from objects(part)
    elif isinstance(schema, list):
        for part in schema:
            yield from objects(part)

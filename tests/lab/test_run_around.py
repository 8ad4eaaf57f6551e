"""What stands around the steps of a run: services, what is done for an end, what is kept."""

import json
from typing import Any

import pytest

from tests.lab.applying import until
from tests.lab.machine import Machine
from tests.lab.running import left, run, step
from tests.schemas import held

HOST = "security_context: {profile: host}, "
SERVE = "exec python3 -m http.server --bind 127.0.0.1 8765"


@pytest.fixture(autouse=True)
def ready(machine: Machine) -> None:
    """The host is set up."""
    machine.gxo("setup", check=True)


def service(name: str, command: str, extra: str = "", **lifecycle: Any) -> str:
    """A supervised workload that runs a line of shell."""
    shape = json.dumps({"policy": "supervise", **lifecycle})
    return step(name, command, extra).replace("{policy: run_once}", shape)


def action(command: str) -> str:
    """A process of a list in a playbook."""
    return json.dumps({"module": "exec", "params": {"command": command, "shell": True}})


def test_a_service_is_up_while_steps_run(machine: Machine) -> None:
    """It starts behind what it needs, what needs it when it is ready; it stops at the end."""
    fetch = (
        "python3 -c 'import urllib.request as u;"
        ' print(u.urlopen("http://127.0.0.1:8765/page").read().decode())\''
    )
    serve = f"echo hello >page; echo {{{{ _gxo.workspace.path }}}} >&2; sleep 0.5; {SERVE}"
    ran = run(
        machine,
        step("first", "sleep 0.3")
        + service(
            "web", serve, "needs: [first], ", ready={"when": "127.0.0.1:8765", "settle": "0s"}
        )
        + step("get", f'test "$({fetch})" = hello', "needs: [web], ")
        + step("after", "true", "when: '{{ eq _gxo.workloads.web.status \"Completed\" }}', "),
        "--jobs",
        "1",
    )
    assert (ran.code, ran.status) == (0, "Completed"), ran.events
    assert ran.order("Completed") == ["first", "get", "web", "after"]
    machine.run("journalctl", "--sync")
    lines = machine.gxo("logs", ran.id, "web", check=True).stdout
    assert f"/run/gxo/workspaces/run.{ran.id}.runs.web\n" in lines
    there = machine.run("sh", "-c", "ls /run/gxo/workspaces /run/gxo/states").stdout
    assert ran.id not in there


def test_a_step_that_waits_for_one_service_needs_another(machine: Machine) -> None:
    """The other is up until that step has ended."""
    settled: dict[str, Any] = {"ready": {"settle": "100ms"}}
    alive = "systemctl is-active 'gxorun-*.db.service'"
    ran = run(
        machine,
        service("web", "exec sleep 1000", **settled)
        + service("db", "exec sleep 1000", **settled)
        + step("use", "true", "needs: [web, db], ")
        + step(
            "dump",
            alive,
            "needs: [db], when: '{{ eq _gxo.workloads.web.status \"Completed\" }}', " + HOST,
        ),
    )
    assert (ran.code, ran.order("Completed")) == (0, ["use", "web", "dump", "db"])


def test_steps_that_wait_for_the_end_of_each_others_services(machine: Machine) -> None:
    """One service is stopped, and the step that waited for that has its own; then the other."""
    ended = "when: '{{ eq _gxo.workloads.%s.status \"Completed\" }}', "
    settled: dict[str, Any] = {"ready": {"settle": "100ms"}}
    ran = run(
        machine,
        service("web", "exec sleep 1000", **settled)
        + service("db", "exec sleep 1000", **settled)
        + step("one", "true", f"needs: [web], {ended % 'db'}")
        + step(
            "two",
            "systemctl is-active 'gxorun-*.db.service'",
            f"needs: [db], {ended % 'web'}{HOST}",
        ),
    )
    assert (ran.code, ran.order("Completed")) == (0, ["web", "two", "db", "one"])


def test_a_service_that_cannot_come_up(machine: Machine) -> None:
    """It ends within `settle`: it has Failed as a step does, and is not started again."""
    ran = run(
        machine,
        service("bad", "sleep 0.2; exit 3", ready={"settle": "5s"})
        + step("use", "true", "needs: [bad], "),
    )
    assert (ran.code, ran.steps) == (1, {"bad": "Failed"})
    assert ran.details("bad") == ["it exited with status 3 within 5 s of its start"]


def test_a_service_that_crashes(machine: Machine) -> None:
    """It is started again; where systemd gives it up, the run fails; what else is up is stopped."""
    crash = "test -e up || { touch up; sleep 0.5; exit 3; }; exec sleep 1000"
    backoff = {"initial": "100ms", "max": "100ms"}
    again: dict[str, Any] = {"restart": "on_failure", "backoff": backoff}
    ready: dict[str, Any] = {"ready": {"settle": "100ms"}}
    ran = run(
        machine,
        service("crash", f"cd /srv; {crash}", HOST, **again, **ready)
        + step(
            "wait", "until test -e /srv/up; do sleep 0.1; done; sleep 1", HOST + "needs: [crash], "
        ),
    )
    assert (ran.code, ran.steps) == (0, {"crash": "Completed", "wait": "Completed"})
    limit: dict[str, Any] = {"start_limit": {"burst": 2, "interval": "1m"}}
    ran = run(
        machine,
        service("lost", "sleep 0.5; exit 3", **again, **ready, **limit)
        + service("calm", "exec sleep 1000", **ready)
        + step("wait", "sleep 3", "needs: [lost], ")
        + step("never", "true", "needs: [wait, calm], "),
    )
    assert ran.steps == {"lost": "Failed", "calm": "Completed", "wait": "Completed"}
    assert ran.details("lost") == ["it exited with status 3, and it will not be started again"]


def test_on_failure_of_a_step(machine: Machine) -> None:
    """After the last attempt, in turn, each whatever became of the one before; then who watches."""
    mend = action("echo {{ _gxo.workloads.bad.status }} >mended; exit 4")
    also = action("cat mended >also")
    watch = step(
        "watch",
        "test $(cat also) = Failed",
        "when: '{{ eq _gxo.workloads.bad.status \"Failed\" }}', ",
    )
    ran = run(
        machine,
        step("bad", "exit 3", f"retry: {{attempts: 2, delay: 0s}}, on_failure: [{mend}, {also}], ")
        + step("good", "true", f"on_failure: [{also}], ")
        + watch,
    )
    assert ran.steps == {
        "good": "Completed",
        "bad": "Failed",
        "bad/on_failure.1": "Failed",
        "bad/on_failure.2": "Completed",
        "watch": "Completed",
    }
    assert len([e for e in ran.events if e["event"] == "retry"]) == 1
    machine.run("journalctl", "--sync")
    shown = json.loads(machine.gxo("runs", "show", ran.id, "--json", check=True).stdout)
    assert shown["steps"]["bad/on_failure.1"]["detail"] == "it exited with status 4"


def test_the_end_of_a_run_is_told(machine: Machine) -> None:
    """By the list for its end alone, which reads the run; how that fares changes nothing."""
    head = (
        f"on_success: [{action('exit 5')}, {action('echo {{ .said.stdout }} >told')}]\n"
        f"on_failure: [{action('test {{ _gxo.workloads.a.status }} = Failed')}]\n"
    )
    ran = run(machine, step("a", "echo x", "register: said, "), head=head)
    assert (ran.code, ran.status) == (0, "Completed")
    assert ran.steps == {"a": "Completed", "on_success.1": "Failed", "on_success.2": "Completed"}
    ran = run(machine, step("a", "exit 3", "register: said, "), head=head)
    assert (ran.code, ran.steps) == (1, {"a": "Failed", "on_failure.1": "Completed"})


def kept(machine: Machine, run: str) -> dict[str, int]:
    """The artifacts of a run by path, with their sizes."""
    shown = held("run", machine.gxo("runs", "show", run, "--json", check=True).stdout)
    return {item["path"]: item["size"] for item in shown["artifacts"]}


def test_artifacts(machine: Machine) -> None:
    """They outlive the workspace, also of a run that failed; what is not there is told."""
    head = "artifacts: [out.txt, tree, gone]\n"
    make = (
        "echo hello >out.txt; mkdir -p tree/a; echo x >tree/a/b; ln -s /etc/shadow tree/s; exit 3"
    )
    link = "echo x >/srv/theirs; mkdir -m 777 tree; ln /srv/theirs tree/theirs"
    ran = run(machine, step("link", link, HOST) + step("make", make, "needs: [link], "), head=head)
    assert ran.status == "Failed"
    assert kept(machine, ran.id) == {"out.txt": 6, "tree/a/b": 2}
    assert ran.events[-1]["detail"] == (
        "tree/s is not kept: it is a link that may lead out of the workspace;"
        " tree/theirs is not kept: it is a hard link to a file of another user;"
        " gone is not kept: it does not exist"
    )
    shown = machine.gxo("runs", "show", ran.id, check=True).stdout
    assert f"kept in /var/lib/gxo/artifacts/{ran.id}:\n  out.txt   6 bytes\n" in shown
    assert machine.read(f"/var/lib/gxo/artifacts/{ran.id}/out.txt") == "hello\n"
    stat = machine.run("stat", "-c", "%a %U", "/var/lib/gxo/artifacts")
    assert stat.stdout == "700 root\n"


def test_artifacts_of_a_killed_run(machine: Machine) -> None:
    """Its runner was killed: what cleans up behind it keeps them too; services of it end."""
    busy = (
        service("up", "exec sleep 1000", "needs: [make], ")
        + step("make", "echo 12345", "register: said, ")
        + step("stay", "echo {{ .said.stdout }} >out; sleep 1000", "needs: [up], ")
    )
    head = "name: killed\nartifacts: [out]\n"
    path = machine.write("/srv/killed.yaml", f"{head}workloads:\n{busy}")
    run_id = machine.gxo("run", "--detach", path, check=True).stdout.strip()
    written = ("sh", "-c", "test -s /var/lib/gxo/workspaces/*/out")
    assert until(lambda: machine.run(*written).returncode == 0)
    unit = f"gxo-run-{run_id}.service"
    machine.run("systemctl", "kill", "-s", "KILL", "--kill-who=main", unit, check=True)
    assert until(lambda: left(machine) == [], 60)
    assert kept(machine, run_id) == {"out": 6}


def test_artifacts_of_a_run_that_several_clean_up(machine: Machine) -> None:
    """Also what cleans up behind its runner was killed: of all who come then, one keeps them."""
    write = "mkdir out; for n in $(seq 3000); do echo x >out/$n; done; touch done"
    stubborn = step("stay", f"{write}; trap '' TERM; while :; do sleep 0.1; done")
    head = "name: several\nartifacts: [out]\n"
    path = machine.write("/srv/several.yaml", f"{head}workloads:\n{stubborn}")
    run_id = machine.gxo("run", "--detach", path, check=True).stdout.strip()
    written = ("sh", "-c", "test -e /var/lib/gxo/workspaces/*/done")
    assert until(lambda: machine.run(*written).returncode == 0)
    unit = f"gxo-run-{run_id}.service"
    machine.run("systemctl", "kill", "-s", "KILL", "--kill-who=main", unit, check=True)
    assert until(lambda: machine.show(unit, "ControlPID").get("ControlPID", "0") != "0")
    machine.run("systemctl", "kill", "-s", "KILL", "--kill-who=all", unit, check=True)
    assert until(lambda: machine.show(unit, "ActiveState")["ActiveState"] in ("failed", "inactive"))
    argv = machine.gxo_argv("runs", "-n", "1")
    commands = [machine.popen(*argv, env=machine.gxo_env) for _ in range(3)]
    for command in commands:
        command.communicate(timeout=60)
    assert [command.returncode for command in commands] == [0, 0, 0]
    shown = held("run", machine.gxo("runs", "show", run_id, "--json", check=True).stdout)
    assert (shown["status"], shown["detail"]) == ("Failed", "its runner was killed")
    assert (len(kept(machine, run_id)), left(machine)) == (3000, [])


def test_artifacts_on_a_full_disk(machine: Machine) -> None:
    """It is told, nothing half is kept, and the run ends as it would have."""
    machine.run("mkdir", "-p", "-m", "700", "/var/lib/gxo/artifacts", check=True)
    full = ("mount", "-t", "tmpfs", "-o", "size=1M,mode=700", "small", "/var/lib/gxo/artifacts")
    machine.run(*full, check=True)
    try:
        fill = "echo x >a; head -c 4M /dev/urandom >b; echo x >c"
        ran = run(machine, step("fill", fill), head="artifacts: [a, b, c]\n")
        full_disk = "is not kept: No space left on device"
        assert (ran.code, ran.events[-1]["detail"]) == (0, f"b {full_disk}; c {full_disk}")
        assert kept(machine, ran.id) == {"a": 2}
    finally:
        machine.run("umount", "/var/lib/gxo/artifacts", check=True)


def test_cancelled(machine: Machine) -> None:
    """What is held up is Cancelled with the run, and nobody is told; artifacts stay."""
    told = action("touch /srv/told")
    head = f"name: cancelled\nartifacts: [out]\non_success: [{told}]\non_failure: [{told}]\n"
    both = service("up", "exec sleep 1000") + step(
        "stay", "echo x >out; sleep 1000", f"needs: [up], on_failure: [{told}], "
    )
    path = machine.write("/srv/cancelled.yaml", f"{head}workloads:\n{both}")
    run_id = machine.gxo("run", "--detach", path, check=True).stdout.strip()
    written = ("sh", "-c", "test -s /var/lib/gxo/workspaces/*/out")
    assert until(lambda: machine.run(*written).returncode == 0)
    machine.run("systemctl", "stop", f"gxo-run-{run_id}.service", check=True)
    assert left(machine) == []
    shown = held("run", machine.gxo("runs", "show", run_id, "--json", check=True).stdout)
    statuses = {name: step["status"] for name, step in shown["steps"].items()}
    assert (shown["status"], statuses) == ("Cancelled", {"up": "Cancelled", "stay": "Cancelled"})
    assert kept(machine, run_id) == {"out": 2}

"""Runs that are cancelled, killed or hostile: nothing of them stays."""

import json
import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.lab.applying import until
from tests.lab.machine import Machine
from tests.lab.running import left, run, step, steps
from tests.schemas import held

STUBBORN = "trap '' TERM; touch up; while :; do sleep 0.1; touch again; done"


@pytest.fixture(autouse=True)
def ready(machine: Machine) -> None:
    """The host is set up."""
    machine.gxo("setup", check=True)


@contextmanager
def running(machine: Machine, workloads: str) -> Iterator["subprocess.Popen[str]"]:
    """A `gxo run --json` under way, its first step running."""
    path = machine.write("/srv/faults.yaml", f"name: faults\nworkloads:\n{workloads}")
    process = machine.popen(*machine.gxo_argv("run", "--json", path), env=machine.gxo_env)
    try:
        assert until(lambda: any(unit.endswith(".service") for unit in steps(machine)))
        yield process
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate(timeout=20)


def interrupt(machine: Machine, name: str = "INT") -> None:
    machine.run("pkill", f"-{name}", "-f", "gxo run --json /srv/faults.yaml", check=True)


def test_an_interrupt_cancels(machine: Machine) -> None:
    """Ctrl-C ends the steps, and the run is Cancelled: exit 130."""
    both = step("long", "sleep 1000") + step("next", "true", "needs: [long], ")
    with running(machine, both) as p:
        interrupt(machine)
        out, _ = p.communicate(timeout=30)
    last = json.loads(out.splitlines()[-1])
    assert (p.returncode, last["event"], last["status"]) == (130, "run", "Cancelled")
    assert left(machine) == []


def test_an_interrupt_in_a_loop(machine: Machine) -> None:
    """The item that runs is Cancelled, those behind it never start, and the step is Cancelled."""
    with running(machine, step("each", "sleep 1000", "loop: [1, 2, 3], ")) as p:
        interrupt(machine)
        out, _ = p.communicate(timeout=30)
    told = [json.loads(line) for line in out.splitlines()]
    items = [(e["iteration"], e["status"]) for e in told if e["event"] == "item"]
    assert items == [(0, "Cancelled")]
    assert [e["status"] for e in told if e["event"] == "step"] == ["Running", "Cancelled"]
    assert (p.returncode, left(machine)) == (130, [])


def test_an_interrupt_at_once(machine: Machine) -> None:
    """However early it comes, the run is Cancelled and nothing of it stays."""
    path = machine.write("/srv/faults.yaml", f"name: faults\nworkloads:\n{step('a', 'sleep 9')}")
    process = machine.popen(*machine.gxo_argv("run", "--json", path), env=machine.gxo_env)
    assert until(lambda: any(name.startswith("gxo-run-") for name in left(machine)))
    interrupt(machine)
    process.communicate(timeout=30)
    assert process.returncode == 130
    assert left(machine) == []
    shown = held("runs", machine.gxo("runs", "-n", "1", "--json", check=True).stdout)
    assert shown["runs"][0]["status"] == "Cancelled"


def test_an_interrupt_between_attempts(machine: Machine) -> None:
    """A step that waits for its next attempt is Cancelled too, and so is the run, at once."""
    path = machine.write(
        "/srv/faults.yaml",
        "name: faults\nworkloads:\n" + step("a", "exit 3", "retry: {attempts: 2, delay: 10m}, "),
    )
    process = machine.popen(*machine.gxo_argv("run", "--json", path), env=machine.gxo_env)
    assert process.stdout is not None
    assert any('"retry"' in line for line in process.stdout)
    interrupt(machine)
    out, _ = process.communicate(timeout=30)
    told = [(e["event"], e["status"]) for e in map(json.loads, out.splitlines())]
    assert (process.returncode, told) == (130, [("step", "Cancelled"), ("run", "Cancelled")])
    assert left(machine) == []


def test_a_killed_runner(machine: Machine) -> None:
    """Its steps end, also one that ignores SIGTERM; the run has Failed, and says why."""
    with running(machine, step("stubborn", STUBBORN)) as p:
        (unit,) = [u for u in left(machine) if u.startswith("gxo-run-")]
        machine.run("systemctl", "kill", "-s", "KILL", "--kill-who=main", unit, check=True)
        out, _ = p.communicate(timeout=60)
    last = json.loads(out.splitlines()[-1])
    assert (p.returncode, last["status"], last["detail"]) == (1, "Failed", "its runner was killed")
    assert left(machine) == []


def test_a_killed_runner_of_a_service(machine: Machine) -> None:
    """The service that it held up ends, and its directories go."""
    settled = "{policy: supervise, ready: {settle: 0s}}"
    up = step("up", "exec sleep 1000").replace("{policy: run_once}", settled)
    with running(machine, up + step("work", "sleep 1000")) as p:
        assert until(lambda: any(".up.service" in unit for unit in left(machine)))
        (unit,) = [u for u in left(machine) if u.startswith("gxo-run-")]
        machine.run("systemctl", "kill", "-s", "KILL", "--kill-who=main", unit, check=True)
        p.communicate(timeout=60)
    assert left(machine) == []


@pytest.mark.parametrize("attached", [True, False])
def test_a_killed_cleaner(machine: Machine, attached: bool) -> None:
    """Who is attached to the run cleans up then, or the next command that looks at one."""
    with running(machine, step("stubborn", STUBBORN)) as p:
        (unit,) = [u for u in left(machine) if u.startswith("gxo-run-")]
        if not attached:
            interrupt(machine, "KILL")
        machine.run("systemctl", "kill", "-s", "KILL", "--kill-who=main", unit, check=True)
        assert until(lambda: machine.show(unit, "ControlPID").get("ControlPID", "0") != "0")
        machine.run("systemctl", "kill", "-s", "KILL", "--kill-who=all", unit, check=True)
        p.communicate(timeout=60)
    assert not attached or p.returncode == 1
    ident = unit.removeprefix("gxo-run-").removesuffix(".service")
    assert "Failed" in machine.gxo("graph", ident, check=True).stdout
    shown = held("runs", machine.gxo("runs", "-n", "1", "--json", check=True).stdout)
    assert (shown["runs"][0]["status"], left(machine)) == ("Failed", [])


def test_who_is_attached_may_go(machine: Machine) -> None:
    """A run goes on to its end when the command that started it is killed."""
    lasting = step("long", "sleep 1; echo x >/srv/done", "security_context: {profile: host}, ")
    with running(machine, lasting) as p:
        interrupt(machine, "KILL")
        p.communicate(timeout=30)
    assert until(lambda: left(machine) == [])
    assert machine.read("/srv/done") == "x\n"


def test_a_hostile_tree_goes(machine: Machine) -> None:
    """Deep, unreadable, immutable; a socket, a link to /, a bind mount: all goes with the run."""
    hostile = (
        "mkdir -p a/b/c; chmod 0 a/b; ln -s / root; mkfifo fifo; touch kept; chattr +i kept a;"
        " mkdir m; mount --bind /etc m; python3 -c 'import os\nfor n in range(1000):"
        ' os.mkdir("d"); os.chdir("d")\''
    )
    ran = run(machine, step("hostile", hostile, "security_context: {profile: host}, "))
    assert ran.steps == {"hostile": "Completed"}
    assert machine.run("test", "-e", "/etc/passwd").returncode == 0


def test_a_workspace_that_cannot_be_removed(machine: Machine) -> None:
    """Every command says so, and goes on: runs run, and what else is left behind goes."""
    places = [f"/var/lib/gxo/workspaces/{n:08x}-0000-0000-0000-000000000000" for n in range(2)]
    broken, gone = places
    machine.run("touch", broken, check=True)
    machine.run("mkdir", gone, check=True)
    said = f"cannot remove workspace {broken}: {broken}: Not a directory\n"
    try:
        path = machine.write("/srv/on.yaml", f"name: on\nworkloads:\n{step('one', 'true')}")
        ran = machine.gxo("run", path)
        assert (ran.returncode, said in ran.stderr) == (0, True), ran.stderr
        again = machine.gxo("runs", "rerun", ran.stdout.split()[1])
        assert (again.returncode, said in again.stderr) == (0, True), again.stderr
        assert left(machine) == [broken.rpartition("/")[2]]
    finally:
        machine.run("rm", "-f", broken, check=True)


def test_what_breaks_a_runner_is_told(machine: Machine) -> None:
    """A run without room for its workspace says so; one that has completed stays so all the same.

    What of it could not be removed then goes with the next command.
    """
    place = "/var/lib/gxo/workspaces"
    step_ = step("last", f"mount -o remount,ro {place}", "security_context: {profile: host}, ")
    path = machine.write("/srv/room.yaml", f"name: room\nworkloads:\n{step_}")
    argv = ("run", "--json", path)
    machine.run("mount", "-t", "tmpfs", "-o", "nr_inodes=1", "small", place, check=True)
    try:
        last = json.loads(machine.gxo(*argv).stdout.splitlines()[-1])
        said = "No space left on device"
        assert (last["status"], said in last["detail"]) == ("Failed", True), last
        machine.run("mount", "-o", "remount,nr_inodes=9", place, check=True)
        done = machine.gxo(*argv)
        last = json.loads(done.stdout.splitlines()[-1])
        assert (done.returncode, last["status"], last["detail"]) == (0, "Completed", "")
        assert len(left(machine)) == 1
        machine.run("mount", "-o", "remount,rw", place, check=True)
        shown = held("run", machine.gxo("runs", "show", "--json", last["run"]).stdout)
        assert (shown["status"], shown["detail"]) == ("Completed", "")
        machine.gxo("runs", "rerun", "--json", last["run"])
        assert len(left(machine)) == 1
    finally:
        machine.run("umount", place, check=True)


def test_a_step_that_fills_the_disk(machine: Machine) -> None:
    """The state cannot be written any more: that is told, and what the run left makes room."""
    path = machine.write(
        "/srv/fill.yaml",
        f"name: fill\nworkloads:\n{step('fill', 'head -c 99M /dev/zero >f; true')}"
        f"{step('next', 'true', 'needs: [fill], ')}",
    )
    small = ("mount", "-t", "tmpfs", "-o", "size=2M,mode=755", "small", "/var/lib/gxo")
    machine.run(*small, check=True)
    try:
        machine.gxo("setup", check=True)
        done = machine.gxo("run", "--json", path)
        last = json.loads(done.stdout.splitlines()[-1])
        assert (done.returncode, last["status"], left(machine)) == (1, "Failed", []), last
        assert last["detail"] == (
            f"its runner failed: `journalctl -u gxo-run-{last['run']}` says why;"
            " cannot write /var/lib/gxo/state.db: database or disk is full"
        )
    finally:
        machine.run("umount", "/var/lib/gxo", check=True)


def test_runs_do_not_see_each_other(machine: Machine) -> None:
    """A step sees its own workspace and no other, though both are of one user."""
    look = "ls /var/lib/gxo/workspaces | wc -l | grep -qx 1 && test ! -e /var/lib/gxo/state.db"
    with running(machine, step("other", "sleep 1000")) as p:
        path = machine.write("/srv/look.yaml", f"name: look\nworkloads:\n{step('look', look)}")
        assert machine.gxo("run", path).returncode == 0
        interrupt(machine)
        p.communicate(timeout=30)
    assert left(machine) == []


def test_an_output_left_to_another_unit(machine: Machine) -> None:
    """Whoever else has it open, a step ends with its own processes, with all they said."""
    leave = "systemd-run --quiet --scope --unit=holder sleep 1000 &"
    wait = "until systemctl --quiet is-active holder.scope; do sleep 0.1; done; echo said"
    host = "register: gone, timeout: 30s, security_context: {profile: host}, "
    check = step("check", "test '{{ .gone.stdout }}' = said")
    try:
        ran = run(machine, step("gone", f"{leave} {wait}", host) + check)
        assert ran.steps == {"gone": "Completed", "check": "Completed"}, ran.events
        assert machine.show("holder.scope", "ActiveState") == {"ActiveState": "active"}
    finally:
        machine.run("systemctl", "stop", "holder.scope")

"""Runs and the end of a boot, or of systemd itself: none stays Running, nothing stays behind."""

from tests.lab.applying import until
from tests.lab.machine import Machine
from tests.lab.running import left, run, step, steps
from tests.schemas import held

HOST = "security_context: {profile: host}, "


def test_power_lost_in_a_run(whole_machine: Machine) -> None:
    """After the next boot the run has Failed, and its workspace is gone."""
    machine = whole_machine
    machine.gxo("setup", check=True)
    path = machine.write("/srv/cut.yaml", f"name: cut\nworkloads:\n{step('long', 'sleep 1000')}")
    run_id = machine.gxo("run", "--detach", path, check=True).stdout.strip()
    assert until(lambda: steps(machine) != [])
    machine.lab.kill()
    machine.lab.start()
    assert until(lambda: left(machine) == [], 30)
    shown = held("run", machine.gxo("runs", "show", "--json", run_id, check=True).stdout)
    assert (shown["status"], shown["steps"]["long"]["status"]) == ("Failed", "Failed")


def test_a_reload_of_systemd_in_a_run(machine: Machine) -> None:
    """As a package's installation does: later steps start, and a service restarts as it was.

    With its own command, within its own sandbox; no unit leaves a file behind.
    """
    machine.gxo("setup", check=True)
    up = step("up", "unshare -U true; exec sleep 1000.5").replace(
        "run_once", "supervise, backoff: {initial: 100ms}, ready: {settle: 100ms}"
    )
    find = "pgrep -f '[s]leep 1000.5'"
    again = f"new=$({find}) && test $new != $old"  # what is killed is there for a moment yet
    crash = f"old=$({find}); kill -9 $old; until {again}; do sleep 0.1; done"
    ran = run(
        machine,
        up
        + step("reload", "systemctl daemon-reload", f"needs: [up], {HOST}")
        + step("crash", crash, f"needs: [reload], timeout: 30s, {HOST}")
        + step("late", "true", "needs: [crash], "),
    )
    assert (ran.code, set(ran.steps.values())) == (0, {"Completed"}), ran.events
    said = machine.journal(f"GXO_RUN={ran.id}", "GXO_STEP=up")
    assert said.count("unshare failed: Operation not permitted") == 2, said
    stale = machine.run("find", "/run/systemd/transient", "-name", "gxo*.service").stdout
    assert stale == ""


def test_systemd_executes_itself_again_in_a_run(fresh_machine: Machine) -> None:
    """As its upgrade does: what is up stays up, what is under way ends well, the run goes on."""
    fresh_machine.gxo("setup", check=True)
    up = step("up", "exec sleep 1000").replace("run_once", "supervise, ready: {settle: 100ms}")
    ran = run(
        fresh_machine,
        up
        + step("early", "sleep 3; echo early", "register: early, ")
        + step("reexec", "systemctl daemon-reexec", f"needs: [up], {HOST}")
        + step("late", "test {{ .early.stdout }} = early", "needs: [reexec], "),
    )
    assert (ran.code, set(ran.steps.values())) == (0, {"Completed"}), ran.events


def test_a_runner_killed_after_a_reload(machine: Machine) -> None:
    """What cleans up behind it is still known to systemd: it ends the run, with nobody attached."""
    machine.gxo("setup", check=True)
    path = machine.write("/srv/slow.yaml", f"name: slow\nworkloads:\n{step('a', 'sleep 600')}")
    run_id = machine.gxo("run", "--detach", path, check=True).stdout.strip()
    assert until(lambda: steps(machine) != [])
    machine.run("systemctl", "daemon-reload", check=True)
    runner = f"gxo-run-{run_id}.service"
    machine.run("systemctl", "kill", "-s", "KILL", "--kill-who=main", runner, check=True)
    assert until(lambda: left(machine) == [], 30)

"""Runs killed at random instants: each ends, and nothing of it stays."""

import random
import subprocess
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.lab.applying import until
from tests.lab.machine import Machine
from tests.lab.running import left, step
from tests.schemas import held

TOGETHER = 4
"""Runs at once: one that is killed must not touch the others."""
SPAN = 5.0
"""Seconds from the first runner's start to the last kill; undisturbed, they take about as long."""
MARK = "4242.25"
"""What only processes of these runs have in their arguments."""
STUBBORN = f"trap '' TERM; {{count}} do sleep 0.1; mkdir -p again; touch again/x; done # {MARK}"
WORKLOADS = (
    step("first", "mkfifo pipe; mkdir -p a/b; touch a/b/c; (cat <pipe &) ")
    + step("each", "sleep 0.2", "needs: [first], loop: [1, 2, 3, 4], loop_control: {parallel: 2}, ")
    + step("again", "test -e x || { touch x; exit 1; }", "retry: {attempts: 3, delay: 300ms}, ")
    + step("crowd", f"setsid sleep {MARK} & sleep {MARK} & sleep 0.5", "needs: [first], ")
    + step("last", "true", "needs: [each, crowd, stubborn], ")
)
UP = f"""\
  - name: up
    lifecycle: {{policy: supervise, ready: {{settle: 0s}}}}
    process: {{module: exec, params: {{command: sleep, args: ["{MARK}"]}}}}
  - name: written
    needs: [first]
    lifecycle: {{policy: run_once}}
    process: {{module: "filesystem:write", params: {{path: a/written, content: x}}}}
    on_failure: [{{module: exec, params: {{command: "echo sorry", shell: true}}}}]
"""
"""A service that is held up, and a step that Python runs."""
ENDS = {"Completed", "Failed", "Cancelled"}


@pytest.fixture(autouse=True)
def ready(machine: Machine) -> None:
    """The host is set up."""
    machine.gxo("setup", check=True)


def kill_and_look(machine: Machine, batches: int, seed: int) -> None:
    """Batches of runs, each with kills at random instants; nothing is left behind any."""
    print(f"seed {seed}")
    chance = random.Random(seed)
    for _ in range(batches):
        for_ever = chance.random() < 0.2
        count = "while :;" if for_ever else "for n in $(seq 12);"
        stubborn = step("stubborn", STUBBORN.format(count=count), "timeout: 5s, ")
        path = machine.write(
            "/srv/kills.yaml", f"name: kills\nworkloads:\n{WORKLOADS}{UP}{stubborn}"
        )
        batch(machine, path, lambda: kill_some(machine, chance))


def batch(machine: Machine, path: str, kill: Callable[[], None]) -> None:
    """Runs of one playbook at once, `kill` as soon as a runner is up; nothing is left behind."""
    runs = [
        machine.popen(*machine.gxo_argv("run", "--json", path), env=machine.gxo_env)
        for _ in range(TOGETHER)
    ]
    try:
        assert until(lambda: any(unit.startswith("gxo-run-") for unit in left(machine)))
        kill()
        for run in runs:
            out, err = run.communicate(timeout=90)
            assert run.returncode in (0, 1), (out, err)
    finally:
        end(runs)
    assert_clean(machine)


def kill_some(machine: Machine, chance: random.Random) -> None:
    """About one kill a run, of what is there at the instant: a runner, a step, or one of each.

    With `all`, what cleans up behind a runner may be the one that is killed.
    """
    start = time.monotonic()
    for instant in sorted(chance.uniform(0, SPAN) for _ in range(TOGETHER)):
        time.sleep(max(start + instant - time.monotonic(), 0))
        for pattern in chance.choice((["gxo-run-*"], ["gxorun-*"], ["gxo-run-*", "gxorun-*"])):
            kill_unit(machine, pattern, chance)


def kill_unit(machine: Machine, pattern: str, chance: random.Random) -> None:
    """One of those that are there, if any."""
    said = machine.run(
        *("systemctl", "list-units", "--plain", "--no-legend", "--type=service"), pattern
    )
    if units := [line.split()[0] for line in said.stdout.splitlines()]:
        whom = chance.choice(("main", "all"))
        # it may have ended just now
        machine.run("systemctl", "kill", "-s", "KILL", f"--kill-who={whom}", chance.choice(units))


def end(runs: Iterable["subprocess.Popen[str]"]) -> None:
    for run in runs:
        if run.poll() is None:
            run.kill()
            run.communicate(timeout=20)


def assert_clean(machine: Machine) -> None:
    """No run is under way, and none has left a unit, a process, a FIFO or a directory."""
    shown = held("runs", machine.gxo("runs", "-n", "1000", "--json", check=True).stdout)
    assert {run["status"] for run in shown["runs"]} <= ENDS
    ended = {*ENDS, "Skipped"}
    still = [r for r in shown["runs"] if {s["status"] for s in r["steps"].values()} - ended]
    assert not still
    assert left(machine) == []
    assert machine.run("pgrep", "-af", f"gxo.runtime|{MARK.replace('.', '[.]')}").stdout == ""
    places = "/run/systemd/transient", "/sys/fs/cgroup"
    found = machine.run("find", *places, "-name", "gxorun-*", "-o", "-name", "gxo-run-*").stdout
    assert found == ""
    rest = [
        "find",
        "/run/gxo",
        "/run/private",
        "/var/lib/gxo",
        "-type",
        "p",
        "-o",
        "-name",
        "run.*",
    ]
    assert machine.run(*rest).stdout == ""


def test_killed_runs_leave_nothing(machine: Machine) -> None:
    """A few runs killed at random instants leave nothing behind."""
    kill_and_look(machine, 2, seed=machine.version)


def test_kill_9_at_every_step_boundary(machine: Machine) -> None:
    """Of the runner, as each step starts or has ended: what had ended counts, nothing is left."""
    chain = step("a", "true") + step("b", "sleep 0.1", "needs: [a], ")
    chain += step("c", "sleep 600", "needs: [b], ")
    path = machine.write("/srv/cut.yaml", f"name: cut\nworkloads:\n{chain}")

    def cut(boundary: tuple[str, str]) -> str:
        """The id of a run that was killed there."""
        run = machine.popen(*machine.gxo_argv("run", "--json", path), env=machine.gxo_env)
        assert run.stdout is not None
        told = (held("event", line) for line in run.stdout)
        event = next(e for e in told if (e["step"], e["status"]) == boundary)
        runner = f"gxo-run-{event['run']}.service"
        machine.run("systemctl", "kill", "-s", "KILL", "--kill-who=main", runner)
        run.communicate(timeout=60)
        return str(event["run"])

    boundaries = [(name, status) for name in "ab" for status in ("Running", "Completed")]
    with ThreadPoolExecutor(len(boundaries)) as threads:
        runs = dict(zip(boundaries, threads.map(cut, boundaries), strict=True))
    assert_clean(machine)
    shown = held("runs", machine.gxo("runs", "-n", "9", "--json", check=True).stdout)["runs"]
    for (name, status), run in runs.items():
        (found,) = (row for row in shown if row["id"] == run)
        ended = {each for each in "ab" if each < name or (each, "Completed") == (name, status)}
        assert ended <= {n for n, s in found["steps"].items() if s["status"] == "Completed"}, found
        assert found["status"] == "Failed", found


@pytest.mark.soak
@pytest.mark.timeout(3600)
def test_many_killed_runs_leave_nothing(machine: Machine) -> None:
    """Nor do 200 of them."""
    kill_and_look(machine, 200 // TOGETHER, seed=random.SystemRandom().randrange(2**32))

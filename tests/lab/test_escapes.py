"""Escapes: what a sandboxed workload tries in vain, and anybody unconfined does in the same lab."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from gxo.spec.policy import Namespaces, Profile
from gxo.units.build import Target, compile_units
from gxo.units.directives import directive
from tests.lab.escapes import ESCAPES
from tests.lab.machine import Machine
from tests.lab.test_units_security import compiled, job, result, said, started
from tests.lab.units_live import Live, changed
from tests.unit.units_plans import SPAN, plan

TOP = Path(__file__).parent.parent.parent
PAGE = TOP / "docs" / "explanation" / "escapes.md"
HERE = Path(__file__).parent
ATTACKER = "/srv/escape"
ARGV = ("env", f"PYTHONPATH={ATTACKER}", "python3", "-m", "tests.lab.escapes")
OTHER = "/var/lib/gxo/workspaces/b5c1a1a6-0000-4000-8000-000000000000"
PLAYBOOK = """
workloads:
  - name: attacker
    lifecycle: {policy: run_once}
    process: {module: exec, params: {command: env, args: %s}}
"""
BAIT = """
import ctypes; ctypes.CDLL(None).shmget(0x67786f, 4096, 0o1666)
"""


@pytest.fixture
def facts(machine: Machine) -> Iterator[str]:
    """What there is to reach: a process, a workspace, records, files and memory of others."""
    assert machine.gxo("setup").returncode == 0
    assert machine.gxo("restore").returncode == 0  # makes the lock
    for name in ("attacker.py", "escapes.py"):
        machine.write(f"{ATTACKER}/tests/lab/{name}", (HERE / name).read_text())
    machine.write("/tmp/escape-bait", "precious\n")
    machine.run("install", "-d", "-m", "0700", "-o", "gxo", OTHER, check=True)
    machine.run("install", "-m", "0600", "-o", "gxo", "/dev/null", f"{OTHER}/kept", check=True)
    machine.run("install", "-m", "4755", "/usr/bin/id", "/srv/escape-id", check=True)
    machine.run("python3", "-c", BAIT, check=True)
    machine.run("systemd-run", "--unit=escape-victim", "sleep", "1000", check=True)
    victim = machine.show("escape-victim.service", "MainPID")["MainPID"]
    try:
        yield json.dumps({"victim": int(victim), "workspace": OTHER})
    finally:
        machine.run("systemctl", "stop", "escape-victim.service")
        machine.run("ipcrm", "-M", "0x67786f")
        machine.run("rm", "-rf", OTHER, "/tmp/escape-bait", "/srv/escape-id")


def told(lines: list[str]) -> dict[str, str]:
    """What became of each escape, by its name."""
    names = {escape.name for escape in ESCAPES}
    pairs = (line.partition(" ") for line in lines)
    return {name: outcome for name, _, outcome in pairs if name in names}


def attack(live: Live, facts: str, **keys: object) -> dict[str, str]:
    """As a service of its own."""
    return told(result(live, "attacker", f"exec {' '.join(ARGV)} '{facts}'", **keys))


def stopped(outcomes: dict[str, str]) -> set[str]:
    return {name for name, outcome in outcomes.items() if outcome.startswith("stopped")}


def test_every_escape_is_stopped(live: Live, facts: str) -> None:
    """None succeeds under `default`, as a service and as a step of a run; unconfined each does.

    Those that no lab can do unconfined say why.
    """
    machine = live.machine
    everyone = {escape.name for escape in ESCAPES}
    argv = (*ARGV, facts)
    free = told(machine.run(*argv, check=True).stdout.splitlines())
    nobody = told(machine.run(*argv, user="nobody", check=True).stdout.splitlines())
    controls = {
        e.name: (free if e.control == "root" else nobody)[e.name] for e in ESCAPES if e.control
    }
    assert {name: outcome for name, outcome in controls.items() if outcome != "reached"} == {}
    service = attack(live, facts)
    assert {n: o for n, o in service.items() if not o.startswith("stopped")} == {}
    assert stopped(service) == everyone
    machine.write("/srv/escape.yaml", PLAYBOOK % json.dumps([*ARGV[1:], facts]))
    assert machine.gxo("run", "/srv/escape.yaml").returncode == 0
    lines = machine.journal("GXO_PLAYBOOK=escape", "GXO_STEP=attacker").splitlines()
    assert stopped(told(lines)) == everyone, lines


def test_a_transient_unit_started_from_inside_a_sandboxed_root_unit(live: Live, facts: str) -> None:
    """Root gets out of every directive of a profile by asking systemd: only `host` may be root."""
    command = f"exec {' '.join(ARGV)} '{facts}'"
    (unit,) = compiled(live, job("attacker", command, user="daemon"))
    unit = changed(unit, directive("User", "root"))
    try:
        assert started(live, unit).ok
        outcomes = told(said(live, unit))
    finally:
        live.remove(unit.name)
    assert (outcomes["mount"][:7], outcomes["bus-start"]) == ("stopped", "reached")
    for user in ("root", "0"):
        _, problems = compile_units(
            plan(job("attacker", command, profile=Profile.STRICT, user=user)),
            Target(systemd=live.machine.version),
        )
        assert ["outside its sandbox" in problem.message() for problem in problems] == [True]


def page() -> str:
    """The table as the documentation has it."""
    rows = "".join(
        f"| {e.tries} | {e.stopped} | {_control(e.control, e.without)} |\n" for e in ESCAPES
    )
    return f"""# Escapes

A workload under the profile `default` tries each row on systemd 252 and 257, as a service and as a
step of a run, and is stopped each time; under `strict` and with `namespaces: {{pid: true}}` too.
As a control, the same program runs without a sandbox in the same throw-away machine and succeeds:
it is the sandbox that stops it. This table is made from tests/lab/escapes.py, which test_escapes.py
runs.

| it tries to | what stops it | without a sandbox |
| --- | --- | --- |
{rows}
This says nothing about faults of the kernel, which a workload shares with its host, nor about what
is granted: `profile: host` is root, and a workload has the capabilities, paths and system calls
that its playbook adds.
"""


def _control(control: str, without: str) -> str:
    if without:
        return f"not tried: {without}"
    return "root succeeds" if control == "root" else "any user succeeds"


def test_the_page_lists_what_is_tried(pytestconfig: pytest.Config) -> None:
    """The documentation has every escape, with what stops it; there are thirty at least."""
    if pytestconfig.getoption("--accept"):
        PAGE.write_text(page())
    assert PAGE.read_text() == page()
    assert len({escape.name for escape in ESCAPES}) == len(ESCAPES) >= 30


def test_strict_stops_no_less(live: Live, facts: str) -> None:
    """What `default` stops, `strict` does too."""
    assert stopped(attack(live, facts, profile=Profile.STRICT)) == {e.name for e in ESCAPES}


def test_its_own_pids_stop_no_less(live: Live, facts: str) -> None:
    """Nor does what makes a PID namespace before systemd 257 leave a way out."""
    keys: dict[str, object] = {"namespaces": Namespaces(span=SPAN, pid=True)}
    if live.machine.version >= 257:
        keys["user"] = "games"
    assert stopped(attack(live, facts, **keys)) == {e.name for e in ESCAPES}

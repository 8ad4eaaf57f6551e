"""Runs that are run again, held to `max_runs`, and forgotten."""

import json

import pytest

from tests.lab.applying import until
from tests.lab.machine import Machine
from tests.lab.running import left, run, step
from tests.schemas import held


@pytest.fixture(autouse=True)
def ready(machine: Machine) -> None:
    """The host is set up."""
    machine.gxo("setup", check=True)


def shown(machine: Machine, ident: str) -> dict[str, str]:
    """What `gxo runs show` says of each step: its status and its detail."""
    found = held("run", machine.gxo("runs", "show", "--json", ident).stdout)
    return {name: f"{s['status']} {s['detail']}".strip() for name, s in found["steps"].items()}


def test_a_run_goes_on_from_where_it_failed(machine: Machine) -> None:
    """What completed is taken over with what it registered; what saw the failure runs again."""
    machine.run("rm", "-f", "/srv/mended")
    ran = run(
        machine,
        step("make", "echo $RANDOM; touch file", "register: made, ")
        + step("off", "true", "when: '{{ eq 1 2 }}', ")
        + step("each", "echo {{ .item }}", "loop: [1, 2], needs: [make], ")
        + step("use", "ls; test -e /srv/mended && echo {{ .made.stdout }}", "register: used, ")
        + step("last", "echo {{ .used.stdout }}", "register: last, ")
        + step("sorry", "true", "when: '{{ eq _gxo.workloads.use.status \"Failed\" }}', "),
        name="again",
    )
    assert (ran.code, ran.steps["use"], ran.steps["sorry"]) == (1, "Failed", "Completed")
    machine.write("/srv/mended", "")
    done = machine.gxo("runs", "rerun", "--from-failed", "--json", ran.id)
    assert done.returncode == 0, done.stderr
    events = [held("event", line) for line in done.stdout.splitlines()]
    new = events[0]["run"]
    over = f"taken over from run {ran.id}"
    assert shown(machine, new) == {
        "make": f"Completed {over}",
        "off": f"Skipped {over}",
        "each": f"Completed {over}",
        "use": "Completed",
        "last": "Completed",
        "sorry": "Skipped",
    }
    assert {e["step"] for e in events if e["detail"] == over} == {"make", "off", "each"}
    was, now = (
        json.loads(machine.gxo("runs", "show", "--json", ident).stdout)["steps"]
        for ident in (ran.id, new)
    )
    assert now["each"]["summary"] == was["each"]["summary"]
    # its files are gone with its workspace; what it registered is not
    assert now["last"]["summary"]["stdout"] == was["make"]["summary"]["stdout"]
    assert left(machine) == []
    refused = machine.gxo("runs", "rerun", "--from-failed", new)
    assert refused.returncode == 1
    assert f"cannot rerun run {new} from where it failed: it completed;" in refused.stderr


def test_a_run_runs_again(machine: Machine) -> None:
    """All of it, as its playbook was then, with the environment of who asks; or a clear error."""
    ran = run(machine, step("tell", 'echo {{ env "WHO" }}', "register: told, "), name="again")
    assert (ran.code, "the environment has no `WHO`" in str(ran.events)) == (1, True)
    machine.run("rm", "/srv/again.yaml", check=True)
    argv = machine.gxo_argv("runs", "rerun", "--detach", ran.id)
    done = machine.run(*argv, env={**machine.gxo_env, "WHO": "me"})
    new = done.stdout.strip()
    assert until(lambda: shown(machine, new).get("tell") == "Completed", 30), done.stderr
    nobody = machine.gxo("runs", "rerun", "ffffffffffff")
    assert (nobody.returncode, "cannot find run `ffffffffffff`" in nobody.stderr) == (1, True)
    machine.run(
        "python3", "-c",
        "import sqlite3; db = sqlite3.connect('/var/lib/gxo/state.db');"
        f" db.execute('UPDATE runs SET spec = ? WHERE id = ?', ('{{\"plan\": {{}}}}', '{new}'));"
        " db.commit()",
        check=True,
    )  # fmt: skip
    old = machine.gxo("runs", "rerun", new)
    assert old.returncode == 1
    assert f"cannot rerun run {new}: cannot read the plan: its version is None" in old.stderr


def test_no_more_runs_than_max_runs(machine: Machine) -> None:
    """One more is refused with the ids of those under way, and can neither be rerun yet."""
    text = f"name: few\nmax_runs: 1\nworkloads:\n{step('long', 'sleep 1000')}"
    path = machine.write("/srv/few.yaml", text)
    first = machine.gxo("run", "--detach", path).stdout.strip()
    refused = machine.gxo("run", path)
    assert refused.returncode == 1
    assert f"cannot run `few`: 1 run is under way ({first})" in refused.stderr
    assert "it has not ended yet" in machine.gxo("runs", "rerun", first).stderr
    machine.run("systemctl", "stop", f"gxo-run-{first}.service", check=True)
    assert left(machine) == []
    second = machine.gxo("run", "--detach", path)
    assert second.returncode == 0
    machine.run("systemctl", "stop", f"gxo-run-{second.stdout.strip()}.service", check=True)


def test_runs_are_forgotten(machine: Machine) -> None:
    """`prune` lists what goes, does nothing when told so, and leaves alone what is young."""
    ids = [run(machine, step("a", "true"), name="gone").id for _ in range(3)][::-1]

    def prune(*args: str) -> list[str]:
        done = machine.gxo("runs", "prune", "--json", *args)
        assert done.returncode == 0, done.stderr
        found: list[str] = held("pruned", done.stdout)["runs"]
        return found

    assert prune() == []
    assert prune("--keep", "1", "--dry-run")[:2] == ids[1:]
    assert prune("--older-than", "1h") == []
    assert prune("--keep", "1")[:2] == ids[1:]
    assert prune("--older-than", "1us") == ids[:1]
    assert machine.gxo("runs", "show", ids[0]).returncode == 1
    wrong = machine.gxo("runs", "prune", "--older-than", "soon")
    assert wrong.returncode == 64
    assert "duration" in wrong.stderr


def test_a_run_is_cancelled_from_elsewhere(machine: Machine) -> None:
    """By its id: all of it has ended when the command returns; a second time there is nothing."""
    slow = step("slow", "trap 'exit 0' TERM; while :; do sleep 0.1; done")
    path = machine.write(
        "/srv/long.yaml", f"name: long\nworkloads:\n{slow}{step('next', 'true', 'needs: [slow], ')}"
    )
    ident = machine.gxo("run", "--detach", path).stdout.strip()
    done = machine.gxo("cancel", "--json", ident[:8])
    assert (done.returncode, held("cancel", done.stdout)["status"]) == (0, "Cancelled")
    assert left(machine) == []
    again = machine.gxo("cancel", ident)
    assert (again.returncode, again.stderr) == (
        1,
        f"error: cannot cancel run {ident}: it has already ended, as Cancelled\n",
    )

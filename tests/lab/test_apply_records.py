"""Records that are damaged, unfinished, of another file, or for which there is no room."""

import json
from collections.abc import Iterator
from subprocess import CompletedProcess

import pytest

from tests.lab.applying import HOST, Site, service, site
from tests.lab.machine import Machine
from tests.lab.running import step
from tests.schemas import held

RECORDS = "/var/lib/gxo/applied"


@pytest.fixture
def here(machine: Machine) -> Iterator[Site]:
    """A playbook that is applied, in a directory of its own."""
    with site(machine, "kept") as found:
        found.write(step("setup", "true") + service("web", "sleep 1000"), HOST)
        found.apply()
        yield found


@pytest.fixture
def other(here: Site) -> Iterator[Site]:
    """A second playbook, in the same directory."""
    with site(here.machine, "other") as found:
        text = here.machine.read(here.path).replace("name: kept", "name: other")
        here.machine.write("/srv/kept/other.yaml", text)
        assert here.gxo("apply", "--yes", "/srv/kept").returncode == 0
        yield found


@pytest.fixture
def small(machine: Machine) -> Iterator[Site]:
    """A playbook that is applied, and its records on a disk of 256 KiB."""
    machine.run("mkdir", "-p", RECORDS, check=True)
    machine.run("mount", "-t", "tmpfs", "-o", "size=256k", "none", RECORDS, check=True)
    try:
        with site(machine, "full") as found:
            found.write(service("web", "sleep 1000"), HOST)
            found.apply()
            yield found
    finally:
        machine.run("umount", RECORDS, check=True)


@pytest.mark.parametrize("record", ["1.json", "observed.json"])
def test_a_damaged_record_of_one_playbook(here: Site, other: Site, record: str) -> None:
    """It is named with what to do, exit 1; whatever concerns the others is done."""
    machine = here.machine
    path = f"{RECORDS}/kept/{record}"
    machine.write(path, '{"version": 1, "rec')
    said = f"error: cannot read {path}: Unterminated string"
    advice = f"; `mv {path} {path}.damaged` goes on without it: "

    def told(done: "CompletedProcess[str]") -> None:
        assert done.returncode == 1, (done.stdout, done.stderr)
        assert said in done.stderr
        assert advice in done.stderr
        assert "Traceback" not in done.stderr

    text = machine.read("/srv/kept/other.yaml").replace("sleep 1000", "sleep 2000")
    machine.write("/srv/kept/other.yaml", text)
    done = here.gxo("plan", "--json", "/srv/kept")
    told(done)
    document = held("plan", done.stdout)
    assert {c["playbook"] for c in document["changes"]} == {"other"}
    assert path in document["damaged"][0]
    done = here.gxo("apply", "--yes", "/srv/kept")
    told(done)
    assert done.stdout.endswith("applied: other 2\n")
    if record == "1.json":
        # whether it came from a file of the directory that is pruned, nobody can tell
        machine.write("/srv/kept/pruned/other.yaml", text)
        told(here.gxo("apply", "--yes", "--prune", "/srv/kept/pruned"))
    told(here.gxo("apply", "--yes", here.path))
    done = here.gxo("status", "--json")
    told(done)
    document = held("status", done.stdout)
    assert {w["playbook"] for w in document["workloads"]} == {"other"}
    assert [d["playbook"] for d in document["damaged"]] == ["kept"]
    assert document["strays"] == []
    assert here.gxo("status", "other").returncode == 0

    # what the error says leads on
    machine.run("mv", path, f"{path}.damaged", check=True)
    pid = here.pid("web")
    here.apply()
    assert here.plan() == {}
    assert here.pid("web") == pid


def test_a_playbook_with_a_damaged_record_is_removed(here: Site) -> None:
    """What is to be forgotten need not be understood."""
    here.machine.write(f"{RECORDS}/kept/1.json", "")
    here.machine.write(f"{RECORDS}/kept/observed.json", "[]")
    done = here.gxo("remove", "--yes", "kept")
    assert (done.returncode, done.stdout) == (0, "removed: kept\n"), done.stderr
    assert here.units() == {}
    assert not here.machine.exists(f"{RECORDS}/kept")


def test_an_apply_that_was_cut_off_is_told_of(here: Site) -> None:
    """Though all runs as it should, plan exits 2 until an apply has ended."""
    intent = json.dumps({"version": 1, "record": {"$": "Intent", "started": 1, "target": None}})
    here.machine.write(f"{RECORDS}/kept/intent.json", intent)
    done = here.gxo("plan", here.path)
    assert (done.returncode, done.stdout) == (
        2,
        "2 unchanged\ninterrupted: an apply of kept did not end; `gxo apply` mends it\n",
    ), done.stderr
    done = here.gxo("plan", "--json", here.path)
    assert done.returncode == 2
    assert held("plan", done.stdout)["interrupted"] == ["kept"]
    pid = here.pid("web")
    here.apply()
    assert here.plan() == {}
    assert here.pid("web") == pid


def test_a_playbook_from_another_file(here: Site) -> None:
    """A warning says from which file it was applied; the next plan of the same has none."""
    here.machine.run("cp", here.path, "/srv/kept-again.yaml", check=True)
    warning = f"warning: `kept` was applied from {here.path}, now from /srv/kept-again.yaml\n"
    done = here.gxo("plan", "/srv/kept-again.yaml")
    assert (done.returncode, done.stdout, done.stderr) == (0, "2 unchanged\n", warning)
    done = here.gxo("plan", "--json", "/srv/kept-again.yaml")
    moved = [{"playbook": "kept", "from": here.path, "to": "/srv/kept-again.yaml"}]
    assert held("plan", done.stdout)["moved"] == moved
    done = here.gxo("apply", "--yes", "/srv/kept-again.yaml")
    assert (done.returncode, done.stderr) == (0, warning)
    assert here.gxo("plan", "/srv/kept-again.yaml").stderr == ""


def test_a_disk_that_fills_up_while_an_apply_runs(small: Site) -> None:
    """How a step ended cannot be kept: the error says so, and what ran before runs again."""
    fill = f"cat /dev/zero >{RECORDS}/ballast || true"
    small.write(step("setup", fill) + service("web", "sleep 2000"), HOST)
    said = small.fail()
    assert "/observed.json: No space left on device\n" in said
    assert said.endswith(
        "what had changed is back to what ran before\n"
        "what steps have done is not undone: `full.setup` ran\n"
    )
    assert "sleep 1000" in small.machine.run("ps", "-o", "args=", "-p", small.pid("web")).stdout
    small.machine.run("rm", f"{RECORDS}/ballast", check=True)
    small.write(service("web", "sleep 1000"), HOST)
    assert small.plan() == {}


def test_removing_makes_room(small: Site) -> None:
    """On a disk without a byte left an apply refuses before it starts; a removal works."""
    small.machine.run("sh", "-c", f"cat /dev/zero >{RECORDS}/ballast")
    small.write(service("web", "sleep 2000"), HOST)
    assert "No space left on device" in small.fail()
    assert small.units("active") == {small.unit("web"): "active"}
    left = small.machine.run("ls", "-A", f"{RECORDS}/full", check=True).stdout.split()
    assert left == ["1.json", "observed.json"]
    done = small.gxo("remove", "--yes", "full")
    assert (done.returncode, done.stdout) == (0, "removed: full\n"), done.stderr
    assert small.units() == {}
    assert not small.machine.exists(f"{RECORDS}/full")

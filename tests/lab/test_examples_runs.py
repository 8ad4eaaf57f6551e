"""The examples of runs do what they say."""

import csv
import io
import shutil
from typing import Any

from gxo.lab import Lab
from tests.lab.machine import CHECKOUT, Machine
from tests.lab.roots import host_version
from tests.lab.running import left
from tests.schemas import held

ACCESS_LOG = str(CHECKOUT / "examples/access-log/access-log.yaml")
BUILD = CHECKOUT / "examples/build/build.yaml"
RELEASE = str(CHECKOUT / "examples/rerun/release.yaml")
COMMITTING = "-c user.name=me -c user.email=me@example.org commit --quiet -m"


def last(machine: Machine) -> dict[str, Any]:
    """The newest run, as `gxo runs` has it."""
    shown = held("runs", machine.gxo("runs", "-n", "1", "--json", check=True).stdout)
    run: dict[str, Any] = shown["runs"][0]
    return run


def ended(run: dict[str, Any]) -> dict[str, str]:
    """The status of each step."""
    return {name: step["status"] for name, step in run["steps"].items()}


def test_access_log(lab: Lab) -> None:
    """The log of a real nginx, line by line, as a report of who had how many requests.

    On the host's own systemd alone: there is curl.
    """
    machine = Machine(lab, host_version())
    done = machine.gxo("run", ACCESS_LOG, "--input", "requests=2000")
    assert done.returncode == 0, done.stdout + done.stderr
    run = last(machine)
    assert set(ended(run).values()) == {"Completed"}
    (report,) = (artifact["path"] for artifact in run["artifacts"])
    rows = csv.DictReader(io.StringIO(machine.read(f"/var/lib/gxo/artifacts/{run['id']}/{report}")))
    found = {row.pop("part"): row for row in rows}
    assert {part: (row["team"], row["requests"], row["failed"]) for part, row in found.items()} == {
        "shop": ("sales", "800", "0"),
        "cart": ("sales", "400", "0"),
        "api": ("platform", "400", "0"),
        "docs": ("writers", "200", "0"),
        "lost": ("", "201", "201"),
    }
    assert found["cart"]["bytes"] == str(400 * len("empty\n"))
    assert left(machine) == []


def test_build(lab: Lab) -> None:
    """From git to a package that works, its stages in order; a test that fails keeps it back.

    On the host's own systemd alone: there are git and gcc.
    """
    machine = Machine(lab, host_version())
    shutil.copytree(BUILD.parent / "source", machine.lab.path("/srv/words"))

    def commit(*lines: str) -> None:
        script = "\n".join(("set -eu; cd /srv/words", *lines))
        machine.run("sh", "-c", script, env={"HOME": "/root"}, check=True)

    commit("git init --quiet --initial-branch=main", "git add .", f"git {COMMITTING} one",
           "git tag v1", "git clone --quiet --bare . /srv/words.git")  # fmt: skip
    done = machine.gxo("run", str(BUILD))
    assert done.returncode == 0, done.stdout + done.stderr
    run = last(machine)
    assert set(ended(run).values()) == {"Completed"}
    at = {name: (step["started"], step["ended"]) for name, step in run["steps"].items()}
    objects = ("compile[0]", "compile[1]", "compile[2]", "compile[3]", "compile-tests")
    assert max(at[name][0] for name in objects) < min(at[name][1] for name in objects)
    assert max(at[name][1] for name in objects) <= min(at[n][0] for n in ("link", "test-units"))
    assert max(at[name][1] for name in ("test", "test-units")) <= at["package"][0]
    tried = (
        "cd /tmp && tar -xzf /srv/packages/words-v1.tar.gz && words-v1/words <words-v1/rhyme.txt"
    )
    assert machine.run("sh", "-c", tried, check=True).stdout.startswith("3 the\n3 is\n")

    commit("echo '1 more' >>rhyme.expected", f"git {COMMITTING} two rhyme.expected",
           "git push --quiet /srv/words.git main")  # fmt: skip
    done = machine.gxo("run", str(BUILD))
    assert done.returncode == 1
    assert "-1 more" in done.stdout
    broken = ended(last(machine))
    assert broken["test"] == "Failed"
    assert broken["compile"] == "Completed"
    assert not {"tested", "package", "publish"} & broken.keys()
    assert left(machine) == []


def test_rerun(machine: Machine) -> None:
    """It fails half-way; from there the rerun goes on, and what Completed does not run again."""
    machine.write("/srv/release/settings", "port=none\n")
    done = machine.gxo("run", RELEASE)
    assert done.returncode == 1
    assert "has no line such as port=8080" in done.stdout
    first = last(machine)
    assert ended(first) == {
        "number": "Completed",
        "notes": "Completed",
        "settings": "Failed",
        "report": "Completed",
    }
    machine.write("/srv/release/settings", "port=8080\n")
    done = machine.gxo("runs", "rerun", "--from-failed", first["id"])
    assert done.returncode == 0, done.stdout + done.stderr
    number = first["steps"]["number"]["summary"]["stdout"]
    assert machine.read("/srv/release/current") == (
        f"number={number}\nport=8080\nnotes=release notes, written once\n"
    )
    assert left(machine) == []

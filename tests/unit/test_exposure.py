"""Exposure on the command line: the gate of `gxo validate`, over all kinds of workloads."""

import subprocess
import sys
from pathlib import Path

import pytest

from gxo.cli.exposed import of_units, too_exposed
from gxo.cli.load import load_to_read
from gxo.plan.build import Given
from gxo.units.target import Target
from tests.schemas import held
from tests.unit.test_cli import gxo

TOP = Path(__file__).parent.parent.parent
PLAYBOOK = """
on_success: [{module: exec, params: {command: "true"}}]
workloads:
  - name: plain
    lifecycle: {policy: supervise}
    process: {module: exec, params: {command: sleep, args: ["9"]}}
  - name: shut
    lifecycle: {policy: run_once}
    security_context: {profile: strict}
    process: {module: exec, params: {command: "true"}}
  - name: open
    lifecycle: {policy: run_once}
    security_context: {profile: host}
    process: {module: "filesystem:read", params: {path: a}}
  - name: often
    lifecycle: {policy: scheduled, cron: "@daily"}
    security_context: {profile: host}
    process: {module: exec, params: {command: "true"}}
"""


def test_the_gate(tmp_path: Path) -> None:
    """Each workload above the limit is a problem at its place, whatever it is; others are none."""
    (tmp_path / "p.yaml").write_text(PLAYBOOK)
    done = gxo("validate", "--max-exposure", "2", "--json", "p.yaml", cwd=tmp_path)
    assert done.returncode == 1, done.stderr
    found = held("validate", done.stdout)["problems"]
    assert {problem["code"] for problem in found} == {"too-exposed"}
    assert [(problem["line"], problem["message"].split("`")[1]) for problem in found] == [
        (13, "p.open"),
        (17, "p.often"),
    ]
    assert gxo("validate", "--max-exposure", "9.9", "p.yaml", cwd=tmp_path).returncode == 0
    tight = gxo("validate", "--max-exposure", "1", "p.yaml", cwd=tmp_path)
    assert "`p.plain` has an exposure of 1.5, more than 1\n --> p.yaml:4:11" in tight.stderr
    assert "`p` has" in tight.stderr
    assert "p.shut" not in tight.stderr
    wrong = gxo("validate", "--max-exposure", "11", "p.yaml", cwd=tmp_path)
    assert wrong.returncode == 64


def test_no_rating_is_no_pass(tmp_path: Path) -> None:
    """Where exposure cannot be told, the gate stays shut."""
    (tmp_path / "p.yaml").write_text(PLAYBOOK)
    code = "import os; os.environ['PATH'] = '/nonexistent'; from gxo.cli.main import main; main()"
    argv = [sys.executable, "-I", "-c", code, "validate", "--max-exposure", "2", "p.yaml"]
    done = subprocess.run(argv, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith("error: cannot tell the exposure of `p.plain`: ")


@pytest.mark.parametrize("path", sorted((TOP / "examples").glob("*/*.yaml")), ids=lambda p: p.stem)
@pytest.mark.parametrize("systemd", [252, 257])
def test_examples_are_as_closed_as_their_profiles_say(path: Path, systemd: int) -> None:
    """What does not ask for the profile `host` is rated 2.0 at most, `strict` 1.2 at most."""
    target = Target(systemd=systemd)
    loaded = load_to_read([str(path)], Given(), target)
    wide = too_exposed(loaded.plans, loaded.units, target, 2.0)
    for problem in wide:
        assert "host" in problem.span.source.text[problem.span.start : problem.span.end], problem
    scores = of_units(loaded.units)
    assert scores.keys() == {u.name for u in loaded.units if u.name.endswith(".service")}

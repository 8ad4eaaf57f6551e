"""Each directory of tests/golden/plan is one test: input.yaml against its problems or drawings."""

import json
from pathlib import Path

import pytest

from gxo.diagnostic import render, sort_problems
from gxo.language.frontend import parse_sources
from gxo.plan import draw
from gxo.plan.build import build_plans
from gxo.source import Source

CASES = sorted((Path(__file__).parent.parent / "golden" / "plan").glob("*/"))
GIVEN = ("input.yaml", "marks.json")
"""A playbook, and how its workloads stand in a run, where it is drawn so."""


def outputs(case: Path) -> dict[str, str]:
    """What is said of a case, by the name of the file that expects it."""
    source = Source("input.yaml", (case / "input.yaml").read_text())
    playbooks, wrong = parse_sources([source])
    plans, found = build_plans(playbooks)
    problems = sort_problems((*wrong, *found))
    if problems:
        return {"problems": "\n".join(map(render, problems))}
    (plan,) = plans
    marks = draw.NO_MARKS
    if (case / GIVEN[1]).exists():
        found = json.loads((case / GIVEN[1]).read_text())
        marks = {name: draw.Mark(*mark) for name, mark in found.items()}
    return {
        "tree": draw.text(plan, marks),
        "dot": draw.dot(plan, marks),
        "mermaid": draw.mermaid(plan, marks),
    }


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_golden(case: Path, pytestconfig: pytest.Config) -> None:
    """The whole output is as expected, and no file expects what is not said."""
    actual = outputs(case)
    if pytestconfig.getoption("--accept"):
        for path in case.iterdir():
            if path.name not in {*GIVEN, *actual}:
                path.unlink()
        for name, text in actual.items():
            (case / name).write_text(text)
    expected = {p.name: p.read_text() for p in case.iterdir() if p.name not in GIVEN}
    assert actual == expected

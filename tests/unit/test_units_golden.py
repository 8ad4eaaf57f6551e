"""Each directory of tests/golden/units is one test: input.yaml against unit files or problems."""

from pathlib import Path

import pytest

from gxo.diagnostic import Severity, render, sort_problems
from gxo.language.frontend import parse_sources
from gxo.plan.build import build_plans
from gxo.source import Source
from gxo.units.build import Target, compile_units
from gxo.units.files import render_file
from gxo.units.model import Unit

CASES = sorted((Path(__file__).parent.parent / "golden" / "units").glob("*/"))
VERSIONS = (252, 257)


def outputs(case: Path) -> dict[str, str]:
    """What a case gives, by the name of the file that expects it; one a systemd if they differ."""
    source = Source("input.yaml", (case / "input.yaml").read_text())
    playbooks, wrong = parse_sources([source])
    plans, found = build_plans(playbooks)
    given = {}
    for version in VERSIONS:
        units: list[Unit] = []
        problems = [*wrong, *found]
        for plan in plans:
            made, unfit = compile_units(plan, Target(systemd=version))
            units += made
            problems += unfit
        failed = any(problem.severity is Severity.ERROR for problem in problems)
        said = "\n".join(map(render, sort_problems(problems)))
        files = "" if failed else "\n".join(f"### {u.name}\n{render_file(u)}" for u in units)
        given[version] = {"problems": said, "units": files}
    out: dict[str, str] = {}
    for name in ("problems", "units"):
        old, new = (given[version][name] for version in VERSIONS)
        out |= {name: old} if old == new else {f"{name}-252": old, f"{name}-257": new}
    return {name: text for name, text in out.items() if text}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_golden(case: Path, pytestconfig: pytest.Config) -> None:
    """The whole output is as expected, and no file expects what is not said."""
    actual = outputs(case)
    if pytestconfig.getoption("--accept"):
        for path in case.iterdir():
            if path.name not in {"input.yaml", *actual}:
                path.unlink()
        for name, text in actual.items():
            (case / name).write_text(text)
    expected = {p.name: p.read_text() for p in case.iterdir() if p.name != "input.yaml"}
    assert actual == expected

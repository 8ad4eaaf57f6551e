"""Each directory of tests/golden/language is one test: its playbooks against what gxo reads there.

`stderr` holds every problem as it is shown, `tree` the playbooks that came through; a file that is
not there stands for nothing said.
"""

from inspect import isabstract
from pathlib import Path

import pytest

from gxo.diagnostic import Problem, keys, modules, names, render, sort_problems, yaml
from gxo.language.files import decode
from gxo.language.frontend import parse_sources
from tests.dump import dump

TOP = Path(__file__).parent / "golden" / "language"
CASES = sorted(TOP.glob("*/"))
# what goes wrong before there is a text: tests/unit/test_language_files.py has these; and what is
# wrong with the modules of a host: tests/unit/test_language_catalog.py
WITHOUT_TEXT = {
    "directory-empty",
    "file-binary",
    "file-kind",
    "file-missing",
    "file-too-big",
    "file-unreadable",
    "too-many-values",
    "text-too-long",
    "library-namespace",
    "module-twice",
    "unusable-module",
}


def read(case: Path) -> dict[str, str]:
    """What gxo says of a case's playbooks, by the name of the expected file."""
    problems: list[Problem] = []
    sources = [
        decode(path.name, path.read_bytes(), problems) for path in sorted(case.glob("*.y*ml"))
    ]
    playbooks, found = parse_sources([source for source in sources if source])
    said = "".join(map(render, sort_problems([*problems, *found])))
    tree = "\n".join(map(dump, (playbook for playbook in playbooks if playbook.sound)))
    return {name: text for name, text in (("stderr", said), ("tree", tree)) if text}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_case(case: Path, pytestconfig: pytest.Config) -> None:
    """Problems and typed playbooks are exactly those that stand beside the input."""
    actual = read(case)
    if pytestconfig.getoption("--accept"):
        for name in ("stderr", "tree"):
            (case / name).unlink(missing_ok=True)
        for name, text in actual.items():
            (case / name).write_text(text, encoding="utf-8")
    expected = {
        name: (case / name).read_text(encoding="utf-8")
        for name in ("stderr", "tree")
        if (case / name).exists()
    }
    assert actual == expected


def test_every_problem_has_a_case() -> None:
    """Each problem the language can find is shown by at least one case."""
    shown = "".join(path.read_text(encoding="utf-8") for path in TOP.glob("*/stderr"))
    missing = [
        f"{module.__name__}.{name}"
        for module in (yaml, keys, names, modules)
        for name, variant in vars(module).items()
        if isinstance(variant, type)
        and issubclass(variant, Problem)
        and not isabstract(variant)
        and variant.code not in WITHOUT_TEXT
        and f"[{variant.code}]" not in shown
    ]
    assert missing == []


def test_nothing_stale() -> None:
    """A case holds its playbooks and what is expected of them, and nothing else."""
    for case in CASES:
        names = {path.name for path in case.iterdir() if path.suffix not in (".yaml", ".yml")}
        assert names <= {"stderr", "tree"}, case
        assert names, case

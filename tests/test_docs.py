"""What stands in the documents holds: playbooks compile, commands exist, links lead somewhere."""

import re
import shlex
from pathlib import Path

import pytest

from gxo.cli.main import COMMANDS
from gxo.language.frontend import parse_sources
from gxo.plan.build import build_plan
from gxo.source import Source
from gxo.units.build import Target, compile_units
from tests.docs import DOCUMENTS, TOP, Block, blocks, matches

BLOCKS = [block for document in DOCUMENTS for block in blocks(document)]
PLAYBOOKS = [
    block for block in BLOCKS if block.kind == "yaml" and re.search("^workloads:", block.text, re.M)
]
LINES = [
    (block, line)
    for block in BLOCKS
    if block.kind in ("sh", "console")
    for line in block.text.splitlines()
    if re.match(r"(\$ |\./dev )?gxo ", line)
]


@pytest.mark.parametrize("block", PLAYBOOKS, ids=lambda block: block.place)
def test_playbooks_compile(block: Block) -> None:
    """A playbook in a document has no problem, and becomes units; `wrong.yaml` has problems."""
    playbooks, problems = parse_sources([Source(block.file or "playbook.yaml", block.text)])
    found = list(problems)
    units = 0
    for playbook in playbooks:
        plan, wrong = build_plan(playbook)
        found += wrong
        if plan is not None:
            made, wrong = compile_units(plan, Target(systemd=252))
            found += wrong
            units += len(made)
    if block.file == "wrong.yaml":
        assert found
    else:
        assert [str(problem.message()) for problem in found] == []
        assert units


@pytest.mark.parametrize(("block", "line"), LINES, ids=lambda value: getattr(value, "place", ""))
def test_commands_exist(block: Block, line: str) -> None:
    """A `gxo` command in a document is one that gxo has."""
    words = shlex.split(line.removeprefix("$ ").removeprefix("./dev "), comments=True)
    named = next((word for word in words[1:] if not word.startswith("-")), None)
    assert named is None or named in COMMANDS, f"{block.place}: {line}"


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(TOP)))
def test_links_lead_somewhere(document: Path) -> None:
    """A relative link names a file or directory of the checkout."""
    prose = re.sub(r"^```.*?^```$", "", document.read_text(), flags=re.S | re.M)
    for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", prose):
        if "://" not in target:
            assert (document.parent / target).exists(), f"{document.name} links to {target}"


def test_the_matcher_can_fail() -> None:
    """`…` stands for text within a line, or alone for lines; all else is literal."""
    assert matches("a …\n…\nz\n", "a b\nc\nd\nz\n")
    assert matches("…\nz\n", "z\n")
    assert matches("a  b\n", "a     b  \n")
    assert not matches("a  b\n", "a b\n")
    assert not matches("a …\n", "a b\nc\n")
    assert not matches("a.c\n", "abc\n")
    assert not matches("", "a\n")

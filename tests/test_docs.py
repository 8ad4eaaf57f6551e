"""What stands in the documents holds: playbooks compile, commands exist, links lead somewhere."""

import re
import shlex
import shutil
import subprocess
from collections.abc import Callable, Iterator
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from itertools import takewhile
from pathlib import Path

import pytest
import typer

from gxo.cli import reference, skeleton
from gxo.cli.main import COMMANDS
from gxo.cli.program import app
from gxo.language.catalog import Catalog
from gxo.language.frontend import parse_sources
from gxo.language.reader import Find, none_outside
from gxo.plan.build import build_plan
from gxo.source import Source
from gxo.units.build import Target, compile_units
from gxo.units.steps import compile_steps
from tests.docs import DOCUMENTS, RUN_EXAMPLES, TOP, Block, blocks, matches
from tests.test_layers import ROOMS

BLOCKS = [block for document in DOCUMENTS for block in blocks(document)]
RUNS = tuple(
    f"docs/how-to/{name}.md" for name in ("run", "secrets", "streams", "records", "modules")
)
YAML = [block for block in BLOCKS if block.kind == "yaml"]
PLAYBOOKS = [block for block in YAML if re.search("^workloads:", block.text, re.M)]
PARTS = [block for block in YAML if block not in PLAYBOOKS]
MERMAID = [block for block in BLOCKS if block.kind == "mermaid"]
EXAMPLES = sorted(TOP.glob("examples/*/*.yaml"))
PAGES = sorted({*DOCUMENTS, *TOP.glob("*.md")})


def commands(document: Path) -> Iterator[str]:
    """Every `gxo` command line in a document: lines of code blocks, and inline code."""
    for block in blocks(document):
        prompt = {"sh": "^", "console": "^[$#] "}.get(block.kind)
        for line in block.text.splitlines() if prompt else ():
            yield from re.findall(rf"(?:{prompt}|\./dev |&& |\|\| )(gxo .+)", line)
    prose = re.sub(r"^```.*?^```$", "", document.read_text(), flags=re.S | re.M)
    for span in re.findall(r"`([^`]+)`", prose):
        yield from re.findall(r"^(?:sudo )?(gxo .+)", span)


COMMAND_LINES = [(path, line) for path in PAGES for line in dict.fromkeys(commands(path))]


@pytest.mark.parametrize("block", PLAYBOOKS, ids=lambda block: block.place)
def test_playbooks_compile(block: Block, tmp_path: Path) -> None:
    """A playbook in a document has no problem, and becomes units; `wrong.yaml` has problems.

    The playbooks of `gxo run` become steps. They may use the module that `gxo modules new` makes.
    """
    source = Source(block.file or "playbook.yaml", block.text)
    skeleton.write("acme:report", tmp_path / "modules" / "report")
    config = tmp_path / "config.yaml"
    config.write_text(f"modules: {{paths: [{tmp_path}/modules]}}\n")
    find = Catalog(str(config)).find
    problems, units = compiled(source, 252, find, runs=block.place.startswith(RUNS))
    if block.file == "wrong.yaml":
        assert problems
    else:
        assert (problems, units > 0) == ([], True)


@pytest.mark.parametrize("block", PARTS, ids=lambda block: block.place)
def test_parts_of_playbooks_compile(block: Block, tmp_path: Path) -> None:
    """Any other YAML in a document is a `module.yaml`, or has a playbook's keys but `workloads`."""
    process = "{module: exec, params: {command: /bin/true}}"
    text = block.text
    if block.file == "module.yaml":
        (tmp_path / "report").mkdir()
        (tmp_path / "report" / "module.yaml").write_text(text)
        (tmp_path / "report" / "main.py").touch()
        text = ""
        process = "{module: 'acme:report', params: {path: out}}"
    text += f"workloads: [{{name: w, lifecycle: {{policy: run_once}}, process: {process}}}]\n"
    config = tmp_path / "config.yaml"
    config.write_text(f"modules: {{paths: [{tmp_path}]}}\n")
    find = Catalog(str(config)).find
    assert compiled(Source("part.yaml", text), 252, find, runs=True) == ([], 1)


@pytest.mark.parametrize("version", [252, 257])
@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.name)
def test_examples_compile(path: Path, version: int) -> None:
    """Each example has no problem and becomes units, or steps of a run, for each systemd."""
    runs = path.parent.name in RUN_EXAMPLES
    problems, units = compiled(Source(path.name, path.read_text()), version, runs=runs)
    assert (problems, units > 0) == ([], True)


def compiled(
    source: Source, version: int, outside: Find = none_outside, *, runs: bool = False
) -> tuple[list[str], int]:
    """What is wrong with a playbook, and how many units, or steps of a run, it becomes."""
    playbooks, problems = parse_sources([source], outside)
    found = list(problems)
    units = 0
    for playbook in playbooks:
        plan, wrong = build_plan(playbook)
        found += wrong
        if plan is not None:
            target = Target(systemd=version)
            made, wrong = (compile_steps if runs else compile_units)(plan, target)
            found += wrong
            units += len(plan.steps if runs else made)  # what a run holds up has no frame
    return [problem.message() for problem in found], units


@pytest.mark.parametrize(
    ("document", "line"), COMMAND_LINES, ids=lambda value: getattr(value, "name", value)
)
def test_commands_and_their_options_exist(document: Path, line: str) -> None:
    """A `gxo` command in a document is one that gxo has, with the options that it names."""
    shell = shlex.shlex(line, posix=True, punctuation_chars=True)
    shell.whitespace_split = True
    words = list(takewhile(lambda word: not re.fullmatch(r"[|&;<>]+", word), shell))[1:]
    known = options(None)
    for word in words:
        if word in COMMANDS:  # `gxo try plan …`: either's options
            known |= options(word)
    named = next((word for word in words if not word.startswith("-")), "COMMAND")
    assert named in COMMANDS or not named.islower(), f"no command {named}"
    given = {re.sub(r"[=…].*", "", word) for word in words if re.match("--?[a-z]", word)}
    # `--prune/--no-prune`, and `-f`, `-o` beside the long ones
    assert {part for word in given for part in word.split("/")} <= known


@cache
def options(command: str | None) -> frozenset[str]:
    """The spellings of a command's options, of those beneath it too; of gxo itself with None."""
    group = typer.main.get_command(app)
    found = group if command is None else group.get_command(None, command)  # type: ignore[attr-defined]
    beneath = [] if command is None else getattr(found, "commands", {}).values()
    params = [param for each in (found, *beneath) for param in each.params]
    spelled = (spelling for p in params for spelling in (*p.opts, *p.secondary_opts))
    return frozenset({*spelled, "--help", "-h"})


@pytest.mark.parametrize("document", PAGES, ids=lambda path: str(path.relative_to(TOP)))
def test_links_lead_somewhere(document: Path) -> None:
    """A relative link names a file or directory of the checkout, and a heading that is there."""
    prose = re.sub(r"^```.*?^```$", "", document.read_text(), flags=re.S | re.M)
    for target, anchor in re.findall(r"\]\(([^)#\s]*)(?:#([^)\s]*))?[^)]*\)", prose):
        if "://" not in target:
            path = document.parent / target if target else document
            assert path.exists(), f"{document.name} links to {target}"
            if anchor:
                assert anchor in anchors(path), f"{document.name} links to {target}#{anchor}"


@pytest.mark.parametrize("document", PAGES, ids=lambda path: str(path.relative_to(TOP)))
def test_tests_that_are_named_exist(document: Path) -> None:
    """A test that a document names as what holds a promise is there."""
    for path, _, name in re.findall(r"`(tests/[\w/]+\.py)(::(\w+))?`", document.read_text()):
        text = (TOP / path).read_text()
        assert not name or f"def {name}(" in text, f"{document.name} names {path}::{name}"


@pytest.mark.parametrize("document", PAGES, ids=lambda path: str(path.relative_to(TOP)))
def test_files_that_are_named_exist(document: Path) -> None:
    """A file of gxo's code that a document names is there."""
    named = re.findall(r"`(gxo/[\w./]*)`", document.read_text())
    assert [name for name in named if not (TOP / name).exists()] == []


@pytest.mark.parametrize("document", ["CONTRIBUTING.md", "docs/explanation/architecture.md"])
def test_packages_stand_in_their_order(document: str) -> None:
    """The documents list the packages in the order in which they may import each other."""
    ordered = ROOMS[ROOMS.index("source") :]
    there = [name for name in ordered if list(TOP.glob(f"gxo/{name}*"))]
    assert ", ".join(there) in (TOP / document).read_text()


@pytest.mark.parametrize("block", MERMAID, ids=lambda block: block.place)
def test_diagrams_can_be_drawn(block: Block) -> None:
    """No message of a sequence diagram ends early, and each comes from and goes to a participant.

    Mermaid takes `;` for the end of a line, and `#` for the beginning of an entity.
    """
    head, *lines = block.text.splitlines()
    if head != "sequenceDiagram":
        assert head.startswith("flowchart ")
        return
    declared = set(re.findall(r"^ *participant (\w+) as ", block.text, re.M))
    messages = [found for found in map(re.compile(r" *(\w+)--?>>(\w+): ").match, lines) if found]
    assert messages
    assert {name for found in messages for name in found.groups()} <= declared
    assert not [line for line in lines if ";" in line or "#" in line]


@pytest.mark.parametrize("block", MERMAID, ids=lambda block: block.place)
def test_diagrams_name_what_is_there(block: Block) -> None:
    """What a diagram names by its package, such as `plan.build.build_plan`, is in gxo."""
    for name in re.findall(rf"\b(?:{'|'.join(ROOMS)})(?:\.\w+)+", block.text):
        if name.endswith(".db"):  # a file
            continue
        package, _, last = f"gxo.{name}".rpartition(".")
        module = import_module(package)
        assert hasattr(module, last) or find_spec(f"{package}.{last}"), name


def anchors(document: Path) -> set[str]:
    """The anchors of a document's headings, as forges make them."""
    titles = re.findall(r"^#+ (.*)$", document.read_text(), re.M)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize(
    ("path", "make"),
    [
        ("docs/reference/commands.md", reference.markdown),
        ("docs/man/gxo.1", reference.manual),
    ],
)
def test_reference_is_generated(
    path: str, make: Callable[[], str], pytestconfig: pytest.Config
) -> None:
    """The pages of the commands say what the commands say; `--accept` rewrites them."""
    if pytestconfig.getoption("--accept"):
        (TOP / path).write_text(make(), encoding="utf-8")
    assert (TOP / path).read_text(encoding="utf-8") == make()


def test_the_manual_page_is_sound() -> None:
    """The formatter has nothing to say of the manual page, and prints every command.

    Where there is none (a minimal Debian has no man), its requests at least are known ones.
    """
    page = TOP / "docs/man/gxo.1"
    requests = {line.split()[0] for line in page.read_text().splitlines() if line[:1] == "."}
    assert requests <= {".TH", ".SH", ".SS", ".TP", ".PP", ".B"}
    groff = shutil.which("groff")
    if groff:
        command: list[str | Path] = [groff, "-man", "-ww", "-Tutf8", "-P-cbou", page]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert (done.returncode, done.stderr) == (0, "")
        for entry in reference.entries():
            assert f"   gxo {entry.name}" in done.stdout


def test_the_matcher_can_fail() -> None:
    """`…` stands for text within a line, or alone for lines; all else is literal."""
    assert matches("a …\n…\nz\n", "a b\nc\nd\nz\n")
    assert matches("…\nz\n", "z\n")
    assert matches("a  b\n", "a     b  \n")
    assert not matches("a  b\n", "a b\n")
    assert not matches("a …\n", "a b\nc\n")
    assert not matches("a.c\n", "abc\n")
    assert not matches("", "a\n")

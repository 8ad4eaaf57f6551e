"""A room imports only from the rooms before it, and each third-party library lives in one room."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from gxo.modules.table import libraries

TOP = Path(__file__).parent.parent
ROOMS = [
    "version",
    "data",
    "dataclass",
    "source",
    "diagnostic",
    "template",
    "spec",
    "config",
    "outside",
    "language",
    "plan",
    "units",
    "systemd",
    "modules",
    "runtime",
    "apply",
    "control",
    "lab",
    "cli",
]
# the room that may know each library; all others go through it
HOMES = {
    "ahocorasick_rs": "runtime",
    "lark": "language",
    "yaml": "language",
    "jinja2": "units",
    "cryptography": "outside",
    "pydbus": "systemd",
    "gi": "systemd",
    "typer": "cli",
    "click": "cli",
    "rich": "cli",
    "orjson": "modules",
    "re2": "modules",
}
# leaves in lower rooms through which rooms share a library: `toYaml` runs where lark never does
WRAPPERS = {"gxo/template/yaml_text.py": "yaml", "gxo/config/places.py": "yaml"}
# what gxo has its own of, and why its file says
OWN = {"dataclasses": "dataclass"}
# of workers, those that read records, and the rooms that these may know beside their own
ON_RECORDS = ("aggregate", "alter", "drive", "each", "flow", "format", "join", "net", "pipeline")
SHOWN = ("gxo.template", "gxo.plan.codec", "gxo.dataclass")
FILES = sorted((TOP / "gxo").rglob("*.py"))


def room_of(path: Path) -> str:
    return path.relative_to(TOP / "gxo").parts[0].removesuffix(".py")


def imports(path: Path) -> Iterator[str]:
    """Every module a file imports, at its top or within a function."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative imports hide the room"
            yield str(node.module)


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(TOP)))
def test_imports_point_down(path: Path) -> None:
    """Each file imports gxo's modules only from its own room or one to the left of it."""
    mine = room_of(path)
    for module in imports(path):
        if module.startswith("gxo.") and mine not in ("__init__", "__main__"):
            other = module.split(".")[1]
            assert mine != "shim", f"{path} imports {module}: the shim knows nothing of gxo"
            assert ROOMS.index(other) <= ROOMS.index(mine), f"{path} imports {module}"


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(TOP)))
def test_libraries_live_in_one_room(path: Path) -> None:
    """A third-party library is imported by its own room only."""
    for module in imports(path):
        home = (HOMES | OWN).get(module.split(".")[0])
        wrapped = WRAPPERS.get(str(path.relative_to(TOP))) == module
        assert home is None or wrapped or room_of(path) == home, f"{path} imports {module}"


def test_what_runs_in_steps_needs_only_python() -> None:
    """A worker's Python sees neither gxo's libraries nor the rest of gxo; it starts soon.

    Those on records evaluate templates, and are shown the libraries they name.
    """
    for path in (TOP / "gxo" / "modules").glob("*.py"):
        on_records = path.name.startswith("parse") or path.stem in ON_RECORDS
        for module in imports(path):
            ours = ("gxo.modules", *(SHOWN if on_records else ()))
            known = (*sys.stdlib_module_names, *(libraries("stream:pipeline") * on_records))
            assert module.startswith(ours) or module.split(".")[0] in known, f"{path}: {module}"
    code = (
        "import gxo.modules.worker, gxo.modules.look, gxo.modules.write, sys;"
        "print([m for m in ('typing', 'dataclasses', 'pathlib', 'inspect') if m in sys.modules])"
    )
    argv = [
        sys.executable,
        "-I",
        "-S",
        "-c",
        f"import sys; sys.path.insert(0, {str(TOP)!r}); {code}",
    ]
    out = subprocess.run(argv, capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"


@pytest.mark.parametrize(
    "room", ["plan.model", "units.model", "template.evaluate", "spec.policy", "runtime.service"]
)
def test_what_a_runner_needs_loads_no_frontend(room: str) -> None:
    """Importing the plan's and the units' types loads neither lark nor yaml nor the language."""
    code = (
        f"import gxo.{room}, sys;"
        "print([m for m in sys.modules if m in ('lark', 'yaml') or m.startswith('gxo.language')])"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"


def test_a_run_without_secrets_loads_nothing_for_them() -> None:
    """Such a run imports neither the configuration nor the providers."""
    code = (
        "import gxo.runtime.service, sys;"
        "print([m for m in sys.modules if m.startswith(('gxo.config', 'gxo.runtime.secrets'))])"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"


def test_files_stay_readable() -> None:
    """No file is longer than 400 lines, and each says its subject in its first line."""
    for path in FILES:
        text = path.read_text()
        assert text.count("\n") <= 400, f"{path} is too long"
        assert text.startswith('"""'), f"{path} does not say its subject"

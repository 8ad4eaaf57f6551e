"""An installed wheel works away from the checkout: its grammars and templates are in it."""

import os
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

from gxo.version import __version__

TOP = Path(__file__).parent.parent
PLAYBOOK = """
vars: {greeting: "{{ upper \\"hello\\" }}"}
workloads:
  - name: web
    lifecycle: {policy: supervise, backoff: {initial: 1s, max: 1m}}
    process: {module: exec, params: {command: /usr/bin/echo, args: ["{{ .greeting }}"]}}
  - name: nightly
    lifecycle: {policy: scheduled, cron: "17 3 * * mon-fri", workspace: none}
    process: {module: exec, params: {command: /usr/bin/true}}
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of this checkout, built without a network."""
    place = tmp_path_factory.mktemp("wheel")
    build = ["-m", "build", "--wheel", "--no-isolation", "--outdir", str(place), str(TOP)]
    subprocess.run([sys.executable, "-P", *build], check=True, capture_output=True)
    (found,) = place.glob("*.whl")
    return found


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fresh environment with that wheel; its other packages are those that the tests use."""
    venv = tmp_path_factory.mktemp("venv")
    make = ["-m", "venv", "--without-pip", "--system-site-packages", str(venv)]
    subprocess.run([sys.executable, *make], check=True)
    python = str(venv / "bin/python")
    install = ["--python", python, "install", "-q", "--no-deps", "--no-index", str(wheel)]
    subprocess.run([sys.executable, "-m", "pip", *install], check=True)
    where = [python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"]
    packages = subprocess.run(where, check=True, capture_output=True, text=True).stdout.strip()
    # a directory that a .pth names is searched, but its own .pth files, one of which
    # leads to the checkout, are not read
    Path(packages, "third-party.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return venv


def run(installed: Path, where: Path, *words: str) -> str:
    """The standard output of the installed `gxo`, called as a user would."""
    environment = {
        "PATH": f"{installed}/bin:/usr/bin:/bin",
        "HOME": str(where),
        "GXO_CACHE": str(where / "cache"),
    }
    done = subprocess.run(
        words, cwd=where, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_it_is_the_installed_one(installed: Path, tmp_path: Path) -> None:
    """The checkout is not where the interpreter looks: what follows tests the wheel."""
    look = "import sys, gxo; print(gxo.__file__); print(*sys.path, sep='\\n')"
    found, *path = run(installed, tmp_path, "python", "-c", look).splitlines()
    assert Path(found).is_relative_to(installed)
    assert str(TOP) not in path
    assert run(installed, tmp_path, "gxo", "--version") == f"gxo {__version__}\n"


def test_it_compiles_as_the_checkout_does(installed: Path, tmp_path: Path) -> None:
    """Grammars and templates come from the wheel, and give the same units, cached or not."""
    (tmp_path / "site.yaml").write_text(PLAYBOOK)
    command = ("compile", "--systemd", "252", "site.yaml")
    ours = subprocess.run(
        [sys.executable, "-I", "-m", "gxo", *command],
        cwd=tmp_path,
        env={"PATH": os.environ["PATH"], "GXO_CACHE": str(tmp_path / "other")},
        capture_output=True,
        text=True,
        check=True,
    )
    assert "HELLO" in ours.stdout
    assert "OnCalendar=Mon..Fri *-*-* 03:17:00" in ours.stdout
    first, second = (run(installed, tmp_path, "gxo", *command) for _ in range(2))
    assert first == second == ours.stdout


def test_it_validates_and_knows_its_schema(installed: Path, tmp_path: Path) -> None:
    """The two commands of editors: both work in any directory."""
    (tmp_path / "site.yaml").write_text(PLAYBOOK)
    said = run(installed, tmp_path, "gxo", "validate", "site.yaml")
    assert said == "1 playbook, 2 workloads: no errors\n"
    schema = (TOP / "docs/reference/playbook.schema.json").read_text()
    assert run(installed, tmp_path, "gxo", "schema") == schema


def test_what_is_in_it(wheel: Path) -> None:
    """All of the package and its data, byte for byte; nothing of the tests or of the machine."""
    held = {
        **{f"gxo/{p.relative_to(TOP / 'gxo')}": p for p in (TOP / "gxo").rglob("*")},
        **{
            f"gxo/_data/{p.relative_to(TOP)}": p
            for name in ("grammar", "templates", "packaging")
            for p in (TOP / name).rglob("*")
        },
    }
    wanted = {
        name: path.read_bytes()
        for name, path in held.items()
        if path.is_file() and "__pycache__" not in path.parts
    }
    with zipfile.ZipFile(wheel) as opened:
        found = {name: opened.read(name) for name in opened.namelist() if ".dist-info/" not in name}
    assert found == wanted

"""Reading and compiling, against ansible, PyYAML's C parser and Podman's quadlet generator."""

import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import playbooks
from timing import Result, call, command, compare

from gxo.language.frontend import parse_sources
from gxo.plan.build import Given, build_plan
from gxo.source import Source
from gxo.units.build import Target, compile_units
from tests.lab.roots import tree

GXO = [sys.executable, "-I", "-m", "gxo"]


def validate() -> Iterator[Result]:
    """The whole command on a small playbook, start-up included."""
    from tools import ansible_playbook

    with tempfile.TemporaryDirectory() as folder:
        ours = Path(folder, "small.yaml")
        ours.write_text(playbooks.SMALL)
        theirs = Path(folder, "ansible.yaml")
        theirs.write_text("- hosts: localhost\n  tasks:\n    - command: /usr/bin/true\n")
        gxo = command([*GXO, "validate", ours])
        check = [ansible_playbook(), "--syntax-check", "-i", "localhost,", theirs]
        yield compare("validate / ansible-playbook --syntax-check", gxo, command(check), 0.3)
        bare = [sys.executable, "-c", "import yaml"]
        yield compare("validate / python3 -c 'import yaml'", gxo, command(bare), 4, pairs=21)


def compile_in_process() -> Iterator[Result]:
    """Text to units, imports apart."""
    import yaml

    def ours(text: str) -> None:
        books, problems = parse_sources((Source("services.yaml", text),))
        plan, more = build_plan(books[0], Given())
        assert plan is not None, (problems, more)
        units, last = compile_units(plan, Target(systemd=252))
        assert len(units) == text.count("name:"), last

    small, large = playbooks.services(1_000), playbooks.services(10_000)
    compose = call(lambda: yaml.compose(small, Loader=yaml.CLoader))
    one = call(lambda: ours(small))
    yield compare("compile 1,000 workloads / yaml C parser composing them", one, compose, 4)
    ten = call(lambda: ours(large))
    yield compare("compile 10,000 workloads / compile 1,000", ten, one, 12, pairs=3)


def compile_against_quadlet() -> Iterator[Result]:
    """Both as whole commands within a Debian 13 root, writing their files."""
    root = tree(257, also=("podman",))
    top = Path(__file__).parents[2]
    with tempfile.TemporaryDirectory(dir=root / "root") as folder:
        there = Path("/root") / Path(folder).name
        Path(folder, "in").mkdir()
        for name, text in playbooks.quadlets(1_000).items():
            Path(folder, "in", name).write_text(text)
        Path(folder, "services.yaml").write_text(playbooks.services(1_000))
        for part in ("gxo", "grammar", "templates"):
            shutil.copytree(
                top / part, Path(folder, part), ignore=shutil.ignore_patterns("__pycache__")
            )
        chroot = ["chroot", root, "/usr/bin/env", "-i", "PATH=/usr/sbin:/usr/bin", "HOME=/root"]
        gxo = ["sh", "-c", f"cd {there} && exec python3 -m gxo compile services.yaml -o out"]
        quadlet = [
            f"QUADLET_UNIT_DIRS={there}/in",
            "/usr/libexec/podman/quadlet",
            f"{there}/theirs",
        ]
        yield compare(
            "compile 1,000 services / podman quadlet, Debian 13",
            command([*chroot, *gxo]),
            command([*chroot, *quadlet]),
            3,
        )
        for written in ("out", "theirs"):
            assert len(list(Path(folder, written).iterdir())) >= 1_000, written

"""The command line itself: usage, exit codes, what a mistake is told, where output goes."""

import os
import pty
import select
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from gxo.cli import reference
from gxo.cli.main import COMMANDS, HIDDEN
from gxo.systemd.host import systemd_version
from gxo.systemd.version import installed_version
from gxo.version import __version__
from tests.schemas import held

TOP = Path(__file__).parent.parent.parent
SCHEMAS = TOP / "docs/reference/json"
ENVIRONMENT = {"PATH": "/usr/bin:/bin", "TERM": "dumb", "NO_COLOR": "1"}
GXO = [sys.executable, "-I", "-m", "gxo"]
GOOD = """
inputs: {port: {type: int, default: 80}}
vars: {name: site}
workloads:
  - name: web
    lifecycle: {policy: supervise}
    process: {module: exec, params: {command: /bin/echo, args: ["{{ .name }}", "{{ .port }}"]}}
"""
WRONG = """
workloads:
  - name: web
    lifecycle: {policy: supervised}
    process: {module: exec, params: {command: /bin/true, cwd: /}}
"""


def gxo(*arguments: str, cwd: Path | None = None, **more: Any) -> subprocess.CompletedProcess[str]:
    """Run it with both outputs caught; a terminal is never there."""
    options = {"capture_output": True} | more
    return subprocess.run(
        [*GXO, *arguments], text=True, cwd=cwd, check=False, env=ENVIRONMENT, **options
    )


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """A directory with a playbook that is right, and one that is wrong."""
    (tmp_path / "good.yaml").write_text(GOOD)
    (tmp_path / "wrong.yaml").write_text(WRONG)
    return tmp_path


def test_version() -> None:
    """`--version` prints the one version of the package."""
    assert gxo("--version").stdout == f"gxo {__version__}\n"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("validatee",), "error: no command `validatee`: did you mean `validate`?\n"),
        (("zzz",), "error: no command `zzz`: `gxo --help` lists them\n"),
        (("--bogus",), "error: No such option: --bogus\n"),
        (("validate",), "error: Missing argument 'PATH…'.\n"),
        (("validate", "--bogus", "a.yaml"), "error: No such option: --bogus\n"),
        (("validate", "--var", "x", "a.yaml"), "error: Invalid value: `x` is not NAME=VALUE\n"),
        (("compile", "--systemd", "x", "a.yaml"), "valid int"),
        (("apply", "--lock-timeout", "nan", "a.yaml"), "nan is not a number of seconds"),
        (("try",), "error: Invalid value: give a command or a playbook to try\n"),
    ],
)
def test_wrong_usage_exits_64(arguments: tuple[str, ...], said: str) -> None:
    """Wrong usage is told on stderr and leaves with 64, also where typer would say 2."""
    done = gxo(*arguments)
    assert (done.returncode, done.stdout) == (64, "")
    assert said in done.stderr


def test_no_command_shows_help() -> None:
    """Without a command the help goes to stderr: it is no result."""
    done = gxo()
    assert (done.returncode, done.stdout) == (64, "")
    for command in COMMANDS:
        assert (f"\n  {command} " in done.stderr) == (command not in HIDDEN)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_with_an_example(command: str) -> None:
    """The help says what the command does, each of its options, its exit codes, and an example.

    A list of commands shows each summary whole.
    """
    done = gxo(command, "--help")
    assert (done.returncode, done.stderr) == (0, "")
    assert "\n  Exit codes: " in done.stdout
    assert "..." not in done.stdout.partition("\nCommands:")[2]
    assert done.stdout.startswith(f"Usage: gxo {command} ")
    assert f"\n  Example: gxo {command}" in done.stdout
    assert "completion" not in done.stdout
    assert max(map(len, done.stdout.splitlines())) <= 80


@pytest.mark.parametrize(
    "paths",
    [["good.yaml"], ["wrong.yaml"], ["."], ["gone.yaml"], ["good.yaml", "good.yaml"], [""]],
)
def test_the_quick_way_says_the_same(site: Path, paths: list[str]) -> None:
    """`gxo validate` reads a plain command line without typer: to the user it is one command."""
    quick, whole = gxo("validate", *paths, cwd=site), gxo("validate", "--", *paths, cwd=site)
    assert (quick.returncode, quick.stdout, quick.stderr) == (
        whole.returncode,
        whole.stdout,
        whole.stderr,
    )
    assert quick.returncode == (0 if set(paths) == {"good.yaml"} else 1)


def test_validate_loads_little(site: Path) -> None:
    """Checking a playbook loads no library that it does not need: starting is what it costs."""
    code = (
        "import sys; from gxo.cli.main import command\n"
        f"print(command(['validate', {str(site / 'good.yaml')!r}]), *sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    _, last = done.stdout.splitlines()
    exit_code, *loaded = last.split()
    assert exit_code == "0"
    heavy = {"typer", "rich", "lark", "jinja2", "gi", "pydbus", "subprocess", "asyncio", "logging"}
    assert heavy.isdisjoint(loaded)
    rooms = {name.split(".")[1] for name in loaded if name.startswith("gxo.")}
    assert rooms.isdisjoint({"apply", "lab", "modules", "runtime", "control"})
    assert [name for name in loaded if name.startswith("gxo.diagnostic.")] == [
        f"gxo.diagnostic.{name}" for name in ("base", "render", "lazy")
    ]


def test_values_reach_the_playbook(site: Path) -> None:
    """`--input`, `--var` and `--vars` set what templates read, the later over the earlier."""
    (site / "vars.yaml").write_text("name: from-file\n")
    compiled = ("compile", "--systemd", "252", "good.yaml")
    for arguments, wanted in (
        ((), "site 80"),
        (("--var", "name=other", "-i", "port=81"), "other 81"),
        (("--vars", "vars.yaml"), "from-file 80"),
        (("--vars", "vars.yaml", "--var", "name=typed"), "typed 80"),
    ):
        assert f"/bin/echo {wanted}\n" in gxo(*compiled, *arguments, cwd=site).stdout


def test_graphs_for_programs(site: Path) -> None:
    """One of each playbook, with who waits for whom and why; it is no drawing."""
    (site / "two.yaml").write_text(
        "workloads:\n"
        "- {name: b, lifecycle: {policy: run_once}, needs: [a],"
        " process: {module: exec, params: {command: 'true'}}}\n"
        "- {name: a, lifecycle: {policy: supervise},"
        " process: {module: exec, params: {command: 'true'}}}\n"
    )
    done = gxo("graph", "--json", "good.yaml", "two.yaml", cwd=site)
    told = held("graph", done.stdout)
    assert (done.returncode, told["run"], len(told["graphs"])) == (0, None, 2)
    assert told["graphs"][1] == {
        "playbook": "two",
        "workloads": [
            {"name": "a", "lifecycle": "supervise", "module": "exec", "status": None},
            {"name": "b", "lifecycle": "run_once", "module": "exec", "status": None},
        ],
        "edges": [{"source": "a", "target": "b", "kind": "needs"}],
        "streams": [],
    }
    both = gxo("graph", "--json", "--format", "dot", "two.yaml", cwd=site)
    assert (both.returncode, "give one of them" in both.stderr) == (64, True)
    (site / "wrong.yaml").write_text("workloads: [\n")
    wrong = gxo("graph", "--json", "wrong.yaml", cwd=site)
    assert (wrong.returncode, len(held("validate", wrong.stdout)["problems"])) == (1, 1)


def test_a_var_that_no_playbook_has(site: Path) -> None:
    """A misspelt `--var` is an error at its place; of several playbooks one is enough.

    A var that a template reads need not stand in `vars`; a file may hold more than is wanted.
    """
    (site / "reads.yaml").write_text(
        "workloads:\n- name: w\n  lifecycle: {policy: run_once}\n"
        "  process: {module: exec, params: {command: echo, args: ['{{ .color }}']}}\n"
    )
    (site / "vars.yaml").write_text("nmae: unused\n")
    for arguments in (
        ("good.yaml", "--var", "nmae=x"),
        ("good.yaml", "reads.yaml", "--var", "nmae=x", "--var", "color=red"),
    ):
        wrong = gxo("validate", *arguments, cwd=site)
        assert (wrong.returncode, wrong.stderr) == (
            1,
            "error[unknown-var]: no playbook has or reads a var `nmae`\n"
            " --> --var:1:1\n  |\n1 | nmae=x\n  | ^^^^\n  = hint: did you mean `name`?\n"
            "\n1 error, 0 warnings\n",
        )
    for arguments in (
        ("good.yaml", "reads.yaml", "--var", "name=x", "--var", "color=red"),
        ("reads.yaml", "--var", "color=red"),
        ("good.yaml", "--vars", "vars.yaml"),
    ):
        assert gxo("validate", *arguments, cwd=site).returncode == 0
    alone = gxo("validate", "good.yaml", "--var", "color=red", cwd=site)
    assert "no playbook has or reads a var `color`" in alone.stderr


def test_a_var_beside_what_cannot_be_read(site: Path) -> None:
    """Where a playbook is wrong nobody can say what it reads: only that is told."""
    (site / "wrong.yaml").write_text("workloads: [\n")
    wrong = gxo("validate", "good.yaml", "wrong.yaml", "--var", "color=red", cwd=site)
    assert (wrong.returncode, "unknown-var" in wrong.stderr) == (1, False)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("- a\n", "it must be a map of names to values"),
        ("a: [\n", "cannot read variables from vars.yaml: "),
        (b"\xff\xfe", "cannot read variables from vars.yaml: it is not text in UTF-8"),
        (None, "cannot read variables from vars.yaml: No such file or directory"),
        (Path("/dev/zero"), "cannot read variables from vars.yaml: more than 16777216 bytes"),
        (Path("/"), "cannot read variables from vars.yaml: Is a directory"),
    ],
)
def test_bad_files_of_variables(site: Path, text: str | bytes | Path | None, said: str) -> None:
    """A `--vars` file that cannot be read is one line of error with its name."""
    if isinstance(text, Path):
        (site / "vars.yaml").symlink_to(text)
    elif text is not None:
        (site / "vars.yaml").write_bytes(text.encode() if isinstance(text, str) else text)
    done = gxo("validate", "--vars", "vars.yaml", "good.yaml", cwd=site)
    assert (done.returncode, done.stdout) == (1, "")
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_json_of_validate_and_compile(site: Path) -> None:
    """What is printed for programs is what the published schemas describe, and all there is."""
    done = gxo("validate", "--json", "good.yaml", cwd=site)
    assert (done.returncode, done.stderr) == (0, "")
    assert held("validate", done.stdout) == {"version": 1, "problems": []}
    done = gxo("validate", "--json", "wrong.yaml", "gone.yaml", cwd=site)
    assert (done.returncode, done.stderr) == (1, "")
    found = held("validate", done.stdout)["problems"]
    assert {(p["file"], p["line"]) for p in found} >= {("wrong.yaml", 4), ("wrong.yaml", 5)}
    assert {p["severity"] for p in found} == {"error"}
    # a command that compiles says what is wrong in the same form
    assert held("validate", gxo("compile", "--json", "wrong.yaml", cwd=site).stdout)["problems"]
    done = gxo("compile", "--json", "good.yaml", cwd=site)
    assert (done.returncode, done.stderr) == (0, "")
    units = held("compile", done.stdout)["units"]
    assert "gxo-good.web.service" in [unit["name"] for unit in units]


def test_a_warning_of_several_places_is_drawn_once(site: Path) -> None:
    """The first place is shown, the others are named, and all are counted."""
    job = (
        "  - {name: %s, lifecycle: {policy: scheduled, cron: '30 2 * * *', workspace: none,\n"
        "      timezone: Europe/Berlin}, process: {module: exec, params: {command: /bin/true}}}\n"
    )
    (site / "clocks.yaml").write_text("name: clocks\nworkloads:\n" + job % "a" + job % "b")
    done = gxo("validate", "clocks.yaml", cwd=site)
    assert done.returncode == 0
    assert done.stderr.count("warning[clock-change]") == 1
    assert done.stderr.endswith("  = also at clocks.yaml:5:53\n\n0 errors, 2 warnings\n")


def test_every_json_has_its_schema() -> None:
    """A command with `--json` names the schema of what it prints; no schema is left over."""
    with_json = {
        entry.name
        for entry in reference.entries()
        if "--json" in {spelling for spelling, _ in entry.options}
    }
    assert with_json == set(reference.SCHEMAS)
    files = {path.name for path in SCHEMAS.iterdir()}
    named = {*reference.SCHEMAS.values(), *reference.LISTED.values()}
    assert files == {f"{name}.schema.json" for name in named}


def test_compile_into_a_directory(site: Path) -> None:
    """`-o` makes the directory and a file a unit, with the text that is printed without it."""
    printed = gxo("compile", "good.yaml", cwd=site).stdout
    done = gxo("compile", "good.yaml", "-o", "a/b", cwd=site)
    files = sorted((site / "a/b").iterdir())
    assert done.stdout == f"{len(files)} unit file in a/b\n"
    for file in files:
        assert f"# {file.name}\n{file.read_text()}".rstrip("\n") in printed
    done = gxo("compile", "good.yaml", "-o", "good.yaml", cwd=site)
    assert (done.returncode, done.stderr) == (1, "error: cannot write good.yaml: File exists\n")
    argv = (*GXO, "compile", "good.yaml", "-o", "c")
    full = subprocess.run(
        ("sh", "-c", 'ulimit -f 0 && exec "$@"', "sh", *argv),
        cwd=site,
        capture_output=True,
        text=True,
        check=False,
    )
    wanted = f"error: cannot write c/{files[0].name}: File too large\n"
    assert (full.returncode, full.stderr) == (1, wanted)


def test_compile_again_into_a_directory(site: Path) -> None:
    """What the playbook no longer has goes; other playbooks' units and strange files stay."""
    place = site / "units"
    place.mkdir()
    for name in ("gxo-good.gone.service", "gxo-other.web.service", "gxo-good.txt", "gxo.slice"):
        (place / name).touch()
    done = gxo("compile", "good.yaml", "-o", "units", cwd=site)
    assert done.returncode == 0
    assert done.stderr == ("removed units/gxo-good.gone.service: its playbook no longer has it\n")
    assert {"gxo-other.web.service", "gxo-good.txt"} < {path.name for path in place.iterdir()}


def test_compile_follows_no_link(site: Path) -> None:
    """Who may write to the directory cannot have another file written."""
    (site / "units").mkdir()
    unit = site / "units" / "gxo-good.web.service"
    unit.symlink_to("../wrong.yaml")
    assert gxo("compile", "good.yaml", "-o", "units", cwd=site).returncode == 0
    assert not unit.is_symlink()
    assert (site / "wrong.yaml").read_text() == WRONG


@pytest.mark.parametrize(
    "arguments", [("--version",), ("--help",), ("schema",), ("compile", "good.yaml")]
)
def test_output_that_nobody_takes(site: Path, arguments: tuple[str, ...]) -> None:
    """A closed pipe ends a command quietly; a full disk is told of; no stdout at all is fine."""
    read, write = os.pipe()
    os.close(read)
    done = gxo(*arguments, cwd=site, capture_output=False, stdout=write, stderr=subprocess.PIPE)
    os.close(write)
    assert (done.returncode, done.stderr) == (1, "")
    with Path("/dev/full").open("w") as full:
        done = gxo(*arguments, cwd=site, capture_output=False, stdout=full, stderr=subprocess.PIPE)
    assert done.returncode == 1
    assert done.stderr.count("No space left on device") == done.stderr.count("\n") == 1
    closed = subprocess.run(
        ["/bin/sh", "-c", 'exec "$@" >&-', "sh", *GXO, *arguments],
        cwd=site,
        env=ENVIRONMENT,
        stderr=subprocess.PIPE,
        check=False,
    )
    assert (closed.returncode, closed.stderr) == (0, b"")


@pytest.mark.parametrize(
    ("environment", "wanted"),
    [
        ({"TERM": "xterm"}, True),
        ({"TERM": "dumb"}, False),
        ({"TERM": "xterm", "NO_COLOR": "1"}, False),
        ({"TERM": "xterm", "NO_COLOR": ""}, True),
    ],
)
def test_colour_is_for_terminals(environment: dict[str, str], wanted: bool) -> None:
    """Colour only on a terminal that has some, and never under a NO_COLOR that is not empty."""
    code = "import sys; from gxo.cli.table import coloured; sys.exit(coloured())"
    argv = [sys.executable, "-I", "-c", code]
    main, terminal = pty.openpty()
    done = subprocess.run(argv, env=environment, stdout=terminal, check=False)
    os.close(terminal)
    os.close(main)
    assert bool(done.returncode) == wanted
    assert (
        subprocess.run(argv, env=environment, stdout=subprocess.PIPE, check=False).returncode == 0
    )


def test_the_version_of_systemd_is_read_off_its_files() -> None:
    """What stands in the name of its library is what `systemctl --version` says."""
    assert installed_version() == systemd_version()


def test_a_shell_completes(site: Path) -> None:
    """In a real bash, TAB completes commands, options and the names of files."""
    (site / "bin").mkdir()
    program = site / "bin/gxo"
    program.write_text(f'#!/bin/sh\nexec {" ".join(GXO)} "$@"\n')
    program.chmod(0o755)
    script = subprocess.run(
        GXO,
        capture_output=True,
        text=True,
        check=True,
        env={**ENVIRONMENT, "_GXO_COMPLETE": "source_bash"},
    )
    (site / "completion").write_text(script.stdout)
    shell = Shell(site)
    try:
        shell.type(". ./completion\n")
        shell.expect("gxo val\t", "gxo validate ")
        shell.expect("go\t", "good.yaml ")
        shell.type("\x15")
        shell.expect("gxo compile --sys\t", "gxo compile --systemd ")
        shell.type("\x15")
        shell.expect("gxo roll\t", "gxo rollback ")
    finally:
        shell.end()


class Shell:
    """An interactive bash on a terminal of its own."""

    def __init__(self, where: Path) -> None:
        self.pid, self.terminal = pty.fork()
        if self.pid == 0:
            os.chdir(where)
            path = f"{where}/bin:/usr/bin:/bin"
            environment = {"PATH": path, "TERM": "dumb", "PS1": "", "HOME": str(where)}
            os.execve("/bin/bash", ["bash", "--norc", "--noprofile", "-i"], environment)
        self.type("bind 'set enable-bracketed-paste off'; PS1=\n")

    def type(self, keys: str) -> None:
        os.write(self.terminal, keys.encode())

    def expect(self, keys: str, line: str) -> None:
        """Type keys; the line that is being edited must come to read so."""
        self.type(keys)
        seen = ""
        end = time.monotonic() + 20
        while line not in seen:
            ready, _, _ = select.select([self.terminal], [], [], max(0, end - time.monotonic()))
            assert ready, f"no {line!r} in {seen!r}"
            # the terminal shows what was typed, then what completion adds to it
            seen += os.read(self.terminal, 4096).decode().replace("\r", "").replace("\a", "")

    def end(self) -> None:
        os.close(self.terminal)
        os.waitpid(self.pid, 0)

"""The command line itself: usage, exit codes, what a mistake is told."""

import subprocess
import sys
from pathlib import Path

import pytest

from gxo.version import __version__


def gxo(*arguments: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-I", "-m", "gxo", *arguments],
        capture_output=True,
        text=True,
        cwd=cwd,
        check=False,
        env={"PATH": "/usr/bin:/bin", "TERM": "dumb", "NO_COLOR": "1"},
    )


def test_version() -> None:
    """`--version` prints the one version of the package."""
    assert gxo("--version").stdout == f"gxo {__version__}\n"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("validatee",), "error: no command `validatee`: did you mean `validate`?\n"),
        (("--bogus",), "error: No such option: --bogus\n"),
        (("validate",), "error: Missing argument 'PATH…'.\n"),
        (("validate", "--var", "x", "a.yaml"), "error: Invalid value: `x` is not NAME=VALUE\n"),
    ],
)
def test_wrong_usage_exits_64(arguments: tuple[str, ...], said: str) -> None:
    """Wrong usage is told on stderr and leaves with 64, also where typer would say 2."""
    done = gxo(*arguments)
    assert done.returncode == 64
    assert done.stdout == ""
    assert done.stderr.endswith(said)


def test_no_command_shows_help() -> None:
    """Without a command the help goes to stderr: it is no result."""
    done = gxo()
    assert (done.returncode, done.stdout) == (64, "")
    assert "validate" in done.stderr


def test_every_command_has_help_with_an_example() -> None:
    """`gxo COMMAND --help` of each command names an example."""
    from gxo.cli.main import COMMANDS

    for command in COMMANDS:
        done = gxo(command, "--help")
        assert done.returncode == 0, done.stderr
        assert "Example: " in done.stdout, command

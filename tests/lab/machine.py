"""A lab with gxo in it, as the tests on a real systemd see it."""

import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from gxo.lab import Bind, Lab, LabSpec
from gxo.lab.mounts import covers
from tests.lab import roots

CHECKOUT = Path(__file__).parent.parent.parent
_HOST = Path("/")


class Machine:
    """A booted lab, the version of its systemd, and ways to work in it.

    Shared by the tests of a session where it comes from the fixture `machine`: there each test
    takes playbook names of its own and removes what it applied. `fresh_machine` is the test's own.
    """

    def __init__(self, lab: Lab, version: int):
        self.lab = lab
        self.version = version
        self._python = sys.executable if lab.spec.root == _HOST else "/usr/bin/python3"

    def run(
        self,
        *argv: str,
        env: Mapping[str, str] | None = None,
        user: str | None = None,
        input: str | None = None,  # noqa: A002 - as subprocess.run has it
        check: bool = False,
        timeout: float = 60,
    ) -> "subprocess.CompletedProcess[str]":
        """Run a program inside; see Lab.run."""
        return self.lab.run(argv, env=env, user=user, input=input, check=check, timeout=timeout)

    def gxo(
        self,
        *args: str,
        env: Mapping[str, str] | None = None,
        user: str | None = None,
        input: str | None = None,  # noqa: A002
        check: bool = False,
        timeout: float = 120,
    ) -> "subprocess.CompletedProcess[str]":
        """Run this checkout's gxo inside, with the guest's Python and libraries."""
        return self.lab.run(
            self.gxo_argv(*args),
            env=self.gxo_env | dict(env or {}),
            user=user,
            input=input,
            check=check,
            timeout=timeout,
        )

    def gxo_argv(self, *args: str) -> list[str]:
        """The command line, inside, that `gxo ARGS` is."""
        return [self._python, "-m", "gxo", *args]

    @property
    def gxo_env(self) -> dict[str, str]:
        """Its environment. The checkout may be read-only there: compiled files go elsewhere."""
        return {
            "PYTHONPATH": str(CHECKOUT),
            "PYTHONPYCACHEPREFIX": "/var/cache/gxo-pycache",
            "NO_COLOR": "1",
        }

    def popen(self, *argv: str, env: Mapping[str, str] | None = None) -> "subprocess.Popen[str]":
        """Start a program inside, its output in pipes, for tests that act while it runs.

        It ignores no signal, also where these tests were started by nohup(1).
        """
        answering = ("/usr/bin/env", "--default-signal=HUP,INT,TERM", *argv)
        return subprocess.Popen(
            self.lab.exec_argv(answering, env=env),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def write(self, path: str, text: str, mode: int = 0o644) -> str:
        """Write a guest's file, its directories too; the path, for use as an argument."""
        host = self.lab.path(path)
        host.parent.mkdir(parents=True, exist_ok=True)
        host.write_text(text)
        host.chmod(mode)
        return path

    def read(self, path: str) -> str:
        return self.lab.path(path).read_text()

    def exists(self, path: str) -> bool:
        return self.lab.path(path).exists()

    def show(self, unit: str, *properties: str) -> dict[str, str]:
        """`systemctl show` of a unit, as a dict."""
        wanted = [f"--property={name}" for name in properties]
        said = self.run("systemctl", "show", unit, *wanted, check=True).stdout
        return dict(line.split("=", 1) for line in said.splitlines() if "=" in line)

    def journal(self, *args: str) -> str:
        """The guest's journal, written out first; arguments as journalctl's."""
        self.run("journalctl", "--sync")
        return self.run("journalctl", "--no-pager", "--output=cat", *args).stdout


def spec_for(root: Path, extra: Sequence[Bind] = ()) -> LabSpec:
    """A lab in which this checkout, and the interpreter that runs the tests, can be used."""
    wanted = [CHECKOUT] if root != _HOST else [CHECKOUT, Path(sys.prefix)]
    binds = [Bind(path, read_only=True) for path in wanted if root != _HOST or covers(path)]
    own = roots.libraries(root) if root != _HOST else ()
    binds += [Bind(here, there, read_only=True) for here, there in own]
    return LabSpec(root=root, binds=(*binds, *extra))

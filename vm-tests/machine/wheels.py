"""gxo's third-party dependencies as wheels for a machine's Python."""

import sys
import tomllib
from pathlib import Path

from machine.process import run
from machine.suite import CHECKOUT, Suite

FROM_DEBIAN = frozenset({"pydbus", "pygobject"})  # pip's do not build everywhere


def requirements() -> tuple[str, ...]:
    """What pyproject.toml asks for, less what the machine has from Debian."""
    project = tomllib.loads((CHECKOUT / "pyproject.toml").read_text())["project"]
    return tuple(r for r in project["dependencies"] if not r.lower().startswith(tuple(FROM_DEBIAN)))


def download(suite: Suite, into: Path) -> None:
    """Fetch the wheels through the host's pip, as it is configured."""
    run(
        "fetch gxo's dependencies",
        [
            *(sys.executable, "-m", "pip", "download", "--quiet", "--dest", into),
            *("--only-binary=:all:", "--implementation", "cp", "--python-version", suite.python),
            *("--platform", "manylinux_2_28_x86_64", "--platform", "manylinux2014_x86_64"),
            *requirements(),
        ],
    )

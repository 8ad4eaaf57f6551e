"""Python: the interpreter and the packages that code of gxo's own finds within a step."""

import os
import sys
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from gxo.data import package_dir
from gxo.units.security import HIDDEN_HOMES
from gxo.units.steps import Frame

CODE = "/var/lib/gxo/code"
"""Where a step that sees nothing of gxo's own finds gxo's package all the same, read-only."""


class NoPython(Exception):
    """Code of gxo's own cannot run in a step; the text says why."""


def code_paths(frame: Frame, libraries: Sequence[str]) -> tuple[str, ...]:
    """What a step's Python has on `sys.path`, first and last, to import gxo and these libraries,
    the directories of which may be hidden as the checkout.
    """
    if frame.hidden:
        return (CODE,)
    return (str(Path(package_dir()).parent), *{str(Path(path).parent): None for path in libraries})


@cache
def library_dir(name: str) -> str:
    """The directory of a library's package; raises NoPython where it is not installed."""
    from importlib.util import find_spec

    found = find_spec(name)
    if found is None or not found.submodule_search_locations:
        raise NoPython(f"cannot find the Python package {name}: install it next to gxo")
    return str(Path(found.submodule_search_locations[0]).resolve())


def own_python(frame: Frame) -> str:
    """The interpreter, not that of a virtual environment, which may be hidden with the checkout.

    Raises NoPython where this one is hidden too.
    """
    found = os.path.realpath(getattr(sys, "_base_executable", sys.executable))
    if frame.hidden and any(Path(found).is_relative_to(home) for home in HIDDEN_HOMES):
        raise NoPython(
            f"cannot start Python in the sandbox, which hides {found}: install gxo with a Python"
            " that lies elsewhere, such as the system's /usr/bin/python3"
        )
    return found

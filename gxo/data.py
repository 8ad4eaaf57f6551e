"""Where gxo's own files lie, atop a checkout or in a wheel, and how to start it from there."""

import sys
from pathlib import Path

_PACKAGE = Path(__file__).parent


def package_dir() -> str:
    """The directory of this very gxo's code."""
    return str(_PACKAGE.resolve())


def data_dir(name: str) -> Path:
    """The directory of that name; FileNotFoundError where neither place has it."""
    for top in (_PACKAGE / "_data", _PACKAGE.parent):
        if (top / name).is_dir():
            return top / name
    raise FileNotFoundError(f"cannot find gxo's own {name}/: the installation is incomplete")


def own_command(*arguments: str, module: str = "gxo") -> tuple[str, ...]:
    """The argv that starts a module of this very gxo, wherever it is installed or checked out."""
    from site import getsitepackages

    here = str(_PACKAGE.resolve().parent)
    led_here = sys.path[:1] == [here]  # by what is returned below
    if (sys.flags.isolated and not led_here) or here in getsitepackages():
        return (sys.executable, "-I", "-m", module, *arguments)
    # PYTHONPATH or the like led here, which units do not have
    start = (
        f"import runpy, sys; sys.path.insert(0, {here!r}); sys.argv[0] = {module!r};"
        f" runpy.run_module({module!r}, run_name='__main__')"
    )
    return (sys.executable, "-I", "-c", start, *arguments)

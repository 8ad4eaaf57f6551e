"""Where grammar/, templates/ and packaging/ lie: atop a checkout, or gxo/_data in a wheel."""

from pathlib import Path

_PACKAGE = Path(__file__).parent


def data_dir(name: str) -> Path:
    """The directory of that name; FileNotFoundError where neither place has it."""
    for top in (_PACKAGE / "_data", _PACKAGE.parent):
        if (top / name).is_dir():
            return top / name
    raise FileNotFoundError(f"cannot find gxo's own {name}/: the installation is incomplete")

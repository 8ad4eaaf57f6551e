"""gxo itself within a lab: what the guest must share with the host to run this very gxo."""

import sys
from collections.abc import Iterable
from pathlib import Path

import gxo
from gxo.lab.mounts import GUESTS_OWN, covers
from gxo.lab.spec import Bind

# shared as a whole, these would take the guest's own away
_WHOLE = tuple(map(Path, GUESTS_OWN))


def own_argv(*arguments: str) -> tuple[str, ...]:
    """The argv that runs this gxo in a guest that sees this host's tree."""
    return (sys.executable, "-I", "-m", "gxo", *arguments)


def own_binds() -> tuple[Bind, ...]:
    """Read-only binds for what this gxo runs from, where the guest would not see it."""
    package = Path(gxo.__file__).resolve().parent.parent
    return shared((package, Path(sys.prefix).resolve()))


def shared(paths: Iterable[Path]) -> tuple[Bind, ...]:
    """A read-only bind for each path that the guest would not see; none within another."""
    hidden = {path.absolute() for path in paths if not seen(path)}
    outer = {path for path in hidden if not hidden & set(path.parents)}
    return tuple(Bind(path, read_only=True) for path in sorted(outer) if path not in _WHOLE)


def seen(path: Path) -> bool:
    """Whether a guest over this host's tree has this path as the host has it."""
    return not covers(path.absolute())

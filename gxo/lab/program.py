"""gxo itself within a lab: what the guest must share with the host to run this very gxo."""

import sys
from collections.abc import Iterable
from pathlib import Path

import gxo
from gxo.lab.spec import Bind

# the guest has its own of these; all else of the host it sees through its view
_OWN = (Path("/tmp"), Path("/run"), Path("/dev"), Path("/proc"), Path("/sys"))  # noqa: S108


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
    return tuple(Bind(path, read_only=True) for path in sorted(outer) if path not in _OWN)


def seen(path: Path) -> bool:
    """Whether a guest over this host's tree has this path as the host has it."""
    absolute = path.absolute()
    return not any(absolute == own or own in absolute.parents for own in _OWN)

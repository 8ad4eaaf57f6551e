"""Handover: files from which systemd hands a unit what nobody else may see."""

import os
from collections.abc import Container
from pathlib import Path

from gxo.units.credential import PLACE

_PLACE = Path(PLACE)


def put(path: Path, data: bytes) -> None:
    """Write such a file, in place of any of its name. Raises OSError."""
    _prepare()
    fresh = path.with_name(f".{os.getpid()}")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o400)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
    fresh.replace(path)


def drop(prefix: str, kept: Container[str] = ()) -> None:
    """Remove the files of units whose names begin with `prefix`, but for the paths `kept`."""
    for path in _PLACE.glob(f"{prefix}*"):
        if str(path) not in kept:
            path.unlink(missing_ok=True)


def _prepare() -> None:
    """Make the directory, root's alone, on memory that is never swapped out if that can be had."""
    _PLACE.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not _PLACE.is_mount():
        # ramfs knows no limit and is never swapped; where it cannot be had, /run is memory too
        import subprocess

        options = ("-t", "ramfs", "-o", "mode=0700,nosuid,nodev,noexec", "gxo")
        subprocess.run(("mount", *options, PLACE), capture_output=True, check=False)
    _PLACE.chmod(0o700)

"""Files that outlast a power cut: what was written is on the disk whole, or not there at all."""

import os
from contextlib import suppress
from pathlib import Path


def write(path: Path, text: str, *, mode: int = 0o644) -> None:
    """Write beside, flush, rename, flush the directory: `path` holds old or new. Raises OSError."""
    fresh = path.with_name(f".{path.name}.new")
    try:
        with fresh.open("w", encoding="utf-8") as file:
            fresh.chmod(mode)
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(path)
    except OSError:
        with suppress(OSError):
            fresh.unlink()
        raise
    sync(path.parent)


def sync(directory: Path) -> None:
    """Make what was named, renamed or removed in a directory last, if the directory is there."""
    if not directory.is_dir():
        return
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

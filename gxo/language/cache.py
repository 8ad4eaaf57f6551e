"""A private directory of small derived files, which nobody else can have written."""

import os
import stat
from contextlib import suppress
from hashlib import sha256
from pathlib import Path

_DIGEST = 32


def directory() -> Path:
    """`GXO_CACHE`, else `~/.cache/gxo`."""
    given = os.environ.get("GXO_CACHE")
    return Path(given) if given else Path("~/.cache/gxo").expanduser()


def read(name: str) -> bytes | None:
    """The content of a cached file, or None where there is none that only we can have written."""
    with suppress(OSError, RuntimeError):
        folder = os.open(directory(), os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
        try:
            if not _is_ours(folder):
                return None
            file = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=folder)
            with os.fdopen(file, "rb") as stream:
                return _checked(stream.read()) if _is_ours(file) else None
        finally:
            os.close(folder)
    return None


def write(name: str, content: bytes) -> None:
    """Keep a file for the next `read`; does nothing where we have no safe place for it."""
    with suppress(OSError, RuntimeError):
        _make(directory())
        folder = os.open(directory(), os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
        try:
            if _is_ours(folder):
                _replace(folder, name, content)
        finally:
            os.close(folder)


def _make(path: Path) -> None:
    """Create the directory, but never within somebody else's home (sudo keeps HOME)."""
    if path.exists():
        return
    above = next(parent for parent in path.parents if parent.exists())
    if above.stat().st_uid == os.geteuid():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.mkdir(mode=0o700, exist_ok=True)


def _replace(folder: int, name: str, content: bytes) -> None:
    """Readers see the old file or the whole new one, never a part."""
    fresh = f".{name}.{os.getpid()}"
    with suppress(FileNotFoundError):
        os.unlink(fresh, dir_fd=folder)
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
    with os.fdopen(os.open(fresh, flags, 0o600, dir_fd=folder), "wb") as stream:
        stream.write(sha256(content).digest() + content)
    os.replace(fresh, name, src_dir_fd=folder, dst_dir_fd=folder)


def _checked(kept: bytes) -> bytes | None:
    """The content behind its digest; None where a power loss left half a file."""
    digest, content = kept[:_DIGEST], kept[_DIGEST:]
    return content if sha256(content).digest() == digest else None


def _is_ours(descriptor: int) -> bool:
    """Owned by the user we act as, and writable by nobody else."""
    status = os.fstat(descriptor)
    return status.st_uid == os.geteuid() and not status.st_mode & (stat.S_IWGRP | stat.S_IWOTH)

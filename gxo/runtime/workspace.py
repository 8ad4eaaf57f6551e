"""Workspace: the private directory of one run, and its removal whatever a step left in it."""

import errno
import fcntl
import itertools
import os
import stat
import struct
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from gxo.runtime.mounts import detach_beneath

PLACE = Path("/var/lib/gxo/workspaces")

# linux/fs.h: the attributes that keep even root from removing a file
_GETFLAGS, _SETFLAGS = 0x80086601, 0x40086602
_KEEPING = 0x10 | 0x20  # FS_IMMUTABLE_FL, FS_APPEND_FL


class WorkspaceError(Exception):
    """A workspace cannot be made or removed: "cannot X: reason"."""


@dataclass(frozen=True, slots=True)
class Workspaces:
    """The directory that holds them all."""

    place: Path = PLACE

    def name(self) -> Path:
        """A path for a fresh one, which nobody can guess."""
        return self.place / str(uuid.uuid4())

    def all(self) -> tuple[Path, ...]:
        """Those that are there, by name; what is no workspace is left alone."""
        if not self.place.is_dir():
            return ()
        return tuple(sorted(path for path in self.place.iterdir() if _is_name(path.name)))


def make(path: Path, owner: tuple[int, int] | None = None) -> None:
    """Make a workspace, 0700, of that user and group (else of this process). WorkspaceError."""
    try:
        path.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
        path.mkdir(mode=0o700)
        if owner is not None:
            os.chown(path, *owner)
    except OSError as error:
        raise WorkspaceError(f"cannot make workspace {path}: {error.strerror}") from None


def remove(path: Path) -> None:
    """Remove a workspace with all in it; none there is fine. Nothing outside it is touched.

    Nobody may be at work in it any more. Follows no symlink and enters no mount. A deep tree takes
    no more than a flat one: each directory is moved into a pit at the top before it is emptied.
    Raises WorkspaceError; what is left then can be removed by a second call.
    """
    try:
        detach_beneath(path)
        with _directory(path) as top:
            fcntl.flock(top, fcntl.LOCK_EX)  # one at a time: the next finds it gone
            _empty(top)
            path.rmdir()
    except FileNotFoundError:
        return
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        raise WorkspaceError(f"cannot remove workspace {path}: {where}{error.strerror}") from None


def _empty(top: int) -> None:
    """Remove all in the directory of that descriptor."""
    _release(top)
    name = uuid.uuid4().hex  # such as no step can have made: they have all ended
    os.mkdir(name, 0o700, dir_fd=top)
    numbers = map(str, itertools.count())
    with _directory(name, top) as pit:
        waiting = _clear(top, pit, numbers, spare=name)
        while waiting:
            number = waiting.pop()
            with _directory(number, pit) as directory:
                waiting += _clear(directory, pit, numbers)
            os.rmdir(number, dir_fd=pit)
    os.rmdir(name, dir_fd=top)


def _clear(directory: int, pit: int, numbers: Iterator[str], *, spare: str = "") -> list[str]:
    """Remove the files in a directory and move its directories into the pit; their names there."""
    _release(directory)
    with os.scandir(directory) as found:
        entries = [(e.name, e.is_dir(follow_symlinks=False)) for e in found if e.name != spare]
    moved = []
    for name, is_directory in entries:
        number = next(numbers) if is_directory else ""
        try:
            _take(directory, name, pit, number)
        except PermissionError:
            _release_entry(directory, name)
            _take(directory, name, pit, number)
        if number:
            moved.append(number)
    return moved


def _take(directory: int, name: str, pit: int, number: str) -> None:
    if number:
        os.rename(name, number, src_dir_fd=directory, dst_dir_fd=pit)
    else:
        os.unlink(name, dir_fd=directory)


def _release_entry(directory: int, name: str) -> None:
    kind = stat.S_IFMT(os.lstat(name, dir_fd=directory).st_mode)
    if kind in (stat.S_IFREG, stat.S_IFDIR):  # to open a device may do something
        descriptor = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=directory)
        try:
            _release(descriptor)
        finally:
            os.close(descriptor)


def _release(descriptor: int) -> None:
    """Take off the attributes that keep even root from changing a file (chattr(1), i and a)."""
    held = bytearray(struct.calcsize("l"))
    try:
        fcntl.ioctl(descriptor, _GETFLAGS, held)
        (flags,) = struct.unpack("l", held)
        if flags & _KEEPING:
            fcntl.ioctl(descriptor, _SETFLAGS, struct.pack("l", flags & ~_KEEPING))
    except OSError as error:
        if error.errno not in (errno.ENOTTY, errno.EOPNOTSUPP):  # a file system without them
            raise


@contextmanager
def _directory(name: str | Path, parent: int | None = None) -> Iterator[int]:
    descriptor = os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=parent)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _is_name(name: str) -> bool:
    try:
        return str(uuid.UUID(name)) == name
    except ValueError:
        return False

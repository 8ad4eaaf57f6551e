"""Removing a directory with all in it, whatever that is: no link is followed, no mount entered.

A deep tree takes no more than a flat one: each directory is moved to the top before it is emptied.
Nothing is made: the disk may be full. What is left by an error can be removed by a second call.
"""

from __future__ import annotations

import errno
import fcntl
import itertools
import os
import stat
import struct
from contextlib import contextmanager

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

# linux/fs.h: the attributes that keep even root from removing a file
_GETFLAGS, _SETFLAGS = 0x80086601, 0x40086602
_KEEPING = 0x10 | 0x20  # FS_IMMUTABLE_FL, FS_APPEND_FL


def remove(name: str, parent: int) -> None:
    """Remove what has that name in a directory. Raises OSError."""
    found = os.stat(name, dir_fd=parent, follow_symlinks=False)
    if not stat.S_ISDIR(found.st_mode):
        os.unlink(name, dir_fd=parent)
        return
    with directory(name, parent) as top:
        empty(top)
    os.rmdir(name, dir_fd=parent)


def empty(top: int) -> None:
    """Remove all in the directory of that descriptor. Raises OSError."""
    own = os.urandom(16).hex()  # such as nobody can have made
    numbers = (f"{own}-{number}" for number in itertools.count())
    _release(top)
    waiting = _clear(top, top, numbers)
    while waiting:
        name = waiting.pop()
        with directory(name, top) as inner:
            _release(inner)
            waiting += _clear(inner, top, numbers)
        os.rmdir(name, dir_fd=top)


@contextmanager
def directory(name: str | os.PathLike[str], parent: int | None = None) -> Iterator[int]:
    """A descriptor of a directory, no link; one that its owner may not read is made readable.

    Raises OSError; EBUSY where something is mounted on what has that name in `parent`.
    """
    try:
        descriptor = _open(name, parent)
    except PermissionError:
        seen = _open(name, parent, os.O_PATH | os.O_DIRECTORY)
        try:
            os.chmod(f"/proc/self/fd/{seen}", 0o700)
        finally:
            os.close(seen)
        descriptor = _open(name, parent)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _open(
    name: str | os.PathLike[str], parent: int | None, flags: int = os.O_RDONLY | os.O_DIRECTORY
) -> int:
    descriptor = os.open(name, flags | os.O_NOFOLLOW, dir_fd=parent)
    if parent is not None and _mount(descriptor) != _mount(parent):
        os.close(descriptor)
        raise OSError(errno.EBUSY, os.strerror(errno.EBUSY), name)
    return descriptor


def _mount(descriptor: int) -> str:
    """Which mount it was opened on; a bind mount has the device of what is mounted."""
    with open(f"/proc/self/fdinfo/{descriptor}", encoding="ascii") as lines:
        return next(line for line in lines if line.startswith("mnt_id:"))


def _clear(place: int, top: int, numbers: Iterator[str]) -> list[str]:
    """Remove the files in a directory and move its directories to the top; their names there.

    The files first: they give the space that a new name at the top may take.
    """
    with os.scandir(place) as found:
        entries = [(e.is_dir(follow_symlinks=False), e.name) for e in found]
    moved = []
    for is_directory, name in sorted(entries):
        if is_directory and place == top:
            moved.append(name)
            continue
        number = next(numbers) if is_directory else ""
        try:
            _take(place, name, top, number)
        except PermissionError:
            _release_entry(place, name)
            _take(place, name, top, number)
        if number:
            moved.append(number)
    return moved


def _take(place: int, name: str, top: int, number: str) -> None:
    if number:
        os.rename(name, number, src_dir_fd=place, dst_dir_fd=top)
    else:
        os.unlink(name, dir_fd=place)


def _release_entry(place: int, name: str) -> None:
    kind = stat.S_IFMT(os.lstat(name, dir_fd=place).st_mode)
    if kind == stat.S_IFDIR:
        with directory(name, place) as descriptor:
            _release(descriptor)
    elif kind == stat.S_IFREG:  # to open a device may do something
        descriptor = _open(name, place, os.O_RDONLY | os.O_NONBLOCK)
        try:
            _release(descriptor)
        finally:
            os.close(descriptor)


def _release(descriptor: int) -> None:
    """Take off what keeps its owner, or even root (chattr(1), i and a), from changing a file."""
    held = bytearray(struct.calcsize("l"))
    try:
        fcntl.ioctl(descriptor, _GETFLAGS, held)
        (flags,) = struct.unpack("l", held)
        if flags & _KEEPING:
            fcntl.ioctl(descriptor, _SETFLAGS, struct.pack("l", flags & ~_KEEPING))
    except OSError as error:
        if error.errno not in (errno.ENOTTY, errno.EOPNOTSUPP):  # a file system without them
            raise
    found = os.fstat(descriptor)
    if stat.S_ISDIR(found.st_mode) and found.st_uid == os.geteuid() and ~found.st_mode & 0o700:
        os.fchmod(descriptor, 0o700)

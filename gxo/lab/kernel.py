"""The kernel calls that Python 3.11 lacks: mount and its like, unshare, setns, prctl."""

import ctypes
import os
from enum import IntFlag
from functools import cache
from pathlib import Path


class Mount(IntFlag):
    """Flags of mount(2)."""

    RDONLY = 1
    NOSUID = 2
    NODEV = 4
    NOEXEC = 8
    REMOUNT = 32
    BIND = 4096
    REC = 16384
    PRIVATE = 1 << 18


_NONE = Mount(0)


class Clone(IntFlag):
    """Flags of unshare(2) and setns(2)."""

    NEWNS = 0x00020000
    NEWPID = 0x20000000


_PR_SET_PDEATHSIG = 1
# flags of open_tree(2) and move_mount(2)
_AT_FDCWD = -100
_AT_RECURSIVE = 0x8000
_OPEN_TREE_CLONE = 1
_MOVE_MOUNT_F_EMPTY_PATH = 4


@cache
def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def _check(result: int, path: str | None = None) -> None:
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), path)


def mount(
    source: str | Path, target: str | Path, fstype: str, flags: Mount = _NONE, data: str = ""
) -> None:
    """Attach a file system. Raises OSError that names the target."""
    result = _libc().mount(
        os.fsencode(source),
        os.fsencode(target),
        fstype.encode(),
        ctypes.c_ulong(flags),
        os.fsencode(data),
    )
    _check(result, str(target))


def bind(source: str | Path, target: str | Path, flags: Mount = _NONE) -> None:
    """Show `source` at `target` too; REC takes the mounts below it along. Raises OSError."""
    mount(source, target, "", Mount.BIND | flags)


def unshare(flags: Clone) -> None:
    """Leave the shared namespaces named by `flags`. Raises OSError."""
    _check(_libc().unshare(int(flags)))


def setns(fd: int, kind: Clone) -> None:
    """Enter the namespace that `fd` names. Raises OSError."""
    _check(_libc().setns(fd, int(kind)))


def die_with_parent(signal: int) -> None:
    """Have the kernel send this process `signal` when its parent dies (PR_SET_PDEATHSIG)."""
    _check(_libc().prctl(_PR_SET_PDEATHSIG, ctypes.c_ulong(signal), 0, 0, 0))


def private_mounts() -> None:
    """Give this process a mount namespace of which nothing spreads back, and whose root it sees.

    In a chroot the propagation of `/` may not be settable by name, systemd-nspawn may not take it,
    and the kernel makes no user namespace. Entering the namespace anew (setns(2)) leads to the
    real root; where that is another one, the chroot's tree is laid on it.
    """
    unshare(Clone.NEWNS)
    namespace = os.open("/proc/self/ns/mnt", os.O_RDONLY)
    seen = _root()
    tree = _libc().open_tree(_AT_FDCWD, b"/", _OPEN_TREE_CLONE | _AT_RECURSIVE)
    _check(min(tree, 0), "/")
    setns(namespace, Clone.NEWNS)
    mount("none", "/", "", Mount.REC | Mount.PRIVATE)
    if _root() != seen:
        _check(_libc().move_mount(tree, b"", _AT_FDCWD, b"/", _MOVE_MOUNT_F_EMPTY_PATH), "/")
        os.fchdir(tree)
        os.chroot(".")
    os.close(namespace)
    os.close(tree)


def _root() -> tuple[str, int]:
    """What `/` is for this process: the mount's number and the inode."""
    top = os.open("/", os.O_PATH | os.O_DIRECTORY)
    try:
        lines = Path(f"/proc/self/fdinfo/{top}").read_text().splitlines()
        return next(line for line in lines if line.startswith("mnt_id:")), os.fstat(top).st_ino
    finally:
        os.close(top)

"""Mounts: what a step has mounted beneath a directory, taken off again."""

import os
import re
from pathlib import Path

_DETACH, _NOFOLLOW = 2, 8  # MNT_DETACH, UMOUNT_NOFOLLOW: umount2(2)
_ESCAPE = re.compile(rb"\\([0-7]{3})")


def detach_beneath(directory: Path) -> None:
    """Take off every mount beneath a directory in this mount namespace, the last one first.

    What is mounted stays whole: it is only no longer there. Raises OSError.
    """
    start = os.fsencode(directory.resolve()) + b"/"
    while beneath := [point for point in _mount_points() if point.startswith(start)]:
        for point in reversed(beneath):
            _umount(point)


def _umount(point: bytes) -> None:
    import ctypes  # a run seldom needs it

    libc = ctypes.CDLL(None, use_errno=True)
    if libc.umount2(point, _DETACH | _NOFOLLOW):
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code), os.fsdecode(point))


def _mount_points() -> list[bytes]:
    """In the order of mounting; in proc(5)'s mountinfo, odd characters are octal."""
    lines = Path("/proc/self/mountinfo").read_bytes().splitlines()
    return [_ESCAPE.sub(lambda m: bytes([int(m[1], 8)]), line.split(b" ")[4]) for line in lines]

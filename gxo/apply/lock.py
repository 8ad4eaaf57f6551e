"""Lock: one apply at a time on a host; who has to wait is told for which."""

import fcntl
import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

PLACE = Path("/run/gxo/apply.lock")
WAIT = 60.0
_POLL = 0.05


class LockTimeout(Exception):
    """Another process held the lock all the time."""


@contextmanager
def locked(command: str, *, timeout: float = WAIT, place: Path = PLACE) -> Iterator[None]:
    """Hold the lock for the block; `command` is shown to those who wait for it.

    Waits up to `timeout` seconds, then raises LockTimeout. However the process ends, the kernel
    releases the lock; the file stays.
    """
    place.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
    # close on exec: what we start must not keep the lock
    with os.fdopen(os.open(place, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644), "r+") as file:
        _take(file, timeout)
        try:
            _say(file, {"pid": os.getpid(), "command": command, "since": int(time.time())})
            yield
        finally:
            _say(file, {})
            fcntl.flock(file, fcntl.LOCK_UN)


def under_way(*, place: Path = PLACE) -> str:
    """Who holds the lock, in words; empty where nobody does."""
    try:
        with place.open(encoding="utf-8") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                return _holder(file, "has been under way")
    except OSError:
        pass  # nobody ever held it, or it is not for this user to know
    return ""


def _take(file: IO[str], timeout: float) -> None:
    deadline = time.monotonic() + timeout
    while True:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            left = deadline - time.monotonic()
            if left <= 0:
                raise LockTimeout(
                    f"cannot take the lock within {timeout:g} s: {_holder(file, 'has held it')}; "
                    "wait for it, or give a longer `--lock-timeout`"
                ) from None
            time.sleep(min(_POLL, left))
        else:
            return


def _say(file: IO[str], content: dict[str, object]) -> None:
    file.seek(0)
    file.truncate()
    json.dump(content, file)
    file.flush()


def _holder(file: IO[str], does: str) -> str:
    file.seek(0)
    try:
        held = json.loads(file.read())
        since = time.strftime("%H:%M:%S", time.localtime(held["since"]))
        return f"`{held['command']}` (process {held['pid']}) {does} since {since}"
    except (ValueError, LookupError, TypeError):
        return f"another gxo {does}"

"""What every lab leaves on the host while it lives, how it is found again, and how it goes.

On the host a lab is a directory below BASE with a lock and a list of its control groups; all
else (mounts, processes, network) is in namespaces that go with their last process. The guardian
holds the lock; a directory whose lock is free belongs to a lab whose guardian was killed.
"""

import fcntl
import json
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from gxo.lab import cgroups

BASE = Path("/run/gxo-lab")


@contextmanager
def _base() -> Iterator[Path]:
    """The directory BASE, locked against other labs that come or go; removed when it is empty."""
    while True:
        BASE.mkdir(mode=0o700, parents=True, exist_ok=True)
        try:
            lock = os.open(BASE, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        except FileNotFoundError:
            continue
        fcntl.flock(lock, fcntl.LOCK_EX)
        try:
            with suppress(FileNotFoundError):
                if BASE.stat().st_ino == os.fstat(lock).st_ino:
                    break
        except BaseException:
            os.close(lock)
            raise
        os.close(lock)
    try:
        yield BASE
    finally:
        with suppress(OSError):
            BASE.rmdir()
        os.close(lock)


def register(machine: str) -> int:
    """Make the lab's directory; the descriptor whose lock says that its guardian lives."""
    with _base() as base:
        directory = base / machine
        directory.mkdir(mode=0o700)
        return _lock(directory)


def _lock(directory: Path) -> int:
    lock = os.open(directory / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(lock)
        raise
    return lock


def record(machine: str, groups: Sequence[Path]) -> None:
    """Write down the control groups before they are made, for whoever must remove them."""
    (BASE / machine / "groups").write_text(json.dumps([str(group) for group in groups]))


def forget(machine: str) -> None:
    """Remove the lab's groups and its directory. Raises LabError if a process will not die."""
    directory = BASE / machine
    with suppress(FileNotFoundError, ValueError):
        cgroups.remove([Path(p) for p in json.loads((directory / "groups").read_text())])
    with _base():
        for name in ("groups", "lock"):
            (directory / name).unlink(missing_ok=True)
        with suppress(FileNotFoundError):
            directory.rmdir()


def sweep() -> tuple[str, ...]:
    """Remove what labs left whose guardian was killed; their machine names."""
    if not BASE.is_dir():
        return ()
    stale = []
    with _base() as base:
        for directory in sorted(base.iterdir()):
            try:
                stale.append((directory.name, _lock(directory)))
            except OSError:
                continue  # its guardian lives
    for machine, lock in stale:
        forget(machine)
        os.close(lock)
    return tuple(machine for machine, _ in stale)

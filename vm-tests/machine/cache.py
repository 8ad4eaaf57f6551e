"""Images and saved states on the host's disk, each made once and used by many runs."""

import fcntl
import hashlib
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from machine import image, qemu, snapshot, ssh
from machine.image import Image
from machine.snapshot import Snapshot
from machine.suite import Suite


@dataclass(frozen=True, slots=True, kw_only=True)
class Cached:
    """An image, a machine's state on it, and the private key that it lets in."""

    image: Image
    snapshot: Snapshot
    key: Path

    def complete(self) -> bool:
        return self.snapshot.directory.exists()


def location() -> Path:
    """Where machines are kept: `vm` in GXO_CACHE, by default in ~/.cache/gxo."""
    chosen = os.environ.get("GXO_CACHE")
    return (Path(chosen) if chosen else Path.home() / ".cache/gxo").absolute() / "vm"


@contextmanager
def cached(suite: Suite, say: Callable[[str], None]) -> Iterator[Cached]:
    """A saved machine that nobody replaces during the `with` block; made now if need be.

    `say` is told what takes its time. Raises MachineError.
    """
    root = location()
    root.mkdir(parents=True, exist_ok=True)
    with (root / f"{suite.codename}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_SH)
        while not (found := _expected(root, suite)).complete():
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not found.complete():  # another may have made it while we waited for the lock
                _make(root, suite, found, say)
            fcntl.flock(lock, fcntl.LOCK_SH)
        yield found


def _expected(root: Path, suite: Suite) -> Cached:
    """Where the machine is kept whose makings are today's. Their digests are in its names."""
    key = root / "id"
    named = Image(root / f"{suite.codename}-{image.key(suite, ssh.make_key(key))}")
    makings = qemu.fingerprint(named) + Path(snapshot.__file__).read_text()
    digest = hashlib.sha256(makings.encode()).hexdigest()[:16]
    return Cached(image=named, snapshot=Snapshot(named.directory / f"state-{digest}"), key=key)


def _make(root: Path, suite: Suite, wanted: Cached, say: Callable[[str], None]) -> None:
    for other in root.glob(f"{suite.codename}-*"):
        if other != wanted.image.directory:
            shutil.rmtree(other)
    if not wanted.image.directory.exists():
        say(f"{suite.codename}: building the image, once")
        with _whole(wanted.image.directory) as partial:
            image.build(suite, ssh.make_key(wanted.key), partial)
    for other in wanted.image.directory.glob("state-*"):
        shutil.rmtree(other)
    say(f"{suite.codename}: booting it, once")
    with _whole(wanted.snapshot.directory) as partial:
        snapshot.take(suite.codename, wanted.image, wanted.key, partial)
    say(f"{suite.codename}: saved in {wanted.snapshot.directory}")


@contextmanager
def _whole(directory: Path) -> Iterator[Path]:
    """A place to fill; it becomes `directory` only if the block ends well, and else goes."""
    partial = directory.with_name(f"{directory.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir()
    try:
        yield partial
        partial.rename(directory)
    finally:
        shutil.rmtree(partial, ignore_errors=True)

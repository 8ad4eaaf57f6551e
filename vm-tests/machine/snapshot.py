"""Boot an image once and keep the running machine; bring it back in a second."""

import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from machine import qemu, ssh
from machine.image import VENV, Image
from machine.process import run
from machine.qemu import Machine

# What every test needs comes from memory then, not from the disk.
_WARM = f"""
set -e
systemctl is-system-running --wait
{VENV}/bin/python -c 'import typer, jinja2, lark, yaml, pydbus, ctypes, sqlite3'
sync
"""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A directory with a machine's disk (a layer over its image's) and its memory."""

    directory: Path

    @property
    def disk(self) -> Path:
        return self.directory / "disk.qcow2"

    @property
    def memory(self) -> Path:
        return self.directory / "memory"


def take(name: str, image: Image, key: Path, into: Path) -> Snapshot:
    """Boot `image` and keep its state in the new directory `into`. Raises MachineError."""
    snapshot = Snapshot(into)
    layer = ("-f", "qcow2", "-F", "raw", "-b", image.disk, snapshot.disk)
    run("make the disk's layer", ["qemu-img", "create", "-q", *layer])
    with (
        tempfile.TemporaryDirectory(prefix="gxo-vm-") as directory,
        qemu.machine(name, image, snapshot.disk, Path(directory)) as running,
    ):
        config = Path(directory, "ssh")
        ssh.write_config(config, [running], key)
        ssh.wait(config, running, seconds=300)
        ssh.command(config, name, _WARM)
        ssh.disconnect(config, name)
        qemu.save(running, snapshot.memory)
    return snapshot


@contextmanager
def restored(name: str, image: Image, snapshot: Snapshot, directory: Path) -> Iterator[Machine]:
    """The machine as it was saved, for as long as the `with` block lasts."""
    with qemu.machine(name, image, snapshot.disk, directory, state=snapshot.memory) as machine:
        qemu.resume(machine)
        yield machine


def set_clock(config: Path, name: str) -> None:
    """Tell a restored machine the time: for it, none has passed since it was saved."""
    ssh.command(config, name, f"date --set=@{time.time():.3f} > /dev/null")

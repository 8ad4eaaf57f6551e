"""The Debian releases a machine can run, and the packages in it."""

from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent.parent
CHECKOUT = HERE.parent
ROOTFS = HERE / "rootfs"

KERNEL_PACKAGE = "linux-image-cloud-amd64"  # virtio drivers, little else; a Vagrant box has its own


@dataclass(frozen=True, slots=True, kw_only=True)
class Suite:
    """A Debian release: its code name, and the version of its python3 as `3.11`."""

    codename: str
    python: str


SUITES = {
    suite.codename: suite
    for suite in (
        Suite(codename="bookworm", python="3.11"),
        Suite(codename="trixie", python="3.13"),
    )
}


def packages() -> tuple[str, ...]:
    """Names of the Debian packages in a machine, without its kernel."""
    lines = (HERE / "packages.txt").read_text().splitlines()
    return tuple(line.strip() for line in lines if line.strip() and not line.startswith("#"))

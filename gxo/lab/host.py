"""Whether this host can hold a lab, asked before anything is made."""

import os
import shutil
from pathlib import Path, PurePosixPath

from gxo.lab import mounts
from gxo.lab.mounts import Layer
from gxo.lab.spec import LabError, LabSpec

_CAP_SYS_ADMIN = 21
_PATH = os.pathsep.join((os.environ.get("PATH", os.defpath), "/usr/sbin", "/sbin"))
_INIT = ("usr/lib/systemd/systemd", "lib/systemd/systemd")
_BUS = ("usr/bin/dbus-daemon", "usr/bin/dbus-broker-launch", "bin/dbus-daemon")


def check(spec: LabSpec) -> None:
    """Raises LabError, with what to install or to do, if no lab can be had here."""
    if os.geteuid() != 0:
        raise LabError("cannot boot a lab: only root may; try sudo")
    if not _has_capability(_CAP_SYS_ADMIN):
        raise LabError(
            "cannot boot a lab: this process lacks CAP_SYS_ADMIN; a container needs"
            " --privileged, a service CapabilityBoundingSet=CAP_SYS_ADMIN"
        )
    for name, package in (("systemd-nspawn", "systemd-container"), ("nsenter", "util-linux")):
        tool(name, package)
    if not spec.root.is_absolute() or not spec.root.is_dir():
        raise LabError(f"cannot boot {spec.root}: it is not the absolute path of a directory")
    init(spec.root)
    if not any((spec.root / path).exists() for path in _BUS):
        raise LabError(f"cannot boot {spec.root}: it has no D-Bus; install Debian's dbus in it")


def _has_capability(number: int) -> bool:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("CapEff:"):
            return bool(int(line.split()[1], 16) >> number & 1)
    return False


def tool(name: str, package: str) -> str:
    """The path of a program of the host. Raises LabError that names the Debian package."""
    found = shutil.which(name, path=_PATH)
    if found is None:
        raise LabError(f"cannot boot a lab: {name} is missing; install Debian's {package}")
    return found


def init(root: Path) -> str:
    """Where that tree has systemd, as a path within it. Raises LabError."""
    for path in _INIT:
        if os.access(root / path, os.X_OK):
            return f"/{path}"
    raise LabError(f"cannot boot {root}: it has no systemd; install Debian's systemd in it")


def runs_systemd() -> bool:
    """Whether this host's PID 1 is systemd, by sd_booted(3)'s test."""
    return Path("/run/systemd/system").is_dir()


def layers(spec: LabSpec) -> tuple[Layer, ...]:
    """The layers of the guest's tree. Raises LabError if the mounts cannot be read."""
    try:
        text = Path("/proc/self/mountinfo").read_text(errors="surrogateescape")
    except OSError as error:
        raise LabError(
            f"cannot read this host's mounts: {error.strerror}; mount /proc first"
        ) from error
    without = [PurePosixPath(path) for path in spec.without]
    if not spec.keep_state:
        without.append(mounts.STATE)
    found = mounts.layers(mounts.parse(text), spec.root, without)
    return tuple(layer for mount, layer in found if layer.place == "/" or _seen(mount, layer))


def _seen(mount: mounts.Mounted | None, layer: Layer) -> bool:
    """Whether that mount is what its path shows: a later mount above it may hide it."""
    try:
        fd = os.open(layer.source, os.O_PATH)
    except OSError:
        return False
    try:
        info = Path(f"/proc/self/fdinfo/{fd}").read_text()
    finally:
        os.close(fd)
    return mount is not None and f"mnt_id:\t{mount.ident}\n" in info

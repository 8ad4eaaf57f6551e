"""A Debian tree as a bootable disk: Debian's packages, gxo's dependencies, our few files."""

import hashlib
import os
import shutil
import uuid
from dataclasses import dataclass
from pathlib import Path

from machine import apt, initrd, wheels
from machine.error import MachineError
from machine.process import run
from machine.suite import KERNEL_PACKAGE, ROOTFS, Suite, packages

DISK_SIZE = "4G"  # sparse: what is used is written
VENV = "/opt/gxo"

# These would start by themselves and disturb what a test measures.
MASKED = (
    *("nginx.service", "redis-server.service"),
    *("apt-daily.timer", "apt-daily-upgrade.timer", "dpkg-db-backup.timer", "fstrim.timer"),
    *("e2scrub_all.timer", "e2scrub_reap.service", "systemd-pstore.service"),
    *("getty@tty1.service", "serial-getty@ttyS0.service"),
)

_CHROOT_ENV = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root", "LC_ALL": "C.UTF-8"}


@dataclass(frozen=True, slots=True)
class Image:
    """What a machine boots from: a directory of three files."""

    directory: Path

    @property
    def kernel(self) -> Path:
        return self.directory / "vmlinuz"

    @property
    def initrd(self) -> Path:
        return self.directory / "initrd"

    @property
    def disk(self) -> Path:
        return self.directory / "disk.raw"


def key(suite: Suite, public_key: str) -> str:
    """A digest of everything that goes into the image, this recipe included."""
    parts = [repr(suite), KERNEL_PACKAGE, *packages(), *wheels.requirements(), public_key]
    recipe = [Path(__file__), Path(initrd.__file__), *sorted(_own_files(suite))]
    parts += [f"{path.name}\n{path.read_text()}" for path in recipe]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]


def build(suite: Suite, public_key: str, into: Path) -> Image:
    """Make the image in the directory `into`; takes root and the network. Raises MachineError."""
    if os.geteuid() != 0:
        raise MachineError("cannot build a machine's image: only root can, and once is enough")
    image, root = Image(into), into / "root"
    _install(suite, root)
    _configure(suite, public_key, root)
    _install_dependencies(suite, root)
    (kernel,) = (path.name for path in (root / "usr/lib/modules").iterdir())
    shutil.copy(root / "boot" / f"vmlinuz-{kernel}", image.kernel)
    image.initrd.write_bytes(initrd.build(root, kernel))
    run("make the disk", ["mke2fs", "-q", "-t", "ext4", "-d", root, image.disk, DISK_SIZE])
    shutil.rmtree(root)
    return image


def _install(suite: Suite, root: Path) -> None:
    run(
        f"install Debian {suite.codename}",
        [
            *("mmdebstrap", "--quiet", "--mode=root", "--format=directory", "--variant=minbase"),
            f"--include={','.join((*packages(), KERNEL_PACKAGE))}",
            *(f"--aptopt={option}" for option in apt.options()),
            *(f"--dpkgopt=path-exclude=/usr/share/{unread}/*" for unread in ("man", "doc")),
            *(suite.codename, str(root), *apt.lines_for(suite.codename)),
        ],
    )


def _configure(suite: Suite, public_key: str, root: Path) -> None:
    for tree in _own_trees(suite):
        shutil.copytree(tree, root, dirs_exist_ok=True)
    (root / "etc/hostname").write_text(f"{suite.codename}\n")
    (root / "etc/hosts").write_text(f"127.0.0.1 localhost {suite.codename}\n")
    (root / "etc/fstab").write_text("")  # the initrd mounts the one disk
    # An id of its own: without one the first boot would enable every unit there is.
    (root / "etc/machine-id").write_text(f"{uuid.uuid4().hex}\n")
    keys = root / "root/.ssh/authorized_keys"
    keys.parent.mkdir(mode=0o700, exist_ok=True)
    keys.write_text(public_key)
    for unit in MASKED:
        mask = root / "etc/systemd/system" / unit
        mask.unlink(missing_ok=True)
        mask.symlink_to("/dev/null")


def _install_dependencies(suite: Suite, root: Path) -> None:
    """Here, at the host's own speed, and so that the machine needs no network."""
    found = root / "var/tmp/wheels"
    found.mkdir()
    wheels.download(suite, found)
    script = (
        f"python3 -m venv --system-site-packages {VENV}\n"
        f"{VENV}/bin/pip install --quiet --no-index --no-deps /var/tmp/wheels/*.whl\n"
        f"ln -s {VENV}/bin/gxo /usr/local/bin/gxo\n"
    )
    run("install gxo's dependencies", ["chroot", root, "sh", "-ec", script], env=_CHROOT_ENV)
    shutil.rmtree(found)


def _own_trees(suite: Suite) -> tuple[Path, ...]:
    return tuple(p for p in (ROOTFS / "any", ROOTFS / suite.codename) if p.exists())


def _own_files(suite: Suite) -> list[Path]:
    return [p for tree in _own_trees(suite) for p in tree.rglob("*") if p.is_file()]

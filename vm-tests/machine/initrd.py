"""A small initrd: just the modules that reach the disk and the network, and busybox.

Debian's own is ten times the size, which an emulated machine feels at every boot.
The network is set here, so that the image needs no unit for it.
"""

import lzma
from collections.abc import Iterable, Iterator
from pathlib import Path

MODULES = ("virtio_pci", "virtio_blk", "virtio_net", "crc32c_generic", "ext4")
ADDRESS = "10.0.2.15/24"  # what QEMU's user network forwards to

_DIRECTORY, _FILE, _DEVICE = 0o040755, 0o100755, 0o020600
_CONSOLE = (5, 1)


def build(root: Path, kernel: str) -> bytes:
    """A cpio archive for the kernel release `kernel`, from the Debian tree at `root`."""
    modules = list(_module_files(root / "usr/lib/modules" / kernel))
    entries = [
        *((name, _DIRECTORY, b"") for name in ("bin", "dev", "root", "modules")),
        ("dev/console", _DEVICE, b""),
        ("bin/busybox", _FILE, (root / "usr/bin/busybox").read_bytes()),
        ("init", _FILE, _script(path.name for path in modules).encode()),
        *((f"modules/{path.name}", _FILE, _unpacked(path)) for path in modules),
        ("TRAILER!!!", 0, b""),
    ]
    return b"".join(
        _entry(number, name, mode, data) for number, (name, mode, data) in enumerate(entries)
    )


def _script(modules: Iterable[str]) -> str:
    return "\n".join(
        (
            "#!/bin/busybox sh",
            "/bin/busybox --install -s /bin",
            "mount -t devtmpfs dev /dev",
            *(f"insmod /modules/{name}" for name in modules),
            "until mount -t ext4 -o noatime /dev/vda /root; do usleep 50000; done",
            "ip link set lo up",
            "ip link set eth0 up",
            f"ip address add {ADDRESS} dev eth0",
            "mount -o move /dev /root/dev",
            "exec switch_root /root /sbin/init",
            "",
        )
    )


def _module_files(base: Path) -> Iterator[Path]:
    """Files of MODULES with what each depends on before it. A module not listed is built in."""
    depends = {}
    for line in (base / "modules.dep").read_text().splitlines():
        path, _, others = line.partition(":")
        name = path.rpartition("/")[2].partition(".ko")[0]
        depends[name] = [*reversed(others.split()), path]
    seen = set[str]()
    for path in (path for module in MODULES for path in depends.get(module, [])):
        if path not in seen:
            seen.add(path)
            yield base / path


def _unpacked(path: Path) -> bytes:
    data = path.read_bytes()
    return lzma.decompress(data) if path.suffix == ".xz" else data


def _entry(number: int, name: str, mode: int, data: bytes) -> bytes:
    """One member in the "newc" format (the kernel's buffer-format document)."""
    device = _CONSOLE if mode == _DEVICE else (0, 0)
    text = name.encode() + b"\0"
    fields = (number, mode, 0, 0, 1, 0, len(data), 0, 0, *device, len(text), 0)
    header = b"070701" + b"".join(b"%08X" % field for field in fields)
    return _padded(header + text) + _padded(data)


def _padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % 4)

"""Which of the host's mounts a lab lays a copy over: mountinfo to layers, pure."""

import re
from collections.abc import Iterable
from pathlib import Path, PurePath, PurePosixPath

from gxo.dataclass import dataclass
from gxo.lab.kernel import Mount

# kernel interfaces, not places where files are kept: the guest has its own or none
_INTERFACES = frozenset(
    {
        *("autofs", "binfmt_misc", "bpf", "cgroup", "cgroup2", "configfs", "debugfs", "devpts"),
        *("devtmpfs", "efivarfs", "fusectl", "hugetlbfs", "mqueue", "nsfs", "proc", "pstore"),
        *("rpc_pipefs", "securityfs", "selinuxfs", "sysfs", "tracefs"),
    }
)
# the guest has its own; the boot partition (often FAT, which cannot lie under an overlay) is of
# no use to a machine without a boot loader
_OWN = tuple(
    PurePosixPath("/", name) for name in ("proc", "sys", "dev", "run", "tmp", "boot", "efi")
)
# shown empty: what would leak from the host or would be mistaken for the guest's own
EMPTIED = (PurePosixPath("/var", "tmp"), PurePosixPath("/var/log/journal"))
STATE = PurePosixPath("/var/lib/gxo")
# all of the above: where a guest never shows what the host has
GUESTS_OWN = (*_OWN, *EMPTIED, STATE)
_FLAGS = {"ro": Mount.RDONLY, "nosuid": Mount.NOSUID, "nodev": Mount.NODEV, "noexec": Mount.NOEXEC}


@dataclass(frozen=True, slots=True)
class Mounted:
    """A line of /proc/PID/mountinfo (proc_pid_mountinfo(5)), as far as a lab needs it."""

    ident: int
    point: PurePosixPath
    fstype: str
    flags: Mount


@dataclass(frozen=True, slots=True)
class Layer:
    """A part of the guest's tree: the host's `source`, to be shown at the guest's `place`."""

    source: str
    place: str
    fstype: str
    flags: int


def parse(text: str) -> tuple[Mounted, ...]:
    """The lines of a mountinfo file, in their order."""
    return tuple(_line(line.split(" ")) for line in text.splitlines())


def _line(fields: list[str]) -> Mounted:
    flags = Mount(0)
    for word in fields[5].split(","):
        flags |= _FLAGS.get(word, Mount(0))
    fstype = fields[fields.index("-", 6) + 1]
    return Mounted(int(fields[0]), PurePosixPath(_unescape(fields[4])), fstype, flags)


def _unescape(text: str) -> str:
    raw = re.sub(rb"\\([0-7]{3})", lambda m: bytes([int(m[1], 8)]), text.encode())
    return raw.decode(errors="surrogateescape")


def layers(
    mounted: Iterable[Mounted], root: Path, without: Iterable[PurePosixPath] = ()
) -> tuple[tuple[Mounted | None, Layer], ...]:
    """The tree at `root` and each file system mounted below it that keeps files, outermost first.

    `without` holds guest paths whose mounts are left out. The first layer is the root's own; it
    has no mount where the root is not a mount point.
    """
    hidden = (*_OWN, *EMPTIED, *without)
    latest = {m.point: m for m in mounted}  # of several at one point the last is the one seen
    top = latest.get(PurePosixPath(root))
    found = [(top, Layer(str(root), "/", "directory", 0))]
    for point, mount in sorted(latest.items(), key=lambda item: item[0].parts):
        if point == PurePosixPath(root) or not point.is_relative_to(root):
            continue
        place = PurePosixPath("/") / point.relative_to(root)
        if mount.fstype in _INTERFACES or any(place.is_relative_to(h) for h in hidden):
            continue
        found.append((mount, Layer(str(point), str(place), mount.fstype, int(mount.flags))))
    return tuple(found)


def covers(path: PurePath) -> bool:
    """Whether a guest over this host's tree shows something of its own at that path."""
    return any(path.is_relative_to(own) for own in GUESTS_OWN)

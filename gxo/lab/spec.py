"""What a lab shall be, and what it can enforce: plain values."""

from enum import StrEnum
from pathlib import Path

from gxo.dataclass import dataclass, field


class LabError(Exception):
    """A lab cannot be made, or is gone: "cannot X: reason", and what to do next."""


# The guest is root on the host's kernel: what reaches past its namespaces it does without
DROPPED = (
    *("SYS_MODULE", "SYS_TIME", "SYS_RAWIO", "MKNOD", "MAC_ADMIN", "MAC_OVERRIDE", "SYSLOG"),
    *("WAKE_ALARM", "BLOCK_SUSPEND", "AUDIT_CONTROL", "AUDIT_READ"),
)


class CgroupMode(StrEnum):
    """How the guest sees control groups.

    AUTO takes what the host has: V2 on a unified host, else HYBRID (or LEGACY, version 1 alone).
    """

    AUTO = "auto"
    V2 = "v2"
    HYBRID = "hybrid"
    LEGACY = "legacy"


@dataclass(frozen=True, slots=True)
class Bind:
    """A path of the host that the guest shares for real; `dst` defaults to the same path."""

    src: Path
    dst: Path | None = None
    read_only: bool = False

    @property
    def target(self) -> Path:
        return self.dst or self.src

    @staticmethod
    def parse(text: str, *, read_only: bool = False) -> "Bind":
        """`SRC[:DST]`, both absolute. Raises LabError."""
        src, _, dst = text.partition(":")
        for path in (src, dst or src):
            if not path.startswith("/"):
                raise LabError(f"cannot bind {text}: {path!r} is not an absolute path")
        return Bind(Path(src), Path(dst) if dst else None, read_only)


@dataclass(frozen=True, slots=True, kw_only=True)
class LabSpec:
    """A lab to boot.

    root        the tree it shows: this host's own, or another distribution's
    binds       paths of the host shared with the guest, the only way for it to change the host
    without     mounts of the host that the guest shall not see (their bare directory shows)
    cgroup      AUTO, or the mode to insist on
    name        the guest's host name; default: one of its own
    target      what systemd boots to
    keep_state  show the host's /var/lib/gxo (copy on write) instead of an empty one
    timeout     seconds a boot may take
    """

    root: Path = Path("/")
    binds: tuple[Bind, ...] = ()
    without: tuple[Path, ...] = ()
    cgroup: CgroupMode = CgroupMode.AUTO
    name: str | None = None
    target: str = "basic.target"
    keep_state: bool = False
    timeout: float = 60.0


# systemd's directive -> the controller that must stand behind it (systemd.resource-control(5))
_CONTROLLER = {
    "CPUQuota": "cpu",
    "CPUWeight": "cpu",
    "IOWeight": "io",
    "IOReadBandwidthMax": "io",
    "IOWriteBandwidthMax": "io",
    "MemoryMax": "memory",
    "TasksMax": "pids",
}
# what version 1 never had
_V2_ONLY = {"MemoryHigh": "memory", "MemoryLow": "memory", "MemoryMin": "memory"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Which resource limits the guest's kernel really enforces.

    controllers  names as in version 2 (`io` stands for version 1's blkio)
    """

    mode: CgroupMode
    controllers: frozenset[str] = field(default_factory=frozenset)

    def enforces(self, directive: str) -> bool:
        """Whether that resource-control directive has a controller behind it; KeyError: not one."""
        if directive in _V2_ONLY:
            return self.mode is CgroupMode.V2 and _V2_ONLY[directive] in self.controllers
        return _CONTROLLER[directive] in self.controllers

    @property
    def unenforced(self) -> tuple[str, ...]:
        """The directives that systemd would accept here and the kernel would not enforce."""
        return tuple(d for d in sorted(_CONTROLLER | _V2_ONLY) if not self.enforces(d))

"""Host: what this machine is, and what its systemd and kernel cannot enforce."""

import os
import pwd
import re
from collections.abc import Callable
from enum import StrEnum
from functools import cache
from pathlib import Path

from gxo.dataclass import dataclass
from gxo.systemd.manager import Manager, major

_CAP_SYS_ADMIN = 21
_KINDS = ("cgroup", "ipc", "mnt", "net", "pid", "user", "uts")


class CgroupMode(StrEnum):
    V1 = "v1"
    HYBRID = "hybrid"
    V2 = "v2"
    NONE = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class Host:
    """A host, read once. `systemd` is 0 where none is installed; `running`: it is PID 1."""

    systemd: int
    systemd_text: str
    features: frozenset[str]
    """What systemd was built with: `SECCOMP`, `BPF_FRAMEWORK`…"""
    running: bool
    cgroup_mode: CgroupMode
    controllers: frozenset[str]
    """The controllers that systemd can use: mounted writable (v1), or delegated here (v2)."""
    security_modules: frozenset[str]
    namespaces: frozenset[str]
    """The kinds that systemd can make, by their names in /proc/self/ns (namespaces(7))."""
    root: bool
    user_gxo: bool


@dataclass(frozen=True, slots=True)
class Gap:
    """Directives that this host does not enforce, whether or not it accepts them, and why."""

    directives: tuple[str, ...]
    reason: str


def read_host() -> Host:
    """Read this host, without a bus; takes some 10 ms."""
    return _host(*_systemctl())


def host_of(manager: Manager) -> Host:
    """Read this host, by its running systemd; takes under a millisecond. Raises SystemdError."""
    return _host(manager.version_text, _features(manager.features_text))


def _host(text: str, features: frozenset[str]) -> Host:
    mode, controllers = _cgroups(Path("/proc/self/mounts").read_text(encoding="utf-8"))
    return Host(
        systemd=major(text),
        systemd_text=text,
        features=features,
        running=Path("/run/systemd/system").is_dir(),
        cgroup_mode=mode,
        controllers=controllers,
        security_modules=frozenset(_read("/sys/kernel/security/lsm").strip().split(",")) - {""},
        namespaces=_namespaces(),
        root=os.geteuid() == 0,
        user_gxo=_user_exists("gxo"),
    )


def systemd_version() -> int | None:
    """The major version of this host's systemd, running or not; None where it has none."""
    return major(_systemctl()[0]) or None


def virtualisation() -> str:
    """What this host runs on, as systemd-detect-virt(1) names it; `none` on bare metal."""
    import subprocess

    try:
        done = subprocess.run(["systemd-detect-virt"], capture_output=True, check=False)
    except OSError:
        return "none"
    return done.stdout.decode("utf-8", "replace").strip() or "none"


def gaps(host: Host) -> tuple[Gap, ...]:
    """The directives that `host` does not enforce, in groups, each with the first reason found.

    What gxo does by other means on an older systemd (growing delays between restarts) is no gap.
    """
    return tuple(
        Gap(directives, reason)
        for directives, check in _CHECKS
        if (reason := check(host)) is not None
    )


def unenforced(host: Host) -> dict[str, str]:
    """Each directive of the `gaps`, with the reason."""
    return {name: gap.reason for gap in gaps(host) for name in gap.directives}


def _controller(name: str, v1: str | None = None) -> Callable[[Host], str | None]:
    def check(host: Host) -> str | None:
        wanted = name if host.cgroup_mode is CgroupMode.V2 else v1 or name
        if wanted in host.controllers:
            return None
        return f"systemd cannot use the {wanted} cgroup controller ({host.cgroup_mode})"

    return check


def _only_v2(host: Host) -> str | None:
    if host.cgroup_mode is CgroupMode.V2:
        return None
    return f"needs cgroup v2, this host's cgroups are {host.cgroup_mode}"


def _feature(name: str, version: int = 0) -> Callable[[Host], str | None]:
    def check(host: Host) -> str | None:
        if host.systemd < version:
            return f"needs systemd {version}, this is {host.systemd}"
        if name not in host.features:
            return f"this systemd is built without {name}"
        return None

    return check


def _addresses(host: Host) -> str | None:
    if host.cgroup_mode in (CgroupMode.V2, CgroupMode.HYBRID):
        return None
    return f"needs a cgroup v2 hierarchy, this host's cgroups are {host.cgroup_mode}"


def _namespace(kind: str) -> Callable[[Host], str | None]:
    def check(host: Host) -> str | None:
        if kind in host.namespaces:
            return None
        if not host.namespaces:
            return "systemd cannot make namespaces here, as in a container without CAP_SYS_ADMIN"
        return f"this kernel has no {kind} namespaces"

    return check


def _bpf_module(host: Host) -> str | None:
    if "bpf" not in host.security_modules:
        return "the kernel's bpf security module is not enabled (`lsm=…,bpf`)"
    return _feature("BPF_FRAMEWORK")(host)


_OF_MOUNTS = (
    *("PrivateMounts", "PrivateTmp", "PrivateDevices", "RootDirectory", "RootImage"),
    *("ProtectSystem", "ProtectHome", "ProtectProc", "ProcSubset", "ProtectControlGroups"),
    *("ProtectKernelTunables", "ProtectKernelLogs", "ReadOnlyPaths", "ReadWritePaths"),
)
_CHECKS: tuple[tuple[tuple[str, ...], Callable[[Host], str | None]], ...] = (
    (("MemoryMax",), _controller("memory")),
    (("MemoryHigh", "MemoryMin", "MemoryLow", "MemorySwapMax", "IOWeight"), _only_v2),
    (("CPUQuota", "CPUWeight"), _controller("cpu")),
    (("TasksMax",), _controller("pids")),
    (("IOReadBandwidthMax", "IOWriteBandwidthMax"), _controller("io", "blkio")),
    (("SystemCallFilter", "SystemCallArchitectures"), _feature("SECCOMP")),
    (("RestrictNamespaces", "RestrictAddressFamilies"), _feature("SECCOMP")),
    (("MemoryDenyWriteExecute", "LockPersonality"), _feature("SECCOMP")),
    (("RestrictRealtime", "RestrictSUIDSGID"), _feature("SECCOMP")),
    (("SystemCallErrorNumber", "SystemCallLog"), _feature("SECCOMP")),
    (("IPAddressAllow", "IPAddressDeny"), _addresses),
    (_OF_MOUNTS, _namespace("mnt")),
    (("PrivateNetwork",), _namespace("net")),
    (("PrivateIPC",), _namespace("ipc")),
    (("PrivateUsers",), _namespace("user")),
    (("ProtectHostname",), _namespace("uts")),
    (("SocketBindAllow", "SocketBindDeny"), _feature("BPF_FRAMEWORK", 249)),
    (("RestrictNetworkInterfaces",), _feature("BPF_FRAMEWORK", 250)),
    (("RestrictFileSystems",), _bpf_module),
    (("PrivatePIDs",), _namespace("pid")),
)


def _namespaces() -> frozenset[str]:
    """The kernel's kinds; none where PID 1 may not make any, and starts services without."""
    bounds = re.search(r"^CapBnd:\s*([0-9a-f]+)$", _read("/proc/1/status"), re.MULTILINE)
    if bounds and not int(bounds[1], 16) >> _CAP_SYS_ADMIN & 1:
        return frozenset()
    # lexists, as a process that cannot be traced cannot read its own links
    found = frozenset(kind for kind in _KINDS if os.path.lexists(f"/proc/self/ns/{kind}"))
    users = _read("/proc/sys/user/max_user_namespaces").strip()
    return found - {"user"} if users == "0" else found


def _cgroups(mounts: str) -> tuple[CgroupMode, frozenset[str]]:
    """The mode and the usable controllers, from the text of /proc/self/mounts."""
    rows = [line.split() for line in mounts.splitlines()]
    groups = [row for row in rows if row[1].startswith("/sys/fs/cgroup")]
    if any(row[1] == "/sys/fs/cgroup" and row[2] == "cgroup2" for row in groups):
        return CgroupMode.V2, frozenset(_read("/sys/fs/cgroup/cgroup.controllers").split())
    known = {line.split()[0] for line in _read("/proc/cgroups").splitlines()[1:]}
    found = frozenset(
        option
        for row in groups
        if row[2] == "cgroup" and "rw" in row[3].split(",")
        for option in row[3].split(",")
        if option in known
    )
    if any(row[2] == "cgroup2" for row in groups):
        return CgroupMode.HYBRID, found
    return (CgroupMode.V1 if groups else CgroupMode.NONE), found


@cache
def _systemctl() -> tuple[str, frozenset[str]]:
    """The version text and the features of the installed systemd; empty where there is none."""
    import subprocess

    try:
        done = subprocess.run(["systemctl", "--version"], capture_output=True, check=False)
    except OSError:
        return "", frozenset()
    lines = done.stdout.decode("utf-8", "replace").splitlines()
    if done.returncode or len(lines) < 2:
        return "", frozenset()
    number, _, rest = lines[0].removeprefix("systemd ").partition(" ")
    return rest.strip("()") or number, _features(lines[1])


def _features(text: str) -> frozenset[str]:
    """The features that it has: `+SECCOMP`, and not `-SECCOMP`."""
    return frozenset(word[1:] for word in text.split() if word.startswith("+"))


def _read(path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8")
    except OSError:
        return ""


def _user_exists(name: str) -> bool:
    try:
        pwd.getpwnam(name)
    except KeyError:
        return False
    return True

"""The control groups of a lab: found, made, and taken away again."""

import os
import signal
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from gxo.dataclass import dataclass
from gxo.lab import kernel
from gxo.lab.mounts import parse
from gxo.lab.spec import CgroupMode, LabError, Limits

FS = Path("/sys/fs/cgroup")
# version 1's name -> version 2's
_V2_NAME = {"blkio": "io"}
# the devices of a container: null zero full random urandom tty console ptmx pts tun fuse. Nodes
# may be made of any, opened only of these (version 1; cgroup-v1/devices in the kernel's docs)
_OPEN = ("1:3", "1:5", "1:7", "1:8", "1:9", "5:0", "5:1", "5:2", "136:*", "10:200", "10:229")
_DEVICES = ("c *:* m", "b *:* m", *(f"c {numbers} rwm" for numbers in _OPEN))


@dataclass(frozen=True, slots=True)
class Hierarchy:
    """A mounted hierarchy and this process's own group in it; version 2's has no controllers."""

    controllers: tuple[str, ...]
    own: Path

    @property
    def unified(self) -> bool:
        return not self.controllers


def hierarchies(cgroup: str, mountinfo: str) -> tuple[Hierarchy, ...]:
    """From the texts of /proc/self/cgroup and /proc/self/mountinfo: what is mounted, and where."""
    points = {}
    for line in mountinfo.splitlines():
        mounted = parse(line)[0]
        if mounted.fstype in ("cgroup", "cgroup2"):
            words = line.split(" ")
            options = () if mounted.fstype == "cgroup2" else tuple(words[-1].split(","))
            points[mounted.fstype, options] = (str(mounted.point), words[3])
    found = []
    for line in cgroup.splitlines():
        _, names, own = line.split(":", 2)
        controllers = tuple(names.split(",")) if names else ()
        for (fstype, options), (point, root) in points.items():
            same = (
                fstype == "cgroup" and set(controllers) <= set(options)
                if controllers
                else (fstype == "cgroup2")
            )
            if same:
                relative = os.path.relpath(own, root)
                inside = "." if relative.startswith("..") else relative
                found.append(Hierarchy(controllers, Path(point) / inside))
                break
    return tuple(found)


def discover() -> tuple[Hierarchy, ...]:
    """The hierarchies of this process; where none is mounted (a bare chroot), mounts them first.

    To be called in a private mount namespace. Raises LabError.
    """
    cgroup = Path("/proc/self/cgroup").read_text()
    found = hierarchies(cgroup, Path("/proc/self/mountinfo").read_text())
    if not found:
        try:
            _mount_all(cgroup)
        except OSError as error:
            raise LabError(f"cannot mount the control groups at {FS}: {error.strerror}") from error
        found = hierarchies(cgroup, Path("/proc/self/mountinfo").read_text())
    return found


def _mount_all(cgroup: str) -> None:
    names = [line.split(":", 2)[1] for line in cgroup.splitlines()]
    if not FS.is_dir():
        kernel.mount("sysfs", "/sys", "sysfs")
    if names == [""]:
        kernel.mount("cgroup2", FS, "cgroup2")
        return
    kernel.mount("tmpfs", FS, "tmpfs", data="mode=755")
    for name in names:
        point = FS / (name.removeprefix("name=") or "unified")
        point.mkdir()
        if not name:
            kernel.mount("cgroup2", point, "cgroup2")
        else:
            options = f"none,{name}" if name.startswith("name=") else name
            kernel.mount("cgroup", point, "cgroup", data=options)


def mode_of(found: Iterable[Hierarchy], wanted: CgroupMode) -> CgroupMode:
    """The mode a guest gets here. Raises LabError where the wanted one cannot be had."""
    known = tuple(found)
    names = {name for h in known for name in h.controllers}
    unified = any(h.unified for h in known)
    if "name=systemd" in names:
        natural = CgroupMode.HYBRID if unified else CgroupMode.LEGACY
    elif unified:
        natural = CgroupMode.V2
    else:
        raise LabError(
            f"cannot find control groups that systemd can use at {FS}: neither version 2 nor"
            " version 1's name=systemd is mounted there"
        )
    if wanted in (CgroupMode.AUTO, natural) or (wanted is CgroupMode.V2 and unified):
        return natural if wanted is CgroupMode.AUTO else wanted
    raise LabError(f"cannot give the lab {wanted} control groups: this host has {natural} ones")


def limits(found: Iterable[Hierarchy], mode: CgroupMode) -> Limits:
    """What the guest's groups will enforce: controllers that are at hand, not those that exist."""
    names: set[str] = set()
    for hierarchy in found:
        if hierarchy.unified:
            names |= set(_read(hierarchy.own / "cgroup.subtree_control").split())
        elif mode is not CgroupMode.V2:
            names |= {_V2_NAME.get(name, name) for name in hierarchy.controllers}
    return Limits(mode=mode, controllers=frozenset(n for n in names if "=" not in n))


def delegate(found: tuple[Hierarchy, ...]) -> None:
    """In a scope that systemd delegated to this process: hand all its controllers on.

    The process moves to a group below, since a version 2 group with controllers for its children
    holds no process itself (systemd's CGROUP_DELEGATION document).
    """
    for hierarchy in found:
        if hierarchy.unified:
            keeper = hierarchy.own / "keeper"
            keeper.mkdir(exist_ok=True)
            (keeper / "cgroup.procs").write_text("0")
            for name in _read(hierarchy.own / "cgroup.controllers").split():
                with suppress(OSError):  # what cannot be handed on is not reported as enforced
                    (hierarchy.own / "cgroup.subtree_control").write_text(f"+{name}")


def make(found: Iterable[Hierarchy], name: str) -> tuple[Path, ...]:
    """A group called `name` below this process's own in every hierarchy. Raises LabError."""
    made: list[Path] = []
    for hierarchy in found:
        group = hierarchy.own / name
        try:
            group.mkdir()
        except OSError as error:
            remove(made)
            raise LabError(f"cannot make the control group {group}: {error.strerror}") from error
        made.append(group)
        if "cpuset" in hierarchy.controllers:  # version 1: nothing can join before these are set
            for key in ("cpuset.cpus", "cpuset.mems"):
                (group / key).write_text(_read(hierarchy.own / key))
        if "cpu" in hierarchy.controllers:  # without it realtime scheduling is refused inside
            with suppress(OSError):
                (group / "cpu.rt_runtime_us").write_text("100000")
        if "devices" in hierarchy.controllers:
            (group / "devices.deny").write_text("a")
            for rule in _DEVICES:
                with suppress(PermissionError):  # what this process may not use, it cannot grant
                    (group / "devices.allow").write_text(rule)
    return tuple(made)


def join(groups: Iterable[Path]) -> None:
    """Move this process there; its children follow. Raises OSError."""
    for group in groups:
        (group / "cgroup.procs").write_text("0")


def clear(groups: Iterable[Path]) -> None:
    """Remove all groups below these, so that a rebooted guest starts with none."""
    for group in groups:
        with suppress(FileNotFoundError):
            remove([p for p in group.iterdir() if p.is_dir()])
        # version 2: systemd-nspawn enabled these for the children, and could not join with them on
        for name in _read(group / "cgroup.subtree_control").split():
            (group / "cgroup.subtree_control").write_text(f"-{name}")


def remove(groups: Iterable[Path], patience: float = 10.0) -> None:
    """Kill what is left in these groups and remove them. Raises LabError after `patience` s."""
    deadline = time.monotonic() + patience
    left = [group for group in groups if group.is_dir()]
    while left:
        for group in left:
            _remove_tree(group)
        left = [group for group in left if group.is_dir()]
        if left and time.monotonic() > deadline:
            raise LabError(
                f"cannot remove the control group {left[0]}: a process in it will not die"
            )
        if left:
            time.sleep(0.005)


def _remove_tree(group: Path) -> None:
    for directory, _, _ in os.walk(group, topdown=False):
        here = Path(directory)
        with suppress(OSError):  # a frozen version 1 group would not die
            (here / "freezer.state").write_text("THAWED")
        with suppress(OSError):
            here.rmdir()
            continue
        for pid in _read(here / "cgroup.procs").split():
            with suppress(ProcessLookupError):
                if int(pid) > 0:  # 0: a process that this namespace cannot see
                    os.kill(int(pid), signal.SIGKILL)


def _read(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:
        return ""

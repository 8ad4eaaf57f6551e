"""Proof that a host is as it was: a fingerprint of its files, groups, mounts and sysctls."""

import hashlib
import os
import stat
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from gxo.dataclass import dataclass
from gxo.lab import cgroups

WATCHED = tuple(
    map(
        Path,
        (
            *("/etc", "/usr/local", "/var/lib/gxo", "/run/gxo", "/run/gxo-lab"),
            *("/run/systemd/system", "/run/systemd/transient", "/run/systemd/generator"),
        ),
    )
)
# a larger file is known by its size and time alone
_LARGEST_READ = 16 << 20
_SYSCTLS = Path("/proc/sys")
# counters, and what belongs to a network or PID namespace: these move by themselves
_RESTLESS = (
    *("fs/aio-nr", "fs/dentry-state", "fs/file-nr", "fs/inode-nr", "fs/inode-state", "fs/quota"),
    *("kernel/ns_last_pid", "kernel/perf_event_max_sample_rate", "kernel/pty/nr"),
    *("kernel/random", "net", "user", "vm/stat_refresh"),
)


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """What was seen: each part maps a name to a short text that changes when the thing does."""

    files: Mapping[str, str]
    groups: Mapping[str, str]
    mounts: Mapping[str, str]
    sysctls: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that is not as it was; None: it is not there."""

    part: str
    name: str
    before: str | None
    after: str | None

    def __str__(self) -> str:
        verb = "gone" if self.after is None else "new" if self.before is None else "changed"
        return f"{self.part} {self.name}: {verb}"


def fingerprint(paths: Iterable[Path] = WATCHED) -> Fingerprint:
    """Look at the trees at `paths` (symlinks not followed), and at the whole host otherwise.

    Reads only. Entries that vanish while it looks count as not there.
    """
    return Fingerprint(
        files={str(p): e for top in paths for p in _tree(top) if (e := _entry(p)) is not None},
        groups={str(p): "" for p in _group_tree(cgroups.FS)},
        mounts=_mounts(Path("/proc/self/mountinfo").read_text(errors="surrogateescape")),
        sysctls=dict(_sysctls(_SYSCTLS)),
    )


def difference(before: Fingerprint, after: Fingerprint) -> tuple[Difference, ...]:
    """All that differs, by part and name; empty: the host is as it was."""
    parts = (
        ("file", before.files, after.files),
        ("control group", before.groups, after.groups),
        ("mount", before.mounts, after.mounts),
        ("sysctl", before.sysctls, after.sysctls),
    )
    return tuple(
        Difference(part, name, was.get(name), now.get(name))
        for part, was, now in parts
        for name in sorted(was.keys() | now.keys())
        if was.get(name) != now.get(name)
    )


def _tree(top: Path) -> Iterator[Path]:
    """`top` and all below it on its own file system; an empty `top` counts as not there.

    systemd makes /run/systemd/transient with the first transient unit and never takes it away.
    """
    try:
        device = top.lstat().st_dev
        if top.is_dir() and not any(top.iterdir()):
            return
    except OSError:
        return
    yield top
    for directory, names, files in os.walk(top):
        here = Path(directory)
        yield from (here / name for name in (*names, *files))
        names[:] = [n for n in names if _device(here / n) == device]


def _device(path: Path) -> int | None:
    try:
        return path.lstat().st_dev
    except OSError:
        return None


def _entry(path: Path) -> str | None:
    try:
        about = path.lstat()
        known = f"{about.st_mode:o} {about.st_uid}:{about.st_gid}"
        if stat.S_ISLNK(about.st_mode):
            return f"{known} -> {path.readlink()}"
        if not stat.S_ISREG(about.st_mode):
            return f"{known} {about.st_rdev}"
        if about.st_size > _LARGEST_READ:
            return f"{known} {about.st_size} {about.st_mtime_ns}"
        return f"{known} {hashlib.sha256(path.read_bytes()).hexdigest()}"
    except OSError:
        return None


def _group_tree(top: Path) -> Iterator[Path]:
    """All control groups, in every hierarchy mounted below `top`."""
    for directory, names, _ in os.walk(top):
        yield from (Path(directory, name) for name in names)


def _mounts(mountinfo: str) -> dict[str, str]:
    """Mount points with what is on them; identifiers, which say nothing, left out."""
    found: dict[str, str] = {}
    for line in mountinfo.splitlines():
        fields = line.split(" ")
        found[fields[4]] = found.get(fields[4], "") + " ".join((*fields[2:4], *fields[5:])) + "\n"
    return found


def _sysctls(top: Path) -> Iterator[tuple[str, str]]:
    for directory, names, files in os.walk(top):
        relative = Path(directory).relative_to(top)
        names[:] = [n for n in names if str(relative / n) not in _RESTLESS]
        for name in files:
            key = relative / name
            if str(key) in _RESTLESS:
                continue
            try:
                value = (top / key).read_bytes()
            except OSError:  # some can only be written, some want a privilege
                continue
            yield str(key).replace("/", "."), value.decode(errors="replace").strip()

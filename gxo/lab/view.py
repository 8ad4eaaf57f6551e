"""The guest's file system: throw-away layers over the host's trees, built in a private namespace.

Every effect here is on mounts of this mount namespace and on one tmpfs in it; both go with the
last process in the namespace.
"""

import os
import shutil
import stat
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path, PurePosixPath

from gxo.lab import kernel
from gxo.lab.kernel import Mount
from gxo.lab.mounts import EMPTIED, STATE, Layer
from gxo.lab.spec import LabError

# the private tmpfs stands where the host has /run: so no socket of the host can be reached either
_TOP = Path("/run")
ROOT = _TOP / "root"
CONSOLE = _TOP / "console"
NOTIFY = _TOP / "notify"
_LARGEST_COPY = 64 << 20  # bytes of a single file that is a mount itself

_JOURNALD = """\
[Journal]
Storage=volatile
RateLimitIntervalSec=0
SyncIntervalSec=1s
ForwardToSyslog=no
ForwardToConsole=no
ForwardToWall=no
"""
_BASIC = "[Unit]\nWants=dbus.socket\n"


def build(
    layers: Sequence[Layer],
    binds: Sequence[tuple[str, str, bool]],
    *,
    hostname: str,
    machine_id: str,
    keep_state: bool,
) -> tuple[str, ...]:
    """Make the guest's tree at ROOT; systemd-nspawn's options that bind the shared paths.

    Enters a new mount namespace; to be called by a process that is first in its PID namespace.
    Raises LabError that names the mount or path at fault.
    """
    kernel.private_mounts()
    # a mount that went away since the owner looked is none of the guest's
    layers = [lay for lay in layers if lay.place == "/" or Path(lay.source).exists()]
    sources = [_open(layer.source, "show") for layer in layers]
    shared = [_open(source, "bind") for source, _, _ in binds]
    try:
        kernel.mount("tmpfs", _TOP, "tmpfs", data="mode=755")
    except OSError as error:
        raise LabError(f"cannot mount a tmpfs for the lab: {error.strerror}") from error

    for number, (layer, source) in enumerate(zip(layers, sources, strict=True)):
        _lay(number, layer, source, keep_state=keep_state)
    options = [
        _share(number, source, target, read_only=read_only)
        for number, (source, (_, target, read_only)) in enumerate(zip(shared, binds, strict=True))
    ]
    for fd in (*sources, *shared):
        os.close(fd)
    kernel.mount("proc", "/proc", "proc", Mount.NOSUID | Mount.NODEV | Mount.NOEXEC)
    _hide_os_release()
    _in_guest(lambda: furnish(hostname, machine_id))
    return tuple(options)


def _open(path: str, verb: str) -> int:
    try:
        return os.open(path, os.O_PATH)
    except OSError as error:
        raise LabError(f"cannot {verb} {path} in the lab: {error.strerror}") from error


def _lay(number: int, layer: Layer, source: int, *, keep_state: bool) -> None:
    """Mount one layer: an overlay for a directory, a copy for a file that is a mount itself."""
    place = ROOT / layer.place.lstrip("/")
    if not stat.S_ISDIR(os.fstat(source).st_mode):
        _copy_file(source, layer, place)
        return
    lower, upper, work = (_TOP / kind / str(number) for kind in ("lower", "upper", "work"))
    for directory in (lower, upper, work):
        directory.mkdir(parents=True)
    if number == 0:
        ROOT.mkdir()
    try:
        # by descriptor: the path may hold a comma or a colon, or lie below the new tmpfs
        kernel.bind(f"/proc/self/fd/{source}", lower)
        shutil.copystat(lower, upper)
        os.chown(upper, (owner := lower.stat()).st_uid, owner.st_gid)
        for path in EMPTIED if keep_state else (*EMPTIED, STATE):
            if path.is_relative_to(layer.place):
                _empty(lower, upper, path.relative_to(layer.place))
        options = f"lowerdir={lower},upperdir={upper},workdir={work},redirect_dir=on"
        kernel.mount("overlay", place, "overlay", Mount(layer.flags), options)
    except OSError as error:
        raise LabError(_overlay_failure(layer, error)) from error


def _overlay_failure(layer: Layer, error: OSError) -> str:
    what = f"cannot lay a throw-away copy over {layer.source} ({layer.fstype}): {error.strerror}"
    if error.errno == 19:  # ENODEV
        return f"{what}; this kernel has no overlayfs: try `modprobe overlay`"
    if layer.place == "/":
        return f"{what}; its file system cannot lie under overlayfs"
    return f"{what}; unmount it, or leave it out of the lab"


def _copy_file(source: int, layer: Layer, place: Path) -> None:
    """A file bound over a file (as containers have /etc/hosts): its content goes to the copy."""
    about = os.fstat(source)
    if not stat.S_ISREG(about.st_mode):
        return  # a socket or a device of the host: not the guest's
    if about.st_size > _LARGEST_COPY:
        raise LabError(
            f"cannot copy {layer.source} for the lab: it is a mount of its own and larger than"
            f" {_LARGEST_COPY >> 20} MiB; leave it out of the lab"
        )
    data = Path(f"/proc/self/fd/{source}").read_bytes()
    place.unlink(missing_ok=True)
    place.write_bytes(data)
    place.chmod(stat.S_IMODE(about.st_mode))
    os.chown(place, about.st_uid, about.st_gid)


def _empty(lower: Path, upper: Path, path: PurePosixPath) -> None:
    """Show `path` in the layer as an empty directory, an opaque one: the host's may be large."""
    below, above = lower, upper
    for part in path.parts:
        below, above = below / part, above / part
        if below.is_symlink() or not below.is_dir():
            return
        if not above.is_dir():
            above.mkdir()
            shutil.copystat(below, above)
            os.chown(above, (owner := below.stat()).st_uid, owner.st_gid)
    os.setxattr(above, "trusted.overlay.opaque", b"y")


def _share(number: int, source: int, target: str, *, read_only: bool) -> str:
    place = _TOP / "bind" / str(number)
    place.parent.mkdir(exist_ok=True)
    if stat.S_ISDIR(os.fstat(source).st_mode):
        place.mkdir()
    else:
        place.touch()
    try:
        kernel.bind(f"/proc/self/fd/{source}", place, Mount.REC)
    except OSError as error:
        raise LabError(f"cannot bind {target} in the lab: {error.strerror}") from error
    escaped = target.replace("\\", "\\\\").replace(":", "\\:")
    return f"--bind{'-ro' if read_only else ''}={place}:{escaped}"


def _hide_os_release() -> None:
    """Put a copy in front of the one file of the host that nspawn binds into every guest."""
    copy = _TOP / "os-release"
    for path in (Path("/etc/os-release"), Path("/usr/lib/os-release")):
        with suppress(FileNotFoundError):
            copy.write_bytes(path.read_bytes())
            kernel.bind(copy, path)


def _in_guest(action: Callable[[], None]) -> None:
    """Run `action` in a child whose root is the guest's: no symlink of the guest leads to the host.

    Raises LabError with what the child's OSError said.
    """
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.chroot(ROOT)
            os.chdir("/")
            action()
        except OSError as error:
            os.write(writer, str(error).encode())
        finally:
            os._exit(0)
    os.close(writer)
    with open(reader, "rb") as report:  # noqa: PTH123 - a descriptor has no path
        problem = report.read().decode()
    os.waitpid(child, 0)
    if problem:
        raise LabError(f"cannot prepare the lab's tree: {problem}")


def furnish(hostname: str, machine_id: str) -> None:
    """Make the tree at `/` that of a machine of its own, on which nothing of the host's starts."""
    for wants in Path("/etc/systemd/system").glob("*.wants"):
        shutil.rmtree(wants)
    for name in ("fstab", "crypttab", "hostname", "machine-id"):
        Path("/etc", name).unlink(missing_ok=True)
    Path("/etc/fstab").touch()
    Path("/etc/hostname").write_text(f"{hostname}\n")
    Path("/etc/machine-id").write_text(f"{machine_id}\n")
    with suppress(FileNotFoundError), Path("/etc/hosts").open("a") as hosts:
        hosts.write(f"127.0.1.1 {hostname}\n")
    # late in the order of drop-ins, so that none of the host's wins
    drop_in("/etc/systemd/journald.conf.d/zz-lab.conf", _JOURNALD)
    drop_in("/etc/systemd/system/basic.target.d/zz-lab.conf", _BASIC)


def drop_in(path: str, text: str) -> None:
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    Path(path).write_text(text)

"""Modules that change files: filesystem:write and manage."""

from __future__ import annotations

import errno
import io
import os
import stat
from binascii import Error as BadBase64
from binascii import a2b_base64

from gxo.modules import tree
from gxo.modules.fault import ModuleError, SecurityError
from gxo.modules.kinds import found, kind, need_file, opened, owner_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any, BinaryIO

    from gxo.modules.jail import Jail, Place
    from gxo.modules.streams import Streams

Owner = tuple[int, int]
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
_CHUNK = 1 << 18
_LOOKS = 32
_LINKED = "it has other names (hard links), which would change with it"


def write(params: dict[str, Any], jail: Jail) -> dict[str, Any]:
    """`filesystem:write`."""
    data = _bytes(params["content"], params["encoding"])
    return _write(params, jail, [data], whole=data)


def save(params: dict[str, Any], jail: Jail, streams: Streams) -> dict[str, Any]:
    """`filesystem:write` of its input streams, one after the other."""
    return _write(params, jail, streams.whole(), whole=None)


def _write(
    params: dict[str, Any], jail: Jail, data: Iterable[bytes], whole: bytes | None
) -> dict[str, Any]:
    """`whole`: all of the data, where it is there already."""
    _check_mode(params["mode"], jail)
    owner = owner_of(params["owner"], params["group"])
    place = jail.place(params["path"], write=True)
    try:
        directory, name = place.parent(make=params["create_directories"])
    except FileNotFoundError:
        what = "there is no directory for it; `create_directories: true` makes one"
        raise ModuleError(what) from None
    try:
        if params["append"]:
            changed, size = _append(directory, name, data, params["mode"], owner, place)
        else:
            changed, size = _replace(directory, name, data, params["mode"], owner, whole)
    finally:
        os.close(directory)
    return {"path": os.path.normpath(place.path), "size": size, "changed": changed}


def _check_mode(mode: int | None, jail: Jail) -> None:
    """Refuse modes that RestrictSUIDSGID= forbids to the other programs of a sandbox."""
    if mode is not None and mode & (stat.S_ISUID | stat.S_ISGID) and not jail.free:
        raise ModuleError("a setuid or setgid mode needs `profile: host`")


def _bytes(content: str | None, encoding: str) -> bytes:
    if content is None:
        raise ModuleError("there is no `content`")
    if encoding == "utf-8":
        return content.encode()
    try:
        return a2b_base64("".join(content.split()), strict_mode=True)
    except (BadBase64, ValueError):
        raise ModuleError("`content` is not base64") from None


def _replace(
    directory: int,
    name: str,
    data: Iterable[bytes],
    mode: int,
    owner: Owner,
    whole: bytes | None,
) -> tuple[bool, int]:
    """Write a new file in place of the old, of which readers see one or the other whole.

    A link is replaced. A file that is so already is left alone, and not written to find that out
    where the `whole` data is known.
    """
    there = found(name, directory)
    if there is not None and stat.S_ISLNK(there.st_mode):
        there = None
    if there is not None:
        need_file(there.st_mode)
        # a file keeps its owner unless told otherwise
        owner = (
            there.st_uid if owner[0] == -1 else owner[0],
            there.st_gid if owner[1] == -1 else owner[1],
        )

    def is_so(size: int, data: BinaryIO) -> bool:
        if there is None or there.st_size != size:
            return False
        as_wanted = (stat.S_IMODE(there.st_mode), there.st_uid, there.st_gid) == (mode, *owner)
        return as_wanted and _holds(directory, name, data)

    if whole is not None and is_so(len(whole), io.BytesIO(whole)):
        return False, len(whole)
    fresh = f".gxo-{os.urandom(8).hex()}"
    descriptor = os.open(fresh, _NEW, 0o600, dir_fd=directory)
    try:
        size = _fill(descriptor, data, mode, owner)
        if whole is None and there is not None:
            with open(os.open(fresh, os.O_RDONLY, dir_fd=directory), "rb") as new:
                if is_so(size, new):
                    os.unlink(fresh, dir_fd=directory)
                    return False, size
        os.rename(fresh, name, src_dir_fd=directory, dst_dir_fd=directory)
    except BaseException:
        os.unlink(fresh, dir_fd=directory)
        raise
    os.fsync(directory)
    return True, size


def _holds(directory: int, name: str, data: BinaryIO) -> bool:
    """Whether a file can be read and holds just this data."""
    try:
        seen = os.open(name, os.O_PATH | os.O_NOFOLLOW, dir_fd=directory)
        with open(opened(seen, os.O_RDONLY), "rb") as file:
            while (chunk := file.read(_CHUNK)) == data.read(_CHUNK):
                if not chunk:
                    return True
    except PermissionError:
        pass
    return False


def _fill(descriptor: int, data: Iterable[bytes], mode: int, owner: Owner) -> int:
    """Write a new file with its owner and mode; its size."""
    size = 0
    with open(descriptor, "wb") as file:
        for chunk in data:
            size += file.write(chunk)
        file.flush()
        own = os.fstat(descriptor)
        if owner[0] not in (-1, own.st_uid) or owner[1] not in (-1, own.st_gid):
            os.fchown(descriptor, *owner)
        os.fchmod(descriptor, mode)  # after the owner, whose change takes setuid bits off
        os.fsync(descriptor)
    return size


def _append(
    directory: int, name: str, data: Iterable[bytes], mode: int, owner: Owner, place: Place
) -> tuple[bool, int]:
    try:
        return True, _fill(os.open(name, _NEW, 0o600, dir_fd=directory), data, mode, owner)
    except FileExistsError:
        seen = os.open(name, os.O_PATH | os.O_NOFOLLOW, dir_fd=directory)
        size = 0
        with open(opened(seen, os.O_WRONLY | os.O_APPEND), "ab") as file:
            if not place.base.free:
                _need_alone(os.fstat(file.fileno()), directory, name)
            for chunk in data:
                size += file.write(chunk)
            file.flush()
            os.fsync(file.fileno())
        _bring(directory, name, None, owner, place)
    return bool(size), size


def _need_alone(file: os.stat_result, directory: int, name: str) -> None:
    """ModuleError for a file that has other names, which would change with it.

    An attacker who takes this name away while we look leaves the file with its other name alone: so
    we look often, and they must be quicker each time. With fs.protected_hardlinks, which systemd
    sets, nobody can link a file that they may not write.
    """
    for _ in range(_LOOKS):
        there = found(name, directory)
        if there is None or (there.st_dev, there.st_ino) != (file.st_dev, file.st_ino):
            raise ModuleError("it is being replaced")
        if there.st_nlink > 1:
            raise ModuleError(_LINKED)


def manage(params: dict[str, Any], jail: Jail) -> dict[str, Any]:
    """`filesystem:manage`."""
    state, mode = params["state"], params["mode"]
    place = jail.place(params["path"], write=True)
    if (params["target"] is None) == (state == "link"):
        raise ModuleError("`target` goes with `state: link`, which needs it")
    if mode is not None and state in ("link", "absent"):
        raise ModuleError(f"`mode` does not go with `state: {state}`")
    _check_mode(mode, jail)
    owner = owner_of(params["owner"], params["group"])
    directory, name = place.parent(make=state == "directory")
    try:
        if state == "absent":
            changed = _absent(directory, name)
        else:
            if state == "link":
                changed = _link(directory, name, _target(params["target"], place, jail))
            else:
                changed = _make(directory, name, state)
            changed |= _bring(directory, name, mode, owner, place)
    finally:
        os.close(directory)
    return {"path": os.path.normpath(place.path), "changed": changed}


def _absent(directory: int, name: str) -> bool:
    if found(name, directory) is None:
        return False
    try:
        tree.remove(name, directory)
    except OSError as error:
        if error.errno == errno.EBUSY:
            raise ModuleError("something is mounted there or in it") from None
        raise
    return True


def _make(directory: int, name: str, state: str) -> bool:
    """Make a file or a directory where there is none; whether it was made."""
    there = found(name, directory)
    if there is None:
        if state == "directory":
            os.mkdir(name, dir_fd=directory)
        else:
            os.close(os.open(name, _NEW, 0o666, dir_fd=directory))
        return True
    if kind(there.st_mode) != state:
        raise ModuleError(f"it exists, but is not a {state}")
    return False


def _link(directory: int, name: str, target: str) -> bool:
    there = found(name, directory)
    if there is not None:
        if not stat.S_ISLNK(there.st_mode):
            raise ModuleError("it exists, but is not a link")
        if os.readlink(name, dir_fd=directory) == target:
            return False
    fresh = f".gxo-{os.urandom(8).hex()}"
    os.symlink(target, fresh, dir_fd=directory)
    try:
        os.rename(fresh, name, src_dir_fd=directory, dst_dir_fd=directory)
    except BaseException:
        os.unlink(fresh, dir_fd=directory)
        raise
    return True


def _target(target: str, place: Place, jail: Jail) -> str:
    """What a link may point to: as written, no more than what a path param may name."""
    if target.startswith("/"):
        jail.place(os.path.normpath(target))
    elif not place.base.free:
        above = os.path.dirname(os.path.normpath(place.rest))
        if os.path.normpath(os.path.join(above, target)).split("/")[0] == "..":
            raise SecurityError(f"its target `{target}` leads out of {place.base.path}")
    return target


def _bring(directory: int, name: str, mode: int | None, owner: Owner, place: Place) -> bool:
    """Set a file's mode and owner, by a descriptor; whether they were others."""
    seen = os.open(name, os.O_PATH | os.O_NOFOLLOW, dir_fd=directory)
    try:
        there = os.fstat(seen)
        moves = owner[0] not in (-1, there.st_uid) or owner[1] not in (-1, there.st_gid)
        modes = mode is not None and mode != stat.S_IMODE(there.st_mode)
        if not (moves or modes):
            return False
        if not (stat.S_ISDIR(there.st_mode) or place.base.free):
            _need_alone(there, directory, name)
        if moves:
            os.chown(f"/proc/self/fd/{seen}", *owner)
        if mode is not None:
            os.chmod(f"/proc/self/fd/{seen}", mode)
        return True
    finally:
        os.close(seen)

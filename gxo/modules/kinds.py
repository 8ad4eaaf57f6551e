"""What stands in a directory, in the words of summaries and errors."""

from __future__ import annotations

import grp
import os
import pwd
import stat

from gxo.modules.fault import ModuleError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

_KINDS = {stat.S_IFREG: "file", stat.S_IFDIR: "directory", stat.S_IFLNK: "link"}
_PHRASES = {"file": "a file", "directory": "a directory", "link": "a symbolic link"}


def kind(mode: int) -> str:
    """`file`, `directory`, `link` or `other`."""
    return _KINDS.get(stat.S_IFMT(mode), "other")


def opened(seen: int, flags: int) -> int:
    """The plain file of an O_PATH descriptor, opened for use; the first one is closed."""
    try:
        need_file(os.fstat(seen).st_mode)
        return os.open(f"/proc/self/fd/{seen}", flags | os.O_CLOEXEC)
    finally:
        os.close(seen)


def need_file(mode: int) -> None:
    """ModuleError for what is not a plain file: to open a FIFO or a device may wait or do harm."""
    if not stat.S_ISREG(mode):
        found = _PHRASES.get(kind(mode), "neither a file nor a directory")
        raise ModuleError(f"it is {found}")


def found(name: str, directory: int) -> os.stat_result | None:
    """The status of what has that name in a directory, of a link itself; None for nothing."""
    try:
        return os.stat(name, dir_fd=directory, follow_symlinks=False)
    except FileNotFoundError:
        return None


def user_name(number: int) -> str:
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return str(number)


def group_name(number: int) -> str:
    try:
        return grp.getgrgid(number).gr_name
    except KeyError:
        return str(number)


def owner_of(user: str | None, group: str | None) -> tuple[int, int]:
    """User and group by number, -1 for none; each may be given by its name or number."""
    return _number(user, "user", _user), _number(group, "group", _group)


def _user(name: str) -> int:
    return pwd.getpwnam(name).pw_uid


def _group(name: str) -> int:
    return grp.getgrnam(name).gr_gid


def _number(name: str | None, what: str, look_up: Callable[[str], int]) -> int:
    if name is None:
        return -1
    try:
        return look_up(name)
    except KeyError:
        if name.isdecimal():
            return int(name)
        raise ModuleError(f"there is no {what} `{name}`") from None

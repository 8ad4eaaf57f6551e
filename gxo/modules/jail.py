"""The jail of path params: every path is opened beneath a directory's descriptor, by openat2(2).

A module works on the descriptors it gets here, never on a path again: whoever swaps a directory
above it gains nothing.
"""

from __future__ import annotations

import ctypes
import errno
import os
import struct

from gxo.modules.fault import ModuleError, SecurityError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

_OPENAT2 = 437  # the same on every architecture that Debian has
_NO_MAGICLINKS, _NO_SYMLINKS, _BENEATH = 0x02, 0x04, 0x08  # linux/openat2.h, RESOLVE_…
_TRIES = 1000
_LIBC = ctypes.CDLL(None, use_errno=True)
DIRECTORY = os.O_RDONLY | os.O_DIRECTORY


class Base:
    """A directory beneath which paths are resolved; `free`: they may lead out of it again."""

    def __init__(self, path: str, *, writable: bool, free: bool = False) -> None:
        self.path = path
        self.writable = writable
        self.free = free

    def holds(self, path: str) -> bool:
        """Whether an absolute path is written as one in it."""
        return path == self.path or path.startswith(self.path.rstrip("/") + "/")


class Place:
    """Where a path param leads: `rest` beneath a base."""

    def __init__(self, base: Base, rest: str) -> None:
        self.base = base
        self.rest = rest
        self.path = os.path.join(base.path, rest) if rest else base.path

    def open(self, flags: int, mode: int = 0) -> int:
        """A descriptor of what is there; OSError, or SecurityError where it leads out."""
        top = os.open(self.base.path, os.O_PATH | os.O_CLOEXEC)
        try:
            return open_beneath(top, self.rest or ".", flags, mode, free=self.base.free)
        except OSError as error:
            if error.errno == errno.EXDEV:
                raise self._escape() from None
            raise
        finally:
            os.close(top)

    def parent(self, *, make: bool = False) -> tuple[int, str]:
        """The directory it stands in and its name there; `make`: with all above it."""
        above, name = os.path.split(self.rest.rstrip("/"))
        if name in ("", ".", ".."):
            os.close(self.open(os.O_PATH | os.O_DIRECTORY))
            raise ModuleError(f"{self.path} is the directory itself")
        if make:
            make_directories(Place(self.base, above))
        return Place(self.base, above).open(DIRECTORY), name

    def _escape(self) -> SecurityError:
        return SecurityError(f"it leads out of {self.base.path}")


class Jail:
    """Where a step may work: its workspace, and what its security_context adds."""

    def __init__(
        self,
        workspace: str,
        *,
        free: bool = False,
        write: Iterable[str] = (),
        read: Iterable[str] = (),
    ) -> None:
        self.free = free
        self._workspace = Base(workspace, writable=True)
        beside = [Base(path, writable=True) for path in write]
        beside += [Base(path, writable=False) for path in read]
        if free:
            beside.append(Base("/", writable=True, free=True))
        # the nearest counts
        self._bases = [self._workspace, *sorted(beside, key=lambda base: -len(base.path))]

    def place(self, path: str, *, write: bool = False) -> Place:
        """Where a path param leads; SecurityError where the step has no business there."""
        if not path.startswith("/"):
            return Place(self._workspace, path)
        for base in self._bases:
            if base.holds(path):
                if write and not base.writable:
                    raise SecurityError(f"{base.path} is among the `read_only_paths`")
                return Place(base, path[len(base.path) :].lstrip("/"))
        needs = "`read_write_paths`" if write else "`read_write_paths` or `read_only_paths`"
        raise SecurityError(f"it lies outside the workspace; that needs `profile: host` or {needs}")


def open_beneath(
    top: int, path: str, flags: int, mode: int = 0, *, free: bool = False, links: bool = True
) -> int:
    """openat2: OSError EXDEV where the path leads out of the directory `top`.

    Without `links` a symbolic link in it is ENOTDIR.
    """
    resolve = _NO_MAGICLINKS | (0 if free else _BENEATH) | (0 if links else _NO_SYMLINKS)
    how = struct.pack("QQQ", flags | os.O_CLOEXEC, mode, resolve)
    for _ in range(_TRIES):
        found: int = _LIBC.syscall(_OPENAT2, top, os.fsencode(path), how, len(how))
        if found >= 0:
            return found
        code = ctypes.get_errno()
        # something was renamed meanwhile, so that the kernel cannot tell whether `..` led out
        if code not in (errno.EAGAIN, errno.EINTR):
            break
    if code == errno.ELOOP and not links:
        code = errno.ENOTDIR
    if code == errno.ENOSYS:
        raise ModuleError(
            "openat2(2) is not available: Linux has it since 5.6, a system call filter may hide it"
        )
    raise OSError(code, os.strerror(code), path)


def make_directories(place: Place) -> None:
    """All of a path that is not there yet, each beneath the one before."""
    done = ""
    for part in place.rest.split("/"):
        above, done = Place(place.base, done), os.path.join(done, part)
        if part in ("", ".", ".."):
            continue
        directory = above.open(DIRECTORY)
        try:
            os.mkdir(part, dir_fd=directory)
        except FileExistsError:
            continue
        finally:
            os.close(directory)

"""Artifacts: what a run keeps of its workspace, copied out before that goes.

Steps wrote what is copied, and root copies it: no symlink is followed, nothing outside the
workspace is read, and nothing but plain files, directories and harmless links is made.
"""

import errno
import os
import stat
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path

from gxo.dataclass import dataclass, field
from gxo.runtime.mounts import detach_beneath
from gxo.runtime.workspace import WorkspaceError, remove

PLACE = Path("/var/lib/gxo/artifacts")
MOST = 10 << 30
"""Bytes on disk that a run may keep: its workspace can have a disk of its own, and these share
that of the state."""
_DEEPEST = 100
"""Levels of directories: each holds two descriptors open."""
_TOLD = 5
"""Reasons told one by one: a tree may hold any number of things that cannot be kept."""
_BLOCK = 512
"""Bytes, what stat(2) counts in."""
_PART = ".part"
_FULL = (errno.ENOSPC, errno.EDQUOT)
_OPEN = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_MAKE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


@dataclass(frozen=True, slots=True)
class Kept:
    """A file that was kept, by its path in the workspace."""

    path: str
    size: int


@dataclass(frozen=True, slots=True)
class Artifacts:
    """All that runs have kept: a directory each, root's alone."""

    place: Path = PLACE
    most: int = MOST
    """Bytes on disk, of one run."""

    def of(self, run: str) -> tuple[Kept, ...]:
        """The files that a run has kept, by path."""
        top = self.place / run
        found = []
        for directory, _, names in os.walk(top):
            for name in names:
                path = Path(directory, name)
                found.append(Kept(shown(str(path.relative_to(top))), path.lstat().st_size))
        return tuple(sorted(found, key=lambda kept: kept.path))

    def remove(self, run: str) -> None:
        """Forget what a run has kept; nothing there is fine. Raises WorkspaceError."""
        remove(self.place / run)
        remove(self.place / f"{run}{_PART}")

    def runs(self) -> tuple[str, ...]:
        """The runs that have kept something."""
        if not self.place.is_dir():
            return ()
        return tuple(sorted({path.name.removesuffix(_PART) for path in self.place.iterdir()}))

    def keep(self, run: str, workspace: Path, paths: Sequence[str]) -> tuple[str, ...]:
        """Copy these paths of a workspace; why any was not, in words. It raises nothing.

        All has ended that could change the workspace. A second call for a run does nothing.
        """
        goal, part = self.place / run, self.place / f"{run}{_PART}"
        if not paths or not workspace.is_dir() or goal.exists():
            return ()
        copy = _Copy(self.most)
        try:
            remove(part)
            detach_beneath(workspace)
            self.place.mkdir(mode=0o700, parents=True, exist_ok=True)
            part.mkdir(mode=0o700)
            with _directory(workspace) as source, _directory(part) as target:
                copy.owner = os.fstat(source).st_uid
                for path in paths:
                    copy.path(source, target, _parts(path, workspace), path)
            part.rename(goal)
        except (OSError, WorkspaceError) as error:
            copy.left_out("the rest", str(error))
        return copy.said


def shown(path: str) -> str:
    """A path that a step made, without what would drive a terminal."""
    text = os.fsencode(path).decode("utf-8", "backslashreplace")
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)


def _parts(path: str, workspace: Path) -> tuple[str, ...]:
    """The names that lead to a path of the workspace, which may be written absolute."""
    inside = Path(path)
    if inside.is_absolute() and inside.is_relative_to(workspace):
        inside = inside.relative_to(workspace)
    return inside.parts


@dataclass(slots=True)
class _Copy:
    most: int
    taken: int = 0
    """Bytes on disk of what was copied."""
    owner: int = 0
    """Who owns the workspace."""
    full: bool = False
    _reasons: list[str] = field(default_factory=list)
    _more: int = 0

    @property
    def said(self) -> tuple[str, ...]:
        more = (f"and {self._more} more",) if self._more else ()
        return (*self._reasons, *more)

    def left_out(self, path: str, reason: str) -> None:
        if len(self._reasons) < _TOLD:
            self._reasons.append(f"{shown(path)} is not kept: {reason}")
        else:
            self._more += 1

    def path(self, source: int, target: int, parts: Sequence[str], path: str) -> None:
        """One path of the playbook, with the directories that lead to it."""
        if ".." in parts or (parts and parts[0] == "/"):
            self.left_out(path, "it is not in the workspace")
        elif not parts:
            self._tree(source, target, ".", 0)
        else:
            self._try(path, lambda: self._beneath(source, target, parts, path))

    def _beneath(self, source: int, target: int, parts: Sequence[str], path: str) -> None:
        first, *rest = parts
        if not rest:
            self._entry(source, target, first, path, 0)
            return
        with _directory(first, source) as inner:
            with suppress(FileExistsError):
                os.mkdir(first, 0o700, dir_fd=target)
            with _directory(first, target) as goal:
                self._beneath(inner, goal, rest, path)

    def _entry(self, source: int, target: int, name: str, path: str, depth: int) -> None:
        found = os.lstat(name, dir_fd=source)
        if stat.S_ISDIR(found.st_mode):
            with _directory(name, source) as inner:
                with suppress(FileExistsError):
                    os.mkdir(name, 0o700, dir_fd=target)
                with _directory(name, target) as goal:
                    self._tree(inner, goal, path, depth + 1)
        elif stat.S_ISREG(found.st_mode):
            self._file(source, target, name, path)
        elif stat.S_ISLNK(found.st_mode):
            self._link(source, target, name, path)
        else:
            self.left_out(path, "it is not a file, a directory or a symbolic link")

    def _tree(self, source: int, target: int, path: str, depth: int) -> None:
        if depth > _DEEPEST:
            self.left_out(path, f"it is more than {_DEEPEST} directories deep")
            return
        for name in sorted(os.listdir(source)):
            inner = name if path == "." else f"{path}/{name}"
            self._try(inner, partial(self._entry, source, target, name, inner, depth))

    def _link(self, source: int, target: int, name: str, path: str) -> None:
        """Only one that leads deeper, so that no chain of them leads out of what is kept."""
        goal = os.readlink(name, dir_fd=source)
        if goal.startswith("/") or ".." in goal.split("/"):
            self.left_out(path, "it is a link that may lead out of the workspace")
        else:
            os.symlink(goal, name, dir_fd=target)

    def _file(self, source: int, target: int, name: str, path: str) -> None:
        reader = os.open(name, _OPEN, dir_fd=source)
        try:
            found = os.fstat(reader)
            if not stat.S_ISREG(found.st_mode):
                self.left_out(path, "it is not a file, a directory or a symbolic link")
            elif found.st_nlink > 1 and found.st_uid != self.owner:
                self.left_out(path, "it is a hard link to a file of another user")
            elif self.taken + (size := found.st_blocks * _BLOCK) > self.most:
                most = f"{self.most / (1 << 30):g} GiB"
                self.left_out(path, f"with it the run would keep more than {most}")
            else:
                self._bytes(reader, found, target, name)
                self.taken += size
        finally:
            os.close(reader)

    def _bytes(self, reader: int, found: os.stat_result, target: int, name: str) -> None:
        """Holes stay holes. What could not be written whole is not kept."""
        mode = 0o700 if found.st_mode & stat.S_IXUSR else 0o600
        writer = os.open(name, _MAKE, mode, dir_fd=target)
        try:
            for start, end in _data(reader, found.st_size):
                os.lseek(writer, start, os.SEEK_SET)
                at = start
                while at < end and (sent := os.sendfile(writer, reader, at, end - at)):
                    at += sent
            os.truncate(writer, found.st_size)
            os.utime(writer, ns=(found.st_mtime_ns, found.st_mtime_ns))
        except OSError:
            os.unlink(name, dir_fd=target)
            raise
        finally:
            os.close(writer)

    def _try(self, path: str, act: Callable[[], None]) -> None:
        """A path that fails does not keep the others from being copied, unless the disk is full."""
        if self.full:
            self.left_out(path, os.strerror(errno.ENOSPC))
            return
        try:
            act()
        except FileNotFoundError:
            self.left_out(path, "it does not exist")
        except FileExistsError:
            pass  # two paths of the playbook lead to it
        except OSError as error:
            self.full = error.errno in _FULL
            self.left_out(path, error.strerror or str(error))


def _data(descriptor: int, size: int) -> Iterator[tuple[int, int]]:
    """The parts of a file that hold data, each from and to."""
    end = 0
    while end < size:
        try:
            start = os.lseek(descriptor, end, os.SEEK_DATA)
        except OSError as error:
            if error.errno == errno.ENXIO:  # a hole up to its end
                return
            raise
        end = min(os.lseek(descriptor, start, os.SEEK_HOLE), size)
        yield start, end


@contextmanager
def _directory(name: str | Path, parent: int | None = None) -> Iterator[int]:
    descriptor = os.open(name, _OPEN | os.O_DIRECTORY, dir_fd=parent)
    try:
        yield descriptor
    finally:
        os.close(descriptor)

"""Tree: a module's directory read once into memory; nothing of it is looked at again."""

import os
import stat
from collections.abc import Iterator

from gxo.dataclass import dataclass

DESCRIPTION = "module.yaml"
MANIFEST = "module.manifest"
SIGNATURE = "module.sig"
MOST_FILES = 4096
MOST_BYTES = 64 << 20
DEEPEST = 32
_OPEN = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


class UnusableTree(Exception):
    """A directory that cannot be a module; the text says why."""


@dataclass(frozen=True, slots=True)
class File:
    """One file, by its path beneath the module's directory."""

    path: str
    data: bytes
    executable: bool = False


@dataclass(frozen=True, slots=True)
class Tree:
    """All files by their paths, in order; the manifest and its signature stand beside them."""

    files: tuple[File, ...]
    manifest: bytes | None = None
    signature: bytes | None = None

    def file(self, path: str) -> File | None:
        return next((file for file in self.files if file.path == path), None)


def read_tree(place: str) -> Tree:
    """The module at that path, which may itself be a symbolic link. Raises UnusableTree.

    Each file is opened once, beneath its directory's descriptor, and never by way of a link.
    """
    top = _directory(place)
    try:
        found = {file.path: file for file in _files(top, "", _Left())}
    finally:
        os.close(top)
    manifest, signature = (found.pop(name, None) for name in (MANIFEST, SIGNATURE))
    return Tree(
        files=tuple(found[path] for path in sorted(found)),
        manifest=manifest.data if manifest else None,
        signature=signature.data if signature else None,
    )


def read_file(place: str, name: str) -> bytes:
    """One file that lies in the directory itself. Raises UnusableTree."""
    top = _directory(place)
    try:
        descriptor, mode = _open(top, name, name)
        try:
            if not stat.S_ISREG(mode):
                raise UnusableTree(f"`{name}` is not a file")
            return _file(descriptor, name, mode, _Left()).data
        finally:
            os.close(descriptor)
    finally:
        os.close(top)


class _Left:
    """How much more a module may hold."""

    def __init__(self) -> None:
        self.files = MOST_FILES
        self.bytes = MOST_BYTES

    def take(self, size: int) -> None:
        self.files -= 1
        self.bytes -= size
        if self.files < 0:
            raise UnusableTree(f"it holds more than {MOST_FILES} files and directories")
        if self.bytes < 0:
            raise UnusableTree(f"it holds more than {MOST_BYTES >> 20} MiB")


def _directory(place: str) -> int:
    try:
        return os.open(place, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except (OSError, ValueError) as error:
        raise UnusableTree(reason(error)) from None


def _files(directory: int, above: str, left: _Left) -> Iterator[File]:
    if above.count("/") > DEEPEST:
        raise UnusableTree(f"`{above}` is deeper than {DEEPEST} directories")
    for name in sorted(os.listdir(directory)):
        path = above + name
        _check_name(path)
        descriptor, mode = _open(directory, name, path)
        try:
            if stat.S_ISDIR(mode):
                left.take(0)
                yield from _files(descriptor, f"{path}/", left)
            elif stat.S_ISREG(mode):
                yield _file(descriptor, path, mode, left)
            else:
                raise UnusableTree(f"`{path}` is neither a file nor a directory")
        finally:
            os.close(descriptor)


def _open(directory: int, name: str, path: str) -> tuple[int, int]:
    """A descriptor and the mode of what has that name in a directory, where it is no link."""
    try:
        descriptor = os.open(name, _OPEN, dir_fd=directory)
    except OSError as error:
        raise UnusableTree(f"`{path}`: {_kind(directory, name) or reason(error)}") from None
    return descriptor, os.fstat(descriptor).st_mode


def _file(descriptor: int, path: str, mode: int, left: _Left) -> File:
    parts: list[bytes] = []
    size = 0
    while size <= left.bytes and (part := os.read(descriptor, 1 << 20)):
        parts.append(part)
        size += len(part)
    left.take(size)
    return File(path, b"".join(parts), bool(mode & stat.S_IXUSR))


def _check_name(path: str) -> None:
    """A name goes into lines of the manifest, and into what people read."""
    if not path.isprintable():  # nor is what was no UTF-8
        shown = path.encode("unicode_escape", "backslashreplace").decode("ascii")
        raise UnusableTree(f"the name `{shown}` holds characters that cannot be printed")


def _kind(directory: int, name: str) -> str:
    """What cannot be opened, where it is that which is wrong with it."""
    try:
        mode = os.stat(name, dir_fd=directory, follow_symlinks=False).st_mode
    except OSError:
        return ""
    if stat.S_ISLNK(mode):
        return "a symbolic link, which could lead anywhere"
    return "neither a file nor a directory" if stat.S_ISSOCK(mode) else ""


def reason(error: OSError | ValueError) -> str:
    """Why a file cannot be opened."""
    if isinstance(error, OSError):
        return (error.strerror or "it failed").lower()
    return "its name holds a NUL character"

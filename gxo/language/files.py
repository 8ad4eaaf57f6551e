"""From paths to sources: what cannot be read is a problem, no exception, and nothing blocks."""

import errno
import os
import stat
import sys
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from gxo.diagnostic.base import Problem
from gxo.diagnostic.lazy import Lazy
from gxo.language.limits import FILE_BYTES
from gxo.source import Source, Span

if TYPE_CHECKING:
    from gxo.diagnostic import yaml as yaml_faults
else:
    yaml_faults = Lazy("gxo.diagnostic.yaml")

STDIN = "<stdin>"
_SUFFIXES = (".yaml", ".yml")
_BOM = b"\xef\xbb\xbf"
_KINDS = (
    (stat.S_ISFIFO, "a FIFO"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISBLK, "a block device"),
    (stat.S_ISCHR, "a character device"),
    (stat.S_ISDIR, "a directory"),
)


def read_paths(paths: Iterable[str]) -> tuple[tuple[Source, ...], tuple[Problem, ...]]:
    """The text of each file, of all *.yaml and *.yml of each directory, of standard input for `-`.

    A file reached twice is read once. Order: as given, within a directory by name.
    """
    sources: list[Source] = []
    problems: list[Problem] = []
    seen: set[str] = set()
    for path in paths:
        for file in _files(path, problems):
            real = _identity(file)
            if real in seen:
                continue
            seen.add(real)
            source = read_file(file, problems)
            if source is not None:
                sources.append(source)
    return tuple(sources), tuple(problems)


def decode(path: str, data: bytes, problems: list[Problem]) -> Source | None:
    """The text of a file's bytes; a byte order mark is not part of it."""
    start = len(_BOM) if data.startswith(_BOM) else 0
    try:
        return Source(path, data[start:].decode("utf-8"))
    except UnicodeDecodeError as error:
        wide = data.startswith((b"\xff\xfe", b"\xfe\xff"))
        if b"\0" in data and not wide:
            problems.append(yaml_faults.BinaryFile(span=_whole(path)))
            return None
        before = data[start : start + error.start].decode("utf-8")
        source = Source(path, data[start:].decode("utf-8", "replace"))
        problems.append(
            yaml_faults.NotUtf8(
                span=Span(source, len(before), len(before) + 1),
                byte=data[start + error.start],
                advice="it looks like UTF-16: save the file as UTF-8" if wide else None,
            )
        )
        return None


def _identity(path: str) -> str:
    """The same for all ways to one file."""
    try:
        return STDIN if path == "-" else os.path.realpath(path)
    except (OSError, ValueError):  # a NUL in its name: reading it will say so
        return path


def _whole(path: str) -> Span:
    return Span(Source(path, ""), 0, 0)


def _files(path: str, problems: list[Problem]) -> Iterator[str]:
    """The files a path of the command line stands for."""
    if path == "-" or not os.path.isdir(path):  # noqa: PTH112 (a Path drops `./` and refuses NUL late)
        yield path
        return
    try:
        names = sorted(
            name
            for name in os.listdir(path)  # noqa: PTH208
            if name.endswith(_SUFFIXES) and not name.startswith(".")
        )
    except OSError as error:
        problems.append(_failure(path, error))
        return
    if not names:
        problems.append(yaml_faults.NoPlaybooks(span=_whole(path)))
    for name in names:
        yield os.path.join(path, name)  # noqa: PTH118


def read_file(path: str, problems: list[Problem]) -> Source | None:
    """The text of one file, of standard input for `-`; None with a problem where there is none."""
    try:
        if path == "-":
            data = _take(sys.stdin.fileno())
        else:
            # O_NONBLOCK: opening a FIFO must not wait for its writer
            descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY)
            try:
                status = os.fstat(descriptor)
                kind = next((kind for test, kind in _KINDS if test(status.st_mode)), None)
                if kind:
                    problems.append(yaml_faults.NotAFile(span=_whole(path), kind=kind))
                    return None
                data = None if status.st_size > FILE_BYTES else _take(descriptor)
            finally:
                os.close(descriptor)
    except (OSError, ValueError) as error:
        problems.append(_failure(path, error))
        return None
    name = STDIN if path == "-" else path
    if data is None:
        problems.append(yaml_faults.FileTooBig(span=_whole(name), limit=FILE_BYTES))
        return None
    if b"\0" in data[:8192] and not data.startswith((b"\xff\xfe", b"\xfe\xff")):
        problems.append(yaml_faults.BinaryFile(span=_whole(name)))
        return None
    return decode(name, data, problems)


def _take(descriptor: int) -> bytes | None:
    """All that can be read, or None where it is more than a playbook may have."""
    parts: list[bytes] = []
    left = FILE_BYTES + 1
    while left and (part := os.read(descriptor, min(left, 1 << 20))):
        parts.append(part)
        left -= len(part)
    return b"".join(parts) if left else None


def _failure(path: str, error: OSError | ValueError) -> Problem:
    span = _whole(path)
    if not isinstance(error, OSError):
        return yaml_faults.CannotRead(span=span, reason="its name holds a NUL character")
    if error.errno == errno.ENOENT:
        if os.path.islink(path):  # noqa: PTH114
            return yaml_faults.CannotRead(span=span, reason="the symbolic link points to nothing")
        return yaml_faults.FileMissing(span=span)
    if error.errno == errno.ELOOP:
        return yaml_faults.CannotRead(span=span, reason="its symbolic links point at each other")
    if error.errno == errno.ENXIO:
        return yaml_faults.NotAFile(span=span, kind="a socket or a device without its hardware")
    if error.errno in (errno.EACCES, errno.EPERM):
        return yaml_faults.CannotRead(span=span, reason="this user may not read it")
    return yaml_faults.CannotRead(span=span, reason=(error.strerror or "it failed").lower())

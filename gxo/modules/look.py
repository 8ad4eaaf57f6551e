"""Modules that look at files: filesystem:read, stat and list."""

from __future__ import annotations

import os
import stat
import time

from gxo.modules.fault import ModuleError
from gxo.modules.jail import DIRECTORY, open_beneath
from gxo.modules.kinds import found, group_name, kind, opened, user_name

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any, BinaryIO

    from gxo.modules.jail import Jail
    from gxo.modules.streams import Streams

KEPT = 1 << 20
"""Bytes of a content that a summary keeps, as of what a program writes."""
CHUNK = 1 << 20
# about what an entry of a list takes beside its path
_ENTRY = 50


def read(params: dict[str, Any], jail: Jail) -> dict[str, Any]:
    """`filesystem:read`: at most KEPT bytes of the content, size and digest of all of it."""
    from hashlib import sha256

    digest = sha256()
    size = 0
    kept = b""
    with _opened(params["path"], jail) as file:
        while chunk := file.read(CHUNK):
            digest.update(chunk)
            size += len(chunk)
            kept += chunk[: max(KEPT - len(kept), 0)]
    cut = size > len(kept)
    return {
        "content": _base64(kept) if params["encoding"] == "base64" else _text(kept, cut=cut),
        "size": size,
        "sha256": digest.hexdigest(),
        "truncated": cut,
    }


def send(params: dict[str, Any], jail: Jail, streams: Streams) -> dict[str, Any]:
    """`filesystem:read` into its stream."""
    from hashlib import sha256

    digest = sha256()
    with _opened(params["path"], jail) as file:
        while chunk := file.read(CHUNK):
            digest.update(chunk)
            streams.write(chunk)
            streams.tell()
    return {
        "content": "",
        "size": streams.bytes,
        "sha256": digest.hexdigest(),
        "truncated": False,
    }


def _opened(path: str, jail: Jail) -> BinaryIO:
    return open(opened(jail.place(path).open(os.O_PATH), os.O_RDONLY), "rb")


def _base64(data: bytes) -> str:
    from binascii import b2a_base64

    return b2a_base64(data, newline=False).decode()


def _text(data: bytes, *, cut: bool) -> str:
    """The content as text, without a last character that the limit has cut in two."""
    for less in range(4 if cut else 1):
        try:
            return data[: len(data) - less].decode()
        except UnicodeDecodeError as error:
            if not cut or error.start < len(data) - 4:
                break
    raise ModuleError("it is not UTF-8 text; use `encoding: base64`")


def look(params: dict[str, Any], jail: Jail) -> dict[str, Any]:
    """`filesystem:stat`."""
    follow = 0 if params["follow"] else os.O_NOFOLLOW
    keys = ("type", "size", "mode", "owner", "group", "modified")
    try:
        descriptor = jail.place(params["path"]).open(os.O_PATH | follow)
    except (FileNotFoundError, NotADirectoryError):
        return {"exists": False, **dict.fromkeys(keys)}
    try:
        what = os.fstat(descriptor)
    finally:
        os.close(descriptor)
    return {
        "exists": True,
        "type": kind(what.st_mode),
        "size": what.st_size,
        "mode": f"{stat.S_IMODE(what.st_mode):04o}",
        "owner": user_name(what.st_uid),
        "group": group_name(what.st_gid),
        "modified": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(int(what.st_mtime))),
    }


def entries(params: dict[str, Any], jail: Jail) -> dict[str, Any]:
    """`filesystem:list`: sorted by path, a directory before what is in it."""
    kept = []
    weight = count = 0
    for entry in _entries(params, jail):
        count += 1
        weight += len(os.fsencode(entry["path"])) + _ENTRY
        if weight <= KEPT:
            kept.append(entry)
    return {"entries": kept, "count": count, "truncated": len(kept) < count}


def list_out(params: dict[str, Any], jail: Jail, streams: Streams) -> dict[str, Any]:
    """`filesystem:list` into its stream."""
    from gxo.modules.flow import batches

    count = 0
    for batch in batches(_entries(params, jail)):
        count += len(batch)
        streams.write(batch.encoded(), len(batch))
        streams.tell()
    return {"entries": [], "count": count, "truncated": False}


def _entries(params: dict[str, Any], jail: Jail) -> Iterator[dict[str, Any]]:
    from fnmatch import fnmatchcase

    above = params["path"].rstrip("/") or params["path"]
    top = jail.place(params["path"]).open(DIRECTORY)
    try:
        for path, what in _walk(top, recursive=params["recursive"]):
            if fnmatchcase(os.path.basename(path), params["pattern"]):
                whole = os.path.normpath(os.path.join(above, path))
                yield {"path": whole, "type": kind(what.st_mode), "size": what.st_size}
    finally:
        os.close(top)


def _walk(top: int, *, recursive: bool) -> Iterator[tuple[str, os.stat_result]]:
    """All in a directory, by their paths from there, in the order of these; no link is followed,
    however it got there.
    """
    waiting = [iter(_inside(top, "."))]
    while waiting:
        path, what = next(waiting[-1], (None, None))
        if path is None or what is None:
            waiting.pop()
            continue
        yield path, what
        if recursive and stat.S_ISDIR(what.st_mode):
            waiting.append(iter(_inside(top, path)))


def _inside(top: int, above: str) -> list[tuple[str, os.stat_result]]:
    """The entries of one directory, by name."""
    try:
        directory = open_beneath(top, above, DIRECTORY, links=False)
    except (FileNotFoundError, NotADirectoryError):  # gone since it was seen
        return []
    try:
        with os.scandir(directory) as seen:
            names = sorted(entry.name for entry in seen)
        return [
            (name if above == "." else f"{above}/{name}", what)
            for name in names
            if (what := found(name, directory))
        ]
    finally:
        os.close(directory)

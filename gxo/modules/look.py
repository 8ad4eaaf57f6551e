"""Modules that look at files: filesystem:read, stat and list."""

from __future__ import annotations

import os
import stat
import time

from gxo.modules.fault import ModuleError
from gxo.modules.jail import DIRECTORY, open_beneath, reopened
from gxo.modules.kinds import found, group_name, kind, need_file, user_name

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from gxo.modules.jail import Jail

KEPT = 1 << 20
"""Bytes of a content that a summary keeps, as of what a program writes."""
_CHUNK = 1 << 20
# about what an entry of a list takes beside its path
_ENTRY = 50


def read(params: dict[str, Any], jail: Jail) -> dict[str, Any]:
    """`filesystem:read`: at most KEPT bytes of the content, size and digest of all of it."""
    from hashlib import sha256

    seen = jail.place(params["path"]).open(os.O_PATH)
    try:
        need_file(os.fstat(seen).st_mode)
    except ModuleError:
        os.close(seen)
        raise
    digest = sha256()
    size = 0
    kept = b""
    with open(reopened(seen, os.O_RDONLY), "rb") as file:
        while chunk := file.read(_CHUNK):
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


def _base64(data: bytes) -> str:
    from binascii import b2a_base64

    return b2a_base64(data, newline=False).decode()


def _text(data: bytes, *, cut: bool) -> str:
    """A character that was cut in two at the end is left out."""
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
    from fnmatch import fnmatchcase

    above = params["path"].rstrip("/") or params["path"]
    top = jail.place(params["path"]).open(DIRECTORY)
    try:
        all_ = [
            (os.path.normpath(os.path.join(above, path)), what)
            for path, what in _walk(top, recursive=params["recursive"])
            if fnmatchcase(os.path.basename(path), params["pattern"])
        ]
    finally:
        os.close(top)
    all_.sort(key=lambda entry: entry[0].split("/"))
    kept = []
    weight = 0
    for path, what in all_:
        weight += len(os.fsencode(path)) + _ENTRY
        if weight > KEPT:
            break
        kept.append({"path": path, "type": kind(what.st_mode), "size": what.st_size})
    return {"entries": kept, "count": len(all_), "truncated": len(kept) < len(all_)}


def _walk(top: int, *, recursive: bool) -> Iterator[tuple[str, os.stat_result]]:
    """All in a directory, by their paths from there; no link is followed, however it got there."""
    waiting = ["."]
    while waiting:
        above = waiting.pop()
        try:
            directory = open_beneath(top, above, DIRECTORY, links=False)
        except (FileNotFoundError, NotADirectoryError):  # gone since it was seen
            continue
        try:
            with os.scandir(directory) as seen:
                names = [entry.name for entry in seen]
            inside = [(name, what) for name in names if (what := found(name, directory))]
        finally:
            os.close(directory)
        for name, what in inside:
            path = name if above == "." else f"{above}/{name}"
            yield path, what
            if recursive and stat.S_ISDIR(what.st_mode):
                waiting.append(path)

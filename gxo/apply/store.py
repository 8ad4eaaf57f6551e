"""Store: the records of applied playbooks on disk; each write survives a power cut."""

import errno
import json
import re
import shutil
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

from gxo.apply import durable
from gxo.apply.record import VERSION, Intent, Observed, Revision, unknown_words
from gxo.dataclass import dataclass
from gxo.plan.codec import UnreadableRecord, decode, encode

PLACE = Path("/var/lib/gxo/applied")
KEPT = 10
"""Revisions that stay for `gxo rollback`, the current one among them."""

T = TypeVar("T")
_NAME = re.compile(r"[A-Za-z0-9_-]+")
_REVISION = re.compile(r"([1-9][0-9]*)\.json")


class StoreError(Exception):
    """A record cannot be read or written: "cannot X: reason"."""


class NoSpace(StoreError):
    """There is no room for a record."""


@dataclass(frozen=True, slots=True)
class Store:
    """A directory with one directory per playbook. Every method may raise StoreError."""

    place: Path = PLACE

    def playbooks(self) -> tuple[str, ...]:
        """Names of the playbooks that have a record, also of an apply that never ended."""
        if not self.place.is_dir():
            return ()
        return tuple(
            sorted(p.name for p in self.place.iterdir() if _NAME.fullmatch(p.name) and p.is_dir())
        )

    def numbers(self, playbook: str) -> tuple[int, ...]:
        """The revisions kept, oldest first; the last is the current one."""
        return tuple(sorted(self._revisions(self._directory(playbook))))

    def current(self, playbook: str) -> Revision | None:
        numbers = self.numbers(playbook)
        return self.revision(playbook, numbers[-1]) if numbers else None

    def revision(self, playbook: str, number: int) -> Revision:
        """One revision; StoreError where it is not kept."""
        found = self._read(self._directory(playbook) / f"{number}.json", Revision)
        if found is None:
            raise StoreError(f"cannot find revision {number} of `{playbook}`: it is not kept")
        if words := unknown_words(found):
            path = self._directory(playbook) / f"{number}.json"
            raise _damaged(path, f"this gxo does not know {' and '.join(words)}")
        return found

    def older(self, playbook: str) -> tuple[Revision, ...]:
        """The readable revisions before the current one, the oldest first."""
        found = []
        for number in self.numbers(playbook)[:-1]:
            with suppress(StoreError):
                found.append(self.revision(playbook, number))
        return tuple(found)

    def observed(self, playbook: str) -> Observed:
        return self._read(self._directory(playbook) / "observed.json", Observed) or Observed()

    def intent(self, playbook: str) -> Intent | None:
        return self._read(self._directory(playbook) / "intent.json", Intent)

    def save_revision(self, revision: Revision) -> None:
        """Write it, then drop what is older than the last ten."""
        directory = self._directory(revision.playbook)
        self._write(directory / f"{revision.number}.json", revision)
        for number in sorted(self._revisions(directory))[:-KEPT]:
            (directory / f"{number}.json").unlink(missing_ok=True)

    def save_observed(self, playbook: str, observed: Observed) -> None:
        self._write(self._directory(playbook) / "observed.json", observed)

    def save_intent(self, playbook: str, intent: Intent) -> None:
        self._write(self._directory(playbook) / "intent.json", intent)

    def drop_intent(self, playbook: str) -> None:
        """Note that the apply has ended; a playbook without other records is forgotten."""
        directory = self._directory(playbook)
        (directory / "intent.json").unlink(missing_ok=True)
        durable.sync(directory)
        if directory.is_dir() and not any(directory.iterdir()):
            directory.rmdir()

    def forget(self, playbook: str) -> None:
        """Remove all records of a playbook, all or none of them."""
        directory = self._directory(playbook)
        if not directory.is_dir():
            return
        directory.rename(self.place / f".gone.{playbook}.{time.time_ns()}")
        durable.sync(self.place)
        for gone in self.place.glob(".gone.*"):
            shutil.rmtree(gone, ignore_errors=True)

    def _directory(self, playbook: str) -> Path:
        if not _NAME.fullmatch(playbook):
            raise StoreError(f"cannot look up `{playbook}`: no playbook can have that name")
        return self.place / playbook

    def _revisions(self, directory: Path) -> Iterator[int]:
        if directory.is_dir():
            for path in directory.iterdir():
                if match := _REVISION.fullmatch(path.name):
                    yield int(match[1])

    def _read(self, path: Path, cls: type[T]) -> T | None:
        try:
            data = json.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return None
        except OSError as error:
            raise _damaged(path, str(error.strerror)) from None
        except ValueError as error:
            raise _damaged(path, str(error)) from None
        except RecursionError:
            raise _damaged(path, "it is nested too deep") from None
        version = data.get("version") if isinstance(data, dict) else None
        if isinstance(version, int) and version > VERSION:
            raise StoreError(
                f"cannot read {path}: a newer gxo wrote it (version {version}, here {VERSION}); "
                "install that gxo again"
            )
        if version != VERSION:
            raise _damaged(path, f"its version is {version}, not {VERSION}")
        try:
            return decode(cls, data.get("record"))
        except UnreadableRecord as error:
            raise _damaged(path, str(error)) from None

    def _write(self, path: Path, record: Any) -> None:
        text = json.dumps({"version": VERSION, "record": encode(record)}, separators=(",", ":"))
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            durable.write(path, text + "\n", mode=0o600)
        except OSError as error:
            full = error.errno in (errno.ENOSPC, errno.EDQUOT)
            kind = NoSpace if full else StoreError
            raise kind(f"cannot write {path}: {error.strerror}") from None


def _damaged(path: Path, reason: str) -> StoreError:
    """The error of a record that cannot be read, with the way to go on without it."""
    without = {
        "observed.json": "steps that ran once then run again",
        "intent.json": "what an apply that was killed had set out to do is then not known",
    }.get(path.name, "the revision before it then counts as the current one, if there is one")
    return StoreError(
        f"cannot read {path}: {reason}; `mv {path} {path}.damaged` goes on without it: {without}"
    )

"""Store: runs, their steps and their events in SQLite; one commit a step, old versions migrated."""

import json
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

from gxo.dataclass import dataclass, field, fields
from gxo.runtime.status import Status
from gxo.template.value import Data

PLACE = Path("/var/lib/gxo/state.db")

# Each entry takes the database from the version of its number to the next.
_MIGRATIONS = (
    """
    CREATE TABLE runs (
        id TEXT PRIMARY KEY, playbook TEXT NOT NULL, workload TEXT NOT NULL, status TEXT NOT NULL,
        created INTEGER NOT NULL, started INTEGER, ended INTEGER, workspace TEXT,
        detail TEXT NOT NULL, spec TEXT NOT NULL
    ) STRICT;
    CREATE INDEX runs_by_time ON runs (created);
    CREATE TABLE steps (
        run TEXT NOT NULL REFERENCES runs ON DELETE CASCADE, step TEXT NOT NULL,
        iteration INTEGER NOT NULL, status TEXT NOT NULL, attempts INTEGER NOT NULL,
        started INTEGER, ended INTEGER, detail TEXT NOT NULL, summary TEXT NOT NULL,
        PRIMARY KEY (run, step, iteration)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE events (
        number INTEGER PRIMARY KEY AUTOINCREMENT,
        run TEXT NOT NULL REFERENCES runs ON DELETE CASCADE, time INTEGER NOT NULL,
        step TEXT NOT NULL, iteration INTEGER NOT NULL, event TEXT NOT NULL, status TEXT NOT NULL,
        detail TEXT NOT NULL
    ) STRICT;
    CREATE INDEX events_of_run ON events (run, number);
    """,
    """
    CREATE TABLE streams (
        run TEXT NOT NULL REFERENCES runs ON DELETE CASCADE, source TEXT NOT NULL,
        target TEXT NOT NULL, bytes INTEGER NOT NULL, records INTEGER, dropped INTEGER NOT NULL,
        about INTEGER NOT NULL, started INTEGER NOT NULL, ended INTEGER,
        PRIMARY KEY (run, source, target)
    ) STRICT, WITHOUT ROWID;
    """,
)
VERSION = len(_MIGRATIONS)
UNDER_WAY = (Status.PENDING, Status.RUNNING)
"""Statuses of a run that has a runner, or will have one in a moment."""
_OVER = tuple(status for status in Status if status.terminal)
WHOLE = -1
"""The iteration that stands for a step itself; those of a loop count from 0."""


class StoreError(Exception):
    """The state cannot be read or written: "cannot X: reason"."""


class TooManyRuns(StoreError):
    """A playbook has as many runs under way as it may; its text says which."""

    def __init__(self, playbook: str, under_way: Sequence[str]) -> None:
        count = len(under_way)
        runs = f"{count} {'run is' if count == 1 else 'runs are'}"
        super().__init__(
            f"cannot run `{playbook}`: {runs} under way ({', '.join(under_way)}), as many as its"
            " `max_runs` allows; try again when one has ended"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRow:
    """One run. Times are microseconds since 1970; `spec` is what its runner was told to do.

    It is by far the largest part: what lists runs leaves it empty.
    `workload` is the one whose instance it is, empty for a run of a whole playbook.
    """

    id: str
    playbook: str
    status: Status
    created: int
    spec: Mapping[str, Any] = field(default_factory=dict, repr=False)
    workload: str = ""
    started: int | None = None
    ended: int | None = None
    workspace: str | None = None
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Ended:
    """A run that has ended, and when (microseconds since 1970)."""

    id: str
    playbook: str
    workload: str
    ended: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StepRow:
    """One step, or one iteration of one; `summary` is what `register` keeps of it."""

    step: str
    status: Status
    iteration: int = WHOLE
    attempts: int = 0
    started: int | None = None
    ended: int | None = None
    detail: str = ""
    summary: Data = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamRow:
    """What has gone from one step to another. Times are microseconds since 1970.

    `records` None: nobody counted them. `about`: nobody counted the bytes either, they are what
    the kernel knows of both ends. `dropped` lines are none of the records.
    """

    source: str
    target: str
    started: int
    ended: int | None = None
    bytes: int = 0
    records: int | None = None
    dropped: int = 0
    about: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class EventRow:
    """Something that happened in a run, as it is told to users."""

    time: int
    run: str
    event: str
    status: str = ""
    step: str = ""
    iteration: int = WHOLE
    detail: str = ""
    number: int = 0


def shown(playbook: str, event: EventRow) -> dict[str, object]:
    """An event as programs get it (docs/reference/json/event.schema.json)."""
    return {
        "time": event.time,
        "run": event.run,
        "playbook": playbook,
        "step": event.step,
        "iteration": event.iteration,
        "event": event.event,
        "status": event.status,
        "detail": event.detail,
    }


class Store:
    """One connection to the state. Use as a context manager. Methods raise StoreError.

    Write-ahead logging: readers never wait for the runner, nor it for them. What says that a run is
    there, and how it ended, is on disk when the call returns, with all before it. A power cut may
    take later commits with it, those of the steps of a run that it cut off: never part of one.
    """

    def __init__(self, place: Path = PLACE) -> None:
        self.place = place
        with self._told("open"):
            self._db = _open(place)

    def __enter__(self) -> "Store":
        return self

    def __exit__(self, *_: object) -> None:
        self._db.close()

    def add(self, run: RunRow, steps: Sequence[StepRow] = (), *, most: int | None = None) -> None:
        """A run that was not there, with steps it begins with.

        Raises TooManyRuns where its playbook has `most` under way; of several at once none slips
        through.
        """
        with self._told("write"), self._on_disk(), self._db:
            self._db.execute("BEGIN IMMEDIATE")
            if most is not None:
                self._hold(run.playbook, most)
            self._db.execute(
                "INSERT INTO runs VALUES (:id, :playbook, :workload, :status, :created, :started,"
                " :ended, :workspace, :detail, :spec)",
                {**_columns(run, RunRow), "spec": _json(run.spec)},
            )
            self._put(run.id, steps)

    def _hold(self, playbook: str, most: int) -> None:
        """Let no more of a playbook's runs than that be under way; a paused one does not count."""
        marks = ", ".join("?" * len(UNDER_WAY))
        query = f"SELECT id FROM runs WHERE playbook = ? AND status IN ({marks}) ORDER BY created"  # noqa: S608
        found = [row["id"] for row in self._db.execute(query, (playbook, *UNDER_WAY))]
        if len(found) >= most:
            raise TooManyRuns(playbook, found)

    def update(self, run: str, events: Sequence[EventRow] = (), **columns: object) -> None:
        """Set columns of a run, and what is to be told of it, in one commit."""
        names = ", ".join(f"{name} = :{name}" for name in columns)
        last = self._on_disk() if columns.get("status") in _OVER else nullcontext()
        with self._told("write"), last, self._db:
            self._db.execute(f"UPDATE runs SET {names} WHERE id = :id", {**columns, "id": run})  # noqa: S608
            self._tell(events)

    def save(self, run: str, steps: Sequence[StepRow], events: Sequence[EventRow] = ()) -> None:
        """The new state of steps, and what is to be told of it, in one commit."""
        with self._told("write"), self._db:
            self._put(run, steps)
            self._tell(events)

    def _put(self, run: str, steps: Sequence[StepRow]) -> None:
        self._db.executemany(
            "INSERT OR REPLACE INTO steps VALUES (:run, :step, :iteration, :status, :attempts,"
            " :started, :ended, :detail, :summary)",
            [
                {**_columns(step, StepRow), "run": run, "summary": _json(step.summary)}
                for step in steps
            ],
        )

    def flow(self, run: str, streams: Sequence[StreamRow]) -> None:
        """How far streams have come."""
        with self._told("write"), self._db:
            self._db.executemany(
                "INSERT OR REPLACE INTO streams VALUES (:run, :source, :target, :bytes, :records,"
                " :dropped, :about, :started, :ended)",
                [{**_columns(stream, StreamRow), "run": run} for stream in streams],
            )

    def run(self, run: str) -> RunRow | None:
        """All of one run."""
        with self._told("read"):
            found = self._db.execute("SELECT * FROM runs WHERE id = ?", (run,)).fetchone()
        return _run(found) if found else None

    def runs(self, limit: int = -1, *, statuses: Sequence[Status] = ()) -> tuple[RunRow, ...]:
        """The newest first; of these statuses only, where any are given."""
        marks = ", ".join("?" * len(statuses))
        where = f"WHERE status IN ({marks})" if statuses else ""
        columns = ", ".join(item.name for item in fields(RunRow) if item.name != "spec")
        query = f"SELECT {columns} FROM runs {where} ORDER BY created DESC, id LIMIT ?"  # noqa: S608
        with self._told("read"):
            return tuple(map(_run, self._db.execute(query, (*statuses, limit))))

    def named(self, begin: str, most: int = 2) -> tuple[str, ...]:
        """The ids that begin so, in order; no more than `most` are looked for."""
        query = "SELECT id FROM runs WHERE substr(id, 1, ?) = ? ORDER BY id LIMIT ?"
        with self._told("read"):
            return tuple(row["id"] for row in self._db.execute(query, (len(begin), begin, most)))

    def steps(self, run: str) -> tuple[StepRow, ...]:
        with self._told("read"):
            rows = self._db.execute("SELECT * FROM steps WHERE run = ?", (run,)).fetchall()
        return tuple(
            StepRow(
                step=row["step"],
                status=Status(row["status"]),
                iteration=row["iteration"],
                attempts=row["attempts"],
                started=row["started"],
                ended=row["ended"],
                detail=row["detail"],
                summary=json.loads(row["summary"]),
            )
            for row in rows
        )

    def streams(self, run: str) -> tuple[StreamRow, ...]:
        """By their sources and targets."""
        columns = ", ".join(item.name for item in fields(StreamRow))
        query = f"SELECT {columns} FROM streams WHERE run = ?"  # noqa: S608
        with self._told("read"):
            rows = self._db.execute(query, (run,)).fetchall()
        return tuple(
            StreamRow(**{**{key: row[key] for key in row.keys()}, "about": bool(row["about"])})  # noqa: SIM118
            for row in rows
        )

    def events(self, run: str, after: int = 0) -> tuple[EventRow, ...]:
        """Those of a run that are newer than the one of that number, oldest first."""
        with self._told("read"):
            rows = self._db.execute(
                "SELECT * FROM events WHERE run = ? AND number > ? ORDER BY number", (run, after)
            ).fetchall()
        return tuple(EventRow(**{key: row[key] for key in row.keys()}) for row in rows)  # noqa: SIM118

    def ended(self) -> tuple[Ended, ...]:
        """The runs that have ended, the newest first."""
        marks = ", ".join("?" * len(_OVER))
        columns = "id, playbook, workload, coalesce(ended, created)"
        query = f"SELECT {columns} FROM runs WHERE status IN ({marks}) ORDER BY created DESC, id"  # noqa: S608
        with self._told("read"):
            return tuple(Ended(*row) for row in self._db.execute(query, _OVER))

    def forget(self, runs: Sequence[str]) -> None:
        """Leave out runs, with all that is known of them; see `gxo.runtime.forget`."""
        with self._told("write"), self._db:
            self._db.executemany("DELETE FROM runs WHERE id = ?", [(run,) for run in runs])

    def _tell(self, events: Sequence[EventRow]) -> None:
        self._db.executemany(
            "INSERT INTO events (run, time, step, iteration, event, status, detail)"
            " VALUES (:run, :time, :step, :iteration, :event, :status, :detail)",
            [_columns(event, EventRow) for event in events],
        )

    @contextmanager
    def _on_disk(self) -> Iterator[None]:
        """For commits that a power cut must not take: each costs a wait for the disk."""
        self._db.execute("PRAGMA synchronous = FULL")
        try:
            yield
        finally:
            self._db.execute("PRAGMA synchronous = NORMAL")

    @contextmanager
    def _told(self, act: str) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, OSError, ValueError) as error:
            raise StoreError(f"cannot {act} {self.place}: {error}") from None


def _open(place: Path) -> sqlite3.Connection:
    place.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
    place.touch(mode=0o600)
    db = sqlite3.connect(place, timeout=30, isolation_level="IMMEDIATE")
    db.row_factory = sqlite3.Row
    db.execute("PRAGMA journal_mode = WAL")
    db.execute("PRAGMA synchronous = NORMAL")
    db.execute("PRAGMA foreign_keys = ON")
    (version,) = db.execute("PRAGMA user_version").fetchone()
    if version > VERSION:
        db.close()
        raise ValueError(f"its version is {version}, newer than this gxo's {VERSION}")
    if version < VERSION:
        _migrate(db)
    return db


def _migrate(db: sqlite3.Connection) -> None:
    """Bring the tables up to date, all at once; another process may be doing the same."""
    with db:
        db.execute("BEGIN IMMEDIATE")
        (version,) = db.execute("PRAGMA user_version").fetchone()
        for script in _MIGRATIONS[version:]:
            for statement in filter(str.strip, script.split(";")):
                db.execute(statement)
        db.execute(f"PRAGMA user_version = {VERSION}")


def _run(row: sqlite3.Row) -> RunRow:
    columns = {key: row[key] for key in row.keys()}  # noqa: SIM118 - a Row is no mapping
    columns["status"] = Status(columns["status"])
    if "spec" in columns:
        columns["spec"] = json.loads(columns["spec"])
    return RunRow(**columns)


def _columns(record: object, cls: type) -> dict[str, object]:
    return {item.name: getattr(record, item.name) for item in fields(cls)}


def _json(data: object) -> str:
    return json.dumps(data, separators=(",", ":"), ensure_ascii=False)

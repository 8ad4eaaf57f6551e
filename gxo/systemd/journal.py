"""Reading the journal: the lines of a playbook, a workload, a run or one start of a unit.

journalctl reads it, as nothing else but a C library reads the file format. It matches fields; who
wrote a line is then checked here against the unit that journald itself notes, since any program may
send a GXO_ or UNIT field of its own (systemd.journal-fields(7)).
"""

import json
import os
import select
import subprocess
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from fnmatch import fnmatchcase
from itertools import islice
from pathlib import Path
from time import monotonic, time
from typing import IO, Any

from gxo.dataclass import dataclass
from gxo.systemd.journal_write import JournalError

Fields = tuple[tuple[str, str], ...]
"""Names and values; a line matches that has one of the values for each name."""

_FIELDS = (
    "MESSAGE",
    "PRIORITY",
    "SYSLOG_IDENTIFIER",
    "UNIT",
    "INVOCATION_ID",
    "GXO_PLAYBOOK",
    "GXO_WORKLOAD",
    "GXO_RUN",
    "GXO_STEP",
    "_PID",
    "_SYSTEMD_UNIT",
    "_SYSTEMD_INVOCATION_ID",
)
_RUNNERS = "gxo-run-*.service"
_PLACES = ("/var/log/journal", "/run/log/journal")
# above this number of names, all that systemd says is read instead of matched
_MANY = 1000
_BEAT = 0.5
_CHUNK = 1 << 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One line of the journal. `unit` is the unit it is about, by journald's or systemd's word."""

    time: int
    """Microseconds since 1970."""
    message: str
    unit: str
    cursor: str
    priority: int = 6
    """As in syslog(3): 3 is an error, 6 information."""
    identifier: str = ""
    pid: int = 0
    invocation: str = ""
    """Empty where the process was gone before journald looked at it."""
    playbook: str = ""
    workload: str = ""
    run: str = ""
    step: str = ""
    from_systemd: bool = False
    """systemd says it of the unit (`Started …`, `Failed with result …`)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """Lines of the units that one of the globs `units` matches, and that carry all of `fields`.

    What systemd itself says of such a unit belongs to it, though before systemd 253 it carries no
    field of ours. Beside them, where `of_runs` holds any fields, the lines that the runner of any
    run wrote with all of these.
    """

    units: tuple[str, ...]
    fields: Fields = ()
    of_runs: Fields = ()
    since: str = ""
    """As journalctl takes it: `-1h`, `today`, `2026-01-31 12:00`."""

    def wants(self, entry: Entry) -> bool:
        if any(fnmatchcase(entry.unit, pattern) for pattern in self.units):
            return True
        said = {
            "GXO_PLAYBOOK": entry.playbook,
            "GXO_WORKLOAD": entry.workload,
            "GXO_RUN": entry.run,
            "GXO_STEP": entry.step,
        }
        return (
            bool(self.of_runs)
            and fnmatchcase(entry.unit, _RUNNERS)
            and all(said.get(name) == value for name, value in self.of_runs)
        )


@dataclass(frozen=True, slots=True)
class Journal:
    """The journal of this host, or the one in a directory. Methods raise JournalError."""

    directory: str = ""

    def readable(self) -> bool:
        """Whether this user may read what units of the system write.

        To other users journalctl shows only what they wrote themselves, and succeeds.
        """
        if os.geteuid() == 0 or self.directory:
            return True
        hosts = [path for place in _PLACES for path in Path(place).glob("*")]
        return not hosts or any(os.access(host / "system.journal", os.R_OK) for host in hosts)

    def read(self, query: Query, lines: int | None = None) -> tuple[Entry, ...]:
        """The last `lines` lines, or all; the oldest first."""
        if lines is None:
            return tuple(self.each(query))
        args = self._args(query) if lines else None
        if args is None:
            return ()
        with self._run(["--reverse", *args]) as found:
            return tuple(islice(filter(query.wants, found), lines))[::-1]

    def each(self, query: Query) -> Generator[Entry, None, None]:
        """All lines, the oldest first, one by one: there may be more than memory holds."""
        args = self._args(query)
        if args is not None:
            with self._run(args) as found:
                yield from filter(query.wants, found)

    def _args(self, query: Query) -> list[str] | None:
        """What journalctl is asked for; None where the journal has nothing of it."""
        own = query.fields or self._named("_SYSTEMD_UNIT", query.units)
        about = self._named("UNIT", query.units)
        if own == () == about == query.of_runs:
            return None
        return [*_since(query.since), "--", *_matches(own, about, query.of_runs)]

    def follow(
        self, query: Query, lines: int | None = 10, over: Callable[[], bool] | None = None
    ) -> Generator[Entry, None, None]:
        """`read`, then each further line from this call on as it comes; close it to end it.

        It ends by itself once `over` holds, with all that was written until then.
        """
        start = time()
        return self._follow(query, self.read(query, lines), start, over)

    def _follow(
        self,
        query: Query,
        past: tuple[Entry, ...],
        start: float,
        over: Callable[[], bool] | None,
    ) -> Generator[Entry, None, None]:
        yield from past
        last = past[-1].cursor if past else ""
        # a unit may be new: take all that systemd says
        matches = ["--", *_matches(query.fields or None, None)]
        with self._run([*_behind(last, start), "--follow", "--no-tail", *matches], over) as found:
            for entry in found:
                last = entry.cursor
                if query.wants(entry):
                    yield entry
        if over is None or not over():
            raise JournalError("cannot follow the journal: journalctl ended")
        self._sync()
        with self._run([*_behind(last, start), *matches]) as found:
            yield from filter(query.wants, found)

    def of_start(
        self, unit: str, lines: int, *, invocation: str = "", since: int = 0, sync: bool = True
    ) -> tuple[Entry, ...]:
        """The last lines of one start of a unit (`invocation`, begun at `since` microseconds).

        The last lines of a short-lived process can lack the invocation: those count where they are
        not older than `since`. `sync` first makes journald write what it was sent (root only).
        """
        if sync:
            self._sync()
        found = self.read(
            Query(
                units=(unit,),
                fields=(("_SYSTEMD_UNIT", unit),),
                since=f"@{since // 1_000_000}.{since % 1_000_000:06d}" if since else "",
            ),
            # other starts of the unit are among them
            lines if not invocation else None,
        )
        mine = [e for e in found if not invocation or e.invocation in ("", invocation)]
        return tuple(mine[-lines:] if lines else ())

    def _sync(self) -> None:
        """Make journald write what it has received; only root may ask for that."""
        if not self.directory:
            subprocess.run(["journalctl", "--sync"], capture_output=True, check=False)

    def _named(self, field: str, patterns: Sequence[str]) -> Fields | None:
        """A term for each unit matched that the journal has in `field`; None for too many."""
        if not any(c in pattern for pattern in patterns for c in "*?["):
            return tuple((field, unit) for unit in patterns)
        done = self._journalctl([f"--field={field}"])
        terms = tuple(
            (field, name)
            for name in done.decode("utf-8", "replace").splitlines()
            if any(fnmatchcase(name, pattern) for pattern in patterns)
        )
        return terms if len(terms) <= _MANY else None

    def _journalctl(self, args: Sequence[str]) -> bytes:
        try:
            done = subprocess.run([*self._command(), *args], capture_output=True, check=False)
        except OSError as error:
            raise JournalError(f"cannot read the journal: {error}") from None
        if done.returncode:
            raise _failed(done.stderr)
        return done.stdout

    @contextmanager
    def _run(
        self, args: Sequence[str], over: Callable[[], bool] | None = None
    ) -> Iterator[Iterator[Entry]]:
        """The entries that a journalctl prints, which is ended when the reader has enough.

        They are at their end, too, when `over` holds.
        """
        # without --all a field above 4 kB is null
        command = [*self._command(), "--output=json", "--all", "--quiet", "--no-pager"]
        command += [f"--output-fields={','.join(_FIELDS)}", *args]
        try:
            process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        except OSError as error:
            raise JournalError(f"cannot read the journal: {error}") from None
        assert process.stdout is not None
        assert process.stderr is not None
        try:
            if over is None:
                yield _entries(process, process.stdout, process.stderr)
            else:
                yield (parse(json.loads(line)) for line in _until(process.stdout, over))
        finally:
            process.terminate()
            process.stdout.close()
            process.stderr.close()
            process.wait()

    def _command(self) -> list[str]:
        return ["journalctl", *([f"--directory={self.directory}"] if self.directory else [])]


def _until(out: IO[bytes], over: Callable[[], bool]) -> Iterator[bytes]:
    """Whole lines as they come, until `over` holds; it is called now and then."""
    held, asked = b"", monotonic()
    while True:
        if monotonic() - asked >= _BEAT:
            if over():
                return
            asked = monotonic()
        if not select.select([out], [], [], _BEAT)[0]:
            continue
        chunk = os.read(out.fileno(), _CHUNK)
        if not chunk:
            return
        *lines, held = (held + chunk).split(b"\n")
        yield from lines


def _entries(process: "subprocess.Popen[bytes]", out: IO[bytes], err: IO[bytes]) -> Iterator[Entry]:
    for line in out:
        yield parse(json.loads(line))
    if process.wait():
        raise _failed(err.read())


def _failed(stderr: bytes) -> JournalError:
    reason = stderr.decode("utf-8", "replace").strip() or "journalctl failed"
    return JournalError(f"cannot read the journal: {reason}")


def _behind(cursor: str, start: float) -> list[str]:
    return [f"--after-cursor={cursor}"] if cursor else [f"--since=@{start:.6f}"]


def _since(since: str) -> list[str]:
    return [f"--since={since}"] if since else []


def _matches(own: Fields | None, about: Fields | None, more: Fields = ()) -> list[str]:
    """Terms for journalctl: the units' own lines, or what systemd itself says of them.

    None is all of a kind, nothing is none of it; both nothing would be all, and must not be given.
    """
    if own is None:
        return []
    carried = [f"{name}={value}" for name, value in own]
    said = ["_PID=1", *(f"{name}={value}" for name, value in about or ())] if about != () else []
    written = [f"{name}={value}" for name, value in more]
    terms = [term for term in (carried, said, written) if term]
    return [word for term in terms for word in ("+", *term)][1:]


def parse(fields: Mapping[str, Any]) -> Entry:
    """The entry in one object of `journalctl --output=json`."""
    from_systemd = text(fields.get("_PID")) == "1" and bool(fields.get("UNIT"))
    unit = "UNIT" if from_systemd else "_SYSTEMD_UNIT"
    invocation = "INVOCATION_ID" if from_systemd else "_SYSTEMD_INVOCATION_ID"
    return Entry(
        time=int(fields["__REALTIME_TIMESTAMP"]),
        message=text(fields.get("MESSAGE")),
        unit=text(fields.get(unit)),
        cursor=fields["__CURSOR"],
        priority=_number(fields.get("PRIORITY"), 6),
        identifier=text(fields.get("SYSLOG_IDENTIFIER")),
        pid=_number(fields.get("_PID"), 0),
        invocation=text(fields.get(invocation)),
        playbook=text(fields.get("GXO_PLAYBOOK")),
        workload=text(fields.get("GXO_WORKLOAD")),
        run=text(fields.get("GXO_RUN")),
        step=text(fields.get("GXO_STEP")),
        from_systemd=from_systemd,
    )


def text(value: object) -> str:
    """A field as text: the first where there are several; bytes come as a list of numbers."""
    if isinstance(value, list):
        if all(isinstance(item, int) for item in value):
            return bytes(value).decode("utf-8", "replace")
        return text(value[0])
    return value if isinstance(value, str) else ""


def _number(value: object, default: int) -> int:
    digits = text(value)
    return int(digits) if digits.isascii() and digits.isdigit() else default

"""Tally: how much has gone through the streams of a group, by whoever can count it.

That is who reads a stream, who carries it or who writes it, where that is gxo's own; else what the
kernel knows of the programs at both ends.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from pathlib import Path

from gxo.dataclass import dataclass, replace
from gxo.runtime import clock
from gxo.runtime.meter import Meter, groups_of
from gxo.runtime.names import RunNames
from gxo.runtime.pumps import Counts, Passed
from gxo.runtime.store import StreamRow

Edge = tuple[str, str]
"""A stream, by who writes and who reads it."""
Known = tuple[int, int | None]
"""Bytes, and records where those are counted."""

_OFTEN = 250_000
"""Microseconds between two looks."""


@dataclass(slots=True)
class _Counted:
    """What is known of one stream, by who counted it."""

    row: StreamRow
    read: Known | None = None
    passed: Passed | None = None
    written: Known | None = None
    about: int = 0
    _seen: tuple[int, int] = (0, 0)

    def see(self, giver: Meter, taker: Meter, *, alone: bool) -> None:
        """How far the programs are. `alone`: this is all that is read there.

        Who reads has read much before it came to its input, so that only what is added counts:
        what was read since the one who writes was last seen alive.
        """
        if giver.lives:
            about = min(filter(None, (giver.written, taker.read)), default=0)
            self._seen = about, taker.read
        written, before = self._seen
        since = taker.read - before if written and alone else 0
        self.about = max(self.about, written + since)


class Tallies:
    """Makes the tally of each group of a run."""

    def __init__(self, names: RunNames, tell: Callable[[Sequence[StreamRow]], None]) -> None:
        self._names = names
        self._tell = tell

    def of(self, edges: Collection[Edge], programs: Mapping[str, str]) -> "Tally":
        """`programs` are the units of those at both ends of streams that nobody else can count."""
        groups = groups_of(self._names, Path("/proc/self/cgroup").read_text()) if programs else None
        meters = {name: Meter(groups / unit) for name, unit in programs.items() if groups}
        return Tally(edges, meters, self._tell)


class Tally:
    """`meters` are of the units of programs; `tell` gets the streams that have come further."""

    def __init__(
        self,
        edges: Iterable[Edge],
        meters: Mapping[str, Meter],
        tell: Callable[[Sequence[StreamRow]], None],
    ) -> None:
        now = clock.now()
        self._streams = {
            (source, target): _Counted(StreamRow(source=source, target=target, started=now))
            for source, target in edges
        }
        self._meters = meters
        self._tell = tell
        self._due = now

    def pumped(self, source: str, counts: Counts) -> None:
        """What a pump has brought to the readers of a step's stream."""
        for target, passed in counts.outlets.items():
            self._streams[source, target].passed = passed

    def worked(self, step: str, inputs: Mapping[str, Known], output: Known) -> None:
        """What a worker of gxo's own has read and written."""
        for (source, target), stream in self._streams.items():
            if target == step and source in inputs:
                stream.read = inputs[source]
            if source == step:
                stream.written = output

    def look(self) -> None:
        """A few times a second: see how far the programs are, and tell what is new."""
        now = clock.now()
        if now >= self._due:
            self._due = now + _OFTEN
            self._see()
            self._say(None)

    def over(self, edges: Iterable[Edge]) -> None:
        """These streams have ended."""
        ended = {edge for edge in edges if self._streams[edge].row.ended is None}
        self._see()
        self._say(clock.now(), ended)

    def _see(self) -> None:
        for meter in self._meters.values():
            meter.look()
        for (source, target), stream in self._streams.items():
            giver, taker = self._meters.get(source), self._meters.get(target)
            if giver and taker and stream.row.ended is None:
                alone = sum(reader == target for _, reader in self._streams) == 1
                stream.see(giver, taker, alone=alone)

    def _say(self, ended: int | None, edges: Iterable[Edge] = ()) -> None:
        new = []
        for edge, stream in self._streams.items():
            row = _row(stream)
            if edge in edges:
                row = replace(row, ended=ended)
            elif row.ended is None:
                row = _no_less(row, stream.row)
            if row != stream.row:
                stream.row = row
                new.append(row)
        if new:
            self._tell(new)


def _no_less(row: StreamRow, told: StreamRow) -> StreamRow:
    """While it is under way: who knows best may be heard last; what was told stands till then."""
    records = None if row.records is None else max(row.records, told.records or 0)
    return replace(row, bytes=max(row.bytes, told.bytes), records=records)


def _row(stream: _Counted) -> StreamRow:
    """The stream as it stands: who reads it knows best, for what is on its way does not count."""
    row, passed = stream.row, stream.passed
    dropped = passed.dropped if passed else 0
    counts = [stream.read, (passed.bytes, passed.records) if passed else None]
    if not dropped:
        counts.append(stream.written)
    known = [count for count in counts if count is not None]
    records = next((count for _, count in known if count is not None), None)
    size = known[0][0] if known else stream.about
    return replace(row, bytes=size, records=records, dropped=dropped, about=not known)

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
    """What is known of one stream, by who has counted it."""

    row: StreamRow
    read: Known | None = None
    passed: Passed | None = None
    written: Known | None = None
    about: int = 0
    _seen: tuple[int, int] = (0, 0)

    def see(self, giver: Meter, taker: Meter, *, alone: bool) -> None:
        """Take in how far the programs at both ends are; `alone`: the reader reads no other stream.

        A reader has read much before it comes to its input. So of its bytes those count that were
        added since its writer was last seen alive.
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
        """The tally of a group. `programs` are the units at both ends of streams that only the
        kernel counts.
        """
        groups = groups_of(self._names, Path("/proc/self/cgroup").read_text()) if programs else None
        meters = {name: Meter(groups / unit) for name, unit in programs.items() if groups}
        return Tally(edges, meters, self._tell)


class Tally:
    """Counts the streams of a group; `tell` gets those that have come further.

    `meters` are those of programs.
    """

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
        """Take in what a pump has brought to the readers of a step's stream."""
        for target, passed in counts.outlets.items():
            self._streams[source, target].passed = passed

    def worked(self, step: str, inputs: Mapping[str, Known], output: Known) -> None:
        """Take in what a worker has read and written."""
        for (source, target), stream in self._streams.items():
            if target == step and source in inputs:
                stream.read = inputs[source]
            if source == step:
                stream.written = output

    def look(self) -> None:
        """A few times a second: read the meters, and tell what is new."""
        now = clock.now()
        if now >= self._due:
            self._due = now + _OFTEN
            self._see()
            self._say(None)

    def over(self, edges: Iterable[Edge]) -> None:
        """Note that these streams have ended, and tell it."""
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
    """The row, but nothing in it less than what was told: whoever counts best may be heard last."""
    records = None if row.records is None else max(row.records, told.records or 0)
    return replace(row, bytes=max(row.bytes, told.bytes), records=records)


def _row(stream: _Counted) -> StreamRow:
    """The stream as it stands. The reader counts best, as what is on its way does not count."""
    row, passed = stream.row, stream.passed
    dropped = passed.dropped if passed else 0
    counts = [stream.read, (passed.bytes, passed.records) if passed else None]
    if not dropped:
        counts.append(stream.written)
    known = [count for count in counts if count is not None]
    records = next((count for _, count in known if count is not None), None)
    size = known[0][0] if known else stream.about
    return replace(row, bytes=size, records=records, dropped=dropped, about=not known)

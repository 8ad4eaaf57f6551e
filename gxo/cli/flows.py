"""Flows: what goes through a run's streams, in words: how much it was, and how fast it goes."""

from collections import deque
from collections.abc import Iterable, Mapping

from gxo.dataclass import dataclass
from gxo.runtime.store import StreamRow

Edge = tuple[str, str]
"""A stream, by who gives and who takes."""

_WINDOW = 2_000_000
"""Microseconds over which a speed is taken: a shorter one jumps, a longer one lags."""
_PREFIXES = ("", "k", "M", "G", "T")


@dataclass(frozen=True, slots=True)
class Speed:
    """What goes through in a second. `records` None: nobody counts them."""

    bytes: float
    records: float | None


class Flows:
    """The newest state of each stream of a run, and its speed."""

    def __init__(self) -> None:
        self.rows: dict[Edge, StreamRow] = {}
        self._seen: dict[Edge, deque[tuple[int, StreamRow]]] = {}

    def see(self, now: int, rows: Iterable[StreamRow]) -> None:
        """Take in how far the streams are at a time (microseconds)."""
        for row in rows:
            edge = row.source, row.target
            self.rows[edge] = row
            seen = self._seen.setdefault(edge, deque([(row.started, _start(row))]))
            seen.append((now, row))
            while len(seen) > 2 and seen[1][0] <= now - _WINDOW:
                seen.popleft()

    def speed(self, edge: Edge) -> Speed | None:
        """Its speed of late, or over its whole time once it has ended; None where no time has
        passed, or nobody has counted anything.
        """
        row = self.rows[edge]
        if row.about and not row.bytes:
            return None
        if row.ended is not None:
            return _between(row.started, _start(row), row.ended, row)
        (before, old), *_, (now, new) = self._seen[edge]
        return _between(before, old, now, new)


def amount(row: StreamRow) -> str:
    """How much has gone through it."""
    if row.about:  # of what was over at once nothing is known
        unknown = "not counted" if row.ended else "nothing yet"
        return f"about {_scaled(row.bytes, 'B')}" if row.bytes else unknown
    words = [_scaled(row.bytes, "B")]
    if row.records is not None:
        words.append(_counted(row.records, "record"))
    if row.dropped:
        words.append(f"{_counted(row.dropped, 'line')} dropped")
    return ", ".join(words)


def pace(speed: Speed | None) -> str:
    """How fast it goes; empty where that is not known."""
    if speed is None:
        return ""
    each = f"{_scaled(speed.bytes, 'B')}/s"
    if speed.records is None:
        return each
    return f"{each}, {_scaled(speed.records)} records/s"


def amounts(rows: Iterable[StreamRow]) -> Mapping[Edge, str]:
    """How much has gone through each."""
    return {(row.source, row.target): amount(row) for row in rows}


def document(row: StreamRow) -> dict[str, object]:
    """A stream as programs get it (docs/reference/json/run.schema.json)."""
    return {
        "source": row.source,
        "target": row.target,
        "bytes": row.bytes,
        "records": row.records,
        "dropped": row.dropped,
        "about": row.about,
    }


def _start(row: StreamRow) -> StreamRow:
    """The stream when nothing had gone through it."""
    records = None if row.records is None else 0
    return StreamRow(source=row.source, target=row.target, started=row.started, records=records)


def _between(before: int, old: StreamRow, now: int, new: StreamRow) -> Speed | None:
    if now <= before:
        return None
    seconds = (now - before) / 1e6
    # who knows better may have come to less: a pump is ahead of who reads, who tells of it later
    records = None if new.records is None else max(new.records - (old.records or 0), 0) / seconds
    return Speed(max(new.bytes - old.bytes, 0) / seconds, records)


def _scaled(number: float, unit: str = "") -> str:
    """Three digits that mean something: `999 B`, `1.25 kB`, `40.0 M`."""
    number = max(number, 0)
    power = 0
    while number >= 999.5 and power < len(_PREFIXES) - 1:
        number /= 1000
        power += 1
    digits = 0 if not power or number >= 99.95 else 1 if number >= 9.995 else 2
    return f"{number:.{digits}f} {_PREFIXES[power]}{unit}".rstrip()


def _counted(number: int, noun: str) -> str:
    return f"{_scaled(number)} {noun if number == 1 else f'{noun}s'}"

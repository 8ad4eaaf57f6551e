"""Time zones: whether a name is one, and which of its clock changes a schedule can meet."""

from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from functools import cache
from pathlib import Path
from string import ascii_letters, digits
from typing import TYPE_CHECKING, Protocol

from gxo.dataclass import dataclass
from gxo.diagnostic import Problem
from gxo.diagnostic.base import did_you_mean
from gxo.diagnostic.lazy import Lazy
from gxo.source import Text

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from gxo.diagnostic import schedule as faults
else:
    faults = Lazy("gxo.diagnostic.schedule")

_CHARACTERS = frozenset(ascii_letters + digits + "-_+")
_MAGIC = b"TZif"
# the calendar repeats after so many: every combination of date and weekday comes by
_YEARS = 28


class Schedule(Protocol):
    """What a schedule says about time: Cron and Calendar both do."""

    @property
    def hours(self) -> tuple[int, ...]: ...

    @property
    def minutes(self) -> tuple[int, ...]: ...

    def on(self, day: date) -> bool: ...


def check_timezone(text: Text, problems: list[Problem]) -> str | None:
    """The name, or None with a problem added. Upper and lower case count, as for systemd.

    A host without time zone data (a minimal container) takes any name of the right shape, with a
    warning: `validate` must work where nothing but Python is installed.
    """
    name = text.text
    if name == "UTC":
        return name
    places = _places()
    span = text.part(0, len(name)) if name else text.span
    if _is_shaped(name):
        if not places:
            problems.append(faults.UncheckedTimezone(span=span, name=name))
            return name
        if any(_is_zone(place / name) for place in places):
            return name
    problems.append(faults.UnknownTimezone(span=span, name=name, advice=_advice(name)))
    return None


def dst_warning(schedule: Schedule, zone: str, text: Text, problems: list[Problem]) -> None:
    """Warn where the schedule names a time that the zone's clocks skip or repeat.

    A schedule of every hour gets no warning: there is no other hour to choose.
    """
    if len(schedule.hours) == 24 or zone == "UTC":
        return
    skipped = repeated = None
    for change in _changes(zone):
        met = _met(schedule, change)
        if met is not None and change.skips:
            skipped = skipped or met
        elif met is not None:
            repeated = repeated or met
    if skipped or repeated:
        span = text.part(0, len(text.text))
        problems.append(
            faults.ClockChange(span=span, zone=zone, skipped=skipped, repeated=repeated)
        )


@dataclass(frozen=True, slots=True)
class _Change:
    """Wall-clock times (hour, minute) of one day that do not exist (`skips`), or come twice."""

    day: date
    times: tuple[tuple[int, int], ...]
    hours: frozenset[int]
    skips: bool


def _met(schedule: Schedule, change: _Change) -> str | None:
    """The first time HH:MM of the schedule within the change."""
    if change.hours.isdisjoint(schedule.hours) or not schedule.on(change.day):
        return None
    for hour, minute in change.times:
        if hour in schedule.hours and minute in schedule.minutes:
            return f"{hour:02}:{minute:02}"
    return None


@cache
def _changes(name: str) -> tuple[_Change, ...]:
    """The clock changes of the coming years, from January of this one on."""
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

    try:
        zone = ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return ()
    found: list[_Change] = []
    week = timedelta(days=7)
    at = datetime(datetime.now(UTC).year, 1, 1, tzinfo=UTC)
    before = _offset(at, zone)
    for _ in range(_YEARS * 53):
        after = _offset(at + week, zone)
        if after != before:
            start = _first_after(at, at + week, zone) + min(before, after)
            found += _days(start.replace(tzinfo=None), abs(after - before), skips=after > before)
        at, before = at + week, after
    return tuple(found)


def _days(start: datetime, length: timedelta, *, skips: bool) -> list[_Change]:
    """The wall-clock times from `start` on, by day."""
    days: dict[date, list[tuple[int, int]]] = {}
    for minute in range(int(length.total_seconds()) // 60):
        at = start + timedelta(minutes=minute)
        days.setdefault(at.date(), []).append((at.hour, at.minute))
    return [
        _Change(day, tuple(times), frozenset(hour for hour, _ in times), skips)
        for day, times in days.items()
    ]


def _offset(at: datetime, zone: "ZoneInfo") -> timedelta:
    offset = at.astimezone(zone).utcoffset()
    assert offset is not None
    return offset


def _first_after(low: datetime, high: datetime, zone: "ZoneInfo") -> datetime:
    """The second at which the offset of `low` ends, before `high`."""
    before = _offset(low, zone)
    while high - low > timedelta(seconds=1):
        middle = (low + (high - low) / 2).replace(microsecond=0)
        low, high = (middle, high) if _offset(middle, zone) == before else (low, middle)
    return high


@cache
def _places() -> tuple[Path, ...]:
    """Where this host keeps its zones; systemd looks in the first only."""
    import zoneinfo

    return tuple(Path(place) for place in zoneinfo.TZPATH if Path(place).is_dir())


def _is_shaped(name: str) -> bool:
    """Names that stay below the directory and cannot end the expression: systemd's own rule."""
    parts = name.split("/")
    plain = all(part and set(part) <= _CHARACTERS for part in parts)
    return plain and name[:1].isalpha() and name.isascii()


def _is_zone(path: Path) -> bool:
    with suppress(OSError), path.open("rb") as file:
        return file.read(len(_MAGIC)) == _MAGIC
    return False


def _advice(name: str) -> str | None:
    if name.lower() in ("local", "localtime", "host"):
        return "leave `timezone` out: the host's own zone is the default"
    from zoneinfo import available_timezones

    known = available_timezones() - {"localtime", "posixrules", "Factory"}
    city = next((zone for zone in sorted(known) if zone.lower().endswith(f"/{name.lower()}")), None)
    return f"did you mean `{city}`?" if name and city else did_you_mean(name, known)

"""Stamps: the files by which systemd knows when a persistent timer last elapsed.

systemd.timer(5), Persistent=: a timer elapses right at its start if its calendar has elapsed since
the modification time of `stamp-NAME.timer`. A timer without a stamp gets one of now.

gxo sets the modification time for new timers too, and so keeps in the access time when they really
elapsed last; systemd sets both as a timer elapses.
"""

import os
from collections.abc import Container
from contextlib import suppress
from glob import escape
from pathlib import Path

from gxo.dataclass import dataclass
from gxo.units.model import Unit, UnitType

PLACE = Path("/var/lib/systemd/timers")
_CALENDAR = ("OnCalendar", "Timezone")


@dataclass(frozen=True, slots=True)
class Stamps:
    place: Path = PLACE

    def renew(self, timer: Unit, old: Unit | None, now: int) -> None:
        """Set the stamp of a timer that is about to start in place of `old`, if there is one.

        With the same calendar as `old` it takes over its stamp, and so a missed run is still made
        up for, once. With another no run before `now` (microseconds since 1970) counts as missed,
        since there was no such schedule then.
        """
        if not persistent(timer):
            return
        last = self._last(old) if old else None
        fired = self.fired(old.name) if old else None
        if old and last is not None and _calendar(old) != _calendar(timer):
            last = max(last, now)
        at = (now if last is None else last) * 1000
        self.place.mkdir(parents=True, exist_ok=True)
        path = self._path(timer.name)
        path.touch(mode=0o644)
        os.utime(path, ns=((fired or 0) * 1000, at))

    def fired(self, timer: str) -> int | None:
        """When it last elapsed, in microseconds since 1970, 0 for never; None without a stamp."""
        try:
            found = self._path(timer).stat()
        except FileNotFoundError:
            return None
        # where reading has moved the access time, the modification time is the earlier one
        return min(found.st_atime_ns, found.st_mtime_ns) // 1000

    def sweep(self, prefix: str, kept: Container[str]) -> None:
        """Remove the stamps of timers whose names begin with `prefix`, but for those `kept`."""
        for path in self.place.glob(f"stamp-{escape(prefix)}*.timer"):
            if path.name.removeprefix("stamp-") not in kept:
                path.unlink(missing_ok=True)

    def drop(self, timer: str) -> None:
        """Remove the stamp of a timer that is gone for good."""
        with suppress(FileNotFoundError):
            self._path(timer).unlink()

    def _last(self, timer: Unit) -> int | None:
        try:
            return self._path(timer.name).stat().st_mtime_ns // 1000
        except FileNotFoundError:
            return None

    def _path(self, timer: str) -> Path:
        return self.place / f"stamp-{timer}"


def persistent(unit: Unit) -> bool:
    """Whether the unit is a timer that makes up for missed runs."""
    return unit.type is UnitType.TIMER and any(
        item.name == "Persistent" and item.value is True for item in unit.directives
    )


def _calendar(timer: Unit) -> tuple[object, ...]:
    return tuple(item.value for item in timer.directives if item.name in _CALENDAR)

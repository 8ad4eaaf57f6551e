"""Foreign files: unit files, masks and drop-ins of others, under the names of gxo's units.

gxo's units are transient, and it writes no such files. One that lies there changes a unit, masks it
or takes its name, now or at the next start. Somebody wants it, so gxo reports it and leaves it.
"""

import os
from collections.abc import Iterable, Iterator
from enum import StrEnum
from pathlib import Path
from shlex import quote

from gxo.dataclass import dataclass
from gxo.systemd.transient import PLACE

# systemctl set-property writes here, so that it holds for the next unit of the name too
CONTROL = ("/run/systemd/system.control", "/etc/systemd/system.control")
# systemd.unit(5), "Unit File Load Path", without what systemd writes there for us
PLACES = (
    "/etc/systemd/system",
    "/etc/systemd/system.attached",
    "/run/systemd/system",
    "/run/systemd/system.attached",
    "/run/systemd/generator.early",
    "/run/systemd/generator",
    "/run/systemd/generator.late",
    "/usr/local/lib/systemd/system",
    "/usr/lib/systemd/system",
    *CONTROL,
)


class Kind(StrEnum):
    DROP_IN = "drop-in"
    MASK = "mask"
    UNIT = "unit"


@dataclass(frozen=True, slots=True)
class Foreign:
    """A file; `name` is its unit, or `gxo-.service` for all units whose names begin so."""

    path: str
    name: str
    kind: Kind

    def concerns(self, unit: str) -> bool:
        stem, dot, kind = self.name.rpartition(".")
        prefix = self.kind is Kind.DROP_IN and stem.endswith("-")
        return unit == self.name or (prefix and unit.startswith(stem) and unit.endswith(dot + kind))

    @property
    def ours_to_lift(self) -> bool:
        """`systemctl set-property` wrote it, which an apply undoes."""
        return self.path.startswith(CONTROL)

    def drift(self) -> str:
        """The drift that it makes, in words."""
        if self.kind is Kind.MASK:
            return f"masked: {self.path}"
        return f"{'drop-in' if self.kind is Kind.DROP_IN else 'unit file'} added: {self.path}"

    def remedy(self, unit: str) -> str:
        """How it affects the unit, and what to do about it."""
        if self.kind is Kind.MASK:
            how = "--runtime " if self.path.startswith("/run/") else ""
            return f"{self.path} masks {unit}; run `systemctl unmask {how}{quote(self.name)}`"
        away = "remove that file and run `systemctl daemon-reload`"
        if self.kind is Kind.UNIT:
            return f"{self.path} takes the name of {unit}; {away}"
        return f"{self.path} changes {unit}; put what it says into the playbook, then {away}"


def read_foreign(places: Iterable[str] = PLACES) -> tuple[Foreign, ...]:
    """Every such file, sorted by path; what cannot be read counts as not there."""
    return tuple(sorted((f for place in places for f in _of_place(place)), key=lambda f: f.path))


def named(drop_in: str) -> bool:
    """Whether a drop-in is for gxo's units in particular, not for all units of a type."""
    return Path(drop_in).parent.name.startswith("gxo") and not Path(drop_in).is_relative_to(PLACE)


def _of_place(place: str) -> Iterator[Foreign]:
    try:
        with os.scandir(place) as entries:
            found = [entry for entry in entries if entry.name.startswith("gxo")]
    except OSError:
        return
    for entry in found:
        name, _, suffix = entry.name.rpartition(".")
        if suffix in ("service", "timer", "slice"):
            mask = os.path.realpath(entry.path) == os.devnull or _empty(entry.path)
            yield Foreign(entry.path, entry.name, Kind.MASK if mask else Kind.UNIT)
        elif suffix == "d" and entry.is_dir():
            for path in sorted(Path(entry.path).glob("*.conf")):
                yield Foreign(str(path), name, Kind.DROP_IN)


def _empty(path: str) -> bool:
    """An empty unit file masks as well as a link to /dev/null."""
    try:
        return os.stat(path).st_size == 0  # noqa: PTH116 (as scandir gives it)
    except OSError:
        return False

"""Transient files: what an old systemd writes of a unit it would itself misread at its next reload.

See units.properties.misread_after_reload: there gxo puts its own rendering of the unit in place.
"""

import os
from collections.abc import Iterable
from pathlib import Path

from gxo.units.files import render_plain
from gxo.units.model import Unit, UnitType
from gxo.units.properties import misread_after_reload

PLACE = Path("/run/systemd/transient")
# what systemd begins every such file with
_THEIRS = b"# This is a transient unit file"


def mend(units: Iterable[Unit], systemd: int, place: Path = PLACE) -> bool:
    """Replace systemd's file of each unit that is loaded; whether all of them were there.

    The time of the file stays: by it systemd tells whether a reload is due.
    """
    if not misread_after_reload(systemd):
        return True
    there = True
    for unit in units:
        if unit.type is UnitType.SERVICE:
            there = _replace(unit, place / unit.name) and there
    return there


def _replace(unit: Unit, path: Path) -> bool:
    """Written in place: by another file under its name a unit that just ended would be back."""
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
    except FileNotFoundError:
        return False
    try:
        if os.pread(descriptor, len(_THEIRS), 0) == _THEIRS:
            times = os.fstat(descriptor)
            text = render_plain(unit).encode()
            os.pwrite(descriptor, text, 0)
            os.ftruncate(descriptor, len(text))
            os.utime(descriptor, ns=(times.st_atime_ns, times.st_mtime_ns))
    finally:
        os.close(descriptor)
    return True

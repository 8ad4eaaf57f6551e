"""Transient files: replacing those that systemd would itself misread at its next reload.

See units.properties.misread_after_reload.
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
    """Replace systemd's files of loaded services by gxo's rendering; whether all were there.

    A file keeps its modification time, by which systemd tells whether a reload is due.
    """
    if not misread_after_reload(systemd):
        return True
    there = True
    for unit in units:
        if unit.type is UnitType.SERVICE:
            there = _replace(unit, place / unit.name) and there
    return there


def _replace(unit: Unit, path: Path) -> bool:
    """Write in place: a new file under the name would bring back a unit that has just ended."""
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

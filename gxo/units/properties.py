"""A unit as D-Bus properties for StartTransientUnit: plain data, no GLib."""

import sys
from functools import lru_cache

from gxo.units.directives import TABLE, sound
from gxo.units.model import Directive, Property, Unit

FAITHFUL = sys.maxsize
"""The first systemd that reads its own transient files rightly: none so far."""


def properties(unit: Unit) -> tuple[Property, ...]:
    """The properties in the order of the directives; repeated ones add up, as in a file."""
    return tuple(
        entry for setting in unit.directives for entry in (_property(setting),) if entry is not None
    )


@lru_cache(maxsize=8192)
def _property(setting: Directive) -> Property | None:
    row = TABLE[sound(setting).name]
    if not row.property:
        return None
    return Property(row.property, row.kind.signature, row.kind.bus(setting.value))


def misread_after_reload(systemd: int) -> bool:
    """Whether this systemd reads its own transient files wrongly at a daemon-reload.

    252 keeps a command line set over D-Bus under a key that it does not know itself, and escapes
    `$` and `;` in a way it does not undo: after a reload the unit has no command left. Both 252 and
    257 write `RestrictNamespaces=yes` as an empty value, which lifts the restriction. Whoever
    starts a unit must put `files.render_plain(unit)` in that file's place, at
    /run/systemd/transient/NAME, with the modification time the file had.
    """
    return systemd < FAITHFUL

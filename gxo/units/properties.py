"""A unit as D-Bus properties for StartTransientUnit: plain data, no GLib."""

from functools import lru_cache

from gxo.units.directives import TABLE
from gxo.units.model import Directive, Property, Unit

FAITHFUL = 257
"""The oldest systemd known to read a transient unit's command lines again as they were set."""


def properties(unit: Unit) -> tuple[Property, ...]:
    """The properties in the order of the directives; a repeated one is added to, as in a file."""
    return tuple(
        entry for setting in unit.directives for entry in (_property(setting),) if entry is not None
    )


@lru_cache(maxsize=8192)
def _property(setting: Directive) -> Property | None:
    row = TABLE[setting.name]
    if not row.property:
        return None
    return Property(row.property, row.kind.signature, row.kind.bus(setting.value))


def misread_after_reload(systemd: int) -> bool:
    """Whether this systemd reads its own transient files wrongly at a daemon-reload.

    systemd 252 keeps a command line set over D-Bus under a key that it does not know itself, and
    with `$` and `;` escaped in a way it does not undo: after a reload the unit has no command left.
    Whoever starts a unit there must put `files.render_file(unit)` in that file's place, at
    /run/systemd/transient/NAME, with the modification time the file had.
    """
    return systemd < FAITHFUL

"""Drift: how a live unit differs from what it was right after gxo started it."""

from gxo.apply.foreign import named
from gxo.apply.live import Live, LiveUnit
from gxo.apply.record import Baseline
from gxo.apply.spoken import spoken
from gxo.units.model import Unit

DOWN = frozenset({"not loaded", "inactive (dead)", "failed (failed)"})
"""Lines that say no more of a unit than that it does not run."""


def baseline(live: LiveUnit, digest: str, systemd: str) -> Baseline:
    """What later drift is measured against; drop-ins for gxo's units never belong to it."""
    return Baseline(
        digest=digest,
        systemd=systemd,
        properties=live.properties,
        drop_ins=tuple(path for path in live.drop_ins if not named(path)),
    )


def drift(unit: Unit, live: Live, base: Baseline | None) -> tuple[str, ...]:
    """How a unit differs from what was applied, a line each."""
    found = live.get(unit.name)
    if found is None:
        return ("not loaded", *overridden(unit.name, live))
    lines = []
    if not found.up:
        lines.append(f"{found.active} ({found.sub})")
    if found.digest is not None and found.digest != unit.digest:
        lines.append(f"digest: {unit.digest} -> {found.digest}")
        return (*lines, *overridden(unit.name, live))
    return (*lines, *altered(unit, live, base))


def overridden(name: str, live: Live) -> tuple[str, ...]:
    """Masks and drop-ins of others for a unit, whether in effect yet or not."""
    found = live.get(name)
    loaded = [path for path in found.drop_ins if named(path)] if found else []
    lines = [f"drop-in added: {path}" for path in loaded]
    return (*lines, *(f.drift() for f in live.foreign(name) if f.path not in loaded))


def barred(name: str, live: Live) -> tuple[str, ...]:
    """Files that keep a unit from being as it is wanted, each with what to do about it."""
    return tuple(file.remedy(name) for file in live.foreign(name) if not file.ours_to_lift)


def altered(unit: Unit, live: Live, base: Baseline | None) -> tuple[str, ...]:
    """How others changed a unit since its start: masks, drop-ins and properties."""
    lines = list(overridden(unit.name, live))
    found = live.get(unit.name)
    if found is None or base is None or base.digest != unit.digest:
        return tuple(lines)
    now, then = ([p for p in paths if not named(p)] for paths in (found.drop_ins, base.drop_ins))
    lines += [f"drop-in added: {path}" for path in now if path not in then]
    lines += [f"drop-in gone: {path}" for path in then if path not in now]
    for name in sorted(base.properties) if base.systemd == live.systemd else ():
        value, was = found.properties.get(name), base.properties[name]
        if value is not None and value != was:
            lines.append(f"{name}: {spoken(name, was)} -> {spoken(name, value)}")
    return tuple(lines)

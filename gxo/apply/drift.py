"""Drift: how a live unit differs from what it was right after gxo started it."""

from gxo.apply.live import Live, LiveUnit
from gxo.apply.record import Baseline
from gxo.units.model import Unit

# systemctl set-property writes here, so that it holds for the next unit of the name too
CONTROL = ("/run/systemd/system.control/", "/etc/systemd/system.control/")


def baseline(live: LiveUnit, digest: str, systemd: str) -> Baseline:
    """What to compare with later."""
    return Baseline(
        digest=digest, systemd=systemd, properties=live.properties, drop_ins=live.drop_ins
    )


def drift(unit: Unit, live: Live, base: Baseline | None) -> tuple[str, ...]:
    """What is not as applied, one line each; empty where nothing is known to differ."""
    found = live.get(unit.name)
    if found is None:
        return ("not loaded",)
    lines = []
    if not found.up:
        lines.append(f"{found.active} ({found.sub})")
    if found.digest is not None and found.digest != unit.digest:
        lines.append(f"digest: {unit.digest} -> {found.digest}")
        return tuple(lines)
    return (*lines, *altered(unit, live, base))


def altered(unit: Unit, live: Live, base: Baseline | None) -> tuple[str, ...]:
    """Settings of a loaded unit that somebody changed under gxo: drop-ins and properties."""
    found = live.get(unit.name)
    if found is None or base is None or base.digest != unit.digest:
        return ()
    lines = [f"drop-in added: {path}" for path in found.drop_ins if path not in base.drop_ins]
    lines += [f"drop-in gone: {path}" for path in base.drop_ins if path not in found.drop_ins]
    for name in sorted(base.properties) if base.systemd == live.systemd else ():
        now = found.properties.get(name)
        if now is not None and now != base.properties[name]:
            lines.append(f"{name}: {base.properties[name]} -> {now}")
    return tuple(lines)

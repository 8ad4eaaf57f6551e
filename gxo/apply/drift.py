"""Drift: how a live unit differs from what it was right after gxo started it."""

from gxo.apply.live import LiveUnit
from gxo.apply.record import Baseline
from gxo.units.model import Unit

# systemctl set-property writes here, so that it holds for the next unit of the name too
CONTROL = ("/run/systemd/system.control/", "/etc/systemd/system.control/")


def baseline(live: LiveUnit, digest: str) -> Baseline:
    """What to compare with later."""
    return Baseline(digest=digest, properties=live.properties, drop_ins=live.drop_ins)


def drift(unit: Unit, live: LiveUnit | None, base: Baseline | None) -> tuple[str, ...]:
    """What is not as applied, one line each; empty where nothing is known to differ."""
    if live is None:
        return ("not loaded",)
    found = []
    if not live.up:
        found.append(f"{live.active} ({live.sub})")
    if live.digest is not None and live.digest != unit.digest:
        found.append(f"digest: {unit.digest} -> {live.digest}")
        return tuple(found)
    return (*found, *altered(unit, live, base))


def altered(unit: Unit, live: LiveUnit, base: Baseline | None) -> tuple[str, ...]:
    """Settings of a unit that somebody changed under gxo: drop-ins and properties."""
    if base is None or base.digest != unit.digest:
        return ()
    found = [f"drop-in added: {path}" for path in live.drop_ins if path not in base.drop_ins]
    found += [f"drop-in gone: {path}" for path in base.drop_ins if path not in live.drop_ins]
    for name in sorted(base.properties):
        now = live.properties.get(name)
        if now is not None and now != base.properties[name]:
            found.append(f"{name}: {base.properties[name]} -> {now}")
    return tuple(found)

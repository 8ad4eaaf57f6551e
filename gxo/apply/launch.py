"""Launch: starting transient units whose names may still be taken by what was there before."""

import shutil
from collections.abc import Iterable
from pathlib import Path

from gxo.apply.foreign import CONTROL
from gxo.dataclass import dataclass
from gxo.systemd.bus import SYSTEMD, BusError
from gxo.systemd.jobs import Job, Jobs, Outcome
from gxo.systemd.manager import Manager
from gxo.systemd.transient import PLACE
from gxo.units.credential import credential
from gxo.units.model import Unit
from gxo.units.properties import properties

_RUN = Path("/run")
PATIENCE = 5.0
"""Seconds in which a name must become free: systemd forgets a stopped unit a moment later."""


@dataclass(frozen=True, slots=True)
class Launch:
    """Starts units as transient ones over a batch of jobs."""

    manager: Manager
    jobs: Jobs

    def start(self, units: tuple[Unit, ...], *, alone: bool = False) -> Job:
        """Ask for units[0] to be made and started, with the others made (not with `alone`).

        Raises SecretError where what they are given cannot be had.
        """
        if any(credential(unit.directives) for unit in units):
            from gxo.apply.credentials import provide

            for unit in units:
                provide(unit)
        for unit in units:
            _forget_set_property(unit.name)
            tidy(unit, self.manager)
        main, *others = units
        aux = () if alone else tuple((unit.name, properties(unit)) for unit in others)
        return self.jobs.start_transient(main.name, properties(main), aux)

    def again(self, units: tuple[Unit, ...]) -> Job:
        """Ask again where a start was refused since a name is taken, having freed what can be.

        A job that still runs under the service's name stays: then the timer starts alone, and its
        next turn runs what is loaded there.
        """
        found = self.manager.named(*(unit.name for unit in units))
        for name, state in found.items():
            if state.active == "failed":
                self.manager.reset_failed(name)
            elif state.active == "inactive":
                _remove_stale(name)
        busy = any(found[unit.name].active not in ("inactive", "failed") for unit in units[1:])
        return self.start(units, alone=busy)


def tidy(unit: Unit, manager: Manager) -> None:
    """Remove links to runtime directories that went with a unit that is stopped.

    A service with a dynamic user leaves its link behind, and one without cannot start over it.
    """
    for item in unit.directives:
        if item.name == "RuntimeDirectory" and isinstance(item.value, tuple):
            links = [path for name in item.value if (path := _RUN / name).is_symlink()]
            if links:
                manager.settle()  # the directory may be about to go
            for link in links:
                if not link.exists():
                    link.unlink(missing_ok=True)


def release(manager: Manager, names: Iterable[str]) -> None:
    """Lift what `systemctl set-property` set on units that must not stop: slices."""
    for name in names:
        _forget_set_property(name)
    manager.daemon_reload()


def name_taken(outcome: Outcome) -> bool:
    """A start refused since a unit of that name is loaded, or a file of it lies about."""
    error = outcome.error
    return isinstance(error, BusError) and error.name == f"{SYSTEMD}.UnitExists"


def _forget_set_property(name: str) -> None:
    """Drop what `systemctl set-property` left for a unit: it would change the new one too."""
    for place in CONTROL:
        shutil.rmtree(f"{place}/{name}.d", ignore_errors=True)


def _remove_stale(name: str) -> None:
    """A transient unit's file outlives a crash of systemd, and then keeps its name taken."""
    (PLACE / name).unlink(missing_ok=True)
    shutil.rmtree(PLACE / f"{name}.d", ignore_errors=True)

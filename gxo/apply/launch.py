"""Launch: starts transient units, whose names may still be taken by their old revisions."""

import shutil
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from gxo.apply.foreign import CONTROL
from gxo.dataclass import dataclass
from gxo.systemd.bus import SYSTEMD, BusError
from gxo.systemd.jobs import Job, Jobs, Outcome
from gxo.systemd.manager import Manager
from gxo.systemd.transient import PLACE
from gxo.units.credential import credential
from gxo.units.model import Unit
from gxo.units.names import COUNT, RESTARTS
from gxo.units.properties import properties

_RUN = Path("/run")
PATIENCE = 5.0
"""Seconds in which a name must become free: systemd unloads a stopped unit a moment later."""


@dataclass(frozen=True, slots=True)
class Launch:
    """Starts units as transient ones over a batch of jobs."""

    manager: Manager
    jobs: Jobs

    def start(self, units: tuple[Unit, ...], *, alone: bool = False) -> Job:
        """Ask systemd to create the units and to start units[0]; with `alone` to create only that.

        Raises SecretError where a secret of theirs cannot be read.
        """
        if any(credential(unit.directives) for unit in units):
            from gxo.apply.credentials import provide

            for unit in units:
                provide(unit)
        for unit in units:
            _forget_set_property(unit.name)
            tidy(unit, self.manager)
            _forget_restarts(unit)
        main, *others = units
        aux = () if alone else tuple((unit.name, properties(unit)) for unit in others)
        # `replace`: a slice that is to stop after the last of its units must not bar a start in it
        return self.jobs.start_transient(main.name, properties(main), aux, mode="replace")

    def again(self, units: tuple[Unit, ...]) -> Job:
        """Free the names that a start was refused for, as far as possible, and start again.

        Where a schedule's job still runs, the timer starts alone: its next turn runs the service
        that is loaded then.
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
    """Remove dangling links to the runtime directories of a stopped unit.

    A service with a dynamic user leaves such a link, over which one without cannot start.
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
    """Undo `systemctl set-property` on units that must not stop, that is slices."""
    for name in names:
        _forget_set_property(name)
    manager.daemon_reload()


def name_taken(outcome: Outcome) -> bool:
    """Whether a start was refused as a unit of that name is loaded or still has a file."""
    error = outcome.error
    return isinstance(error, BusError) and error.name == f"{SYSTEMD}.UnitExists"


def _forget_set_property(name: str) -> None:
    """Remove the files of `systemctl set-property`, which would change the new unit too."""
    for place in CONTROL:
        shutil.rmtree(f"{place}/{name}.d", ignore_errors=True)


def _forget_restarts(unit: Unit) -> None:
    """What is started by hand has not crashed: it need not wait as before a restart.

    systemd keeps the count of a service that is stopped while it waits for its next start.
    """
    for item in unit.directives:
        if item.name == "RuntimeDirectory" and isinstance(item.value, tuple):
            for name in item.value:
                if name.startswith(f"{RESTARTS}/"):
                    with suppress(OSError):
                        (_RUN / name / COUNT).unlink()


def _remove_stale(name: str) -> None:
    """Remove a transient unit's file: it survives a crash of systemd, and blocks the name."""
    (PLACE / name).unlink(missing_ok=True)
    shutil.rmtree(PLACE / f"{name}.d", ignore_errors=True)

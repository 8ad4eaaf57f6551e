"""Sweep: runs whose runner is gone, ended; what belongs to no run any more, removed."""

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path

from gxo.dataclass import dataclass
from gxo.runtime import clock
from gxo.runtime.artifacts import Artifacts
from gxo.runtime.forget import forget, too_many
from gxo.runtime.handover import drop
from gxo.runtime.names import RunNames
from gxo.runtime.record import Record
from gxo.runtime.redact import Redactor
from gxo.runtime.status import Status
from gxo.runtime.store import UNDER_WAY, RunRow, Store, StoreError
from gxo.runtime.workspace import COPIES, WorkspaceError, Workspaces, remove
from gxo.systemd.bus import BusError
from gxo.systemd.manager import Manager, no_such_unit
from gxo.units.names import run_directories

_STARTING = 60_000_000
"""Microseconds that a run may be Pending before its runner is up."""
_LOCK = Path("/run/gxo/sweep.lock")
_KILLED = "its runner was killed"
_SERVICES = (Path("/run/gxo"), Path("/run/private/gxo"))


@dataclass(frozen=True, slots=True)
class Swept:
    """The runs that were cut off, by their ids, and what could not be removed, in words."""

    runs: tuple[str, ...]
    left: tuple[str, ...]


def sweep(store: Store, manager: Manager) -> Swept:
    """Fail the runs that say they run and have no runner, as after a power cut.

    What cannot be removed keeps nothing else from being so. Raises StoreError, SystemdError.
    """
    gone = tuple(_without_runner(store, manager))
    left: dict[str, None] = {}

    def attempt(act: Callable[[], None]) -> None:
        try:
            act()
        except WorkspaceError as error:
            left[str(error)] = None

    for run in gone:
        attempt(partial(_end_behind, store, manager, run))
    for path in _without_run(store):
        attempt(partial(remove, path))
    artifacts = Artifacts()
    attempt(lambda: forget(store, artifacts, [run.id for run in too_many(store.ended())]))
    for each in artifacts.runs():
        if store.run(each) is None:
            attempt(partial(artifacts.remove, each))
    return Swept(tuple(run.id for run in gone), tuple(left))


def _without_runner(store: Store, manager: Manager) -> Iterator[RunRow]:
    """The runs that say they run, or are to in a moment, and have no runner."""
    young = clock.now() - _STARTING
    for run in store.runs(statuses=UNDER_WAY):
        starting = run.status is Status.PENDING and run.created > young
        if not starting and runner_ended(manager, _names(run)):
            last = store.run(run.id)  # what its runner wrote last is there now
            if last is not None and not last.status.terminal:
                yield last


def _without_run(store: Store) -> Iterator[Path]:
    """The workspaces, and copies of modules for one, of which no run has need any more."""
    # read first: what is there has its run in the state already
    there = (*Workspaces().all(), *COPIES.all())
    held = {run.workspace for run in store.runs(statuses=(*UNDER_WAY, Status.PAUSED))}
    return (path for path in there if str(Workspaces().place / path.name) not in held)


def under_way(store: Store) -> bool:
    """Whether the state has any run that is under way."""
    return bool(store.runs(1, statuses=UNDER_WAY))


def runner_ended(manager: Manager, names: RunNames) -> bool:
    """Whether neither a run's runner nor its ExecStopPost= is at work."""
    found = manager.result(names.runner)
    return not found.found or found.active in ("inactive", "failed")


def settle(store: Store, manager: Manager, names: RunNames) -> None:
    """End a run whose runner has ended, where its ExecStopPost= was killed too."""
    row = store.run(names.run)
    there = row is not None and row.workspace and os.path.lexists(row.workspace)
    if row is not None and (row.status in UNDER_WAY or there):
        with suppress(WorkspaceError):  # the next sweep says so
            _end_behind(store, manager, row)


def end(
    store: Store,
    manager: Manager,
    run: RunRow,
    status: Status = Status.FAILED,
    reason: str = _KILLED,
) -> None:
    """End all of a run whose runner has ended: its steps' units, its row, its workspace.

    Of several processes that do so at once the first ends it, and the others find it ended.
    The `reason` is for where its runner could not write one of its own into the row.
    Raises WorkspaceError where all but that is done.
    """
    with _alone():
        _end(store, manager, store.run(run.id) or run, status, reason)


def _end(store: Store, manager: Manager, run: RunRow, status: Status, reason: str) -> None:
    names = _names(run)
    try:
        manager.stop(names.slice)
    except BusError as error:
        if not no_such_unit(error):
            raise
    for unit in manager.units(names.steps):
        manager.reset_failed(unit.name)
    if not run.status.terminal:
        from gxo.runtime.keeping import keep_behind

        lost = keep_behind(run)
        try:
            _cut_off(store, run, status, reason, lost)
        except StoreError as error:  # on a full disk what the run left makes room
            clear(manager, run)
            _cut_off(store, run, status, f"{reason}; {error}", lost)
    clear(manager, run)


@contextmanager
def _alone() -> Iterator[None]:
    """One process at a time on this host; the kernel frees the lock with the process."""
    _LOCK.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
    descriptor = os.open(_LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _cut_off(store: Store, run: RunRow, status: Status, reason: str, lost: str) -> None:
    """Write down how a run ended that did not come to an end of its own."""
    detail = (run.detail or reason) if status is Status.FAILED else ""
    record = Record(store, run.id, Redactor(), lambda _: None)
    for step in store.steps(run.id):
        if not step.status.terminal:
            record.cut_off(step, status, detail, clock.now())
    record.run(status, detail="; ".join(filter(None, (detail, lost))), ended=clock.now())


def clear(manager: Manager, run: RunRow) -> None:
    """Remove what a run that has ended leaves on disk. Raises WorkspaceError."""
    _clear_services(manager, run.id)
    drop(f"gxorun-{run.id}.")
    if run.workspace:
        remove(COPIES.place / Path(run.workspace).name)
        remove(Path(run.workspace))


def _clear_services(manager: Manager, run: str) -> None:
    """Remove what is left of the directories of the services that a run held up.

    systemd removes them where it stops a service, but keeps them for the next start where one was
    killed or ended with its runner, and always leaves the link to those of a dynamic user.
    """
    if any(_directories(run)):
        manager.settle()  # they may be about to go
    for path in _directories(run):
        if path.is_symlink():
            path.unlink(missing_ok=True)
        else:
            remove(path)


def _directories(run: str) -> Iterator[Path]:
    return (path for place in _SERVICES for path in place.glob(f"*/{run_directories(run)}"))


def _end_behind(store: Store, manager: Manager, run: RunRow) -> None:
    try:
        end(store, manager, run)
    finally:
        manager.reset_failed(_names(run).runner)  # its failed steps have kept it loaded


def _names(run: RunRow) -> RunNames:
    return RunNames(run=run.id, playbook=run.playbook)

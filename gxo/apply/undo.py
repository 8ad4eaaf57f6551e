"""Undo: starts again what ran before a failed commit."""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from itertools import islice

from gxo.apply.change import Action, Change
from gxo.apply.event import Event, Kind, Listener, timestamp
from gxo.apply.launch import PATIENCE, Launch, name_taken
from gxo.apply.stamps import Stamps
from gxo.apply.why import why_job
from gxo.runtime.secrets import SecretError
from gxo.systemd.jobs import AT_ONCE, Job, JobResult, Jobs, Outcome
from gxo.systemd.manager import Manager, no_such_unit
from gxo.systemd.transient import mend

_STOP = 600.0
_START = 600.0
"""Seconds for all stops, and for each start; systemd's own limits end them long before."""


def undo(
    begun: Sequence[Change],
    manager: Manager,
    jobs: Jobs,
    stamps: Stamps,
    listen: Listener,
) -> tuple[str, ...]:
    """Stop what was begun and start what ran before; what could not be undone, in words.

    A run_once step is not undone. Raises SystemdError where systemd cannot be reached, and OSError.
    """
    launch = Launch(manager, jobs)
    started = [c for c in begun if c.action in (Action.START, Action.RESTART)]
    backwards = {change.make[0].name: change for change in reversed(started)}
    # what is still on its way down bars its name; the slice of them all stays where one starts
    backwards |= {n: c for c in begun if c.workload for n in c.old if n not in backwards}
    problems: list[str] = []
    for at in range(0, len(backwards), AT_ONCE):
        problems += _stop(jobs, dict(islice(backwards.items(), at, at + AT_ONCE)), listen)
    for change in started:
        manager.reset_failed(change.make[0].name)
        if change.make[0].name not in change.old:
            # one that cannot be removed is in nobody's way
            with suppress(OSError):
                stamps.drop(change.make[0].name)
    for change in begun:
        if not change.before:
            continue
        _say(listen, change, Kind.UNDOING)
        try:
            outcome = _start(launch, jobs, change, listen)
        except SecretError as error:
            failed = str(error)
        else:
            mend(change.before, manager.version)
            failed = "" if outcome.ok else why_job(outcome)
        if failed:
            problems.append(f"{change.before[0].name} could not be started again: {failed}")
        else:
            _say(listen, change, Kind.UNDONE)
    problems += (f"{c.unit} is stopped: no record says what it was" for c in begun if c.lost)
    return tuple(problems)


def _stop(jobs: Jobs, units: Mapping[str, Change], listen: Listener) -> Iterator[str]:
    """Stop units of changes, by their names; what could not be stopped, in words."""
    stops = {jobs.stop(name): change for name, change in units.items()}

    def tell(job: Job, waited: int) -> None:
        _say(listen, stops[job], Kind.WAITING, waited)

    for job, outcome in _wait(jobs, _STOP, stops, tell).items():
        if not outcome.ok and not no_such_unit(outcome.error):
            yield f"{job.unit} could not be stopped: {why_job(outcome)}"


def _start(launch: Launch, jobs: Jobs, change: Change, listen: Listener) -> Outcome:
    deadline = time.monotonic() + PATIENCE
    units = change.before
    job: Job = launch.start(units)

    def tell(_job: Job, waited: int) -> None:
        _say(listen, change, Kind.WAITING, waited)

    while True:
        outcome = _wait(jobs, _START, [job], tell)[job]
        if not name_taken(outcome) or time.monotonic() > deadline:
            return outcome
        time.sleep(0.02)
        job = launch.again(units)


def _wait(
    jobs: Jobs, limit: float, wanted: Iterable[Job], tell: Callable[[Job, int], None]
) -> dict[Job, Outcome]:
    """As Jobs.wait, and calls `tell` with a job that has not ended, about once a second."""
    begun = time.monotonic()
    while True:
        outcomes = jobs.wait(1.0, *wanted)
        waited = time.monotonic() - begun
        open_ = [job for job, found in outcomes.items() if found.result is JobResult.WAITING]
        if not open_ or waited > limit:
            return outcomes
        tell(open_[0], int(waited))


def _say(listen: Listener, change: Change, kind: Kind, waited: int = 0) -> None:
    listen(
        Event(
            time=timestamp(),
            kind=kind,
            playbook=change.playbook,
            workload=change.workload,
            unit=change.before[0].name if change.before else change.unit,
            waited=waited,
        )
    )

"""Undo: after a failed commit, what ran before runs again."""

import time
from collections.abc import Sequence

from gxo.apply.change import Action, Change
from gxo.apply.event import Event, Kind, Listener
from gxo.apply.launch import PATIENCE, Launch, name_taken
from gxo.apply.stamps import Stamps
from gxo.apply.transient import mend
from gxo.systemd.jobs import Job, Jobs, Outcome
from gxo.systemd.manager import Manager, no_such_unit
from gxo.units.model import Unit

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
    """Stop what was begun and start what ran before; what could not be, in words.

    A run_once step is not undone. Raises SystemdError where systemd cannot be reached.
    """
    launch = Launch(manager, jobs)
    problems: list[str] = []
    started = [c for c in begun if c.action in (Action.START, Action.RESTART)]
    stops = {jobs.stop(c.make[0].name): c for c in reversed(started)}
    for job, outcome in jobs.wait(_STOP, *stops).items() if stops else ():
        if not outcome.ok and not no_such_unit(outcome.error):
            problems.append(f"{job.unit} could not be stopped: {_because(outcome)}")
    for change in started:
        manager.reset_failed(change.make[0].name)
        if change.make[0].name not in change.old:
            stamps.drop(change.make[0].name)
    for change in begun:
        if not change.before:
            continue
        _say(listen, change, Kind.UNDOING)
        outcome = _start(launch, jobs, change.before)
        mend(change.before, manager.version)
        if outcome.ok:
            _say(listen, change, Kind.UNDONE)
        else:
            name = change.before[0].name
            problems.append(f"{name} could not be started again: {_because(outcome)}")
    problems += (f"{c.unit} is stopped: no record says what it was" for c in begun if c.lost)
    return tuple(problems)


def _start(launch: Launch, jobs: Jobs, units: tuple[Unit, ...]) -> Outcome:
    deadline = time.monotonic() + PATIENCE
    job: Job = launch.start(units)
    while True:
        outcome = jobs.wait(_START, job)[job]
        if not name_taken(outcome) or time.monotonic() > deadline:
            return outcome
        time.sleep(0.02)
        job = launch.again(units)


def _because(outcome: Outcome) -> str:
    return str(outcome.error) if outcome.error else f"its job ended as {outcome.result}"


def _say(listen: Listener, change: Change, kind: Kind) -> None:
    listen(
        Event(
            time=time.time_ns() // 1000,
            kind=kind,
            playbook=change.playbook,
            workload=change.workload,
            unit=change.before[0].name,
        )
    )

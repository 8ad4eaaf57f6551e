"""Instance: one turn of a schedule as a run, started and waited for by the timer's service."""

import json
import os
import signal
import sys
import time
from collections.abc import Iterable
from contextlib import suppress

from gxo.plan.codec import UnreadablePlan, UnreadableRecord
from gxo.plan.effects import effects
from gxo.runtime.given import Given
from gxo.runtime.launch import launch
from gxo.runtime.names import RunNames
from gxo.runtime.status import Status
from gxo.runtime.store import UNDER_WAY, EventRow, Store, StoreError
from gxo.runtime.sweep import runner_ended, settle, sweep
from gxo.runtime.task import Task, from_spec, to_spec
from gxo.runtime.tell import Listening
from gxo.systemd.bus import Bus, SystemdError
from gxo.systemd.manager import Manager

_BEAT = 0.02
_LONG_BEAT = 1.0
_PATIENCE = 60.0


def instance(label: str) -> int:
    """Run the task that standard input holds; its exit code. SIGTERM cancels the run."""
    return _told(label, waits=True)


def begin(label: str) -> int:
    """Start that run and leave it to itself."""
    return _told(label, waits=False)


def _told(label: str, *, waits: bool) -> int:
    try:
        return _carry_out(waits=waits)
    except (UnreadablePlan, UnreadableRecord) as error:
        _say(f"cannot run {label}: {error}; `gxo apply` the playbook again")
    except (StoreError, SystemdError) as error:
        _say(str(error))
    return 1


def _carry_out(*, waits: bool) -> int:
    task = from_spec(json.load(sys.stdin))
    (step,) = task.plan.steps
    with Store() as store, Bus.system() as bus:
        manager = Manager(bus)
        for reason in sweep(store, manager).left:
            _say(reason)
        cancel = _Cancel(manager)
        signal.signal(signal.SIGTERM, lambda *_: cancel.asked())
        if waits and (before := _under_way(store, manager, task)):
            return _wait_for(before, store, manager, cancel)
        read = {use.argument for use in effects(task.plan, "env")}
        given = Given({name: value for name, value in os.environ.items() if name in read})
        started = launch(store, manager, task, attached=waits, given=given, workload=step.name.text)
        run = started.id
        if started.events is None:
            _say(f"run {run} continues on its own")
            return 0
        cancel.started(started.names)
        with Listening(started.events, store, run) as listening:
            while listening.wait(_PATIENCE):
                _tell(listening.news())
            while not runner_ended(manager, started.names):
                time.sleep(_BEAT)
            settle(store, manager, started.names)
            _tell(listening.news())
        return _exit(store, run)


def _under_way(store: Store, manager: Manager, task: Task) -> RunNames | None:
    """The last turn's run, where it goes on though this unit's process was killed.

    One of another revision is none of its turns.
    """
    playbook = task.plan.playbook.text
    whose = playbook, task.plan.steps[0].name.text
    told = json.loads(json.dumps(to_spec(task)))
    for run in store.runs(statuses=UNDER_WAY):
        names = RunNames(run=run.id, playbook=playbook)
        if (run.playbook, run.workload) == whose and not runner_ended(manager, names):
            row = store.run(run.id)
            if row is not None and row.spec == told:
                return names
    return None


def _wait_for(names: RunNames, store: Store, manager: Manager, cancel: "_Cancel") -> int:
    """Take the place of what started it: this turn is skipped."""
    _say(f"run {names.run} is still under way: waiting for its end instead of starting another")
    cancel.started(names)
    while not runner_ended(manager, names):
        time.sleep(_LONG_BEAT)
    settle(store, manager, names)
    return _exit(store, names.run)


def _exit(store: Store, run: str) -> int:
    row = store.run(run)
    return 1 if row is None else row.status.exit_code


class _Cancel:
    """SIGTERM, handed on to the runner as soon as there is one."""

    def __init__(self, manager: Manager) -> None:
        self._manager = manager
        self._names: RunNames | None = None
        self._asked = False

    def asked(self) -> None:
        self._asked = True
        if self._names is not None:
            with suppress(SystemdError):  # it may have ended just now
                self._manager.kill(self._names.runner, signal.SIGTERM, whom="main")

    def started(self, names: RunNames) -> None:
        self._names = names
        if self._asked:
            self.asked()


def _tell(events: Iterable[EventRow]) -> None:
    """What of a run belongs beside its steps' own lines: its begin, what went wrong, its end."""
    for event in events:
        if event.event == "output":
            _say(event.detail)
        elif event.event == "warning":
            _say(f"warning: {event.detail}")
        elif not event.step:
            word = "started" if event.status == Status.RUNNING else event.status.lower()
            _say(f"run {event.run} {word}" + (f": {event.detail}" if event.detail else ""))
        elif event.detail:
            _say(f"{event.step}: {event.detail}")


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()

"""Commit: carries out changes on systemd, at the same time where their order is free."""

import time
from collections.abc import Callable, Sequence

from gxo.apply.change import Action, Change
from gxo.apply.event import Event, Kind, Listener, never, timestamp
from gxo.apply.launch import PATIENCE, Launch, name_taken
from gxo.apply.record import Outcome as RunOutcome
from gxo.apply.stamps import Stamps, persistent
from gxo.apply.why import describe_stop, probe, why, why_job, why_unsettled
from gxo.dataclass import dataclass, field
from gxo.runtime.secrets import SecretError
from gxo.spec.lifecycle import SECOND
from gxo.systemd.bus import SystemdError
from gxo.systemd.jobs import AT_ONCE, Job, Jobs, Outcome
from gxo.systemd.manager import Manager, no_such_unit
from gxo.systemd.transient import mend
from gxo.units.model import UnitType

Ran = Callable[[Change, RunOutcome], None]
"""Hears how each run_once step ended, at once."""
_BEAT = 0.1
"""Seconds between looks at units that settle, and between tries for a name that is taken."""


@dataclass(frozen=True, slots=True)
class Failure:
    """A change that failed; `since` is when it began, in microseconds since 1970."""

    change: Change
    reason: str
    since: int
    invocation: str = ""


@dataclass(slots=True)
class Committed:
    """The changes that were begun, in order, and those that failed."""

    begun: list[Change] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)


@dataclass(slots=True)
class _Task:
    """A change under way."""

    change: Change
    since: int
    jobs: set[Job] = field(default_factory=set)
    starting: bool = False
    due: float | None = None
    """When it will have settled, or if not `settling` when to try again; monotonic seconds."""
    settling: bool = False
    patience: float = 0.0
    mended: bool = True
    """systemd's files of its units have been replaced where they must be (systemd/transient.py)."""
    owed: tuple[str, int] | None = None
    """The old timer, kept loaded, and when it would have elapsed next."""


class Commit:
    """One commit. `ran` is called with the outcome of each run_once step as soon as it ends.

    With `restoring` stamps are left alone and nothing has to settle. `cancelled` is polled.
    """

    def __init__(
        self,
        manager: Manager,
        jobs: Jobs,
        *,
        stamps: Stamps,
        listen: Listener,
        ran: Ran,
        restoring: bool = False,
        cancelled: Callable[[], bool] = never,
    ) -> None:
        self.manager = manager
        self.jobs = jobs
        self.launch = Launch(manager, jobs)
        self.systemd = manager.version
        self.stamps = stamps
        self.listen = listen
        self.ran = ran
        self.restoring = restoring
        self.cancelled = cancelled
        self.result = Committed()
        self._tasks: list[_Task] = []
        self._ready: list[Change] = []
        self._waited = 0
        self._behind: dict[tuple[str, str], list[tuple[Change, set[tuple[str, str]]]]] = {}
        self._looked = 0.0

    def run(self, changes: Sequence[Change]) -> Committed:
        """Stop units, then start slices, then parts in their order.

        After a failure nothing new begins, and what is under way ends. Raises SystemdError where
        systemd cannot be reached, and KeyboardInterrupt once `cancelled` holds: `result` then has
        what was done so far.
        """
        active = [change for change in changes if change.action is not Action.NONE]
        stops = [change for change in active if change.action is Action.STOP]
        slices = [change for change in active if change.make and change.part is None]
        parts = [change for change in active if change.part is not None]
        for stage in (stops, slices, parts):
            if self.restoring or not self.result.failures:
                self._stage(stage)
        return self.result

    @property
    def running(self) -> list[str]:
        """The steps that have not ended."""
        return [task.change.label for task in self._tasks if task.change.action is Action.RUN]

    def _stage(self, changes: Sequence[Change]) -> None:
        here = {(change.playbook, change.workload) for change in changes if change.part}
        ready: list[Change] = []
        for change in changes:
            after = change.part.after if change.part else ()
            waits = {key for name in after if (key := (change.playbook, name)) in here}
            if waits:
                for key in waits:
                    self._behind.setdefault(key, []).append((change, waits))
            else:
                ready.append(change)
        self._ready = ready
        while True:
            if self.cancelled():
                raise KeyboardInterrupt
            while self._ready and self._room and (self.restoring or not self.result.failures):
                self._begin(self._ready.pop(0))
            if not self._tasks:
                return
            self._step()

    def finish_restarts(self) -> None:
        """After a KeyboardInterrupt: what was stopped only to be started again comes up.

        All else that is under way is systemd's to end; nothing new begins.
        """
        self._tasks = [task for task in self._tasks if task.change.action is Action.RESTART]
        while not all(task.settling for task in self._tasks):
            self._step()

    def _step(self) -> None:
        ended = self.jobs.ended(self._pause())
        self._tell_waiting()
        self._mend_files()
        self._look(ended)

    @property
    def _room(self) -> bool:
        """More may be asked of systemd; what settles has no job any more."""
        return sum(bool(task.jobs) for task in self._tasks) < AT_ONCE

    def _pause(self) -> float:
        busy = any(task.due is not None or not task.mended for task in self._tasks)
        return _BEAT if busy else 1.0

    def _tell_waiting(self) -> None:
        """Report the change that has been under way the longest, once a second."""
        oldest = min(self._tasks, key=lambda task: task.since)
        waited = (timestamp() - oldest.since) // SECOND
        if waited and waited != self._waited:
            self._waited = waited
            self._say(oldest.change, Kind.WAITING, waited=waited)

    def _mend_files(self) -> None:
        """Replace systemd's files as soon as they exist: a step may reload systemd as it runs."""
        for task in self._tasks:
            if not task.mended:
                task.mended = mend(task.change.make, self.systemd)

    def _begin(self, change: Change) -> None:
        task = _Task(change=change, since=timestamp())
        self._tasks.append(task)
        self.result.begun.append(change)
        if change.old:
            self._say(change, Kind.STOPPING, change.reason)
            if change.action is Action.RESTART:
                self._watch_timer(task)
            task.jobs = {self.jobs.stop(name) for name in change.old}
        else:
            self._make(task)

    def _make(self, task: _Task) -> None:
        change = task.change
        task.starting = True
        if change.action is Action.STOP:
            self._end(task, Kind.STOPPED, self._forget(change.old, task.since))
            return
        run = change.action is Action.RUN
        self._say(change, Kind.RUNNING if run else Kind.STARTING, change.reason)
        task.patience = time.monotonic() + PATIENCE
        if not self.restoring:
            old = next((unit for unit in change.before if unit.type is UnitType.TIMER), None)
            self.stamps.renew(change.make[0], old, task.since)
        main = change.make[0].name
        try:
            task.jobs = {self.jobs.start(main) if change.adopt else self.launch.start(change.make)}
        except SecretError as error:
            self._fail(task, str(error))
            return
        task.mended = False

    def _look(self, outcomes: Sequence[Outcome]) -> None:
        by_job = {job: task for task in self._tasks for job in task.jobs}
        for outcome in outcomes:
            task = by_job.get(outcome.job)
            if task is None:
                continue
            task.jobs.discard(outcome.job)
            if task.starting:
                self._started(task, outcome)
            else:
                self._stopped(task, outcome)
        self._check_due()

    def _stopped(self, task: _Task, outcome: Outcome) -> None:
        if not outcome.ok and not no_such_unit(outcome.error):
            self._fail(task, f"cannot stop {outcome.job.unit}: {why_job(outcome)}")
        elif not task.jobs:
            self._make(task)

    def _started(self, task: _Task, outcome: Outcome) -> None:
        change = task.change
        if outcome.ok:
            self._pay(task)
            settle = change.part.settle if change.part and not self.restoring else 0
            if change.action is Action.RUN:
                digest = change.make[0].digest
                self._end(task, Kind.RAN)
                self.ran(change, RunOutcome(digest=digest, ok=True, ended=timestamp()))
            elif settle:
                self._say(change, Kind.SETTLING)
                task.settling = True
                task.due = time.monotonic() + settle / SECOND
            else:
                self._end(task, Kind.STARTED)
        elif name_taken(outcome) and time.monotonic() < task.patience:
            task.due = time.monotonic() + _BEAT / 4
        elif outcome.job.verb == "start" and no_such_unit(outcome.error):
            # the step under way has ended since it was seen, and its outcome is lost
            task.jobs = {self.launch.start(change.make)}
        else:
            self._fail_start(task, outcome)

    def _check_due(self) -> None:
        now = time.monotonic()
        for task in [task for task in self._tasks if task.due and not task.settling]:
            if task.due and task.due <= now:
                task.due = None
                task.jobs = {self.launch.again(task.change.make)}
        settling = {task.change.unit: task for task in self._tasks if task.settling}
        if not settling or now - self._looked < _BEAT / 2:
            return
        self._looked = now
        for name, state in self.manager.named(*settling).items():
            task = settling[name]
            if state.active not in ("active", "reloading", "refreshing"):
                self._fail_settling(task)
            elif task.due and task.due <= now:
                if self.manager.result(name).restarts:
                    self._fail_settling(task)
                else:
                    self._end(task, Kind.STARTED)

    def _forget(self, stopped: Sequence[str], since: int) -> str:
        """Reset units that failed as they were stopped; how they ended, in words.

        A unit that had failed before the stop, as a job last night, is reset without a word.
        """
        said = []
        for name, state in self.manager.named(*stopped).items():
            if state.active == "failed":
                found = self.manager.result(name)
                said.append(describe_stop(found) if found.ended >= since else "")
                self.manager.reset_failed(name)
        return "; ".join(dict.fromkeys(filter(None, said)))

    def _fail_start(self, task: _Task, outcome: Outcome) -> None:
        if outcome.error is not None:
            self._fail(task, f"systemd refused it: {outcome.error}")
            return
        unit = task.change.make[0]
        found = self.manager.result(unit.name)
        before, after = self._around(unit.name)
        probed = after if probe(unit) else 0
        reason = why(unit, outcome.result, found, probed=probed, before=before)
        self._fail(task, reason, found.invocation)

    def _around(self, name: str) -> tuple[int, int]:
        """The exit statuses of a failed ExecStartPre= and ExecStartPost=, 0 for none."""
        kinds = ("ExecStartPre", "ExecStartPost")
        read = self.manager.properties(name, kinds)
        # a row of org.freedesktop.systemd1(5) ends in PID, code and status
        ends = [[int(row[-1]) for row in read.get(kind, ())] for kind in kinds]
        before, after = (next(filter(None, statuses), 0) for statuses in ends)
        return before, after

    def _fail_settling(self, task: _Task) -> None:
        part = task.change.part
        assert part is not None
        found = self.manager.result(task.change.unit)
        reason = why_unsettled(found, part.settle)
        self._fail(task, reason, found.invocation)

    def _fail(self, task: _Task, reason: str, invocation: str = "") -> None:
        change = task.change
        self.result.failures.append(Failure(change, reason, task.since, invocation))
        self._end(task, Kind.FAILED, reason)
        if change.action is Action.RUN:
            digest = change.make[0].digest
            self.ran(change, RunOutcome(digest=digest, ok=False, ended=timestamp(), detail=reason))

    def _end(self, task: _Task, kind: Kind, detail: str = "") -> None:
        self._tasks.remove(task)
        self._say(task.change, kind, detail)
        key = (task.change.playbook, task.change.workload)
        for change, waits in self._behind.pop(key, ()) if task.change.part else ():
            waits.discard(key)
            if not waits:
                self._ready.append(change)

    def _watch_timer(self, task: _Task) -> None:
        """Note when the old timer will elapse, and keep it loaded, to ask later whether it did.

        For a persistent timer systemd does that by itself, by its stamp.
        """
        timer, new = task.change.old[0], task.change.make[0]
        # a timer that is kept loaded could not start again under the same name
        if not timer.endswith(".timer") or persistent(new) or timer == new.name:
            return
        try:
            self.manager.ref(timer)
            read = self.manager.properties(timer, ("NextElapseUSecRealtime",))
        except SystemdError:
            return
        task.owed = (timer, int(read.get("NextElapseUSecRealtime", 0)))

    def _pay(self, task: _Task) -> None:
        """Start the job of a turn that was due between the old timer's stop and the new start."""
        if task.owed is None:
            return
        timer, due = task.owed
        last = int(self.manager.properties(timer, ("LastTriggerUSec",)).get("LastTriggerUSec", 0))
        self.manager.unref(timer)
        if 0 < due <= timestamp() and last < due:
            self.jobs.start(task.change.make[1].name)

    def _say(self, change: Change, kind: Kind, detail: str = "", waited: int = 0) -> None:
        self.listen(
            Event(
                time=timestamp(),
                kind=kind,
                playbook=change.playbook,
                workload=change.workload,
                unit=change.unit,
                detail=detail,
                waited=waited,
            )
        )

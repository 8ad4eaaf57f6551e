"""Runner: carries out a run's steps as transient units, and writes down what becomes of them."""

import heapq
import os
import random
import time
from collections.abc import Iterable
from contextlib import suppress
from itertools import count

from gxo.plan.model import Step
from gxo.plan.streams import Group
from gxo.runtime import clock
from gxo.runtime.ahead import Ahead
from gxo.runtime.attempt import Result
from gxo.runtime.chores import Chores
from gxo.runtime.command import BadParams
from gxo.runtime.door import DoorError
from gxo.runtime.held import CannotHold, Held
from gxo.runtime.joint import CannotJoin
from gxo.runtime.means import Means
from gxo.runtime.progress import BadLoop, Item, Progress, begin, delay, own_names
from gxo.runtime.status import Status
from gxo.runtime.streams import Streams
from gxo.spec.lifecycle import RunOnce, Supervise
from gxo.systemd.jobs import AT_ONCE
from gxo.template.fault import Fault
from gxo.template.value import Data
from gxo.units.steps import NOTIFY

_BEAT = 1.0
_PATIENCE = 60.0
"""Seconds for what was set up in vain to go."""
_AHEAD = 1 + (os.cpu_count() or 1)
"""Steps set up at once: a processor each, and one that is ready."""


class Runner:
    """One run, from its first step to its end."""

    def __init__(self, means: Means, registered: dict[str, Data]) -> None:
        self.task = means.task
        self._places = min(self.task.jobs, AT_ONCE)
        self.means = means
        self._registered = registered
        self._steps = {
            step.name.text: step
            for step in means.plan.steps
            if isinstance(step.lifecycle, RunOnce | Supervise)
        }
        self._ready: list[str] = []
        self._progress: dict[str, Progress] = {}
        self._attempts = means.attempts
        self._ahead = Ahead(self._steps, means.order, _AHEAD)
        self._timers: list[tuple[float, int, Progress, Item]] = []
        self._tick = count()
        self._chance = random.SystemRandom()
        self._cancelled = self._stopping = False
        self._held = Held(means, self._up, self._held_over)
        self._streams = Streams(means, self._member_over)
        self._chores = Chores(means, lambda: self._cancelled)

    def run(self) -> Status:
        """Start steps until none runs and none may start. Raises SystemdError where the bus is
        lost.
        """
        order = self.means.order
        self._queue(order.first())
        while True:
            self._start_ready()
            busy = self._attempts or self._timers or self._ready or self._streams
            idle = not busy and not self._must_stop  # what was to begin then is to end yet
            if idle and not self._held.unsettled and not self._held.release(order.wanted()):
                break
            self._look_ahead()
            self._wait()
        self._attempts.finish(_PATIENCE)
        status = self._ended()
        self._notify(status)
        return status

    def cancel(self) -> None:
        """Stop the steps that run and start no more. May be called from a signal handler."""
        self._cancelled = True

    def _ended(self) -> Status:
        """How the run ended: a cancelled one that came to all its steps in time is Completed."""
        end = self.means.order.end()
        left = any(not self.means.order.status[name].terminal for name in self._steps)
        return Status.CANCELLED if self._cancelled and left and end is Status.COMPLETED else end

    def _notify(self, status: Status) -> None:
        """Tell of the run's end. A cancelled run has neither succeeded nor failed."""
        plan = self.task.plan
        lists = {
            Status.COMPLETED: ("on_success", plan.on_success),
            Status.FAILED: ("on_failure", plan.on_failure),
        }
        name, actions = lists.get(status, ("", ()))
        if actions and not self._cancelled:
            self._chores.begin(name, actions, self.task.frames[NOTIFY], lambda: None)
            while self._attempts:
                self._wait()

    def _wait(self) -> None:
        due = self._timers[0][0] - time.monotonic() if self._timers else _BEAT
        due = min(due, _BEAT, self._held.wait, self._streams.wait)
        self._attempts.wait(due, lambda: self._must_stop or self._held.news)
        if self._must_stop:
            self._stop_all()
        self._held.look()
        self._streams.look()
        while self._timers and self._timers[0][0] <= time.monotonic():
            _, _, progress, item = heapq.heappop(self._timers)
            self._attempt(progress, item)

    @property
    def _must_stop(self) -> bool:
        """Whether the run was cancelled and its steps have not been stopped yet."""
        return self._cancelled and not self._stopping

    def _stop_all(self) -> None:
        """Stop the steps that run; those that wait, for an attempt or a place, wait no longer."""
        self._stopping = True
        waiting, self._timers = self._timers, []
        for _, _, progress, item in waiting:
            self._item_over(progress, item, None, item.detail)
        for progress in tuple(self._progress.values()):
            progress.stop()
            if progress.over:
                self._end(progress)
        self._attempts.stop()
        self._held.cancel()
        self._streams.cancel()

    def _start_ready(self) -> None:
        order = self.means.order
        while self._ready and not self._cancelled and len(self._attempts) < self._places:
            name = self._ready.pop(0)
            if order.may_start(name):
                group = order.group(name)
                if group is None:
                    self._begin(self._steps[name])
                else:
                    self._begin_group(group)
        if not self._ready and len(self._attempts) < self._places:
            for progress in tuple(self._progress.values()):
                self._advance(progress)
        if self._cancelled:
            self._ready.clear()

    def _look_ahead(self) -> None:
        """Set up steps that are to follow, and give up those that will not."""
        for name in self._ahead.lost(self._attempts.prepared):
            self._attempts.drop(name)
        if not self._cancelled:
            for name in self._ahead.next(tuple(self._progress), self._attempts.prepared):
                with suppress(Fault, BadParams, DoorError):  # told when its time comes
                    self._attempts.prepare(
                        self.means.doing(self._steps[name]), self.means.scopes.now()
                    )

    def _begin(self, step: Step) -> None:
        now = clock.now()
        try:
            progress = begin(step, self.means.scopes, now)
        except (Fault, BadLoop) as error:
            self._settle(step, Status.FAILED, detail=self._said(error), started=now)
            return
        if progress is None:
            self._settle(step, Status.SKIPPED, started=now)
            return
        if isinstance(step.lifecycle, Supervise):
            self._hold(step, now)
            return
        self._under_way(progress)
        self._advance(progress)

    def _begin_group(self, group: Group) -> None:
        now = clock.now()
        try:
            joint = self._streams.join(group, now)
        except CannotJoin as error:
            step = self._steps[error.step]
            self._settle(step, Status.FAILED, detail=self._said(error), started=now)
            return
        for name in group.members:
            if name not in joint.members:
                self._settle(self._steps[name], Status.SKIPPED, started=now)
        for progress in joint.members.values():
            for item in progress.next():
                item.status, item.attempts, item.started = Status.RUNNING, 1, now
            self._under_way(progress)
        self._streams.start(joint)

    def _under_way(self, progress: Progress) -> None:
        name = progress.step.name.text
        self._progress[name] = progress
        self.means.record.step(name, Status.RUNNING, started=progress.started)
        self._move(progress.step, Status.RUNNING)

    def _hold(self, step: Step, now: int) -> None:
        try:
            self._held.start(step, now)
        except CannotHold as error:
            self._settle(step, Status.FAILED, detail=self._said(error), started=now)
            return
        self.means.record.step(step.name.text, Status.RUNNING, started=now)
        self._move(step, Status.RUNNING)

    def _up(self, step: Step) -> None:
        self._queue(self.means.order.up(step.name.text))

    def _held_over(self, step: Step, status: Status, began: int, detail: str) -> None:
        self._settle(step, status, started=began, detail=detail)

    def _advance(self, progress: Progress) -> None:
        """Start the items of a step that may run now, and end it where none is left."""
        if not self._cancelled:
            for item in progress.next():
                self._attempt(progress, item)
                if len(self._attempts) >= self._places:
                    break
        if progress.over and progress.step.name.text in self._progress:
            self._end(progress)

    def _attempt(self, progress: Progress, item: Item) -> None:
        step = progress.step
        item.status, item.attempts = Status.RUNNING, item.attempts + 1
        item.started = item.started or clock.now()
        try:
            scope = self.means.scopes.now(**own_names(progress, item))
            self._attempts.begin(
                self.means.doing(step),
                scope,
                lambda result: self._attempt_over(progress, item, result),
            )
        except (Fault, BadParams, DoorError) as error:
            self._item_over(progress, item, None, self._said(error))

    def _member_over(self, progress: Progress, result: Result) -> None:
        """A member of a group has ended, which is no loop."""
        self._attempt_over(progress, progress.items[0], result)

    def _attempt_over(self, progress: Progress, item: Item, result: Result) -> None:
        retry = progress.step.retry
        again = not (result.ok or result.cancelled or result.fatal or self._cancelled)
        if again and retry is not None and item.attempts < retry.attempts:
            wait = delay(retry, item.attempts, self._chance) / 1e6
            self.means.record.retry(progress.step.name.text, item, result.detail, wait)
            due = time.monotonic() + wait
            heapq.heappush(self._timers, (due, next(self._tick), progress, item))
            return
        self._item_over(progress, item, result, result.detail)

    def _item_over(
        self, progress: Progress, item: Item, result: Result | None, detail: str
    ) -> None:
        item.ended, item.detail = clock.now(), detail
        item.fatal = bool(result and result.fatal)
        item.summary = result.summary if result else None
        if (self._cancelled and not (result and result.ok)) or (result and result.cancelled):
            progress.close(item, Status.CANCELLED)
        else:
            progress.close(item, Status.COMPLETED if result and result.ok else Status.FAILED)
        if result and item.status is Status.FAILED:
            self.means.record.output(progress.step.name.text, item, result.last_words)
        if progress.looped:
            self.means.record.item(progress.step.name.text, item)
        self._advance(progress)

    def _end(self, progress: Progress) -> None:
        step = progress.step
        del self._progress[step.name.text]
        found = {item.status for item in progress.items}
        bad = next((s for s in (Status.FAILED, Status.CANCELLED) if s in found), None)
        if bad is None and progress.waiting:
            bad = Status.CANCELLED
        failed = progress.failed
        self._settle(
            step,
            bad or Status.COMPLETED,
            detail=failed.detail if failed else "",
            started=progress.started,
            progress=progress,
        )

    def _settle(
        self,
        step: Step,
        status: Status,
        *,
        started: int,
        detail: str = "",
        progress: Progress | None = None,
    ) -> None:
        summary = progress.summary if progress else None
        kept = self.means.redactor.data(summary)
        if step.register is not None:
            self._registered[step.register.text] = kept
        attempts = max((item.attempts for item in progress.items), default=0) if progress else 0
        self.means.record.step(
            step.name.text,
            status,
            started=started,
            ended=clock.now(),
            detail=detail,
            summary=kept,
            attempts=attempts,
        )
        if progress and any(item.fatal for item in progress.items):
            self.means.order.fail()
        if status is Status.FAILED and step.on_failure and not self._cancelled:
            self._compensate(step)
        self._move(step, status)

    def _compensate(self, step: Step) -> None:
        """Run a step's `on_failure`; what watches the step's status starts when that has ended."""
        name = step.name.text
        self.means.order.mending(name)

        def done() -> None:
            self._queue(self.means.order.mended(name))

        # the status that its templates read is the new one
        self.means.order.status[name] = Status.FAILED
        frame = self.task.frames[name]
        self._chores.begin(f"{name}/on_failure", step.on_failure, frame, done)

    def _move(self, step: Step, status: Status) -> None:
        self._queue(self.means.order.move(step.name.text, status))

    def _queue(self, names: Iterable[str]) -> None:
        """Note steps that may start, leaving out workloads that are no part of a run."""
        self._ready += [n for n in names if n in self._steps and n not in self._ready]

    def _said(self, error: Exception) -> str:
        return self.means.redactor.text(str(error))

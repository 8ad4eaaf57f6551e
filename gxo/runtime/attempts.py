"""Attempts: the starts of steps' actions that are under way in a run."""

import os
import time
from collections import Counter, deque
from collections.abc import Callable
from functools import partial

from gxo.dataclass import replace
from gxo.runtime.attempt import Attempt, Result, Written
from gxo.runtime.capture import Answer, Capture
from gxo.runtime.command import Escape
from gxo.runtime.door import Door
from gxo.runtime.gate import Gate, gated
from gxo.runtime.handed import Handed
from gxo.runtime.names import RunNames
from gxo.runtime.redact import Redactor
from gxo.runtime.start import Doing, Start, start_of
from gxo.runtime.step_unit import step_properties
from gxo.systemd.jobs import Job, Jobs, Outcome
from gxo.systemd.manager import Manager
from gxo.template.evaluate import Scope
from gxo.template.value import Data

Ended = Callable[[Result], None]
Over = Callable[[Outcome], None]
Told = Callable[[str], None]


def _ignore(_line: str) -> None:
    pass


class Attempts:
    """The attempts of a run under way, and those set up ahead of their time. `line` gets each line
    that a step writes: the step, the stream, the text.
    """

    def __init__(
        self,
        *,
        manager: Manager,
        jobs: Jobs,
        redactor: Redactor,
        names: RunNames,
        workspace: str,
        door: Door,
        line: Callable[[str, str, str], None],
    ) -> None:
        self.jobs = jobs
        self._manager = manager
        self._redactor = redactor
        self._names = names
        self._workspace = workspace
        self._door = door
        self._line = line
        self._units: Counter[str] = Counter()
        self._under_way: dict[Job, Attempt] = {}
        self._told: dict[Job, Ended] = {}
        self._expected: dict[Job, Over] = {}
        self._prepared: dict[str, tuple[Attempt, Gate]] = {}
        self._at_once: deque[tuple[Ended, Result]] = deque()

    def __len__(self) -> int:
        """How many attempts run; those only set up ahead do not count."""
        return len(self._told) + len(self._at_once)

    def begin(self, doing: Doing, scope: Scope, ended: Ended) -> None:
        """Start an action, or let go what was set up for it; `ended` gets its result. Raises Fault,
        BadParams, DoorError.
        """
        try:
            self._begin(doing, scope, ended)
        except Escape as error:
            said = self._redactor.text(str(error))
            self._line(doing.step, "security", f"security: {said}")
            summary: Data = {"security": said}
            result = Result(ok=False, summary=summary, detail=f"security: {said}", fatal=True)
            self._at_once.append((ended, result))

    def _begin(self, doing: Doing, scope: Scope, ended: Ended) -> None:
        if self._at_hand(doing, scope, ended):
            return
        attempt = self._let_start(doing.step)
        if attempt is None:
            self.start(self.ready(doing, scope), ended)
        else:
            self._told[attempt.job] = ended

    def _at_hand(self, doing: Doing, scope: Scope, ended: Ended) -> bool:
        """Evaluate a module that touches nothing outside here in the runner; whether it was one."""
        if doing.action.module.text == "exec":
            return False
        from gxo.runtime.work import is_pure, pure

        if not is_pure(doing.action.module.text):
            return False
        # told in `wait`, not here: what starts next would start within this call, and so on
        self._at_once.append((ended, pure(doing.action, scope, doing.span)))
        return True

    def ready(self, doing: Doing, scope: Scope) -> Start:
        """Evaluate an action's templates, and let its user into the workspace. Raises Fault,
        BadParams, DoorError.
        """
        self._door.let_in(doing.frame.user)
        return start_of(doing, scope, self._workspace)

    def start(
        self,
        start: Start,
        ended: Ended,
        inputs: tuple[int, ...] = (),
        output: int | None = None,
        told: Told = _ignore,
    ) -> str:
        """Start an action that is ready; the name of its unit. The ends of its streams stay the
        caller's. `told` gets each line in which a worker tells how far its streams have come.
        """
        handed = Handed(given=start.given, inputs=inputs, output=output, answers=start.works)
        attempt = self._start(start, handed, told)
        self._told[attempt.job] = self._judged(start.doing.step, ended) if start.works else ended
        return attempt.unit

    def _judged(self, step: str, ended: Ended) -> Ended:
        """The callback for a worker, whose result is what it answered."""
        from gxo.runtime.work import answered

        def over(result: Result) -> None:
            found = answered(result, self._redactor)
            if found.fatal:
                self._line(step, "security", self._redactor.text(found.detail))
            ended(found)

        return over

    def _let_start(self, step: str) -> Attempt | None:
        """Open the gate of what was set up for a step; None where there is nothing to open.

        A set-up that has failed does not count: what the step waited for may have made what was
        missing.
        """
        if step not in self._prepared:
            return None
        attempt, gate = self._prepared.pop(step)
        if attempt.job not in self._under_way:
            gate.close()
            return None
        gate.open()
        return attempt

    def prepare(self, doing: Doing, scope: Scope) -> None:
        """Set up a unit that waits for `begin` or `drop`. Raises Fault, BadParams, DoorError."""
        start = self.ready(doing, scope)
        command = gated(start.command)
        if command is not None:
            gate = Gate.make()
            try:
                attempt = self._start(
                    replace(start, command=command), Handed(inputs=(gate.reader,))
                )
            finally:
                os.close(gate.reader)
            self._prepared[doing.step] = attempt, gate

    @property
    def prepared(self) -> tuple[str, ...]:
        """The steps that are set up and wait."""
        return tuple(self._prepared)

    def drop(self, step: str) -> None:
        """Give up what was set up for a step."""
        _, gate = self._prepared.pop(step)
        gate.close()

    def wait(self, seconds: float, until: Callable[[], bool]) -> None:
        """Wait until an attempt has ended, `until` holds, or the time is up."""
        if self._at_once:
            self.jobs.loop.poll()
        else:
            under_way = len(self._under_way)
            self.jobs.loop.run(
                lambda: self.jobs.news or len(self._under_way) != under_way or until(),
                max(seconds, 0.0),
            )
        for _ in range(len(self._at_once)):
            ended, result = self._at_once.popleft()
            ended(result)
        for outcome in self.jobs.ended(0):
            if outcome.job in self._under_way:
                self._under_way[outcome.job].over(outcome)
            elif outcome.job in self._expected:
                self._expected.pop(outcome.job)(outcome)
        for attempt in tuple(self._under_way.values()):
            attempt.look()

    def expect(self, job: Job, over: Over) -> None:
        """Have `over` called, within `wait`, at the end of a job that is none of an attempt's."""
        self._expected[job] = over

    def finish(self, seconds: float) -> None:
        """Give up all that is set up ahead, and wait until it has gone."""
        for step in self.prepared:
            self.drop(step)
        deadline = time.monotonic() + seconds
        while self._under_way and time.monotonic() < deadline:
            self.wait(deadline - time.monotonic(), lambda: False)

    def stop(self, unit: str | None = None) -> None:
        """Have systemd stop one unit, or all of the run's steps."""
        self.jobs.stop(unit or self._names.slice)

    def _start(self, start: Start, handed: Handed, told: Told = _ignore) -> Attempt:
        step = start.doing.step
        unit = self._names.step(step, self._units[step])
        self._units[step] += 1
        writes = handed.output is not None
        properties = step_properties(self._names, unit, start, self._workspace, writes=writes)
        written = Written(
            Capture(self._redactor, partial(self._line, step, "stdout")),
            Capture(self._redactor, partial(self._line, step, "stderr")),
            Answer(told),
        )
        attempt = Attempt(self._manager, self.jobs, unit, properties, handed, written, self._over)
        self._under_way[attempt.job] = attempt
        return attempt

    def _over(self, attempt: Attempt, result: Result) -> None:
        del self._under_way[attempt.job]
        ended = self._told.pop(attempt.job, None)
        if ended is not None:
            ended(result)

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
    """What a run does at the moment. `line` gets each line a step writes: step, stream, text."""

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
        """How many run; what is only prepared does not."""
        return len(self._told) + len(self._at_once)

    def begin(self, doing: Doing, scope: Scope, ended: Ended) -> None:
        """Start it; `ended` is told how it ended. Raises Fault, BadParams, DoorError."""
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
        """Whether it was done here and now, as what touches nothing outside is."""
        if doing.action.module.text == "exec":
            return False
        from gxo.runtime.work import is_pure, pure

        if not is_pure(doing.action.module.text):
            return False
        # told in `wait`, not here: what starts next would start within this call, and so on
        self._at_once.append((ended, pure(doing.action, scope, doing.span)))
        return True

    def ready(self, doing: Doing, scope: Scope) -> Start:
        """All that it takes to start it. Raises Fault, BadParams, DoorError."""
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
        """Start what is ready, with the ends of its streams, which stay the caller's; its unit.

        A worker tells by lines how far its streams are.
        """
        handed = Handed(given=start.given, inputs=inputs, output=output, answers=start.works)
        attempt = self._start(start, handed, told)
        self._told[attempt.job] = self._judged(start.doing.step, ended) if start.works else ended
        return attempt.unit

    def _judged(self, step: str, ended: Ended) -> Ended:
        """Tells how a worker ended, by what it answered."""
        from gxo.runtime.work import answered

        def over(result: Result) -> None:
            found = answered(result, self._redactor)
            if found.fatal:
                self._line(step, "security", self._redactor.text(found.detail))
            ended(found)

        return over

    def _let_start(self, step: str) -> Attempt | None:
        """The attempt that was prepared, if it is still waiting. One that could not be set up does
        not count: what the step waited for may have made what was missing.
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
        """Set its unit up, to wait for `begin` or `drop`. Raises Fault, BadParams, DoorError."""
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
        """The steps that were set up and wait."""
        return tuple(self._prepared)

    def drop(self, step: str) -> None:
        """Give up what was prepared."""
        _, gate = self._prepared.pop(step)
        gate.close()

    def wait(self, seconds: float, until: Callable[[], bool]) -> None:
        """Until one has ended, `until` holds, or the time is up."""
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
        """A job of another's on the same bus, whose end `over` is told within `wait`."""
        self._expected[job] = over

    def finish(self, seconds: float) -> None:
        """Let go of all that is prepared, and see it gone."""
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

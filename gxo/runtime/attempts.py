"""Attempts: the starts of steps' actions that are under way in a run."""

from collections.abc import Callable
from dataclasses import dataclass

from gxo.plan.model import Action
from gxo.runtime.attempt import Attempt, Result
from gxo.runtime.command import command_of
from gxo.runtime.redact import Redactor
from gxo.runtime.step_unit import RunNames, step_properties
from gxo.source import Span
from gxo.systemd.jobs import Job, Jobs
from gxo.systemd.manager import Manager
from gxo.template.evaluate import Scope
from gxo.units.steps import Frame


@dataclass(frozen=True, slots=True, kw_only=True)
class Doing:
    """One thing to do: an action, in the name of a step. `number` counts that step's units."""

    step: str
    number: int
    action: Action
    frame: Frame
    span: Span


class Attempts:
    """What a run does at the moment. `line` gets each line a step writes: step, stream, text."""

    def __init__(
        self,
        manager: Manager,
        jobs: Jobs,
        redactor: Redactor,
        names: RunNames,
        workspace: str,
        line: Callable[[str, str, str], None],
    ) -> None:
        self.jobs = jobs
        self._manager = manager
        self._redactor = redactor
        self._names = names
        self._workspace = workspace
        self._line = line
        self._under_way: dict[Job, Attempt] = {}

    def __len__(self) -> int:
        return len(self._under_way)

    def begin(self, doing: Doing, scope: Scope, ended: Callable[[Result], None]) -> None:
        """Start it; `ended` is told how it ended. Raises Fault, BadParams where it cannot be."""
        command = command_of(doing.action, scope, doing.span)
        unit = self._names.step(doing.step, doing.number)
        attempt = Attempt(
            self._manager,
            self.jobs,
            unit,
            step_properties(self._names, doing.step, unit, doing.frame, self._workspace, command),
            self._redactor,
            lambda stream, text: self._line(doing.step, stream, text),
            lambda attempt, result: self._over(attempt, result, ended),
        )
        self._under_way[attempt.job] = attempt

    def wait(self, seconds: float, until: Callable[[], bool]) -> None:
        """Until one has ended, `until` holds, or the time is up."""
        under_way = len(self)
        self.jobs.loop.run(
            lambda: self.jobs.news or len(self) != under_way or until(), max(seconds, 0.0)
        )
        for outcome in self.jobs.ended(0):
            if outcome.job in self._under_way:
                self._under_way[outcome.job].over(outcome)

    def stop(self) -> None:
        """Have systemd stop all units of the run's steps."""
        self.jobs.stop(self._names.slice)

    def _over(self, attempt: Attempt, result: Result, ended: Callable[[Result], None]) -> None:
        del self._under_way[attempt.job]
        ended(result)

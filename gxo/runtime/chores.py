"""Chores: processes that run because a step or the run has ended: `on_failure`, `on_success`."""

from collections.abc import Callable, Iterator, Sequence

from gxo.dataclass import dataclass
from gxo.plan.model import Action
from gxo.runtime import clock
from gxo.runtime.attempt import Result
from gxo.runtime.command import BadParams
from gxo.runtime.door import DoorError
from gxo.runtime.means import Means
from gxo.runtime.progress import Item
from gxo.runtime.start import Doing
from gxo.runtime.status import Status
from gxo.template.fault import Fault
from gxo.units.steps import Frame


@dataclass(frozen=True, slots=True)
class Chores:
    """Runs a list of actions one after another, whatever became of those before.

    A cancelled run ends the list. So does an action with a path that led out of where it may work:
    that fails the run. Each is a step of its own, by its list and number: `build/on_failure.1`.
    """

    means: Means
    cancelled: Callable[[], bool]

    def begin(
        self, name: str, actions: Sequence[Action], frame: Frame, done: Callable[[], None]
    ) -> None:
        """Start the first; `done` is called when the last has ended."""
        self._next(name, iter(list(enumerate(actions, 1))), frame, done)

    def _next(
        self,
        name: str,
        actions: Iterator[tuple[int, Action]],
        frame: Frame,
        done: Callable[[], None],
    ) -> None:
        for number, action in actions:
            if self.cancelled():
                break
            step, started = f"{name}.{number}", clock.now()
            self.means.record.step(step, Status.RUNNING, started=started)
            doing = Doing(step=step, action=action, frame=frame, span=action.module.span)

            def ended(result: Result, step: str = step, started: int = started) -> None:
                self._note(step, started, result)
                if result.fatal:
                    self.means.order.fail()
                    done()
                    return
                self._next(name, actions, frame, done)

            try:
                self.means.attempts.begin(doing, self.means.scopes.now(), ended)
            except (Fault, BadParams, DoorError) as error:
                detail = self.means.redactor.text(str(error))
                self.means.record.step(
                    step, Status.FAILED, started=started, ended=clock.now(), detail=detail
                )
            else:
                return
        done()

    def _note(self, step: str, started: int, result: Result) -> None:
        status = Status.COMPLETED if result.ok else Status.FAILED
        if result.cancelled:
            status = Status.CANCELLED
        if status is Status.FAILED:
            self.means.record.output(step, Item(-1), result.last_words)
        self.means.record.step(
            step,
            status,
            started=started,
            ended=clock.now(),
            detail=result.detail,
            summary=self.means.redactor.data(result.summary),
            attempts=1,
        )

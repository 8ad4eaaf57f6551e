"""Record: what becomes of a run's steps, kept in the state and told to who listens."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from gxo.dataclass import replace
from gxo.runtime import clock
from gxo.runtime.redact import Redactor
from gxo.runtime.status import Status
from gxo.runtime.store import WHOLE, EventRow, StepRow, Store, StreamRow
from gxo.template.value import Data

if TYPE_CHECKING:  # who ends a run that was cut off loads no runner
    from gxo.runtime.progress import Item

Listener = Callable[[EventRow], None]


class Record:
    """Takes in all that a run says: redacts it, writes it into the state, then tells `tell`."""

    def __init__(self, store: Store, run: str, redactor: Redactor, tell: Listener) -> None:
        self._store = store
        self._run = run
        self._redactor = redactor
        self._tell = tell

    def run(self, status: Status, *, detail: str = "", **columns: object) -> None:
        """The run's own new status, with further columns of its row."""
        event = self._event("run", status, detail=detail)
        self._store.update(self._run, [event], status=status.value, detail=event.detail, **columns)
        self._tell(event)

    def step(
        self,
        step: str,
        status: Status,
        *,
        started: int,
        ended: int | None = None,
        detail: str = "",
        summary: Data = None,
        attempts: int = 0,
    ) -> None:
        """A step's new status; `summary` is redacted already."""
        event = self._event("step", status, step=step, detail=detail)
        row = StepRow(
            step=step,
            status=status,
            attempts=attempts,
            started=started,
            ended=ended,
            detail=event.detail,
            summary=summary,
        )
        self._save(event, row)

    def item(self, step: str, item: "Item") -> None:
        """An iteration of a loop has ended."""
        event = self._event(
            "item", item.status, step=step, iteration=item.number, detail=item.detail
        )
        row = StepRow(
            step=step,
            status=item.status,
            iteration=item.number,
            attempts=item.attempts,
            started=item.started,
            ended=item.ended,
            detail=event.detail,
            summary=self._redactor.data(item.summary),
        )
        self._save(event, row)

    def taken_over(self, row: StepRow) -> None:
        """A step that ended in another run; its row is there."""
        self._save(self._event("step", row.status, step=row.step, detail=row.detail))

    def output(self, step: str, item: "Item", lines: str) -> None:
        """The last words of an attempt that failed; redacted already."""
        if lines:
            event = self._event(
                "output", Status.RUNNING, step=step, iteration=item.number, detail=lines
            )
            self._save(event)

    def retry(self, step: str, item: "Item", detail: str, wait: float) -> None:
        """An attempt has failed, and another follows after `wait` seconds."""
        said = f"{detail}; attempt {item.attempts + 1} follows in {wait:.3g} s"
        event = self._event("retry", Status.RUNNING, step=step, iteration=item.number, detail=said)
        self._save(event)

    def flow(self, streams: Sequence[StreamRow]) -> None:
        """How far streams have come. It is no event: who listens reads it from the state."""
        self._store.flow(self._run, streams)

    def warning(self, text: str) -> None:
        """What users are to know of a run though it goes on."""
        self._save(self._event("warning", Status.RUNNING, detail=text))

    def cut_off(self, row: StepRow, status: Status, detail: str, ended: int) -> None:
        """A step, or an item of its loop, that was under way when its runner died."""
        event = self._event("step", status, step=row.step, iteration=row.iteration, detail=detail)
        self._save(event, replace(row, status=status, detail=event.detail, ended=ended))

    def _save(self, event: EventRow, *rows: StepRow) -> None:
        self._store.save(self._run, rows, [event])
        self._tell(event)

    def _event(
        self, kind: str, status: Status, *, step: str = "", iteration: int = WHOLE, detail: str
    ) -> EventRow:
        return EventRow(
            time=clock.now(),
            run=self._run,
            event=kind,
            status=status.value,
            step=step,
            iteration=iteration,
            detail=self._redactor.text(detail),
        )

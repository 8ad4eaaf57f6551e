"""Attach: what a run tells, shown as it comes, and Ctrl-C handed on to it."""

import signal
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from typing import Protocol

from gxo.cli import output
from gxo.cli.exits import Exit, Failure
from gxo.cli.interrupt import interrupts
from gxo.cli.table import Cell, Colour, coloured, paint
from gxo.runtime.status import Status
from gxo.runtime.step_unit import RunNames
from gxo.runtime.store import WHOLE, EventRow, RunRow, Store, shown
from gxo.runtime.tell import Listening
from gxo.systemd.bus import SystemdError
from gxo.systemd.manager import Manager

EXITS = {
    Status.COMPLETED: Exit.DONE,
    Status.PAUSED: Exit.PAUSED,
    Status.CANCELLED: Exit.CANCELLED,
}
COLOURS = {
    Status.COMPLETED: Colour.GOOD,
    Status.FAILED: Colour.BAD,
    Status.CANCELLED: Colour.DOUBTFUL,
    Status.PAUSED: Colour.DOUBTFUL,
    Status.SKIPPED: Colour.DIM,
}
_CANCELLING = "cancelling: the steps under way are stopped"
_BEAT = 0.1
_END_BEAT = 0.005


class View(Protocol):
    """What shows a run to whoever started it."""

    def show(self, events: Sequence[EventRow]) -> None:
        """What is new; called a few times a second also where nothing is."""

    def cancelling(self) -> None:
        """The run was told to stop."""

    def end(self, run: RunRow) -> None:
        """It has ended, and all has been shown."""


def follow(events: int, manager: Manager, store: Store, names: RunNames, *, as_json: bool) -> int:
    """Show what happens until the runner ends; Ctrl-C cancels the run. The exit code of its end.

    `events` is where the runner says that there is news.
    """
    view: View = _Json(names.playbook) if as_json else _Lines(names.playbook)
    told = False
    with interrupts(b"") as heard, Listening(events, store, names.run) as listening:
        heard.asked()  # from here on signals are only remembered
        while listening.wait(_BEAT):
            view.show(listening.news())
            if heard.asked() and not told:
                told = True
                view.cancelling()
                with suppress(SystemdError):  # it may have ended just now
                    manager.kill(names.runner, signal.SIGTERM, whom="main")
        while manager.result(names.runner).found:  # a runner that was killed is cleaned up behind
            view.show(())
            time.sleep(_END_BEAT)
        view.show(listening.news())
        row = store.run(names.run)
        if row is None:
            raise Failure(f"cannot tell how run {names.run} ended: it was forgotten since")
        view.end(row)
    return EXITS.get(row.status, Exit.FAILED)


class _Json:
    """Each event as a line of NDJSON."""

    def __init__(self, playbook: str) -> None:
        self._playbook = playbook

    def show(self, events: Sequence[EventRow]) -> None:
        for event in events:
            output.emit_line(shown(self._playbook, event))

    def cancelling(self) -> None:
        output.note(_CANCELLING)

    def end(self, run: RunRow) -> None:
        pass


class _Lines:
    """One line for each end, with the time it took; a failed step's last words before it."""

    def __init__(self, playbook: str) -> None:
        self._playbook = playbook
        self._began: dict[tuple[str, int], int] = {}
        self._failed = ""
        self._colour = coloured()

    def show(self, events: Sequence[EventRow]) -> None:
        for event in events:
            self._show(event)
        if events:
            sys.stdout.flush()

    def cancelling(self) -> None:
        output.note(_CANCELLING)

    def end(self, run: RunRow) -> None:
        if run.status is Status.FAILED:
            output.note(where_more_is(run.id, self._failed))

    def _show(self, event: EventRow) -> None:
        key = (event.step, event.iteration)
        status = Status(event.status)
        if event.event == "output":
            for words in event.detail.splitlines():
                output.say(paint(Cell(f"      {words}", Colour.DIM), colour=self._colour))
        elif event.event == "retry":
            output.say(f"  {'retrying':<10}{_name(event)}: {event.detail}")
        elif status is Status.RUNNING:
            self._began[key] = event.time
            if not event.step:
                output.say(f"run {event.run} of {self._playbook}")
        else:
            if status is Status.FAILED:
                self._failed = self._failed or event.step
            took = (event.time - self._began.get(key, event.time)) / 1e6
            word = paint(Cell(f"{status.lower():<10}", COLOURS[status]), colour=self._colour)
            detail = f": {event.detail}" if event.detail else ""
            behind = f"  {took:.2f} s" if key in self._began else ""
            output.say(f"{'  ' if event.step else ''}{word}{_name(event)}{detail}{behind}")


def where_more_is(run: str, step: str) -> str:
    """How to see more of a run that failed, or of the step of it that did."""
    logs = f"`gxo logs {run} {step}` has all that it wrote, " if step else ""
    return f"{logs}`gxo runs show {run}` the steps" if logs else f"`gxo runs show {run}` has more"


def _name(event: EventRow) -> str:
    if not event.step:
        return f"run {event.run}"
    item = "" if event.iteration == WHOLE else f"[{event.iteration}]"
    return f"{event.step}{item}"

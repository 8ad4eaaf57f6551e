"""Attach: what a run tells, shown as it comes, and Ctrl-C handed on to it."""

import json
import os
import signal
import sys
import time
from collections.abc import Iterable
from contextlib import suppress
from typing import Any

from gxo.cli import output
from gxo.cli.exits import Exit
from gxo.cli.interrupt import interrupts
from gxo.cli.table import Cell, Colour, coloured, paint
from gxo.runtime.status import Status
from gxo.runtime.step_unit import RunNames
from gxo.runtime.store import WHOLE, Store
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
_BEAT = 0.005


def follow(events: int, manager: Manager, store: Store, names: RunNames, *, as_json: bool) -> int:
    """Show events until the runner ends; Ctrl-C cancels the run. The exit code of its end."""
    show = _Lines().show if not as_json else output.say
    with interrupts() as heard, os.fdopen(events, encoding="utf-8") as lines:
        try:
            _each(lines, show)
        except KeyboardInterrupt:
            heard.asked()  # what the run does on its way out is shown to its end
            output.note("cancelling: the steps under way are stopped")
            with suppress(SystemdError):  # it may have ended just now
                manager.kill(names.runner, signal.SIGTERM, whom="main")
            _each(lines, show)
        return EXITS.get(_end(store, manager, names), Exit.FAILED)


def _each(lines: Iterable[str], show: Any) -> None:
    for line in lines:
        show(line.rstrip("\n"))
        sys.stdout.flush()


def _end(store: Store, manager: Manager, names: RunNames) -> Status:
    """How the run ended, once its runner is gone: one that was killed is cleaned up behind."""
    while manager.result(names.runner).found:
        time.sleep(_BEAT)
    row = store.run(names.run)
    assert row is not None, "nobody forgets a run that runs"
    return row.status


class _Lines:
    """One line for each end, with the time it took; a failed step's last words before it."""

    def __init__(self) -> None:
        self._began: dict[tuple[str, int], int] = {}
        self._colour = coloured()

    def show(self, line: str) -> None:
        event = json.loads(line)
        key = (event["step"], event["iteration"])
        status = Status(event["status"])
        if event["event"] == "output":
            for words in event["detail"].splitlines():
                output.say(paint(Cell(f"      {words}", Colour.DIM), colour=self._colour))
        elif event["event"] == "retry":
            output.say(f"  {'retrying':<10}{_name(event)}: {event['detail']}")
        elif status is Status.RUNNING:
            self._began[key] = event["time"]
            if not event["step"]:
                output.say(f"run {event['run']} of {event['playbook']}")
        else:
            took = (event["time"] - self._began.get(key, event["time"])) / 1e6
            word = paint(Cell(f"{status.lower():<10}", COLOURS[status]), colour=self._colour)
            detail = f": {event['detail']}" if event["detail"] else ""
            behind = f"  {took:.2f} s" if key in self._began else ""
            output.say(f"{'  ' if event['step'] else ''}{word}{_name(event)}{detail}{behind}")


def _name(event: dict[str, Any]) -> str:
    if not event["step"]:
        return f"run {event['run']}"
    item = "" if event["iteration"] == WHOLE else f"[{event['iteration']}]"
    return f"{event['step']}{item}"

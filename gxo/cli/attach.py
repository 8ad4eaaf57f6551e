"""Attach: what a run tells, shown as it comes."""

import json
import os
import signal
import sys
import time
from contextlib import suppress

from gxo.cli import output
from gxo.cli.exits import Exit
from gxo.cli.interrupt import interrupts
from gxo.runtime.status import Status
from gxo.runtime.step_unit import RunNames
from gxo.runtime.store import Store
from gxo.systemd.bus import SystemdError
from gxo.systemd.manager import Manager

_EXITS = {
    Status.COMPLETED: Exit.DONE,
    Status.PAUSED: Exit.PAUSED,
    Status.CANCELLED: Exit.CANCELLED,
}
_BEAT = 0.005


def follow(events: int, manager: Manager, store: Store, names: RunNames, *, as_json: bool) -> int:
    """Show events until the runner ends; Ctrl-C cancels the run. The exit code of its end."""
    with interrupts() as heard, os.fdopen(events, encoding="utf-8") as lines:
        try:
            for line in lines:
                _show(line, as_json=as_json)
        except KeyboardInterrupt:
            heard.asked()  # from here on what the run does on its way out is shown to its end
            _cancel(manager, names)
            for line in lines:
                _show(line, as_json=as_json)
        return _EXITS.get(_end(store, manager, names), Exit.FAILED)


def _cancel(manager: Manager, names: RunNames) -> None:
    output.note("cancelling")
    with suppress(SystemdError):  # it may have ended just now
        manager.kill(names.runner, signal.SIGTERM, whom="main")


def _show(line: str, *, as_json: bool) -> None:
    output.say(line.rstrip() if as_json else _line(json.loads(line)))
    sys.stdout.flush()


def _end(store: Store, manager: Manager, names: RunNames) -> Status:
    """How the run ended, once its runner is gone: one that was killed is cleaned up behind."""
    while manager.result(names.runner).found:
        time.sleep(_BEAT)
    row = store.run(names.run)
    assert row is not None, "nobody forgets a run that runs"
    return row.status


def _line(event: dict[str, str]) -> str:
    what = event["step"] or f"run {event['run']}"
    detail = f": {event['detail']}" if event["detail"] else ""
    return f"  {event['status'].lower():<10} {what}{detail}"

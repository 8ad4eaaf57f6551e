"""Attach: what a run tells, shown as it comes."""

import json
import os
import signal
import time
from contextlib import suppress

from gxo.cli import output
from gxo.cli.exits import Exit
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
_BEAT = 0.05


def follow(events: int, manager: Manager, store: Store, names: RunNames, *, as_json: bool) -> int:
    """Show events until the runner ends; Ctrl-C cancels the run. The exit code of its end."""
    with os.fdopen(events, encoding="utf-8") as lines:
        while True:
            try:
                for line in lines:
                    event = json.loads(line)
                    output.say(line.rstrip() if as_json else _line(event))
            except KeyboardInterrupt:
                output.note("cancelling")
                with suppress(SystemdError):  # it may have ended just now
                    manager.kill(names.runner, signal.SIGTERM, whom="main")
                continue
            return _EXITS.get(_end(store, manager, names), Exit.FAILED)


def _end(store: Store, manager: Manager, names: RunNames) -> Status:
    """How the run ended; where its runner was killed, once that is cleaned up behind."""
    while True:
        row = store.run(names.run)
        assert row is not None, "nobody forgets a run that runs"
        if row.status.terminal or not manager.result(names.runner).found:
            return row.status
        time.sleep(_BEAT)


def _line(event: dict[str, str]) -> str:
    what = event["step"] or f"run {event['run']}"
    detail = f": {event['detail']}" if event["detail"] else ""
    return f"  {event['status'].lower():<10} {what}{detail}"

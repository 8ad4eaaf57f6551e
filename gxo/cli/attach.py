"""Attach: what a run tells, shown as it comes."""

import json
import os

from gxo.cli import output
from gxo.cli.exits import Exit
from gxo.runtime.step_unit import RunNames
from gxo.systemd.manager import Manager

_EXITS = {"Completed": Exit.DONE, "Paused": Exit.PAUSED, "Cancelled": Exit.CANCELLED}


def follow(events: int, manager: Manager, names: RunNames, *, as_json: bool) -> int:
    """Show events until the runner ends; Ctrl-C cancels the run. The exit code of its end."""
    status = "Failed"
    with os.fdopen(events, encoding="utf-8") as lines:
        while True:
            try:
                for line in lines:
                    event = json.loads(line)
                    if event["event"] == "run":
                        status = event["status"]
                    output.say(line.rstrip() if as_json else _line(event))
            except KeyboardInterrupt:
                output.note("cancelling; once more leaves it to end by itself")
                manager.stop(names.runner)
                continue
            return _EXITS.get(status, Exit.FAILED)


def _line(event: dict[str, str]) -> str:
    what = event["step"] or f"run {event['run']}"
    detail = f": {event['detail']}" if event["detail"] else ""
    return f"  {event['status'].lower():<10} {what}{detail}"

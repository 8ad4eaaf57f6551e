"""Changes as people and programs read them: the plan's table, its summary, its JSON, progress."""

import os
import sys
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from gxo.apply.change import LEFT_ALONE, Action, Change
from gxo.apply.event import Event, Kind
from gxo.apply.grants import grants
from gxo.apply.result import Applied, Moved, Orphan, Planned
from gxo.cli import output
from gxo.cli.brief import brief
from gxo.cli.exits import Failure
from gxo.cli.table import Cell, Colour, coloured, paint, table
from gxo.spec.lifecycle import SECOND

_COLOURS = {
    Action.START: Colour.GOOD,
    Action.RUN: Colour.GOOD,
    Action.RESTART: Colour.DOUBTFUL,
    Action.STOP: Colour.BAD,
    Action.RELOAD: Colour.DOUBTFUL,
    Action.NONE: Colour.DIM,
}
_SUMMARY = {
    Action.START: "to start",
    Action.RUN: "to run (no rollback undoes it)",
    Action.RESTART: "to restart",
    Action.STOP: "to stop",
    Action.RELOAD: "to reload",
    Action.NONE: "unchanged",
}
# progress is told when something begins to be waited for and when it has ended
_SAID = {
    Kind.SETTLING: "settling",
    Kind.STARTED: "started",
    Kind.RAN: "ran",
    Kind.RUNNING: "running",
    Kind.STOPPED: "stopped",
    Kind.FAILED: "failed",
    Kind.UNDOING: "undoing",
    Kind.UNDONE: "undone",
    Kind.RELOADED: "reloaded",
}


_CLEAR = "\x1b[K"
"""What makes a terminal clear the rest of the line."""
_LONG = 5
"""Seconds after which a wait is told of where no terminal counts them, again at twice that."""


def exposure(changes: Iterable[Change]) -> dict[str, float]:
    """How open what is to be started leaves the host, by the main unit's name."""
    made = {c.unit: c.make for c in changes if c.make and c.action is not Action.NONE}
    if not made:
        return {}
    from gxo.cli.exposed import of_units

    scores = of_units(unit for units in made.values() for unit in units)
    rated = {
        name: [scores[u.name] for u in units if u.name in scores] for name, units in made.items()
    }
    return {name: max(found) for name, found in rated.items() if found}


def show(planned: Planned, exposure: Mapping[str, float] = {}) -> None:
    """The changes as one table, what drifted or differs below each, and a line that counts.

    The last columns say how exposed a workload is, and what it may do beyond the default profile.
    What to know besides comes behind the table, and warnings on stderr.
    """
    colour = coloured()
    changes = planned.changes
    shown = [c for c in changes if c.action is not Action.NONE and (c.workload or _drifted(c))]
    rows = [
        (Cell(c.action, _COLOURS[c.action]), label(c), _why(c), _rated(c, exposure), _granted(c))
        for c in shown
    ]
    for change, row in zip(shown, table(rows, colour=colour).splitlines(), strict=True):
        output.say(row)
        for line in change.drifted:
            output.say("    " + paint(Cell(line, Colour.DOUBTFUL), colour=colour))
        for line in brief(change.diff):
            tint = Colour.GOOD if line.startswith("+") else Colour.BAD
            output.say("    " + paint(Cell(line, tint), colour=colour))
    counts = Counter(change.action for change in changes if change.workload or _drifted(change))
    output.say(", ".join(f"{counts[a]} {_SUMMARY[a]}" for a in Action if counts[a]) or "nothing")
    if left := [label(change) for change in changes if change.reason == LEFT_ALONE]:
        output.say(f"{LEFT_ALONE}: {', '.join(left)}")
    for orphan in planned.orphaned:
        output.say(f"orphaned: {orphan.playbook}, once in {orphan.source}; `--prune` stops it")
    for name in planned.interrupted:
        output.say(f"interrupted: an apply of {name} did not end; `gxo apply` mends it")
    if planned.under_way:
        output.note(f"warning: {planned.under_way}; what it has yet to do is not in this plan")
    for moved in planned.moved:
        now = moved.now or "standard input"
        output.note(f"warning: `{moved.playbook}` was applied from {moved.before}, now from {now}")


def _drifted(change: Change) -> bool:
    """It is a slice, which is told of only where somebody changed it."""
    return change.action is Action.RELOAD


def _why(change: Change) -> str:
    return "drifted" if change.drifted else change.reason


def _granted(change: Change) -> Cell:
    return Cell("; ".join(grants(change.make)), Colour.DOUBTFUL)


def _rated(change: Change, exposure: Mapping[str, float]) -> str:
    score = exposure.get(change.unit)
    return "" if score is None else f"exposure {score:.1f}"


def pending(changes: Sequence[Change]) -> bool:
    """Whether there is anything to do."""
    return any(change.action is not Action.NONE for change in changes)


def to_json(changes: Sequence[Change]) -> list[dict[str, object]]:
    """The changes as programs get them (docs/reference/json/plan.schema.json)."""
    return [
        {
            "playbook": change.playbook,
            "workload": change.workload,
            "unit": change.unit,
            "action": change.action,
            "reason": change.reason,
            "diff": list(change.diff),
            "grants": list(grants(change.make)),
            "barred": list(change.barred),
        }
        for change in changes
    ]


def planned_json(planned: Planned, exposure: Mapping[str, float]) -> dict[str, object]:
    """What `plan --json` prints."""
    listed = to_json(planned.changes)
    return {
        "changes": [{**each, "exposure": exposure.get(str(each["unit"]))} for each in listed],
        "interrupted": list(planned.interrupted),
        "under_way": planned.under_way or None,
        "moved": _moved_json(planned.moved),
        "orphaned": _orphaned_json(planned.orphaned),
        "damaged": list(planned.damaged),
    }


def applied_json(applied: Applied) -> dict[str, object]:
    """What `apply --json` and `rollback --json` print."""
    return {
        "changes": to_json(applied.changes),
        "revisions": dict(applied.revisions),
        "moved": _moved_json(applied.moved),
        "orphaned": _orphaned_json(applied.orphaned),
        "damaged": list(applied.damaged),
    }


def _moved_json(moved: Sequence[Moved]) -> list[dict[str, object]]:
    """Where a playbook was applied from and where it is now; null for standard input."""
    return [{"playbook": m.playbook, "from": m.before, "to": m.now or None} for m in moved]


def _orphaned_json(orphaned: Sequence[Orphan]) -> list[dict[str, object]]:
    return [{"playbook": each.playbook, "source": each.source} for each in orphaned]


def label(change: Change | Event) -> str:
    """`site.web` of a workload, the unit's own name of a slice."""
    return f"{change.playbook}.{change.workload}" if change.workload else change.unit


class Progress:
    """A line as each workload ends what was asked of it, and while one is waited for.

    What has been said is not said again: a schedule is two units, which stop together. On a
    terminal one last line counts the seconds of a wait; elsewhere a long one is told now and then.
    """

    def __init__(self) -> None:
        self._said: set[str] = set()
        self._counts = sys.stderr.isatty() and os.environ.get("TERM") != "dumb"
        self._counting = False
        self._due: dict[str, int] = {}
        self._last = 0
        """When a line was said last, as events count time."""

    def __call__(self, event: Event) -> None:
        if event.kind is Kind.WAITING:
            self._wait(event)
        elif event.kind in _SAID and event.workload:
            told = event.detail and event.kind in (Kind.FAILED, Kind.STOPPED)
            detail = f": {event.detail}" if told else ""
            line = f"  {_SAID[event.kind]:<9} {label(event)}{detail}"
            if line not in self._said:
                self._said.add(line)
                output.note((_CLEAR if self._counting else "") + line)
                self._counting = False
                self._last = event.time

    def _wait(self, event: Event) -> None:
        name = label(event)
        if self._counts:
            # the cursor stays at its beginning: what comes next, from whomever, goes over it
            self._counting = True
            output.note(f"{_waiting(name, event.waited, _columns())}{_CLEAR}\r", end="")
            return
        # while others end, nobody need be told that there is one that does not
        silence = event.time - self._last
        if silence >= _LONG * SECOND and event.waited >= self._due.get(name, _LONG):
            self._due[name] = 2 * event.waited
            self._last = event.time
            output.note(_waiting(name, event.waited))


def _waiting(name: str, waited: int, columns: int = 0) -> str:
    """The line of a wait; where it must stay within so many columns, the name is cut."""
    line = f"  waiting   for {name} ({waited} s)"
    over = len(line) - columns
    if not columns or over <= 0:
        return line
    return f"  waiting   for {name[: max(0, len(name) - over - 1)]}… ({waited} s)"


def _columns() -> int:
    """How wide a line may be that is to be written over; 0 for not known."""
    try:
        return max(0, os.get_terminal_size(sys.stderr.fileno()).columns - 1)
    except OSError:
        return 0


progress = Progress()
"""The one of this command."""


def silent(_event: Event) -> None:
    """Progress for programs: none, the result says it all."""


def confirmed(question: str, *, yes: bool) -> bool:
    """Whether to go on: told so by `--yes`, else asked; refuses where nobody can be asked."""
    if yes:
        return True
    if not sys.stdin.isatty():
        raise Failure("cannot ask before changing anything: no terminal; give `--yes`")
    sys.stderr.write(f"{question} [y/N] ")
    sys.stderr.flush()
    return sys.stdin.readline().strip().lower() in ("y", "yes")

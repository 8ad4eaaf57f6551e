"""Difference: what two revisions of a workload's units say otherwise, in lines that people read."""

import json
from collections.abc import Iterable, Iterator
from typing import Any

from gxo.plan.codec import decode, encode, from_json
from gxo.plan.model import Plan
from gxo.spec.lifecycle import SECOND
from gxo.units.credential import is_stamp
from gxo.units.directives import line
from gxo.units.model import Directive, Unit
from gxo.units.steps import Frame

_HANDED = "StandardInputData"
_TAG = "$"
_TEXT = {"Name": "text", "Text": "text", "Template": "text", "Literal": "data"}
"""Parts of a plan that are one scalar to whoever wrote them, and the field that has it."""
_UNSAID = frozenset({_TAG, "version", "playbook", "name", "steps", "edges", "security"})
"""What has no line of its own: names do not change, and a context is the directives it becomes."""
_AS_WRITTEN = {"action": "process"}
_DURATIONS = frozenset({"timeout", "retry.delay", "retry.max_delay"})
"""Paths of what a plan counts in microseconds."""


def difference(wanted: Iterable[Unit], before: Iterable[Unit]) -> tuple[str, ...]:
    """Settings that differ, as `-Name=old` and `+Name=new`, unit type by unit type.

    What is handed to a service on its standard input, which in its unit is base64, is read: of a
    run, what its playbook says, as `process.params.command=…`, and its step's directives.
    """
    old = {unit.type: unit for unit in before}
    lines: list[str] = []
    for unit in wanted:
        if unit.type in old:
            was, now = _settings(old[unit.type]), _settings(unit)
            lines += (f"-{line}" for line in was if line not in now)
            lines += (f"+{line}" for line in now if line not in was)
    return tuple(lines)


def _settings(unit: Unit) -> dict[str, None]:
    """The lines of a unit but its digest, which differs in every revision and says nothing."""
    kept = (item for item in unit.directives if not is_stamp(item))
    return dict.fromkeys(line for item in kept for line in _lines(item))


def _lines(setting: Directive) -> Iterator[str]:
    if setting.name != _HANDED:
        yield line(setting)
        return
    text = str(setting.value)
    task = _task(text)
    if task is None:
        yield from (f"stdin={part}" for part in text.splitlines())
        return
    plan, frames = task
    said = encode(plan, compact=True)
    for part in ({**said, "steps": None}, *said["steps"]):
        for name, value in part.items():
            if name not in _UNSAID:
                yield from _leaves(_AS_WRITTEN.get(name, name), value)
    for frame in frames:
        yield from map(line, frame.directives)


def _task(text: str) -> tuple[Plan, tuple[Frame, ...]] | None:
    """The run that is handed over; None where it is what a playbook gives as `stdin`."""
    try:
        task = json.loads(text)
        frames = (decode(Frame, frame) for frame in task.get("frames", {}).values())
        return from_json(task["plan"]), tuple(frames)
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        return None


def _leaves(path: str, data: Any) -> Iterator[str]:
    """Each scalar of a plan's JSON as a line, under the path that leads to it."""
    match data:
        case {"$": "MapValue"}:
            for name, value in data.get("entries", ()):
                yield from _leaves(f"{path}.{name['text']}", value)
        case {"$": "ListValue"}:
            yield from _leaves(path, data.get("items", ()))
        case {"$": kind} if kind in _TEXT:
            yield from _leaves(path, data.get(_TEXT[kind]))
        case dict():
            for name, value in data.items():
                if name != _TAG:
                    yield from _leaves(f"{path}.{name}", value)
        case list():
            for number, item in enumerate(data):
                yield from _leaves(f"{path}.{number}", item)
        case str():
            yield f"{path}={data}"
        case int() if path in _DURATIONS:
            yield f"{path}={data / SECOND:g}s"
        case _:
            yield f"{path}={json.dumps(data)}"

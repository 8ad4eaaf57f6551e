"""Task: what a runner is told to do, as it lies in the state."""

import os
from collections.abc import Mapping
from typing import Any

from gxo.dataclass import dataclass
from gxo.plan.codec import decode, encode, from_json, to_json
from gxo.plan.model import Plan
from gxo.units.steps import Frame

JOBS = 8
"""Steps that may run at once where nobody says otherwise."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """A plan with the frames of its steps; `jobs` is how many steps may run at once."""

    plan: Plan
    frames: Mapping[str, Frame]
    jobs: int


def new_run_id() -> str:
    """Twelve hexadecimal digits: 2^48 keep two of a host's runs apart, and fit into unit names."""
    return os.urandom(6).hex()


def to_spec(task: Task) -> dict[str, Any]:
    """JSON data of a task; frames are long, and most steps have the same."""
    numbers = {frame: number for number, frame in enumerate(dict.fromkeys(task.frames.values()))}
    return {
        "plan": to_json(task.plan),
        "frames": [encode(frame) for frame in numbers],
        "frame_of": {name: numbers[frame] for name, frame in task.frames.items()},
        "jobs": task.jobs,
    }


def from_spec(data: Mapping[str, Any]) -> Task:
    """The task that `to_spec` or `units.instance` wrote; UnreadablePlan, UnreadableRecord."""
    plan = from_json(data["plan"])  # first: of another version all else may be different too
    frames = data["frames"]
    if isinstance(frames, dict):  # of an instance, or of a gxo that wrote each by itself
        found = {name: decode(Frame, frame) for name, frame in frames.items()}
    else:
        known = [decode(Frame, frame) for frame in frames]
        found = {name: known[number] for name, number in data["frame_of"].items()}
    return Task(plan=plan, frames=found, jobs=int(data.get("jobs", JOBS)))

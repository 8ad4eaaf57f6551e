"""What a runner is told to do, as it lies in the state."""

import json

from gxo.plan.codec import encode
from gxo.runtime.task import Task, from_spec, to_spec
from gxo.units.steps import compile_steps
from gxo.units.target import Target
from tests.unit.test_plan_build import plan

PLAYBOOK = """\
workloads:
  - {name: a, lifecycle: {policy: run_once}, process: {module: exec, params: {command: a}}}
  - {name: b, lifecycle: {policy: run_once}, process: {module: exec, params: {command: b}}}
  - name: c
    timeout: 5s
    lifecycle: {policy: run_once}
    process: {module: exec, params: {command: c}}
"""


def test_frames_that_are_equal_lie_there_once() -> None:
    """Each step has its own again; a spec with a frame for each is read too, as instances have."""
    built = plan(PLAYBOOK)
    frames, problems = compile_steps(built, Target(systemd=252))
    assert problems == ()
    task = Task(plan=built, frames=frames, jobs=3)
    spec = json.loads(json.dumps(to_spec(task)))
    assert len(spec["frames"]) == 2
    assert from_spec(spec) == task
    each = {name: encode(frame) for name, frame in frames.items()}
    assert from_spec({"plan": spec["plan"], "frames": each, "jobs": 3}) == task

"""Instance: a scheduled workload whose every turn is a run, where a plain service is not enough."""

import json
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from gxo.dataclass import replace
from gxo.diagnostic.base import Problem
from gxo.diagnostic.lazy import Lazy
from gxo.plan.codec import decode, encode, to_compact_json
from gxo.plan.effects import values
from gxo.plan.model import Plan, Step
from gxo.plan.scope import Names, in_order
from gxo.spec.lifecycle import SECOND, Overlap, RunOnce, Scheduled, WorkspaceMode
from gxo.template.functions import COMPILE_FUNCTIONS
from gxo.template.names import references, uses
from gxo.template.value import MapValue, Value
from gxo.units.directives import directive, fault
from gxo.units.kinds import INFINITY
from gxo.units.launcher import command_behind
from gxo.units.model import Command, Directive, Unit
from gxo.units.names import WorkloadNames
from gxo.units.steps import Frame, compile_steps
from gxo.units.target import Target

if TYPE_CHECKING:
    from gxo.diagnostic import units as faults
else:
    faults = Lazy("gxo.diagnostic.units")

_STOP = 120 * SECOND
"""Longer than a run has for an orderly end."""


def is_instance(plan: Plan, step: Step) -> bool:
    """Whether each turn of a schedule is a run: where it needs anything that only runs have."""
    lifecycle = step.lifecycle
    if not isinstance(lifecycle, Scheduled):
        return False
    plain = (
        step.action.module.text == "exec"
        and lifecycle.workspace is WorkspaceMode.NONE
        and lifecycle.overlap is Overlap.SKIP
        and (step.retry is None or step.retry.attempts == 1)
    )
    more = (
        *(step.loop, step.register, step.state_policy),
        *(*step.on_failure, *plan.on_success, *plan.on_failure, *plan.on_paused),
    )
    if not plain or step.ignore_errors or any(item is not None for item in more):
        return True
    return any(waits(plan, value) for value in (step.action.params, step.when) if value)


def waits(plan: Plan, value: Value) -> bool:
    """Whether a value, or a var it reads, can only be evaluated in a run."""
    names = Names(dict(plan.inputs), plan.vars)
    read = in_order(names.reads, _read([value]) & names.reads.keys())
    return any(map(_late, (value, *(names.written[name] for name in read))))


def _late(value: Value) -> bool:
    functions = (COMPILE_FUNCTIONS.get(use.function) for use in uses(value))
    paths = (reference.path for reference in references(value))
    return any(found and not COMPILE_FUNCTIONS.can(found) for found in functions) or any(
        path[:1] == ("_gxo",) and path[1:2] != ("playbook",) for path in paths
    )


def instance(
    plan: Plan, step: Step, names: WorkloadNames, target: Target
) -> tuple[tuple[Directive, ...], tuple[Problem, ...]]:
    """The directives of the service that starts the run, and every problem.

    It gets the run on its standard input, so that it needs no file beside the unit.
    """
    assert isinstance(step.lifecycle, Scheduled)
    run = alone(plan, step)
    frames, problems = compile_steps(run, target)
    state = (
        directive("StateDirectory", (names.state,)),
        directive("StateDirectoryMode", 0o700),
    )
    name = step.name.text
    if name in frames:  # else something is wrong with it
        own = frames[name]
        frames = {**frames, name: replace(own, directives=(*own.directives, *state))}
    task = {
        "plan": to_compact_json(run, names.label),
        "frames": {name: encode(frame, compact=True) for name, frame in frames.items()},
    }
    text = json.dumps(task, ensure_ascii=False, separators=(",", ":"))
    handed = directive("StandardInputData", text)
    if reason := fault(handed):
        wrong = faults.UnsafeText(span=step.span, what="workload", reason=reason)
        problems = (*problems, wrong)
    # `begin` does not wait for the run's end, so that the next turn can start beside it
    verb = "instance" if step.lifecycle.overlap is Overlap.SKIP else "begin"
    return (
        directive("Type", "oneshot"),
        directive("ExecStart", Command((*target.runtime, verb, names.label))),
        directive("TimeoutStartSec", INFINITY),
        directive("TimeoutStopSec", _STOP),
        directive("StandardInput", "data"),
        handed,
    ), problems


def step_of(service: Unit) -> Unit | None:
    """The step's isolation, as a unit, of a service that starts a run; None for other services."""
    given = {setting.name: setting for setting in service.directives}
    start = given.get("ExecStart")
    if start is None or not isinstance(start.value, Command):
        return None
    if start.value.argv[-2:-1] not in (("instance",), ("begin",)):
        return None
    try:
        frame = json.loads(str(given["StandardInputData"].value))["frames"][service.workload]
        found = decode(Frame, frame)
    except (LookupError, TypeError, ValueError):
        return None
    command = command_behind(found.launcher, (start,))
    return replace(service, directives=(*command, *found.directives))


def alone(plan: Plan, step: Step) -> Plan:
    """A plan of that workload alone, with the vars and inputs that it reads."""
    once = replace(step, lifecycle=RunOnce(span=step.lifecycle.span))
    found = replace(plan, steps=(once,), edges=(), vars=None)
    names = Names(dict(plan.inputs), plan.vars)
    read = _read(values(found))
    wanted = set(in_order(names.reads, read & names.reads.keys()))
    read.update(*(names.reads[name] for name in wanted))
    if plan.vars is not None and wanted:
        entries = tuple(entry for entry in plan.vars.entries if entry[0].text in wanted)
        found = replace(found, vars=MapValue(entries, plan.vars.span))
    return replace(found, inputs=tuple(item for item in plan.inputs if item[0] in read))


def _read(found: Iterable[Value]) -> set[str]:
    """The first parts of all paths that values read."""
    return set(_paths(found))


def _paths(found: Iterable[Value]) -> Iterator[str]:
    for value in found:
        yield from (str(reference.path[0]) for reference in references(value) if reference.path)

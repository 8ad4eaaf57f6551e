"""Lacking: what this version of gxo checks in a playbook, but does not carry out."""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from gxo.diagnostic.base import Problem
from gxo.diagnostic.lazy import Lazy
from gxo.plan.effects import effects
from gxo.plan.model import EdgeKind, Plan, Step
from gxo.source import Span
from gxo.spec.lifecycle import EventDriven, RunOnce, Scheduled, Supervise

if TYPE_CHECKING:
    from gxo.diagnostic import units as faults
else:
    faults = Lazy("gxo.diagnostic.units")

_Lack = tuple[Span, str]

IN_RUNS = frozenset(
    {
        *("exec", "control:assert", "control:barrier", "control:identity", "http:request"),
        *(f"filesystem:{verb}" for verb in ("read", "write", "stat", "list", "manage")),
    }
)
"""The modules that a run carries out."""


def lacking_to_apply(plan: Plan) -> tuple[Problem, ...]:
    """Parts of a playbook that only runs have."""
    return _problems(_of_plan(plan))


def lacking_to_apply_step(step: Step) -> tuple[Problem, ...]:
    """Parts of a workload that `apply` does not carry out."""
    return _problems(_of_applied(step))


def lacking_to_run(plan: Plan) -> tuple[Problem, ...]:
    """Parts of a playbook and its steps that a run does not carry out."""
    return _problems(
        [
            *_of_plan(plan),
            *_edges(plan),
            *_effects(plan),
            *(lack for step in plan.steps for lack in _of_run(step)),
        ]
    )


def _problems(found: Iterable[_Lack]) -> tuple[Problem, ...]:
    return tuple(faults.NotInThisVersion(span=span, what=what) for span, what in found)


def _of_plan(plan: Plan) -> Iterator[_Lack]:
    if plan.max_runs is not None:
        yield plan.playbook.span, "limit runs with `max_runs`"
    for key, actions in (
        ("on_success", plan.on_success),
        ("on_failure", plan.on_failure),
        ("on_paused", plan.on_paused),
    ):
        yield from ((a.module.span, f"run `{a.module.text}` for `{key}`") for a in actions)
    yield from ((value.span, "keep `artifacts`") for value in plan.artifacts[:1])


def _edges(plan: Plan) -> Iterator[_Lack]:
    steps = {step.name.text for step in plan.steps if isinstance(step.lifecycle, RunOnce)}
    for edge in plan.edges:
        if edge.kind is EdgeKind.STREAM:
            yield edge.span, f"stream from `{edge.source}` to `{edge.target}`"
        elif edge.target in steps and edge.source not in steps:
            yield edge.span, f"let `{edge.target}` wait for `{edge.source}`, which no run has"


def _effects(plan: Plan) -> Iterator[_Lack]:
    yield from ((use.span, "read secrets in a run") for use in effects(plan, "secret"))
    for use in effects(plan, "env"):
        if use.argument is None:
            yield use.span, "read a variable of the environment whose name a template makes"


def _of_run(step: Step) -> Iterator[_Lack]:
    if isinstance(step.lifecycle, Supervise):
        yield step.lifecycle.where("policy"), f"hold `{step.name.text}` up during a run"
    if not isinstance(step.lifecycle, RunOnce):
        return
    if step.action.module.text not in IN_RUNS:
        yield step.action.module.span, f"run `{step.action.module.text}`"
    root = step.security.root_filesystem
    if root is not None and step.action.module.text != "exec":
        yield root.span, f"run `{step.action.module.text}` in a root filesystem of its own"
    yield from _of_both(step)


def _of_both(step: Step) -> Iterator[_Lack]:
    name = step.name.text
    if step.state_policy is not None:
        yield step.state_policy.span, f"give `{name}` a `state_policy`"
    what = f"compensate a failure of `{name}`"
    yield from ((action.module.span, what) for action in step.on_failure)


def _of_applied(step: Step) -> Iterator[_Lack]:
    name = step.name.text
    module = step.action.module
    if module.text != "exec":
        yield module.span, f"run `{module.text}`"
    if isinstance(step.lifecycle, EventDriven):
        yield step.lifecycle.where("policy"), f"run `{name}` for events"
    if isinstance(step.lifecycle, Scheduled) and step.lifecycle.overlap == "allow":
        yield step.lifecycle.where("overlap"), "let scheduled instances overlap"
    if step.loop is not None:
        yield step.loop.span, f"loop `{name}`"
    if step.register is not None:
        yield step.register.span, f"register what `{name}` yields"
    if step.retry is not None and step.retry.attempts > 1:
        yield step.retry.span, f"retry `{name}`"
    if step.timeout is not None and isinstance(step.lifecycle, Supervise):
        yield step.span, f"end `{name}` after a `timeout`"
    if step.ignore_errors:
        yield step.span, f"ignore errors of `{name}`"
    yield from _of_both(step)

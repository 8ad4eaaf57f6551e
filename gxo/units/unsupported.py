"""Unsupported: what this version of gxo accepts in a playbook, but cannot carry out yet."""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from gxo.diagnostic.base import Problem
from gxo.diagnostic.lazy import Lazy
from gxo.plan.effects import effects
from gxo.plan.model import Action, EdgeKind, Plan, Step
from gxo.plan.streams import streams
from gxo.source import Span
from gxo.spec.lifecycle import EventDriven, RunOnce, Supervise
from gxo.template.names import secrets

if TYPE_CHECKING:
    from gxo.diagnostic import units as faults
else:
    faults = Lazy("gxo.diagnostic.units")

_Lack = tuple[Span, str]

NOT_IN_RUNS = frozenset(
    {
        *(f"connection:{verb}" for verb in ("listen", "open", "read", "write", "close")),
        *("http:listen", "http:respond", "control:wait_for_signal"),
    }
)
"""The modules of the library that no run carries out yet."""

_TAKING = frozenset({"recvmsg", "@network-io", "@system-service"})
"""Calls without which a message cannot be received."""


def unsupported_by_apply(plan: Plan) -> tuple[Problem, ...]:
    """Parts of a playbook that only runs carry out."""
    return _problems(_of_plan(plan))


def unsupported_by_apply_step(step: Step) -> tuple[Problem, ...]:
    """Parts of a workload that `apply` does not carry out; instances are runs."""
    return _problems(_of_applied(step))


def unsupported_by_run(plan: Plan) -> tuple[Problem, ...]:
    """Parts of a playbook and its steps that a run does not carry out."""
    found = _problems(
        [
            *_told(plan.on_paused, "on_paused"),
            *_modules((*plan.on_success, *plan.on_failure)),
            *_edges(plan),
            *_messages(plan),
            *_effects(plan),
            *(lack for step in plan.steps for lack in _of_run(step)),
        ]
    )
    return (*found, *(problem for step in plan.steps for problem in _outside(step)))


def _problems(found: Iterable[_Lack]) -> tuple[Problem, ...]:
    return tuple(faults.NotInThisVersion(span=span, what=what) for span, what in found)


def _of_plan(plan: Plan) -> Iterator[_Lack]:
    yield from _told(plan.on_success, "on_success")
    yield from _told(plan.on_failure, "on_failure")
    yield from _told(plan.on_paused, "on_paused")
    yield from ((value.span, "keep `artifacts`") for value in plan.artifacts[:1])


def _outside(step: Step) -> Iterator[Problem]:
    """Steps for which gxo's own Python would be needed in a root filesystem that has none."""
    root = step.security.root_filesystem
    if root is None:
        return
    for action in (step.action, *step.on_failure):
        params = {name.text: value for name, value in action.params.entries}
        if action.module.text != "exec":
            what = f"`{action.module.text}` is gxo's own code"
            advice = "leave it out, and grant directories of it by the paths they have on the host"
        elif "environment" in params and secrets(params["environment"]):
            what = "gxo puts a secret into the environment by code of its own"
            advice = "give the secret by `stdin`"
        else:
            continue
        reason = f"{what}, for which there is no Python in it"
        yield faults.UnsafeText(
            span=root.span, what="root filesystem", reason=reason, advice=advice
        )


def _told(actions: Iterable[Action], key: str) -> Iterator[_Lack]:
    yield from ((a.module.span, f"run `{a.module.text}` for `{key}`") for a in actions)


def _modules(actions: Iterable[Action]) -> Iterator[_Lack]:
    """Modules of the library that no run carries out."""
    for action in actions:
        if action.outside is None and action.module.text in NOT_IN_RUNS:
            yield action.module.span, f"run `{action.module.text}`"


def _edges(plan: Plan) -> Iterator[_Lack]:
    steps = {s.name.text for s in plan.steps if isinstance(s.lifecycle, RunOnce | Supervise)}
    once = {s.name.text for s in plan.steps if isinstance(s.lifecycle, RunOnce)}
    for edge in plan.edges:
        if edge.kind is EdgeKind.STREAM and not once.issuperset((edge.source, edge.target)):
            yield edge.span, f"stream from `{edge.source}` to `{edge.target}`"
        elif edge.target in steps and edge.source not in steps:
            yield edge.span, f"let `{edge.target}` wait for `{edge.source}`, which no run has"


def _messages(plan: Plan) -> Iterator[_Lack]:
    """Steps that get streams in a socket's message and are kept from receiving it."""
    joined = {end for edge in streams(plan.edges) for end in (edge.source, edge.target)}
    for step in plan.steps:
        several = len(step.stream_inputs) > 1
        if step.action.module.text == "exec":
            taken = several or bool(step.stream_inputs and secrets(step.action.params))
        else:
            taken = step.name.text in joined
        if not taken:
            continue
        name, root, seccomp = step.name.text, step.security.root_filesystem, step.security.seccomp
        if root is not None and several:
            yield root.span, f"give `{name}` several streams in a root filesystem of its own"
        denied = next((call for call in seccomp.deny if call in _TAKING), None) if seccomp else None
        if seccomp is not None and denied is not None:
            yield seccomp.where("deny"), f"give `{name}` its streams where `{denied}` is denied"


def _effects(plan: Plan) -> Iterator[_Lack]:
    for use in effects(plan, "env"):
        if use.argument is None:
            yield use.span, "read a variable of the environment whose name a template makes"


def _of_run(step: Step) -> Iterator[_Lack]:
    if not isinstance(step.lifecycle, RunOnce | Supervise):
        return
    yield from _modules(step.on_failure)
    if isinstance(step.lifecycle, Supervise):
        if step.action.module.text != "exec":
            yield step.action.module.span, f"run `{step.action.module.text}`"
        yield from _of_service(step)
    else:
        yield from _modules((step.action,))
    yield from _of_both(step)


def _of_both(step: Step) -> Iterator[_Lack]:
    if step.state_policy is not None:
        yield step.state_policy.span, f"give `{step.name.text}` a `state_policy`"


def _of_service(step: Step) -> Iterator[_Lack]:
    """Keys that a supervised workload cannot have, applied or in a run."""
    name = step.name.text
    if step.loop is not None:
        yield step.loop.span, f"loop `{name}`"
    if step.register is not None:
        yield step.register.span, f"register what `{name}` yields"
    if step.retry is not None and step.retry.attempts > 1:
        yield step.retry.span, f"retry `{name}`"
    if step.timeout is not None and isinstance(step.lifecycle, Supervise):
        yield step.span, f"end `{name}` after a `timeout`"


def _of_applied(step: Step) -> Iterator[_Lack]:
    name = step.name.text
    module = step.action.module
    if module.text != "exec":
        yield module.span, f"run `{module.text}`"
    if isinstance(step.lifecycle, EventDriven):
        yield step.lifecycle.where("policy"), f"run `{name}` for events"
    yield from _of_service(step)
    if step.ignore_errors:
        yield step.span, f"ignore errors of `{name}`"
    yield from _of_both(step)
    what = f"compensate a failure of `{name}`"
    yield from ((action.module.span, what) for action in step.on_failure)

"""Steps: what is fixed of a run's units before it starts: how each is isolated, and its limits."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from gxo.diagnostic.base import Problem
from gxo.plan.model import Plan, Step
from gxo.spec.lifecycle import RunOnce
from gxo.spec.policy import Profile
from gxo.units.directives import directive
from gxo.units.lacking import lacking_to_run
from gxo.units.model import Directive
from gxo.units.names import WorkloadNames
from gxo.units.security import security
from gxo.units.target import Target

USER = "gxo"
"""Who steps run as unless the playbook or the profile `host` says otherwise."""


@dataclass(frozen=True, slots=True)
class Frame:
    """The part of a step's unit that no template can change.

    `user` is empty for root; `hidden`: the step must not see other runs' files.
    """

    directives: tuple[Directive, ...]
    user: str
    hidden: bool


def compile_steps(plan: Plan, target: Target) -> tuple[Mapping[str, Frame], tuple[Problem, ...]]:
    """The frames of the steps that a run executes, by name, and all that is wrong with them."""
    frames: dict[str, Frame] = {}
    problems: list[Problem] = [*lacking_to_run(plan)]
    for step in plan.steps:
        if isinstance(step.lifecycle, RunOnce):
            frames[step.name.text], wrong = _frame(plan, step, target)
            problems += wrong
    return frames, tuple(problems)


def _frame(plan: Plan, step: Step, target: Target) -> tuple[Frame, tuple[Problem, ...]]:
    context = step.security
    host = context.profile is Profile.HOST
    user = context.user or ("" if host else USER)
    names = WorkloadNames(plan.playbook.text, step.name.text)
    sandbox, problems = security(replace(context, user=user or None), names, target)
    limits = () if step.timeout is None else (directive("TimeoutStartSec", step.timeout),)
    bare = tuple(replace(setting, span=None) for setting in (*limits, *sandbox))
    return Frame(bare, user, hidden=not host), problems

"""Steps: the parts of a run's units that are compiled before it starts: isolation and limits."""

from collections.abc import Iterator, Mapping

from gxo.dataclass import dataclass, replace
from gxo.diagnostic.base import Problem
from gxo.plan.model import Plan, Step
from gxo.source import Span
from gxo.spec.lifecycle import SECOND, RunOnce, Supervise
from gxo.spec.policy import Profile, SecurityContext
from gxo.units.directives import directive
from gxo.units.launcher import launcher
from gxo.units.model import Command, Directive, Unit, UnitType
from gxo.units.names import WorkloadNames
from gxo.units.security import security
from gxo.units.sight import out_of_sight
from gxo.units.target import Target
from gxo.units.unsupported import unsupported_by_run

USER = "gxo"
"""Who steps run as unless the playbook or the profile `host` says otherwise."""
NOTIFY = "/notify"
"""The key of the frame for `on_success` and `on_failure`; no step can have that name."""
_NOTIFY_WITHIN = 300 * SECOND
_NO_RUN = "0" * 12
_STATES = "gxo/states"


@dataclass(frozen=True, slots=True)
class Frame:
    """The part of a step's unit that no template can change.

    `user` is empty for root; `hidden`: the step must not see the files of other runs; `launcher` is
    put in front of its command.
    """

    directives: tuple[Directive, ...]
    user: str
    hidden: bool
    launcher: tuple[str, ...] = ()


def compile_steps(plan: Plan, target: Target) -> tuple[Mapping[str, Frame], tuple[Problem, ...]]:
    """The frames of all that a run executes, by step, and every problem."""
    frames: dict[str, Frame] = {}
    problems: list[Problem] = [*unsupported_by_run(plan), *out_of_sight(plan)]
    for step in plan.steps:
        if isinstance(step.lifecycle, Supervise):
            problems += supervised_in_run(plan, step, target, _NO_RUN)[1]
        if isinstance(step.lifecycle, RunOnce) or step.on_failure:
            names = WorkloadNames(plan.playbook.text, step.name.text)
            frames[step.name.text], wrong = _frame(names, step.security, step.timeout, target)
            problems += wrong if isinstance(step.lifecycle, RunOnce) else ()
    if told := (*plan.on_success, *plan.on_failure):
        context = plan.security or SecurityContext(span=told[0].module.span)
        names = WorkloadNames(plan.playbook.text, NOTIFY)
        frames[NOTIFY], wrong = _frame(names, context, _NOTIFY_WITHIN, target)
        problems += wrong
    return frames, tuple(problems)


def isolations(plan: Plan, target: Target) -> Iterator[tuple[Span, Unit]]:
    """The isolation of each workload and of notifications, as units for `systemd-analyze` alone.

    Each with its place in the playbook. Their problems are reported where they are compiled.
    """
    for step in plan.steps:
        span = step.security.where("profile") if step.security.at else step.name.span
        yield span, _isolated(plan, step.name.text, step.security, target)
    if told := (*plan.on_success, *plan.on_failure, *plan.on_paused):
        span = told[0].module.span
        context = plan.security or SecurityContext(span=span)
        yield span, _isolated(plan, NOTIFY, context, target)


def _isolated(plan: Plan, name: str, context: SecurityContext, target: Target) -> Unit:
    frame, _ = _frame(WorkloadNames(plan.playbook.text, name), context, None, target)
    return Unit(
        name=f"{name}.service",
        type=UnitType.SERVICE,
        playbook=plan.playbook.text,
        workload=name,
        directives=(directive("ExecStart", Command(("true",))), *frame.directives),
        digest="",
    )


def supervised_in_run(
    plan: Plan, step: Step, target: Target, run: str
) -> tuple[tuple[Directive, ...], tuple[Problem, ...]]:
    """A supervised workload's service as `apply` would make it, for one run's duration.

    Its directories belong to this run and go with it, its state too.
    """
    from gxo.units.build import service_in_run

    made, problems = service_in_run(plan, step, target, run)
    names = WorkloadNames(plan.playbook.text, step.name.text, run=run)
    kept = (setting for setting in made if setting.name not in _OF_APPLIED)
    return tuple(part for setting in kept for part in _own(setting, names)), problems


_OF_APPLIED = frozenset(
    {"Description", "After", "Slice", "StateDirectory", "StateDirectoryMode", "WantedBy"}
)
"""Directives that tie a service to what is applied, or that outlast a run."""


def _own(setting: Directive, names: WorkloadNames) -> tuple[Directive, ...]:
    bare = replace(setting, span=None)
    if setting.name != "RuntimeDirectory":
        return (bare,)
    state = f"{_STATES}/{names.directory}"
    assert isinstance(setting.value, tuple)
    return (
        directive("RuntimeDirectory", (*setting.value, state)),
        directive("Environment", f"RUNTIME_DIRECTORY=/run/{names.workspace}"),
        directive("Environment", f"STATE_DIRECTORY=/run/{state}"),
    )


def _frame(
    names: WorkloadNames, context: SecurityContext, timeout: int | None, target: Target
) -> tuple[Frame, tuple[Problem, ...]]:
    host = context.profile is Profile.HOST
    user = context.user or ("" if host else USER)
    own = replace(context, user=user or None)
    sandbox, problems = security(own, names, target)
    limits = () if timeout is None else (directive("TimeoutStartSec", timeout),)
    bare = tuple(replace(setting, span=None) for setting in (*limits, *sandbox))
    front = launcher(own, target)
    return Frame(bare, user, not host, front.main if front else ()), problems

"""Playbook -> Plan: names resolved, edges found, policies settled, workloads put in order."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

from gxo.dataclass import dataclass, replace
from gxo.diagnostic.base import Problem, has_errors
from gxo.diagnostic.lazy import Lazy
from gxo.language.model import Playbook, Process, TaskPolicy, Workload
from gxo.plan.edges import find_edges, ordered, stream_ends
from gxo.plan.given import (
    Given,
    input_values,
    merged_vars,
    profiles_are_read,
    unknown_inputs,
    unknown_vars,
    with_profile,
)
from gxo.plan.model import Action, Edge, EdgeKind, Plan, Step
from gxo.plan.names import Kind, Scope, bindings, loop_var
from gxo.plan.order import cycles
from gxo.plan.policy import nearest, nearest_map
from gxo.source import Span
from gxo.spec.lifecycle import Policy
from gxo.spec.policy import ChannelPolicy, SecurityContext
from gxo.template.value import Data, MapValue

if TYPE_CHECKING:
    from gxo.diagnostic import graph as faults
else:
    faults = Lazy("gxo.diagnostic.graph")

__all__ = ["Given", "Resolved", "build_plan", "build_plans", "resolve"]

_NOTHING = Given()
_TASK_KEYS = frozenset({"retry", "timeout", "ignore_errors", "skip_on_no_input"})


def build_plans(
    playbooks: Sequence[Playbook], given: Given = _NOTHING
) -> tuple[tuple[Plan, ...], tuple[Problem, ...]]:
    """The plan of each playbook without errors, and every problem of all of them.

    A given input must be declared by one of the playbooks, and a var that was typed be of one or be
    read in it; no two playbooks may share a name.
    """
    declared = {item.name.text: None for playbook in playbooks for item in playbook.inputs}
    problems = list(unknown_inputs(given, declared))
    problems += _twice(playbooks)
    plans: list[Plan] = []
    for playbook in playbooks:
        resolved = resolve(playbook, given)
        problems += resolved.told
        if resolved.sound:
            plans.append(resolved.plan(resolved.order, resolved.edges))
    if len(plans) == len(playbooks):  # what one reads that is wrong is not known
        problems += unknown_vars(given, playbooks, plans)
    return tuple(plans), tuple(problems)


def build_plan(
    playbook: Playbook, given: Given = _NOTHING
) -> tuple[Plan | None, tuple[Problem, ...]]:
    """The plan of one playbook, or None where any problem is an error; all problems in one go."""
    plans, problems = build_plans((playbook,), given)
    return (plans[0] if plans and not has_errors(problems) else None), problems


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolved:
    """A playbook with its names looked up and its policies settled."""

    playbook: Playbook
    vars: MapValue | None
    inputs: tuple[tuple[str, Data], ...]
    workloads: Mapping[str, Workload]
    steps: Mapping[str, Step]
    """Of the workloads without an error of their own; none where a seccomp profile is not read."""
    edges: tuple[Edge, ...]
    order: tuple[str, ...]
    """All workloads; none where they wait for each other in a circle."""
    security: SecurityContext | None
    problems: tuple[Problem, ...]

    @property
    def sound(self) -> bool:
        """Whether there is a step of each workload and nothing wrong with any."""
        whole = len(self.steps) == len(self.workloads)
        return whole and self.playbook.sound and not has_errors(self.problems)

    @property
    def told(self) -> tuple[Problem, ...]:
        """The problems without those that may only follow from an error of the playbook's own."""
        if self.playbook.names_known:
            return self.problems
        return tuple(p for p in self.problems if not isinstance(p, faults.UnknownReference))

    def plan(self, names: Iterable[str], edges: Iterable[Edge]) -> Plan:
        """The plan of those workloads, which all have a step, in that order."""
        playbook = self.playbook
        return Plan(
            playbook=playbook.name,
            steps=tuple(self.steps[name] for name in names),
            edges=tuple(_edge(edge, self.workloads, playbook) for edge in edges),
            vars=self.vars,
            inputs=self.inputs,
            max_runs=playbook.max_runs,
            on_success=_actions(playbook.on_success),
            on_failure=_actions(playbook.on_failure),
            on_paused=_actions(playbook.on_paused),
            artifacts=playbook.artifacts,
            security=self.security,
        )


def resolve(playbook: Playbook, given: Given) -> Resolved:
    """What a playbook's names mean, with every problem of it that no single key shows."""
    variables = merged_vars(playbook.vars, given)
    names, problems = bindings(playbook, variables)
    workloads = {workload.name.text: workload for workload in playbook.workloads}
    loops = frozenset(loop_var(item) for item in playbook.workloads if item.loop is not None)
    scope = Scope(names, workloads, loops)
    inputs, bad = input_values(playbook.inputs, given)
    edges, unsound = find_edges(playbook, scope)
    order, circular = ordered(tuple(workloads), edges)
    problems = (*problems, *bad, *unsound, *circular, *_check_vars(variables, scope))
    steps: dict[str, Step] = {}
    security: SecurityContext | None = None
    if profiles_are_read(playbook, given):
        whole = (workload for workload in workloads.values() if workload.sound)
        steps = {workload.name.text: _step(workload, playbook, given) for workload in whole}
        security = with_profile(playbook.security_context, given)
        problems = (*problems, *stream_ends(steps.values(), edges))
    return Resolved(
        playbook=playbook,
        vars=variables,
        inputs=inputs,
        workloads=workloads,
        steps=steps,
        edges=edges,
        order=order,
        security=security,
        problems=problems,
    )


def _twice(playbooks: Sequence[Playbook]) -> Iterable[Problem]:
    seen: dict[str, Span] = {}
    for playbook in playbooks:
        name = playbook.name
        first = seen.setdefault(name.text, name.span)
        if first is not name.span:
            yield faults.PlaybookTwice(span=name.span, name=name.text, first=first)


def _check_vars(variables: MapValue | None, scope: Scope) -> tuple[Problem, ...]:
    """Unknown names in vars, and vars that depend on each other in a circle."""
    if variables is None:
        return ()
    problems: list[Problem] = []
    entries = [
        (name.text, value)
        for name, value in variables.entries
        if scope.names[name.text].kind is Kind.VAR
    ]
    number = {name: index for index, (name, _) in enumerate(entries)}
    reads: list[dict[int, Span]] = []
    for _, value in entries:
        found: dict[int, Span] = {}
        for name, span in scope.vars_read(value, problems):
            found.setdefault(number[name], span)
        reads.append(found)
    for cycle in cycles([tuple(found) for found in reads]):
        path = (*cycle, cycle[0])
        steps = list(pairwise(path))
        problems.append(
            faults.Cycle(
                span=reads[path[0]][path[1]],
                noun="vars",
                path=tuple(entries[node][0] for node in path),
                edges=tuple(
                    (reads[one][other], f"`{entries[one][0]}` reads `{entries[other][0]}`")
                    for one, other in steps
                ),
            )
        )
    return tuple(problems)


def _step(workload: Workload, playbook: Playbook, given: Given) -> Step:
    nearby = nearest(workload.security_context, playbook.security_context)
    security = with_profile(nearby, given)
    channel = nearest(workload.channel_policy, playbook.channel_policy)
    control = workload.loop_control
    task = _task_policy(workload, playbook)
    return Step(
        name=workload.name,
        lifecycle=workload.lifecycle,
        action=_action(workload.process),
        security=security or SecurityContext(span=workload.span),
        channel=channel or ChannelPolicy(span=workload.span),
        span=workload.span,
        register=workload.register,
        stream_inputs=workload.stream_inputs,
        when=workload.when,
        loop=workload.loop,
        loop_var=loop_var(workload),
        parallel=control.parallel if control else 1,
        retry=task.retry,
        timeout=task.timeout,
        ignore_errors=task.ignore_errors,
        skip_on_no_input=task.skip_on_no_input,
        on_failure=_actions(workload.on_failure),
        state_policy=nearest_map(workload.state_policy, playbook.state_policy),
    )


def _edge(edge: Edge, workloads: Mapping[str, Workload], playbook: Playbook) -> Edge:
    """A stream's edge with its policy: the consumer's, else the producer's, else the playbook's."""
    if edge.kind is not EdgeKind.STREAM:
        return edge
    reader, writer = workloads[edge.target], workloads[edge.source]
    own = nearest(reader.channel_policy, writer.channel_policy)
    return replace(edge, channel=nearest(own, playbook.channel_policy))


def _task_policy(workload: Workload, playbook: Playbook) -> TaskPolicy:
    """A workload's own task policy over the playbook's, which is not for services."""
    keys = {key: workload.at[key] for key in _TASK_KEYS if key in workload.at}
    own = TaskPolicy(
        span=workload.span,
        at=keys,
        retry=workload.retry,
        timeout=workload.timeout,
        ignore_errors=workload.ignore_errors,
        skip_on_no_input=workload.skip_on_no_input,
    )
    if workload.lifecycle.policy is Policy.SUPERVISE:
        return own
    return nearest(own, playbook.task_policy) or own


def _action(process: Process) -> Action:
    return Action(module=process.module, params=process.params, outside=process.outside)


def _actions(processes: tuple[Process, ...]) -> tuple[Action, ...]:
    return tuple(_action(process) for process in processes)

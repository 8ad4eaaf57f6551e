"""Plan -> Units: what each workload of a playbook becomes on a systemd of the target's version."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from gxo.dataclass import dataclass, replace
from gxo.diagnostic.base import Problem, has_errors
from gxo.diagnostic.lazy import Lazy
from gxo.plan.model import Edge, EdgeKind, Plan, Step, edges_into
from gxo.plan.scope import compile_scope
from gxo.spec.lifecycle import EventDriven, RunOnce, Scheduled, Supervise
from gxo.template.data import truth
from gxo.template.evaluate import Scope, evaluate
from gxo.template.fault import Fault
from gxo.units.command import Exec, read_exec
from gxo.units.digest import digest_of
from gxo.units.directives import directive, fault
from gxo.units.instance import instance, is_instance, waits
from gxo.units.launcher import launcher
from gxo.units.lifecycles import once, scheduled, supervised, timer
from gxo.units.model import Command, Directive, Unit, UnitType
from gxo.units.names import LONGEST, WorkloadNames, playbook_slice
from gxo.units.ready import doubtful
from gxo.units.security import has_own_pids, security
from gxo.units.service_secrets import guard, guarded_start, is_guarded, shown
from gxo.units.sight import out_of_sight
from gxo.units.target import Target
from gxo.units.unsupported import unsupported_by_apply, unsupported_by_apply_step

if TYPE_CHECKING:
    from gxo.diagnostic import units as faults
else:
    faults = Lazy("gxo.diagnostic.units")

__all__ = ["Target", "compile_units", "service_in_run"]

_PENDING = "0" * 64


def compile_units(plan: Plan, target: Target) -> tuple[tuple[Unit, ...], tuple[Problem, ...]]:
    """The units of a plan in its order, a timer behind its service; all problems in one go.

    A workload with an error has no units.
    """
    scope, problems = compile_scope(plan)
    into: dict[str, list[Edge]] = {}
    for edge in plan.edges:
        into.setdefault(edge.target, []).append(edge)
    steps = {step.name.text: step for step in plan.steps}
    work = _Work(plan, target, scope, steps, into, [*problems, *out_of_sight(plan)])
    if not all(is_instance(plan, step) for step in plan.steps):  # runs have all of it
        work.problems.extend(unsupported_by_apply(plan))
    units: list[Unit] = []
    for step in plan.steps:
        before = len(work.problems)
        made = work.units(step)
        if not has_errors(work.problems[before:]):
            units += made
    return tuple(units), tuple(work.problems)


def service_in_run(
    plan: Plan, step: Step, target: Target, run: str
) -> tuple[tuple[Directive, ...], tuple[Problem, ...]]:
    """The service that `apply` would make of a supervised workload, under names of the run.

    Empty where the workload has an error, or its `when` is false.
    """
    work, _ = _work_on(plan, target)
    made = work.service(step, replace(work.names(step), run=run))
    return () if has_errors(work.problems) else made, tuple(work.problems)


def _work_on(plan: Plan, target: Target) -> tuple["_Work", tuple[Problem, ...]]:
    """A plan's compilation, about to begin, and what is wrong with the plan's vars."""
    scope, problems = compile_scope(plan)
    steps = {step.name.text: step for step in plan.steps}
    return _Work(plan, target, scope, steps, edges_into(plan.edges), []), problems


@dataclass(frozen=True, slots=True)
class _Work:
    """One playbook's compilation; each method adds to `problems` what it finds."""

    plan: Plan
    target: Target
    scope: Scope
    steps: Mapping[str, Step]
    into: Mapping[str, Sequence[Edge]]
    """The edges by the step they lead into."""
    problems: list[Problem]

    def units(self, step: Step) -> tuple[Unit, ...]:
        runs = is_instance(self.plan, step)
        if not runs:
            self.problems.extend(unsupported_by_apply_step(step))
        self.problems.extend(unmet := self._edges(step))
        if unmet or isinstance(step.lifecycle, EventDriven):
            return ()
        if step.action.module.text != "exec" and not runs:
            return ()
        if not self._wanted(step):
            return ()
        names = self.names(step)
        self._check_names(step, names)
        if isinstance(step.lifecycle, Scheduled):
            return self._schedule(step, names, timer(step.lifecycle, names.label))
        kind = UnitType.SERVICE
        content = self._service(step, names)
        digest = digest_of(names.unit(kind), content)
        return (_unit(names, kind, _stamped(content, digest), digest),)

    def _schedule(
        self, step: Step, names: WorkloadNames, own_timer: tuple[Directive, ...]
    ) -> tuple[Unit, Unit]:
        """The service of a schedule and its timer, whose names hold the digest of both."""
        # names stand in the content too: the digest is taken with zeros in its own place
        pending = replace(names, digest=_PENDING)
        before = len(self.problems)
        digest = digest_of(names.unit(UnitType.TIMER), (*self._service(step, pending), *own_timer))
        del self.problems[before:]
        final = replace(names, digest=digest)
        content = _stamped(self._service(step, final), digest)
        return (
            _unit(final, UnitType.SERVICE, content, digest),
            _unit(final, UnitType.TIMER, own_timer, digest),
        )

    def names(self, step: Step) -> WorkloadNames:
        return WorkloadNames(self.plan.playbook.text, step.name.text)

    def service(self, step: Step, names: WorkloadNames) -> tuple[Directive, ...]:
        """The content of a supervised workload's service; empty where it must not run."""
        self.problems.extend(unmet := self._edges(step))
        if unmet or step.action.module.text != "exec" or not self._wanted(step):
            return ()
        return self._service(step, names)

    def _service(self, step: Step, names: WorkloadNames) -> tuple[Directive, ...]:
        """All directives of a workload's service but the journal field with its digest."""
        if is_instance(self.plan, step):
            run, wrong = instance(self.plan, step, names, self.target)
            self.problems.extend(problem for problem in wrong if problem not in self.problems)
            return (*self._before(step, names), *run, *_behind(names))
        sandbox, wrong = security(step.security, names, self.target)
        self.problems.extend(wrong)
        front = launcher(step.security, self.target)
        own_pids, launched = has_own_pids(sandbox), front is not None
        program, given = self._program(step, names, own_pids=own_pids, launched=launched)
        run = self._lifecycle(step, program.start, names, own_pids=own_pids, launched=launched)
        around = program.around
        if front is not None:
            run, around = front.service(run, around)
            self.problems.extend(
                faults.UnsafeText(span=item.span or step.span, what="command line", reason=reason)
                for item in run
                if item.name == "ExecStart" and (reason := fault(item))
            )
        return (
            *self._before(step, names),
            *run,
            *_behind(names),
            *around,
            directive("StateDirectory", (names.state,)),
            directive("StateDirectoryMode", 0o700),
            *sandbox,
            *given,
        )

    def _program(
        self, step: Step, names: WorkloadNames, *, own_pids: bool, launched: bool
    ) -> tuple[Exec, tuple[Directive, ...]]:
        """What a workload executes, and what the guard in front of its secrets needs."""
        gxo = dict(self.scope.gxo)
        if not isinstance(step.lifecycle, Scheduled):
            gxo["workspace"] = {"path": f"/run/{names.workspace}"}
        scope = replace(self.scope, gxo=gxo)
        params = step.action.params
        guarded = is_guarded(step)
        found, wrong = read_exec(shown(params) if guarded else params, scope, step.span)
        self.problems.extend(wrong)
        # anything in its place, so that what is wrong with the rest is said too
        found = found or Exec(directive("ExecStart", Command(("true",))), ())
        if not guarded:
            return found, ()
        given, wrong = guard(self.plan, step, names, own_pids=own_pids, launched=launched)
        self.problems.extend(wrong)
        start = guarded_start(found.start, forward=not (own_pids or launched))
        return replace(found, start=start), given

    def _lifecycle(
        self, step: Step, start: Directive, names: WorkloadNames, *, own_pids: bool, launched: bool
    ) -> tuple[Directive, ...]:
        if isinstance(step.lifecycle, Supervise):
            self.problems.extend(doubtful(step))
            return supervised(
                step.lifecycle, start, names, self.problems, own_pids=own_pids, launched=launched
            )
        if isinstance(step.lifecycle, Scheduled):
            return scheduled(start, step.timeout)
        return once(start, step.timeout, names)

    def _before(self, step: Step, names: WorkloadNames) -> tuple[Directive, ...]:
        return (
            directive("Description", f"gxo workload {names.label}"),
            *self._after(step),
            directive("IgnoreOnIsolate", True),
        )

    def _after(self, step: Step) -> tuple[Directive, ...]:
        """After= without Requires=, which would stop this service whenever the other restarts."""
        if isinstance(step.lifecycle, Scheduled):
            return ()
        names = {
            WorkloadNames(self.plan.playbook.text, edge.source).unit(UnitType.SERVICE): edge.span
            for edge in self.into.get(step.name.text, ())
            if isinstance(self.steps[edge.source].lifecycle, Supervise | RunOnce)
        }
        return tuple(directive("After", (name,), span=span) for name, span in sorted(names.items()))

    def _wanted(self, step: Step) -> bool:
        if step.when is None or (is_instance(self.plan, step) and waits(self.plan, step.when)):
            return True
        try:
            return truth(evaluate(step.when, self.scope))
        except Fault as fault:
            self.problems.append(fault.problem)
            return False

    def _edges(self, step: Step) -> tuple[Problem, ...]:
        problems: list[Problem] = []
        for edge in self.into.get(step.name.text, ()):
            if edge.kind is EdgeKind.NEEDS:
                continue
            if isinstance(step.lifecycle, Supervise):
                problems.append(
                    faults.EdgeIntoService(
                        span=edge.span, source=edge.source, target=edge.target, kind=edge.kind
                    )
                )
            else:
                what = f"give `{edge.target}` the {edge.kind} of `{edge.source}`"
                problems.append(faults.NotInThisVersion(span=edge.span, what=what))
        return tuple(problems)

    def _check_names(self, step: Step, names: WorkloadNames) -> None:
        # with room for a digest, since any workload may become a scheduled one
        longest = replace(names, digest=_PENDING).unit(UnitType.SERVICE)
        if len(longest) > LONGEST:
            playbook = (self.plan.playbook.span, "the playbook")
            self.problems.append(
                faults.NameTooLong(
                    span=step.name.span, unit=longest, limit=LONGEST, related_to=(playbook,)
                )
            )


def _behind(names: WorkloadNames) -> tuple[Directive, ...]:
    return (
        directive("Slice", playbook_slice(names.playbook)),
        directive("SyslogIdentifier", names.label),
        directive("LogExtraFields", f"GXO_PLAYBOOK={names.playbook}"),
        directive("LogExtraFields", f"GXO_WORKLOAD={names.workload}"),
    )


def _unit(
    names: WorkloadNames, kind: UnitType, directives: tuple[Directive, ...], digest: str
) -> Unit:
    return Unit(
        name=names.unit(kind),
        type=kind,
        playbook=names.playbook,
        workload=names.workload,
        directives=directives,
        digest=digest,
    )


def _stamped(content: tuple[Directive, ...], digest: str) -> tuple[Directive, ...]:
    """The content with its digest, behind the other journal fields."""
    own = directive("LogExtraFields", f"GXO_DIGEST={digest}")
    last = max((i for i, s in enumerate(content) if s.name == own.name), default=-1)
    return (*content[: last + 1], own, *content[last + 1 :])

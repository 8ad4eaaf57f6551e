"""Desired: what one playbook wants of systemd, as parts that each start, stop and fail as one."""

from collections.abc import Iterable, Mapping
from pathlib import Path

from gxo.dataclass import dataclass, replace
from gxo.plan.model import Plan, edges_into
from gxo.spec.lifecycle import Lifecycle, Policy, Supervise
from gxo.units.model import Unit, UnitType
from gxo.units.names import parse


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One workload: `units[0]` is started, the others are created with it (a timer's service).

    `after` names the workloads it waits for; `settle` is how long it must stay up, microseconds.
    """

    workload: str
    policy: Policy
    units: tuple[Unit, ...]
    after: tuple[str, ...] = ()
    settle: int = 0

    @property
    def main(self) -> Unit:
        return self.units[0]

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(unit.name for unit in self.units)


@dataclass(frozen=True, slots=True, kw_only=True)
class Desired:
    """A playbook as it should be; its `parts` each come after all they wait for.

    `source` is the playbook's file, absolute; empty where it came from standard input.
    """

    playbook: str
    slices: tuple[Unit, ...] = ()
    parts: tuple[Part, ...] = ()
    source: str = ""
    removal: bool = False
    """The playbook is to be removed, with its records."""

    @property
    def units(self) -> tuple[Unit, ...]:
        return (*self.slices, *(unit for part in self.parts for unit in part.units))


def desired(plan: Plan, units: Iterable[Unit]) -> Desired:
    """What a plan wants, out of the compiled units, among which may be other playbooks'.

    A step without units (its `when` is false) takes no part: what waits for it waits for all that
    it waited for.
    """
    name = plan.playbook.text
    slices: list[Unit] = []
    by_workload: dict[str, list[Unit]] = {}
    for unit in units:
        if unit.type is UnitType.SLICE:
            if unit.playbook in ("", name):
                slices.append(unit)
        elif unit.playbook == name:
            by_workload.setdefault(unit.workload, []).append(_unbound(unit))
    after = _after(plan, by_workload)
    parts = tuple(
        Part(
            workload=step.name.text,
            policy=step.lifecycle.policy,
            units=_main_first(by_workload[step.name.text]),
            after=after[step.name.text],
            settle=_settle(step.lifecycle),
        )
        for step in plan.steps
        if step.name.text in by_workload
    )
    path = plan.playbook.span.source.path
    source = "" if path.startswith("<") else str(Path(path).absolute())
    return Desired(playbook=name, slices=tuple(slices), parts=parts, source=source)


def _unbound(unit: Unit) -> Unit:
    """The unit without After= on gxo's own units; apply starts them in order by itself.

    systemd keeps a stopped unit loaded while another names it, and creates no transient unit whose
    name is loaded: an After= would bar the next revision of the other.
    """
    kept = tuple(
        item
        for item in unit.directives
        if item.name != "After"
        or not isinstance(item.value, tuple)
        or not any(map(parse, item.value))
    )
    return replace(unit, directives=kept)


def _after(plan: Plan, present: Mapping[str, object]) -> dict[str, tuple[str, ...]]:
    """What each step waits for; as steps come in order, those left out are known before."""
    into = edges_into(plan.edges)
    after: dict[str, tuple[str, ...]] = {}
    for step in plan.steps:
        found: dict[str, None] = {}
        for edge in into.get(step.name.text, ()):
            name = edge.source
            found |= dict.fromkeys([name] if name in present else after[name])
        after[step.name.text] = tuple(found)
    return after


def _settle(lifecycle: Lifecycle) -> int:
    return lifecycle.readiness.settle if isinstance(lifecycle, Supervise) else 0


def _main_first(units: list[Unit]) -> tuple[Unit, ...]:
    """A timer or socket before the service it starts."""
    return tuple(sorted(units, key=lambda unit: unit.type is UnitType.SERVICE))

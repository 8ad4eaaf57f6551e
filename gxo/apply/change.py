"""Changes: desired against live and recorded, as one pure function."""

from collections.abc import Iterable, Iterator, Mapping
from enum import StrEnum

from gxo.apply.desired import Desired, Part
from gxo.apply.difference import difference
from gxo.apply.drift import altered, barred, overridden
from gxo.apply.live import Live, LiveUnit
from gxo.apply.record import Intent, Observed, Revision, to_desired
from gxo.dataclass import dataclass, field
from gxo.spec.lifecycle import Policy
from gxo.units.credential import only_secrets_differ
from gxo.units.model import Unit, UnitType
from gxo.units.names import ROOT_SLICE, playbook_slice

LEFT_ALONE = "steps are not rolled back"
"""Why a rollback does nothing about a step."""


class Action(StrEnum):
    """In plans `reload` is for slices alone: it drops what was set on them, and stops nothing."""

    START = "start"
    STOP = "stop"
    RESTART = "restart"
    RUN = "run"
    RELOAD = "reload"
    NONE = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What to do with one part of a playbook, or with a unit that has left it.

    `old` are live units to be stopped, `before` the definitions of what runs, the main unit first,
    empty where nothing runs or no record has them. `workload` is empty for a slice.
    """

    playbook: str
    workload: str
    unit: str
    action: Action
    reason: str
    drifted: tuple[str, ...] = ()
    """What somebody changed under gxo, a line each; `reason` says all of it in one."""
    diff: tuple[str, ...] = ()
    part: Part | None = None
    make: tuple[Unit, ...] = ()
    old: tuple[str, ...] = ()
    before: tuple[Unit, ...] = ()
    adopt: bool = False
    """The loaded unit is the wanted one: start that, and create it only where it is gone."""
    barred: tuple[str, ...] = ()
    """Why the change cannot be made, each reason with what to do about it."""

    @property
    def label(self) -> str:
        """`site.web` of a workload, the unit's own name of a slice."""
        return f"{self.playbook}.{self.workload}" if self.workload else self.unit

    @property
    def quoted(self) -> str:
        """As errors name it: a workload in backticks, a slice as it is."""
        return f"`{self.label}`" if self.workload else self.unit

    @property
    def lost(self) -> bool:
        """It stops a unit that no record defines, and so cannot be undone.

        A slice of a playbook comes back with whatever starts in it.
        """
        stops = self.action in (Action.RESTART, Action.STOP)
        return stops and bool(self.workload) and not self.before


@dataclass(frozen=True, slots=True)
class Known:
    """What the records of a playbook say.

    `definitions` are units by name and digest, `parts` those of each workload in the current
    revision, `timers` a timer's and its service's by the timer's name.
    """

    current: Revision | None = None
    observed: Observed = field(default_factory=Observed)
    parts: Mapping[str, tuple[Unit, ...]] = field(default_factory=dict)
    definitions: Mapping[tuple[str, str], Unit] = field(default_factory=dict)
    timers: Mapping[str, tuple[Unit, ...]] = field(default_factory=dict)


def known(
    current: Revision | None,
    intent: Intent | None = None,
    observed: Observed | None = None,
    older: Iterable[Revision] = (),
) -> Known:
    """What is known by records, also from the intent of a killed apply, whose units may run.

    `older` revisions, the oldest first, are needed where a unit of theirs still runs.
    """
    now = to_desired(current) if current else None
    then = to_desired(intent.target) if intent and intent.target else None
    past = map(to_desired, older)
    parts = [part for wanted in (*past, now, then) if wanted for part in wanted.parts]
    return Known(
        current=current,
        observed=observed or Observed(),
        parts={part.workload: part.units for part in now.parts} if now else {},
        definitions={(unit.name, unit.digest): unit for part in parts for unit in part.units},
        timers={p.main.name: p.units for p in parts if p.main.type is UnitType.TIMER},
    )


def strangers(live: Live, records: Known) -> bool:
    """Whether there is a live unit that no known definition fits."""
    return any(
        unit.playbook is not None
        and unit.workload
        and not (_definition(unit, records) or unit.name in records.timers)
        for unit in live.units.values()
    )


def changes(
    wanted: Desired, live: Live, records: Known, *, prune: bool = True, steps: bool = True
) -> tuple[Change, ...]:
    """One Change for each slice and part, in their order, then one for each unit to be stopped.

    A slice that systemd made for the playbook has one where somebody changed its properties.

    `live` holds this playbook's units. Without `prune` units that left the playbook stay; without
    `steps` no run_once workload runs.
    """
    made = [*_limited(wanted, live), *(_slice(wanted, unit, live) for unit in wanted.slices)]
    made += [_part(wanted, part, live, records, steps=steps) for part in wanted.parts]
    if prune:
        taken = {name for change in made for name in (*change.old, *(u.name for u in change.make))}
        taken |= {unit.name for unit in wanted.units}
        made += _leftovers(wanted, live, records, taken)
    return tuple(made)


def _slice(wanted: Desired, unit: Unit, live: Live) -> Change:
    found = live.get(unit.name)
    up = found is not None and found.up
    return Change(
        playbook=wanted.playbook,
        workload="",
        unit=unit.name,
        action=Action.NONE if up else Action.START,
        reason="unchanged" if up else "new",
        make=(unit,),
    )


def _limited(wanted: Desired, live: Live) -> Iterator[Change]:
    """Slices that systemd made for the playbook, and whose properties somebody changed."""
    for name in (ROOT_SLICE, playbook_slice(wanted.playbook)) if not wanted.removal else ():
        if drifted := overridden(name, live):
            yield Change(
                playbook=wanted.playbook,
                workload="",
                unit=name,
                action=Action.RELOAD,
                reason=_drift(drifted),
                drifted=drifted,
                barred=barred(name, live),
            )


def _part(wanted: Desired, part: Part, live: Live, records: Known, *, steps: bool) -> Change:
    decide = {
        Policy.RUN_ONCE: _run_once if steps else _left_alone,
        Policy.SUPERVISE: _supervised,
        Policy.SCHEDULED: _scheduled,
    }[part.policy]
    action, why, old, before = decide(part, live, records)
    main = live.get(part.main.name)
    return Change(
        playbook=wanted.playbook,
        workload=part.workload,
        unit=part.main.name,
        action=action,
        reason=why if isinstance(why, str) else _drift(why),
        drifted=() if isinstance(why, str) else why,
        diff=difference(part.units, before or _recorded(part, records))
        if action in (Action.RESTART, Action.RUN)
        else (),
        part=part,
        make=part.units,
        old=old,
        before=before,
        adopt=action is Action.RUN and not old and main is not None and main.up,
        barred=tuple(line for unit in part.units for line in barred(unit.name, live))
        if action is not Action.NONE
        else (),
    )


_Decision = tuple[Action, str | tuple[str, ...], tuple[str, ...], tuple[Unit, ...]]
"""What to do, why or how it drifted, the live units that go, and the definitions of these."""
_UNCHANGED: _Decision = (Action.NONE, "unchanged", (), ())


def _left_alone(_part: Part, _live: Live, _records: Known) -> _Decision:
    return Action.NONE, LEFT_ALONE, (), ()


def _run_once(part: Part, live: Live, records: Known) -> _Decision:
    found = live.get(part.main.name)
    if found is not None and found.up:
        # an apply was killed while it ran
        if found.digest == part.main.digest:
            return Action.RUN, "under way", (), ()
        return Action.RUN, "changed", (found.name,), ()
    last = records.observed.outcomes.get(part.workload)
    if last is None:
        return Action.RUN, "new", (), ()
    if last.digest != part.main.digest:
        return Action.RUN, _changed(_recorded(part, records), part.main), (), ()
    if not last.ok:
        return Action.RUN, "its last run failed", (), ()
    return Action.NONE, "has run", (), ()


def _supervised(part: Part, live: Live, records: Known) -> _Decision:
    unit = part.main
    found = live.get(unit.name)
    if found is None or not found.up:
        state = "not running" if _recorded(part, records) else "new"
        reason = "failed" if found is not None and found.active == "failed" else state
        # its name is free once it has ended
        ending = found is not None and found.active == "deactivating"
        return Action.START, reason, (unit.name,) if ending else (), ()
    before = _definition(found, records)
    if found.digest != unit.digest:
        return Action.RESTART, _changed(before, unit), (unit.name,), before
    if drifted := altered(unit, live, records.observed.baselines.get(unit.name)):
        return Action.RESTART, drifted, (unit.name,), before
    return _UNCHANGED


def _changed(before: tuple[Unit, ...], unit: Unit) -> str:
    secret = bool(before) and only_secrets_differ(before[0], unit)
    return "one of its secrets has changed" if secret else "changed"


def _scheduled(part: Part, live: Live, records: Known) -> _Decision:
    timer = part.main
    found = live.get(timer.name)
    others = tuple(
        unit
        for unit in live.units.values()
        if unit.workload == part.workload
        and unit.name != timer.name
        and unit.name.endswith(f".{timer.type.value}")
    )
    if found is not None and found.up:
        drifted = tuple(
            line
            for unit in part.units
            for line in altered(unit, live, records.observed.baselines.get(unit.name))
        )
        return (Action.RESTART, drifted, (timer.name,), part.units) if drifted else _UNCHANGED
    running = tuple(unit for unit in others if unit.up)
    if running:
        before = _with_service(running[0], records)
        return Action.RESTART, "changed", tuple(unit.name for unit in others), before
    state = "not running" if _recorded(part, records) else "new"
    return Action.START, state, tuple(unit.name for unit in others), ()


def _drift(lines: Iterable[str]) -> str:
    return f"drifted: {'; '.join(lines)}"


def _leftovers(wanted: Desired, live: Live, records: Known, taken: set[str]) -> Iterator[Change]:
    """Units that are not wanted any more; the job of a schedule's old revision may finish."""
    policies = {part.workload: part.policy for part in wanted.parts}
    for found in live.units.values():
        if found.name in taken or found.playbook is None:
            continue
        service = found.name.endswith(".service")
        if service and policies.get(found.workload) is Policy.SCHEDULED and found.revision:
            continue
        if not found.workload and not wanted.removal:
            continue
        kept = found.workload in policies
        yield Change(
            playbook=wanted.playbook,
            workload=found.workload,
            unit=found.name,
            action=Action.STOP,
            reason="replaced" if kept else "left the playbook",
            old=(found.name,),
            before=_with_service(found, records),
        )


def _definition(found: LiveUnit, records: Known) -> tuple[Unit, ...]:
    unit = records.definitions.get((found.name, found.digest or ""))
    return (unit,) if unit else ()


def _with_service(found: LiveUnit, records: Known) -> tuple[Unit, ...]:
    """The definition of a live unit; of a timer, with that of its service."""
    timer = records.timers.get(found.name)
    return timer if timer is not None else _definition(found, records)


def _recorded(part: Part, records: Known) -> tuple[Unit, ...]:
    """The units of the same workload in the current revision."""
    return records.parts.get(part.workload, ())

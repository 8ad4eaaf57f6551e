"""Records: what was applied, as types of their own for the disk, with numbers and a version.

A revision `N.json` is written once and never changed. `observed.json` holds how each run_once step
ended, and each unit's properties as read back after its start. `intent.json` is there while an
apply is under way, and after one that was killed.
"""

from collections.abc import Mapping

from gxo.apply.desired import Desired, Part
from gxo.dataclass import dataclass, field
from gxo.spec.lifecycle import Policy
from gxo.units.model import Command, Directive, DirectiveValue, Unit, UnitType

VERSION = 1


@dataclass(frozen=True, slots=True)
class CommandRecord:
    argv: tuple[str, ...]
    ignore_failure: bool


ValueRecord = bool | int | str | CommandRecord | tuple[str, ...]


@dataclass(frozen=True, slots=True)
class DirectiveRecord:
    section: str
    name: str
    value: ValueRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitRecord:
    name: str
    type: str
    playbook: str
    workload: str
    digest: str
    directives: tuple[DirectiveRecord, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PartRecord:
    workload: str
    policy: str
    after: tuple[str, ...]
    settle: int
    units: tuple[UnitRecord, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Revision:
    """One applied state of a playbook, complete: applying it again needs no playbook file.

    `applied` counts microseconds since 1970; `gxo` is the version that wrote it.
    """

    playbook: str
    number: int
    applied: int
    gxo: str
    source: str
    slices: tuple[UnitRecord, ...]
    parts: tuple[PartRecord, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How a run_once step ended last; `digest` is of the unit that ran."""

    digest: str
    ok: bool
    ended: int
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Baseline:
    """A unit as systemd described it right after its start; later differences are drift.

    `systemd` is its version, as another may describe the same unit differently. `properties` are
    D-Bus properties with their values as JSON text; `drop_ins` are paths.
    """

    digest: str
    systemd: str
    properties: Mapping[str, str]
    drop_ins: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Observed:
    """`outcomes` by workload, `baselines` by unit."""

    outcomes: Mapping[str, Outcome] = field(default_factory=dict)
    baselines: Mapping[str, Baseline] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Intent:
    """What an apply is about to do, written before it begins; without `target`: a removal."""

    started: int
    target: Revision | None


def to_revision(wanted: Desired, number: int, applied: int, gxo: str) -> Revision:
    return Revision(
        playbook=wanted.playbook,
        number=number,
        applied=applied,
        gxo=gxo,
        source=wanted.source,
        slices=tuple(map(_unit_record, wanted.slices)),
        parts=tuple(
            PartRecord(
                workload=part.workload,
                policy=part.policy.value,
                after=part.after,
                settle=part.settle,
                units=tuple(map(_unit_record, part.units)),
            )
            for part in wanted.parts
        ),
    )


def unknown_words(revision: Revision) -> tuple[str, ...]:
    """Policies and types of units that this gxo has not: those of a newer one, or of an editor."""
    units = [*revision.slices, *(unit for part in revision.parts for unit in part.units)]
    policies = {part.policy for part in revision.parts}.difference(Policy)
    types = {unit.type for unit in units}.difference(UnitType)
    return tuple(f"`{word}`" for word in sorted(policies | types))


def to_desired(revision: Revision) -> Desired:
    """What the revision wanted, of which this gxo knows all words."""
    return Desired(
        playbook=revision.playbook,
        slices=tuple(map(_unit, revision.slices)),
        parts=tuple(
            Part(
                workload=part.workload,
                policy=Policy(part.policy),
                units=tuple(map(_unit, part.units)),
                after=part.after,
                settle=part.settle,
            )
            for part in revision.parts
        ),
        source=revision.source,
    )


def _unit_record(unit: Unit) -> UnitRecord:
    return UnitRecord(
        name=unit.name,
        type=unit.type.value,
        playbook=unit.playbook,
        workload=unit.workload,
        digest=unit.digest,
        directives=tuple(
            DirectiveRecord(item.section, item.name, _value_record(item.value))
            for item in unit.directives
        ),
    )


def _value_record(value: DirectiveValue) -> ValueRecord:
    return CommandRecord(value.argv, value.ignore_failure) if isinstance(value, Command) else value


def _unit(record: UnitRecord) -> Unit:
    return Unit(
        name=record.name,
        type=UnitType(record.type),
        playbook=record.playbook,
        workload=record.workload,
        digest=record.digest,
        directives=tuple(
            Directive(item.section, item.name, _value(item.value)) for item in record.directives
        ),
    )


def _value(value: ValueRecord) -> DirectiveValue:
    if isinstance(value, CommandRecord):
        return Command(value.argv, ignore_failure=value.ignore_failure)
    return value

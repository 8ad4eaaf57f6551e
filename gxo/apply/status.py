"""Status: what is applied, and how it fares."""

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from gxo.apply.desired import Part
from gxo.apply.drift import drift, overridden
from gxo.apply.live import Live, LiveUnit, globs, read_live
from gxo.apply.lock import under_way
from gxo.apply.places import HERE, Places
from gxo.apply.record import Observed, Outcome, Revision, to_desired
from gxo.apply.stamps import persistent
from gxo.apply.store import StoreError
from gxo.dataclass import dataclass, field
from gxo.spec.lifecycle import Policy
from gxo.systemd.bus import Bus
from gxo.systemd.manager import Manager
from gxo.systemd.states import UnitResult
from gxo.units.instance import step_of
from gxo.units.model import Unit
from gxo.units.names import ROOT_SLICE, playbook_slice


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitStatus:
    """A unit as systemd has it; one that is not loaded is `inactive` (`dead`)."""

    name: str
    active: str
    sub: str
    result: str
    pid: int


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkloadStatus:
    """A workload of an applied playbook.

    orphaned      the playbook's file is gone
    interrupted   an apply of the playbook was killed and none has ended since
    slice_drift   what others changed on its slices, a line each
    last          how a run_once step ended, None for others
    step          the isolation of a schedule's step, where each turn is a run
    last_trigger, next_elapse   of a schedule, microseconds since 1970, 0 for never
    """

    playbook: str
    workload: str
    lifecycle: str
    units: tuple[UnitStatus, ...]
    digest: str
    revision: int
    drift: tuple[str, ...]
    slice_drift: tuple[str, ...] = ()
    source: str
    orphaned: bool
    interrupted: bool
    last: Outcome | None = None
    step: Unit | None = None
    last_trigger: int = 0
    next_elapse: int = 0


@dataclass(frozen=True, slots=True)
class Status:
    """`damaged` are playbooks whose records cannot be read, each with why and what to do.

    `under_way` is the apply, in words, that changes this host meanwhile. `results` are, by name,
    how the processes of the units fared that are loaded: read with all the rest, in one go.
    """

    workloads: tuple[WorkloadStatus, ...]
    damaged: Mapping[str, str]
    under_way: str = ""
    results: Mapping[str, UnitResult] = field(default_factory=dict)


def status(playbooks: Iterable[str] | None = None, *, places: Places = HERE) -> Status:
    """The status of these playbooks, or of all that are applied. Raises SystemdError."""
    store = places.store
    names = store.playbooks() if playbooks is None else tuple(playbooks)
    found: list[WorkloadStatus] = []
    damaged: dict[str, str] = {}
    results: dict[str, UnitResult] = {}
    busy = under_way()
    with Bus.system() as bus:
        manager = Manager(bus)
        for name in names:
            try:
                revision, observed = store.current(name), store.observed(name)
                interrupted = not busy and store.intent(name) is not None
            except StoreError as error:
                damaged[name] = str(error)
                continue
            if revision is None:
                continue
            live = read_live(manager, (*globs(name), ROOT_SLICE), to_desired(revision).units)
            results |= live.results
            found += workloads(
                revision,
                live,
                observed,
                interrupted=interrupted,
                fired=places.stamps.fired,
            )
    return Status(tuple(found), damaged, busy, results)


def workloads(
    revision: Revision,
    live: Live,
    observed: Observed,
    *,
    interrupted: bool = False,
    fired: Callable[[str], int | None] = lambda _: None,
) -> tuple[WorkloadStatus, ...]:
    """The status of each workload of a revision, in its order.

    `fired` tells when a persistent timer last elapsed: systemd itself only has the time to which
    gxo has set its stamp (apply/stamps.py).
    """
    orphaned = bool(revision.source) and not Path(revision.source).exists()
    found = []
    recorded = to_desired(revision)
    slices = (ROOT_SLICE, playbook_slice(revision.playbook))
    slice_drift = tuple(f"{name}: {line}" for name in slices for line in overridden(name, live))
    for part in recorded.parts:
        main = live.get(part.main.name)
        last = observed.outcomes.get(part.workload)
        found.append(
            WorkloadStatus(
                playbook=revision.playbook,
                workload=part.workload,
                lifecycle=part.policy.value,
                units=tuple(_unit(name, live.get(name)) for name in part.names),
                digest=part.main.digest,
                revision=revision.number,
                drift=_drift(part, live, observed),
                slice_drift=slice_drift,
                source=revision.source,
                orphaned=orphaned,
                interrupted=interrupted,
                last=last if part.policy is Policy.RUN_ONCE else None,
                step=next(filter(None, map(step_of, part.units)), None),
                last_trigger=_last_trigger(part.main, main, fired),
                next_elapse=main.next_elapse if main else 0,
            )
        )
    return tuple(found)


def _drift(part: Part, live: Live, observed: Observed) -> tuple[str, ...]:
    """How the units of a workload differ from what was applied, a line each."""
    if part.policy is Policy.RUN_ONCE:
        last = observed.outcomes.get(part.workload)
        return () if last and last.digest == part.main.digest else ("has not run",)
    lines: tuple[str, ...] = ()
    for unit in part.units:
        # a timer's service is loaded with it, but mostly does not run
        idle = unit is not part.main and (it := live.get(unit.name)) and not it.up
        found = drift(unit, live, observed.baselines.get(unit.name))
        lines += found[1:] if idle else found
    return lines


def _last_trigger(timer: Unit, live: LiveUnit | None, fired: Callable[[str], int | None]) -> int:
    known = fired(timer.name) if persistent(timer) else None
    if known is None:
        return live.last_trigger if live else 0
    return known


def _unit(name: str, live: LiveUnit | None) -> UnitStatus:
    if live is None:
        return UnitStatus(name=name, active="inactive", sub="dead", result="success", pid=0)
    return UnitStatus(name=name, active=live.active, sub=live.sub, result=live.result, pid=live.pid)

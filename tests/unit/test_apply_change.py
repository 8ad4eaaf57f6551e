"""Changes: desired against live and recorded, without any systemd."""

import pytest

from gxo.apply.change import Action, Change, Known, changes, known
from gxo.apply.desired import Desired, Part
from gxo.apply.foreign import Foreign, Kind
from gxo.apply.live import Live, LiveUnit
from gxo.apply.record import Baseline, Intent, Observed, Outcome, to_revision
from gxo.dataclass import replace
from gxo.spec.lifecycle import Policy
from gxo.units.model import Command, Directive, Unit, UnitType

A, B = "a" * 12, "b" * 12


def service(workload: str, digest: str, *, revision: str = "", memory: int = 1) -> Unit:
    part = f"{workload}.{revision}" if revision else workload
    return Unit(
        name=f"gxo-p.{part}.service",
        type=UnitType.SERVICE,
        playbook="p",
        workload=workload,
        digest=digest,
        directives=(
            Directive("Service", "ExecStart", Command(("/bin/sleep", f"{memory} s"))),
            Directive("Service", "MemoryMax", memory),
            Directive("Service", "LogExtraFields", f"GXO_DIGEST={digest}"),
        ),
    )


def supervised(workload: str, digest: str, memory: int = 1) -> Part:
    units = (service(workload, digest, memory=memory),)
    return Part(workload=workload, policy=Policy.SUPERVISE, units=units, settle=5)


def once(workload: str, digest: str) -> Part:
    return Part(workload=workload, policy=Policy.RUN_ONCE, units=(service(workload, digest),))


def scheduled(workload: str, digest: str, at: str = "04:00") -> Part:
    timer = Unit(
        name=f"gxo-p.{workload}.{digest}.timer",
        type=UnitType.TIMER,
        playbook="p",
        workload=workload,
        digest=digest,
        directives=(Directive("Timer", "OnCalendar", at),),
    )
    units = (timer, service(workload, digest, revision=digest))
    return Part(workload=workload, policy=Policy.SCHEDULED, units=units)


SLICE = Unit(
    name="gxo-p.slice",
    type=UnitType.SLICE,
    playbook="p",
    workload="",
    digest=A,
    directives=(Directive("Unit", "Description", "p"),),
)


def wanted(*parts: Part) -> Desired:
    return Desired(playbook="p", slices=(SLICE,), parts=parts)


def up(unit: Unit, **other: object) -> LiveUnit:
    """The unit as a live one that runs."""
    has_fields = unit.type is UnitType.SERVICE
    name = unit.name.split(".")
    found = LiveUnit(
        name=unit.name,
        active="active",
        sub="running",
        playbook="p",
        workload=unit.workload,
        digest=unit.digest if has_fields else None,
        revision=name[2] if len(name) == 4 else "",
        properties={"MemoryMax": "1"},
    )
    return replace(found, **other)  # type: ignore[arg-type]


def live(*units: LiveUnit) -> Live:
    return Live({unit.name: unit for unit in (up(SLICE), *units)}, "252")


def record(desired: Desired, observed: Observed | None = None) -> Known:
    return known(to_revision(desired, 1, 0, "0"), None, observed)


def change(found: tuple[Change, ...], workload: str) -> Change:
    (one,) = [c for c in found if c.workload == workload and c.unit != SLICE.name]
    return one


def told(found: tuple[Change, ...]) -> list[tuple[str, str, str]]:
    """All that is to be done: unit, action, reason."""
    return [(c.unit, c.action.value, c.reason) for c in found if c.action is not Action.NONE]


def test_a_first_apply_starts_everything() -> None:
    """Slices, services and timers are started and steps run, in the order of the playbook."""
    found = changes(
        wanted(once("setup", A), supervised("web", A), scheduled("backup", A)), Live(), Known()
    )
    assert told(found) == [
        ("gxo-p.slice", "start", "new"),
        ("gxo-p.setup.service", "run", "new"),
        ("gxo-p.web.service", "start", "new"),
        (f"gxo-p.backup.{A}.timer", "start", "new"),
    ]


def test_what_runs_as_wanted_is_not_touched() -> None:
    """Nothing to do; also no part is left out of the list."""
    desired = wanted(once("setup", A), supervised("web", A), scheduled("backup", A))
    observed = Observed(outcomes={"setup": Outcome(digest=A, ok=True, ended=1)})
    running = live(*(up(unit) for part in desired.parts[1:] for unit in part.units))
    found = changes(desired, running, record(desired, observed))
    assert told(found) == []
    assert [c.reason for c in found] == ["unchanged", "has run", "unchanged", "unchanged"]


def test_another_digest_restarts_a_service_and_says_what_differs() -> None:
    """The diff names the settings; the digest, which differs of course, is not in it."""
    old, new = wanted(supervised("web", A)), wanted(supervised("web", B, memory=2))
    found = change(changes(new, live(up(old.parts[0].main)), record(old)), "web")
    assert (found.action, found.reason) == (Action.RESTART, "changed")
    assert found.diff == (
        '-ExecStart=:/bin/sleep "1 s"',
        "-MemoryMax=1",
        '+ExecStart=:/bin/sleep "2 s"',
        "+MemoryMax=2",
    )
    assert found.old == ("gxo-p.web.service",)
    assert found.before == old.parts[0].units


@pytest.mark.parametrize(
    ("state", "reason"),
    [
        ({"active": "failed", "sub": "failed"}, "failed"),
        ({"active": "inactive", "sub": "dead"}, "not running"),
    ],
)
def test_a_service_that_is_down_is_started(state: dict[str, object], reason: str) -> None:
    """Also where its digest is the wanted one."""
    desired = wanted(supervised("web", A))
    found = changes(desired, live(up(desired.parts[0].main, **state)), record(desired))
    assert told(found) == [("gxo-p.web.service", "start", reason)]


def test_a_service_that_still_stops_is_started_once_it_has() -> None:
    """Its name is taken until then, however long that is."""
    desired = wanted(supervised("web", "a"))
    (unit,) = desired.parts[0].units
    found = changes(desired, live(up(unit, active="deactivating")), record(desired))
    web = change(found, "web")
    assert (web.action, web.reason) == (Action.START, "not running")
    assert (web.old, web.before, web.lost) == ((unit.name,), (), False)


def test_a_service_between_two_restarts_is_left_alone() -> None:
    """It runs as its policy says; an apply of the same is no reason to interfere."""
    desired = wanted(supervised("web", A))
    waiting = up(desired.parts[0].main, active="activating", sub="auto-restart")
    assert told(changes(desired, live(waiting), record(desired))) == []


def test_drift_restarts() -> None:
    """A changed property and a new drop-in, at the same digest."""
    desired = wanted(supervised("web", A))
    unit = desired.parts[0].main
    observed = Observed(
        baselines={unit.name: Baseline(digest=A, systemd="252", properties={"MemoryMax": "1"})},
    )
    drifted = up(unit, properties={"MemoryMax": "7"}, drop_ins=("/run/x.conf",))
    assert told(changes(desired, live(drifted), record(desired, observed))) == [
        (unit.name, "restart", "drifted: drop-in added: /run/x.conf; MemoryMax: 1 -> 7")
    ]
    base = observed.baselines[unit.name]
    elsewhen = record(desired, Observed(baselines={unit.name: replace(base, digest=B)}))
    assert told(changes(desired, live(drifted), elsewhen)) == []
    reworded = replace(base, systemd="257", drop_ins=("/run/x.conf",))
    upgraded = record(desired, Observed(baselines={unit.name: reworded}))
    assert told(changes(desired, live(drifted), upgraded)) == []


def test_a_drop_in_for_a_unit_of_ours_is_always_drift() -> None:
    """Also where a baseline has it, or there is none; a change says what keeps it from being."""
    desired = wanted(supervised("web", A))
    unit = desired.parts[0].main
    path = f"/etc/systemd/system/{unit.name}.d/x.conf"
    running = replace(
        live(up(unit, drop_ins=(path,))), files=(Foreign(path, unit.name, Kind.DROP_IN),)
    )
    base = Baseline(digest=A, systemd="252", properties={"MemoryMax": "1"}, drop_ins=(path,))
    for observed in (Observed(), Observed(baselines={unit.name: base})):
        found = change(changes(desired, running, record(desired, observed)), "web")
        assert (found.action, found.reason) == (Action.RESTART, f"drifted: drop-in added: {path}")
        assert len(found.barred) == 1
    gone = live(up(unit, drop_ins=(path,)))
    found = change(changes(desired, gone, record(desired)), "web")
    assert (found.action, found.barred) == (Action.RESTART, ())


def test_a_step_that_has_run_is_not_barred() -> None:
    """A mask on it changes nothing until it is to run again; a removal is never barred."""
    desired = wanted(once("setup", A))
    unit = desired.parts[0].main
    mask = Foreign(f"/etc/systemd/system/{unit.name}", unit.name, Kind.MASK)
    masked = replace(live(), files=(mask,))
    assert change(changes(desired, masked, record(desired)), "setup").barred
    observed = Observed(outcomes={"setup": Outcome(digest=A, ok=True, ended=1)})
    found = changes(desired, masked, record(desired, observed))
    assert not any(c.barred for c in found)
    away = changes(Desired(playbook="p", removal=True), masked, record(desired))
    assert not any(c.barred for c in away)


def test_what_is_set_on_a_slice_is_lifted_without_a_stop() -> None:
    """Of the playbook and of all playbooks."""
    desired = wanted(supervised("web", A))
    path = "/etc/systemd/system.control/{}.d/50-MemoryMax.conf"
    names = ("gxo.slice", SLICE.name)
    files = tuple(Foreign(path.format(name), name, Kind.DROP_IN) for name in names)
    limited = replace(live(up(desired.parts[0].main)), files=files)
    assert told(changes(desired, limited, record(desired))) == [
        (name, "reload", f"drifted: drop-in added: {path.format(name)}") for name in names
    ]


def test_a_new_revision_of_a_schedule_replaces_its_timer_alone() -> None:
    """The old timer goes, its job under way is not in the list of what goes."""
    old, new = wanted(scheduled("backup", A)), wanted(scheduled("backup", B, "05:00"))
    running = live(*map(up, old.parts[0].units))
    found = changes(new, running, record(old))
    assert told(found) == [(f"gxo-p.backup.{B}.timer", "restart", "changed")]
    one = change(found, "backup")
    assert one.old == (f"gxo-p.backup.{A}.timer",)
    assert one.before == old.parts[0].units
    assert one.diff == ("-OnCalendar=04:00", "+OnCalendar=05:00")


def test_a_killed_edit_of_a_schedule_is_mended() -> None:
    """New and old timer both live: only the old one goes. The job of an old one may finish."""
    old, new = scheduled("backup", A), scheduled("backup", B)
    running = live(*map(up, (*old.units, *new.units)))
    found = changes(wanted(new), running, record(wanted(old)))
    assert told(found) == [(f"gxo-p.backup.{A}.timer", "stop", "replaced")]


def test_a_job_of_an_older_schedule_may_finish() -> None:
    """Its timer is gone; the next apply leaves it alone too."""
    new = scheduled("backup", B)
    running = live(up(service("backup", A, revision=A)), *map(up, new.units))
    assert told(changes(wanted(new), running, record(wanted(new)))) == []


def test_what_left_the_playbook_is_stopped() -> None:
    """A service, and a schedule with its job; without prune nothing is."""
    old = wanted(supervised("web", A), supervised("gone", A), scheduled("backup", A))
    new = wanted(supervised("web", A))
    running = live(*(up(unit) for part in old.parts for unit in part.units))
    assert told(changes(new, running, record(old))) == [
        ("gxo-p.gone.service", "stop", "left the playbook"),
        (f"gxo-p.backup.{A}.timer", "stop", "left the playbook"),
        (f"gxo-p.backup.{A}.service", "stop", "left the playbook"),
    ]
    assert told(changes(new, running, record(old), prune=False)) == []


def test_another_lifecycle_replaces_the_unit_of_the_same_workload() -> None:
    """A service that became a schedule: its service of no revision goes."""
    old, new = wanted(supervised("job", A)), wanted(scheduled("job", B))
    found = changes(new, live(up(old.parts[0].main)), record(old))
    assert told(found) == [
        (f"gxo-p.job.{B}.timer", "start", "not running"),
        ("gxo-p.job.service", "stop", "replaced"),
    ]


def test_removing_a_playbook_stops_its_slice_too() -> None:
    """All that is live goes, and what all playbooks share stays."""
    old = wanted(supervised("web", A))
    shared = LiveUnit(name="gxo.slice", active="active", sub="active")
    running = live(up(old.parts[0].main), shared)
    found = changes(Desired(playbook="p", removal=True), running, record(old))
    assert [unit for unit, *_ in told(found)] == ["gxo-p.slice", "gxo-p.web.service"]


@pytest.mark.parametrize(
    ("outcome", "expected"),
    [
        (None, ("run", "new")),
        (Outcome(digest=A, ok=True, ended=1), ("none", "has run")),
        (Outcome(digest=A, ok=False, ended=1), ("run", "its last run failed")),
        (Outcome(digest=B, ok=True, ended=1), ("run", "changed")),
    ],
)
def test_a_step_runs_when_new_or_failed(outcome: Outcome | None, expected: tuple[str, str]) -> None:
    """Once for each digest, until it succeeds."""
    desired = wanted(once("setup", A))
    observed = Observed(outcomes={"setup": outcome} if outcome else {})
    found = change(changes(desired, live(), record(desired, observed)), "setup")
    assert (found.action.value, found.reason) == expected


def test_a_step_under_way_is_awaited_not_run_twice() -> None:
    """A killed apply left it running; one of another digest is stopped first."""
    desired = wanted(once("setup", A))
    unit = desired.parts[0].main
    running = up(unit, active="activating", sub="start")
    found = change(changes(desired, live(running), record(desired)), "setup")
    assert (found.action, found.adopt, found.old) == (Action.RUN, True, ())
    other = replace(running, digest=B)
    found = change(changes(desired, live(other), record(desired)), "setup")
    assert (found.action, found.adopt, found.old) == (Action.RUN, False, (unit.name,))


def test_what_a_killed_apply_had_started_can_be_undone() -> None:
    """The definition of a live unit is found in the intent where no revision has it."""
    recorded, intended = wanted(supervised("web", A)), wanted(supervised("web", B))
    third = wanted(supervised("web", "c" * 12))
    records = known(
        to_revision(recorded, 1, 0, "0"),
        Intent(started=0, target=to_revision(intended, 2, 0, "0")),
    )
    found = change(changes(third, live(up(intended.parts[0].main)), records), "web")
    assert found.before == intended.parts[0].units
    stranger = up(intended.parts[0].main, digest="d" * 12)
    lost = change(changes(third, live(stranger), records), "web")
    assert lost.lost

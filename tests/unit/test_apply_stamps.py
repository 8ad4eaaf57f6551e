"""Stamps of persistent timers: an edit is no missed run, and nothing that is owed is lost."""

import os
from pathlib import Path

import pytest

from gxo.apply.stamps import Stamps
from gxo.units.model import Directive, Unit, UnitType

HOUR = 3600 * 1_000_000


def timer(name: str, calendar: str, *, persistent: bool = True) -> Unit:
    return Unit(
        name=f"gxo-p.w.{name}.timer",
        type=UnitType.TIMER,
        playbook="p",
        workload="w",
        digest=name,
        directives=(
            Directive("Timer", "OnCalendar", calendar),
            Directive("Timer", "Persistent", persistent),
        ),
    )


OLD = timer("old", "04:00")
SAME = timer("same", "04:00")
EDITED = timer("edited", "02:00")


@pytest.fixture
def stamps(tmp_path: Path) -> Stamps:
    return Stamps(tmp_path / "timers")


def stamp(stamps: Stamps, unit: Unit) -> int:
    return (stamps.place / f"stamp-{unit.name}").stat().st_mtime_ns // 1000


def test_a_new_timer_owes_nothing(stamps: Stamps) -> None:
    """It is stamped with the time it is started at, also over a stamp from long ago."""
    stamps.renew(OLD, None, 5 * HOUR)
    stamps.renew(OLD, None, 9 * HOUR)
    assert stamp(stamps, OLD) == 9 * HOUR


def test_the_same_calendar_takes_over_what_is_owed(stamps: Stamps) -> None:
    """Only the command was edited: a turn that fell into the change is made up for."""
    stamps.renew(OLD, None, 5 * HOUR)
    stamps.renew(SAME, OLD, 9 * HOUR)
    assert stamp(stamps, SAME) == 5 * HOUR


def test_another_calendar_owes_nothing_from_before(stamps: Stamps) -> None:
    """04:00 edited to 02:00 at noon does not look like a missed run at 02:00."""
    stamps.renew(OLD, None, 5 * HOUR)
    stamps.renew(EDITED, OLD, 12 * HOUR)
    assert stamp(stamps, EDITED) == 12 * HOUR


def test_a_turn_taken_during_the_change_is_not_taken_twice(stamps: Stamps) -> None:
    """The old timer fired after the change began: the new one counts from there."""
    stamps.renew(OLD, None, 13 * HOUR)
    stamps.renew(EDITED, OLD, 12 * HOUR)
    assert stamp(stamps, EDITED) == 13 * HOUR


def test_what_never_fired_is_no_run(stamps: Stamps) -> None:
    """The stamp of a new timer is no run; that of one that fired is, also over a later edit."""
    stamps.renew(OLD, None, 5 * HOUR)
    assert stamps.fired(OLD.name) == 0
    os.utime(stamps.place / f"stamp-{OLD.name}", ns=(6 * HOUR * 1000, 6 * HOUR * 1000))
    assert stamps.fired(OLD.name) == 6 * HOUR
    stamps.renew(EDITED, OLD, 9 * HOUR)
    assert (stamp(stamps, EDITED), stamps.fired(EDITED.name)) == (9 * HOUR, 6 * HOUR)
    assert stamps.fired(SAME.name) is None


def test_only_persistent_timers_have_stamps(stamps: Stamps) -> None:
    """A timer that does not catch up leaves nothing on disk."""
    stamps.renew(timer("plain", "04:00", persistent=False), None, HOUR)
    assert not stamps.place.exists()


def test_what_is_no_longer_wanted_is_swept(stamps: Stamps) -> None:
    """Of one playbook alone; hostile names of another are no patterns."""
    for unit in (OLD, SAME):
        stamps.renew(unit, None, HOUR)
    (stamps.place / "stamp-gxo-pq.w.timer").touch()
    stamps.sweep("gxo-p.", {SAME.name})
    stamps.sweep("gxo-[p]q.", set())
    assert {path.name for path in stamps.place.iterdir()} == {
        f"stamp-{SAME.name}",
        "stamp-gxo-pq.w.timer",
    }


def test_a_stamp_goes_once(stamps: Stamps) -> None:
    """Dropping a stamp removes it, and dropping it again is no error."""
    stamps.renew(OLD, None, HOUR)
    stamps.drop(OLD.name)
    stamps.drop(OLD.name)
    assert list(stamps.place.iterdir()) == []

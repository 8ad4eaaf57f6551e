"""Schedules on a real systemd: they fire; an edit neither kills, nor repeats, nor loses a turn."""

import time
from collections import Counter
from collections.abc import Iterator

import pytest

from tests.lab.applying import HOST, Site, schedule, site, until
from tests.lab.machine import Machine

LOG = "/srv/sched/log"


@pytest.fixture
def here(machine: Machine) -> Iterator[Site]:
    with site(machine, "sched") as found:
        yield found


def test_a_schedule_fires(here: Site) -> None:
    """A schedule fires again and again, once at each of its instants."""
    here.write(schedule("tick", f"echo $(date +%s) >>{LOG}", "*:*:0/2"), HOST)
    here.apply()
    assert until(lambda: len(here.lines(LOG)) >= 3, 20)
    assert max(Counter(int(line) // 2 for line in here.lines(LOG)).values()) == 1


def test_an_edit_lets_a_job_under_way_finish(here: Site) -> None:
    """The job of the old revision comes to its end, also while further applies look on."""
    here.write(schedule("job", f"echo begin >>{LOG}; sleep 5; echo end >>{LOG}", "*:*:*"), HOST)
    here.apply()
    assert until(lambda: here.lines(LOG) == ["begin"], 10)
    here.write(schedule("job", f"echo new >>{LOG}", "*-01-01"), HOST)
    here.apply()
    assert here.plan() == {}
    here.apply()
    assert until(lambda: here.lines(LOG) == ["begin", "end"], 10)
    # the old revision's service goes once it has ended
    assert until(lambda: len(here.units()) == 2, 5)


@pytest.mark.parametrize("catch_up", [", catch_up: true", ""])
def test_edits_around_a_turn_neither_repeat_nor_lose_it(here: Site, catch_up: str) -> None:
    """Edited again and again, a schedule fires once in each of its turns."""
    for edit in range(6):
        command = f"echo $(date +%s) {edit} >>{LOG}"
        here.write(schedule("tick", command, "*:*:0/3", catch_up), HOST)
        here.apply()
    assert until(lambda: any(line.endswith(" 5") for line in here.lines(LOG)), 15)
    turns = [int(line.split()[0]) // 3 for line in here.lines(LOG)]
    assert turns == list(range(turns[0], turns[0] + len(turns)))


def test_an_edit_is_no_missed_run(here: Site) -> None:
    """A calendar that would have elapsed since the last run, had it been there, does not fire."""
    here.write(schedule("job", f"echo ran >>{LOG}", "*-01-01", ", catch_up: true"), HOST)
    here.apply()
    stamp = f"/var/lib/systemd/timers/stamp-{here.timers()[0]}"
    here.machine.run("touch", "--date=3 days ago", stamp, check=True)
    # every hour but the one that is about to come
    hour = int(here.machine.run("date", "+%H").stdout)
    hours = ",".join(str(h) for h in range(24) if h not in (hour, (hour + 1) % 24))
    here.write(schedule("job", f"echo ran >>{LOG}", f"{hours}:00", ", catch_up: true"), HOST)
    here.apply()
    time.sleep(2)
    assert here.lines(LOG) == []


def test_going_back_to_an_old_calendar_is_no_missed_run(here: Site) -> None:
    """A revision put aside for long owes nothing when it is taken up again."""
    text = schedule("job", f"echo ran >>{LOG}", "*:*:0/3", ", catch_up: true")
    here.write(text, HOST)
    here.apply()
    assert until(lambda: bool(here.lines(LOG)), 10)
    here.write(schedule("job", f"echo ran >>{LOG}", "*-01-01", ", catch_up: true"), HOST)
    here.apply()
    count = len(here.lines(LOG))
    time.sleep(4)
    start = here.machine.run("date", "+%s").stdout
    here.write(text, HOST)
    here.apply()
    assert until(lambda: len(here.lines(LOG)) > count, 10)
    first = here.machine.run("stat", "-c", "%Y", LOG).stdout
    assert int(first) // 3 > int(start) // 3 or int(first) % 3 == 0


def test_a_schedule_is_triggered(here: Site) -> None:
    """`gxo trigger` runs the job now, waits for its end, and says when it failed."""
    here.write(
        schedule("good", f"sleep 0.3; echo ran >>{LOG}", "*-01-01")
        + schedule("bad", "echo no luck; exit 3", "*-01-01"),
        HOST,
    )
    here.apply()
    done = here.gxo("trigger", "sched.good")
    assert done.returncode == 0, done.stderr
    assert here.lines(LOG) == ["ran"]
    done = here.gxo("trigger", "sched.bad")
    assert done.returncode == 1
    assert "it exited with status 3" in done.stderr
    assert "    no luck\n" in done.stderr
    assert here.plan() == {}

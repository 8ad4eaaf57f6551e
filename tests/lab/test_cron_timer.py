"""The two expressions of cron's day rule, on a real timer."""

import time
from collections import Counter

from tests.lab.machine import Machine

SCRIPT = "date +%s >>/run/cron-both"


def test_a_day_that_matches_both_runs_once(machine: Machine) -> None:
    """A timer with two expressions that name the same instants elapses once at each of them."""
    machine.run("rm", "-f", "/run/cron-both")
    machine.run(
        "systemd-run",
        "--unit=cron-both",
        "--on-calendar=*-*-01..31 *:*:00..59",
        "--on-calendar=Mon..Sun *-*-* *:*:00..59",
        "--timer-property=AccuracySec=1us",
        "--property=StartLimitIntervalSec=0",
        "/bin/sh",
        "-c",
        SCRIPT,
        check=True,
    )
    time.sleep(5)
    machine.run("systemctl", "stop", "cron-both.timer", check=True)
    times = machine.run("cat", "/run/cron-both", check=True).stdout.split()
    assert 4 <= len(times) <= 6
    assert set(Counter(times).values()) == {1}

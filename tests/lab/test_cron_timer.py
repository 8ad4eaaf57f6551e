"""The two expressions of cron's day rule, on a real timer."""

from collections import Counter

from tests.lab.applying import until
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

    def times() -> list[str]:
        return machine.run("cat", "/run/cron-both").stdout.split()

    assert until(lambda: len(times()) >= 4, 30)
    machine.run("systemctl", "stop", "cron-both.timer", check=True)
    assert set(Counter(times()).values()) == {1}

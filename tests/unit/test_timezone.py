"""Time zones: which names are taken, which schedules are warned of, what systemd does then."""

from datetime import UTC, datetime

import pytest

from gxo.diagnostic import Problem, Severity
from gxo.language.schedule import parse_calendar, schedule_cron
from tests.unit.small import text
from tests.unit.test_cron_instants import cron, elapses

BERLIN, LORD_HOWE = "Europe/Berlin", "Australia/Lord_Howe"
FORWARD, BACK = "does not exist when the clocks go forward", "comes twice when they go back"
ADVICE = "write `UTC` or a name such as `Europe/Berlin` (timedatectl list-timezones)"


@pytest.mark.parametrize(
    ("expression", "zone", "said"),
    [
        ("30 2 * * *", BERLIN, [f"02:30 {FORWARD} and 02:30 {BACK}"]),
        ("30 2 * 3 *", BERLIN, [f"02:30 {FORWARD}"]),
        ("0 1-4 * 10 sun", BERLIN, ["02:00 comes twice when the clocks go back"]),
        ("15 2 * * *", LORD_HOWE, [f"02:15 {FORWARD}"]),
        ("0 0 * * *", "Asia/Beirut", [f"00:00 {FORWARD}"]),
        ("30 2 1 * *", BERLIN, []),
        ("30 2 * * mon", BERLIN, []),
        ("30 3 * * *", BERLIN, []),
        ("30 2 * * *", "UTC", []),
        ("30 2 * * *", "Asia/Tokyo", []),
        ("*/10 * * * *", BERLIN, []),
    ],
)
def test_clock_changes_are_warned_of(expression: str, zone: str, said: list[str]) -> None:
    """A schedule is warned of exactly where its day and time can meet a change of its zone."""
    problems: list[Problem] = []
    assert schedule_cron(text(expression), text(zone), problems) is not None
    assert [problem.message() for problem in problems] == [f"in {zone}, {line}" for line in said]
    assert all(problem.severity is Severity.WARNING for problem in problems)


def test_calendar_expressions_are_warned_of() -> None:
    """The zone may stand within systemd's own form, or beside it; days count back from the end."""
    for value, zone, warnings in (
        ("02:30 Europe/Berlin", None, 1),
        ("02:30", BERLIN, 1),
        ("Sun *-03~07/1 02:30", BERLIN, 1),
        ("Sun *-03~08 02:30", BERLIN, 0),
        ("02:30", None, 0),
    ):
        problems: list[Problem] = []
        assert parse_calendar(text(value), problems, text(zone) if zone else None)
        assert [problem.code for problem in problems] == ["clock-change"] * warnings, value


def test_two_zones() -> None:
    """A zone within the expression and a different one beside it contradict each other."""
    problems: list[Problem] = []
    assert parse_calendar(text("04:00 UTC"), problems, text(BERLIN)) is None
    assert [problem.code for problem in problems] == ["timezone-twice"]
    assert parse_calendar(text("04:00 UTC"), [], text("UTC")) == ("04:00 UTC",)
    assert parse_calendar(text("04:00"), [], text(BERLIN)) == ("04:00 Europe/Berlin",)


@pytest.mark.parametrize(
    ("zone", "advice"),
    [
        ("Europe/Berln", "did you mean `Europe/Berlin`?"),
        ("europe/berlin", "did you mean `Europe/Berlin`?"),
        ("berlin", "did you mean `Europe/Berlin`?"),
        ("local", "leave `timezone` out: the host's own zone is the default"),
        ("../../etc/localtime", ADVICE),
        ("UTC\nPersistent=true", ADVICE),
        ("", ADVICE),
    ],
)
def test_unknown_zones(zone: str, advice: str) -> None:
    """A zone that systemd would not take is refused, with the likeliest one meant."""
    problems: list[Problem] = []
    assert schedule_cron(text("0 4 * * *"), text(zone), problems) is None
    assert [(problem.code, problem.hint()) for problem in problems] == [
        ("unknown-timezone", advice)
    ]


@pytest.mark.parametrize(
    ("expression", "base", "expected"),
    [
        # 2026-03-29, 02:00 CET is 03:00 CEST: what does not exist is left out, what exists stays
        ("30 2 * * *", "2026-03-28 12:00", ["03-30 00:30"]),
        ("0 2,3 * * *", "2026-03-28 12:00", ["03-29 01:00", "03-30 00:00"]),
        ("*/20 2 * * *", "2026-03-28 12:00", ["03-30 00:00"]),
        ("30 * * * *", "2026-03-29 00:00", ["03-29 00:30", "03-29 01:30", "03-29 02:30"]),
        ("30 3 * * *", "2026-03-28 12:00", ["03-29 01:30", "03-30 01:30"]),
        ("30 2 29 3 *", "2026-03-28 12:00", ["2027-03-29 00:30"]),
        # 2026-10-25, 03:00 CEST is 02:00 CET: what comes twice runs once, the first time
        ("30 2 * * *", "2026-10-24 12:00", ["10-25 00:30", "10-26 01:30"]),
        ("0 2,3 * * *", "2026-10-24 12:00", ["10-25 00:00", "10-25 02:00"]),
        ("*/20 2 * * *", "2026-10-24 12:00", ["10-25 00:00", "10-25 00:20", "10-25 00:40"]),
        ("30 * * * *", "2026-10-24 23:00", ["10-24 23:30", "10-25 00:30", "10-25 02:30"]),
        ("30 3 * * *", "2026-10-24 12:00", ["10-25 02:30", "10-26 02:30"]),
    ],
)  # fmt: skip
def test_what_systemd_does_when_the_clocks_change(
    expression: str, base: str, expected: list[str]
) -> None:
    """The table of docs/reference/schedules.md: instants in UTC around Berlin's two changes."""
    at = datetime.fromisoformat(f"{base}:00+00:00")
    (found,) = elapses(cron(expression).calendar(None), BERLIN, at, len(expected))
    wanted = [when if when.startswith("20") else f"2026-{when}" for when in expected]
    assert found == [datetime.fromisoformat(f"{when}:00").replace(tzinfo=UTC) for when in wanted]

"""Cron against croniter, an independent reading of it, through systemd's own arithmetic."""

import os
import random
import re
import subprocess
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo

import pytest
from croniter import croniter

from gxo.diagnostic import Problem
from gxo.language.cron import Cron, parse_cron
from gxo.source import Source, Span, Text

ZONES = ("UTC", "Europe/Berlin", "America/New_York")
INSTANTS = 20
FIELDS = ((0, 59), (0, 23), (1, 31), (1, 12), (0, 7))
NAMES = {
    3: ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"),
    4: ("sun", "mon", "tue", "wed", "thu", "fri", "sat"),
}


def text(value: str) -> Text:
    return Text(value, Span(Source("cron", value), 0, len(value)), 0)


def cron(expression: str) -> Cron:
    problems: list[Problem] = []
    found = parse_cron(text(expression), problems)
    assert found is not None, [problem.message() for problem in problems]
    return found


def random_field(rng: random.Random, number: int) -> str:
    """One field: any, steps, ranges, lists, names, in the shapes people write."""
    low, high = FIELDS[number]
    if rng.random() < 0.35:
        return "*" if rng.random() < 0.7 else f"*/{rng.randint(2, (high - low) // 2)}"
    return ",".join(random_item(rng, number) for _ in range(rng.choice((1, 1, 1, 2, 3))))


def random_item(rng: random.Random, number: int) -> str:
    low, high = FIELDS[number]
    names = NAMES.get(number)
    if names and rng.random() < 0.3:
        return rng.choice((str.lower, str.upper, str.title))(rng.choice(names))
    first, last = sorted((rng.randint(low, high), rng.randint(low, high)))
    if rng.random() < 0.5 or first == last:
        return str(first)
    step = f"/{rng.randint(1, last - first)}" if rng.random() < 0.4 else ""
    return f"{first}-{last}{step}"


def random_expressions(seed: int, count: int) -> tuple[str, ...]:
    """Expressions that have a next instant; the ones without are the subject of test_cron.py."""
    rng = random.Random(seed)
    found: list[str] = []
    while len(found) < count:
        expression = " ".join(random_field(rng, number) for number in range(5))
        if parse_cron(text(expression), []) is not None:
            found.append(expression)
    return tuple(found)


def elapses(
    calendars: Sequence[str], zone: str, base: datetime, count: int = INSTANTS
) -> list[list[datetime]]:
    """The next instants of each expression after `base` as systemd computes them, in UTC.

    The zone is systemd's local one (TZ): one named in the expression costs it a process for each
    instant. That a named zone means the same is tested apart.
    """
    command = ["systemd-analyze", "calendar", f"--iterations={count}"]
    command += [f"--base-time={base:%Y-%m-%d %H:%M:%S} UTC", *calendars]
    environment = {**os.environ, "TZ": zone, "LC_ALL": "C.UTF-8", "SYSTEMD_PAGER": ""}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    return [
        [datetime.fromisoformat(at).replace(tzinfo=UTC) for at in re.findall(_INSTANT, block)]
        for block in done.stdout.split("Normalized form: ")[1:]
    ]


# a named or local zone shows its own time first, then the same in UTC
_INSTANT = r"(?:elapse|#\d+|in UTC\)): \w{3} ([\d-]+ [\d:]+) UTC"


@cache
def transition_days(zone: str) -> frozenset[date]:
    """The local days on which the zone's clocks change."""
    here = ZoneInfo(zone)
    days = (datetime(2024, 1, 1, tzinfo=here) + timedelta(days) for days in range(365 * 40))
    return frozenset(
        day.date() for day in days if (day + timedelta(1)).utcoffset() != day.utcoffset()
    )


def batches(expressions: Sequence[str], size: int) -> Iterator[Sequence[str]]:
    return (expressions[at : at + size] for at in range(0, len(expressions), size))


def croniters(expression: str, start: datetime, end: datetime) -> Iterator[datetime]:
    """The instants after `start` up to `end` as croniter computes them."""
    theirs = croniter(expression, start, implement_cron_bug=True)
    while (at := theirs.get_next(datetime)) <= end:
        yield at


def compare(expressions: Sequence[str], zone: str, base: datetime) -> None:
    """Hold both to the zone's wall-clock time, in which croniter counts."""
    here, changing = ZoneInfo(zone), transition_days(zone)
    calendars = [cron(expression).calendar(None) for expression in expressions]
    flat = iter(elapses([one for both in calendars for one in both], zone, base))
    start = base.astimezone(here).replace(tzinfo=None)
    for expression, parts in zip(expressions, calendars, strict=True):
        merged = sorted({at for _ in parts for at in next(flat)})[:INSTANTS]
        ours = [at.astimezone(here).replace(tzinfo=None) for at in merged]
        assert ours, f"{expression!r} never elapses as {parts}"
        expected = croniters(expression, start, ours[-1])
        wanted = [at for at in expected if at.date() not in changing]
        assert [at for at in ours if at.date() not in changing] == wanted, (
            f"{expression!r} became {parts} in {zone} from {base}"
        )


@pytest.mark.parametrize("zone", ZONES)
def test_a_sample_agrees_with_croniter(zone: str) -> None:
    """100 random expressions have the same next 20 instants, from one base in each zone."""
    compare(random_expressions(1, 100), zone, datetime(2026, 3, 11, 9, 41, 30, tzinfo=UTC))


@pytest.mark.soak
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("zone", ZONES)
def test_five_thousand_agree_with_croniter(zone: str) -> None:
    """The same for 5,000 random expressions, each batch from a random base within eight years."""
    rng = random.Random(2)
    for batch in batches(random_expressions(3, 5000), 100):
        base = datetime(2024, 1, 1, tzinfo=UTC) + timedelta(seconds=rng.randrange(8 * 365 * 86400))
        compare(batch, zone, base)


def test_a_zone_named_in_the_expression_means_the_same() -> None:
    """The zone that the conversion appends gives the instants of that zone as the local one."""
    base = datetime(2026, 3, 11, 9, 41, 30, tzinfo=UTC)
    for expression in random_expressions(4, 10):
        for zone in ZONES[1:]:
            named = elapses(cron(expression).calendar(zone), "UTC", base, 3)
            assert named == elapses(cron(expression).calendar(None), zone, base, 3)

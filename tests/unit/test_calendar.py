"""Calendar expressions: ours is a second reading of systemd's form, and must agree with systemd."""

import os
import random
import re
import subprocess
from datetime import UTC, datetime, timedelta

import pytest

from gxo.diagnostic import Problem, Severity
from gxo.language.calendar import read_calendar
from gxo.language.schedule import parse_calendar
from tests.unit.small import marked, table, text
from tests.unit.test_cron_instants import elapses

DAYS = ("Mon", "tue", "WED", "Thursday", "Fri", "Sat", "sunday", "Tues", "Mo")
WORDS = ("daily", "Hourly", "semi-annually", "weekly", "dayly", "@1893456000", "@7258118400")
ZONES = ("UTC", "utc", "Europe/Berlin", "Asia/Tokyo", "Nowhere/City", "europe/berlin")


@pytest.mark.parametrize(("value", "said"), table("calendar"))
def test_calendar(value: str, said: list[str]) -> None:
    """Each form of systemd.time(7), and where each fault is marked."""
    problems: list[Problem] = []
    found = parse_calendar(text(value), problems)
    lines = [f"= {one}" for one in found] if found else []
    assert lines + [line for problem in problems for line in marked(problem)] == said


def refused_by_systemd(expressions: list[str]) -> set[str]:
    """Those that systemd cannot parse; one that can never elapse is not among them."""
    command = ["systemd-analyze", "calendar", "--", *expressions]
    environment = {**os.environ, "TZ": "UTC", "LC_ALL": "C.UTF-8"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    return set(re.findall(r"calendar specification '(.*)':", done.stderr))


def random_chain(rng: random.Random, high: int) -> str:
    if rng.random() < 0.25:
        return "*"
    return ",".join(random_item(rng, high) for _ in range(rng.choice((1, 1, 2))))


def random_item(rng: random.Random, high: int) -> str:
    """A value, a range, a step: mostly within the bounds, sometimes just outside."""
    value = str(rng.randint(0, high + 1)).zfill(rng.choice((1, 2)))
    if rng.random() < 0.3:
        value += f"..{rng.randint(0, high + 1)}"
    if rng.random() < 0.3:
        value += f"/{rng.randint(0, high)}"
    if rng.random() < 0.1:
        value += f".{rng.randint(0, 99)}"
    return value


def random_expression(rng: random.Random) -> str:
    words = []
    if rng.random() < 0.4:
        between = rng.choice((",", "..", "-"))
        words.append(between.join(rng.sample(DAYS, rng.choice((1, 1, 2)))))
    if rng.random() < 0.5:
        year = (
            ""
            if rng.random() < 0.5
            else rng.choice(("*-", "2030-", "77-", "2200-", "2026..2030/2-"))
        )
        sign = "~" if rng.random() < 0.3 else "-"
        words.append(year + random_chain(rng, 12) + sign + random_chain(rng, 31))
    if rng.random() < 0.6:
        second = f":{random_chain(rng, 59)}" if rng.random() < 0.5 else ""
        words.append(random_chain(rng, 23) + ":" + random_chain(rng, 59) + second)
    if rng.random() < 0.15:
        words.insert(rng.randint(0, len(words)), rng.choice(WORDS))
    if rng.random() < 0.3:
        words.append(rng.choice(ZONES))
    if rng.random() < 0.1:
        rng.shuffle(words)
    expression = " ".join(words)
    if rng.random() < 0.15 and expression:
        at = rng.randrange(len(expression))
        expression = expression[:at] + rng.choice("*,.-/:~@9x ") + expression[at + 1 :]
    return expression.strip() or "daily"


def agree(seed: int, count: int) -> None:
    rng = random.Random(seed)
    # systemd splits at single spaces only; ours takes more, and passes on single ones
    expressions = [" ".join(random_expression(rng).split()) for _ in range(count)]
    refused = refused_by_systemd(expressions)
    assert 0.2 < len(refused) / count < 0.8, "the generator has become too tame or too wild"
    for expression in expressions:
        problems: list[Problem] = []
        parse_calendar(text(expression), problems)
        codes = {problem.code for problem in problems if problem.severity is Severity.ERROR}
        # what we refuse and systemd takes: dates no year has, `8..13/12` for months, as no step
        # reaches the 13, and a space behind `@`
        stepped = codes == {"calendar-value"} and re.search(r"\.\.\d+/", expression)
        if codes == {"schedule-never"} or stepped or "@ " in expression:
            continue
        ours = bool(codes)
        assert ours == (expression in refused), f"{expression!r}: {codes or 'accepted'}"


def test_a_sample_is_accepted_as_systemd_does() -> None:
    """Of 1,000 random expressions, the ones we accept are the ones that systemd accepts."""
    agree(1, 1000)


@pytest.mark.soak
@pytest.mark.timeout(1800)
def test_many_are_accepted_as_systemd_does() -> None:
    """100,000 random expressions are accepted and refused as systemd does."""
    for seed in range(2, 102):
        agree(seed, 1000)


def test_what_is_read_is_what_elapses() -> None:
    """The days, hours and minutes that we read out hold for each instant that systemd computes."""
    rng = random.Random(3)
    base = datetime(2026, 1, 1, tzinfo=UTC)
    checked = 0
    while checked < 300:
        problems: list[Problem] = []
        calendar = read_calendar(text(random_expression(rng)), problems)
        if calendar is None or calendar.zone or "@" in calendar.text:
            continue
        checked += 1
        (found,) = elapses([calendar.text], "UTC", base, 10)
        for at in found:
            assert calendar.on(at.date()), f"{calendar.text!r} at {at}"
            assert at.hour in calendar.hours, f"{calendar.text!r} at {at}"
            assert at.minute in calendar.minutes, f"{calendar.text!r} at {at}"


@pytest.mark.parametrize("value", ["*:00/28", "*:05/25", "*:00/7", "*:*:00/28"])
def test_systemd_misses_what_we_warn_of(value: str) -> None:
    """Our warning is true: with the end that the hint gives, systemd elapses more often."""
    problems: list[Problem] = []
    parse_calendar(text(value), problems)
    (skips,) = problems
    bounded = value[: skips.span.start] + str(skips.hint()).split("`")[1]
    base = datetime(2031, 3, 22, 22, 50, tzinfo=UTC)
    open_ended, whole = elapses([value, bounded], "UTC", base, 40)
    until = min(open_ended[-1], whole[-1])
    missed = {at for at in whole if at <= until} - set(open_ended)
    assert missed
    assert all(at - base < timedelta(days=1) for at in missed)


@pytest.mark.parametrize("value", ["*:00/15", "09:00/28", "*:10/25", "*:00..56/28"])
def test_steps_that_are_safe_get_no_warning(value: str) -> None:
    """And where we do not warn, systemd misses nothing."""
    problems: list[Problem] = []
    calendar = read_calendar(text(value), problems)
    assert problems == []
    assert calendar is not None
    (found,) = elapses([value], "UTC", datetime(2031, 3, 22, tzinfo=UTC), 200)
    wanted: list[datetime] = []
    at = datetime(2031, 3, 22, 0, 1, tzinfo=UTC)
    while len(wanted) < 199:
        if at.hour in calendar.hours and at.minute in calendar.minutes:
            wanted.append(at)
        at += timedelta(minutes=1)
    assert [each for each in found if each >= datetime(2031, 3, 22, 0, 1, tzinfo=UTC)][
        :199
    ] == wanted

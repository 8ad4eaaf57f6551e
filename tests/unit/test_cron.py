"""Cron expressions: what is accepted, what it becomes, and what is said of the rest."""

from time import monotonic

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gxo.diagnostic import Problem, Severity
from gxo.language.cron import parse_cron
from gxo.language.schedule import schedule_cron
from tests.unit.small import marked, table, text


@pytest.mark.parametrize(("value", "said"), table("cron"))
def test_cron(value: str, said: list[str]) -> None:
    """Every form of crontab(5) becomes OnCalendar=; each fault is marked at the part it is in."""
    problems: list[Problem] = []
    cron = parse_cron(text(value), problems)
    lines = ["= " + " | ".join(cron.calendar(None))] if cron else []
    assert lines + [line for problem in problems for line in marked(problem)] == said


def test_the_zone_is_appended() -> None:
    """Each of the expressions carries the zone."""
    assert schedule_cron(text("0 4 1 * mon"), text("Europe/Berlin"), []) == (
        "*-*-01 04:00:00 Europe/Berlin",
        "Mon *-*-* 04:00:00 Europe/Berlin",
    )


def test_a_cached_fault_is_reported_where_it_stands() -> None:
    """The same text elsewhere in a file gets its problem in its own place."""
    first, second = text("60 4 * * *"), text("60 4 * * *")
    problems: list[Problem] = []
    parse_cron(first, problems)
    parse_cron(second, problems)
    assert [problem.span.source for problem in problems] == [first.span.source, second.span.source]


@given(st.text(alphabet="0123456789*/,- @LW#?~amonje\tv", max_size=30))
def test_any_text_is_read_or_refused(expression: str) -> None:
    """Whatever stands there, the answer is a schedule or at least one error, never an exception."""
    problems: list[Problem] = []
    cron = parse_cron(text(expression), problems)
    errors = [problem for problem in problems if problem.severity is Severity.ERROR]
    assert (cron is None) == bool(errors)
    for problem in problems:
        assert problem.message()
        assert 0 <= problem.span.start <= problem.span.end <= len(expression)


def test_a_thousand_schedules_are_quick() -> None:
    """1,000 different expressions take less than two seconds (a tenth of one, undisturbed)."""
    start = monotonic()
    for n in range(1000):
        assert parse_cron(text(f"{n % 60} {n // 60} */2 * mon-fri"), [])
    assert monotonic() - start < 2

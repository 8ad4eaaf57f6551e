"""Durations and sizes: the table of what is read and refused, and properties of the whole."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gxo.diagnostic import Problem
from gxo.language.quantity import parse_duration, parse_size
from tests.unit.small import marked, table, text

UNITS = {"h": 3_600_000_000, "m": 60_000_000, "s": 1_000_000, "ms": 1000, "us": 1}


@pytest.mark.parametrize(("value", "said"), table("duration"))
def test_duration(value: str, said: list[str]) -> None:
    """Go's durations in whole microseconds; what else people write gets a hint."""
    problems: list[Problem] = []
    found = parse_duration(text(value), problems)
    lines = [f"= {found}"] if found is not None else []
    assert lines + [line for problem in problems for line in marked(problem)] == said


@pytest.mark.parametrize(("value", "said"), table("size"))
def test_size(value: str, said: list[str]) -> None:
    """Sizes in bytes, each letter 1024 times the one before."""
    problems: list[Problem] = []
    found = parse_size(text(value), problems)
    lines = [f"= {found}"] if found is not None else []
    assert lines + [line for problem in problems for line in marked(problem)] == said


@given(st.lists(st.tuples(st.integers(0, 10_000), st.sampled_from(sorted(UNITS))), min_size=1))
def test_parts_add_up(parts: list[tuple[int, str]]) -> None:
    """A duration is the sum of its parts, whatever their order."""
    value = "".join(f"{number}{unit}" for number, unit in parts)
    assert parse_duration(text(value), []) == sum(number * UNITS[unit] for number, unit in parts)


@given(st.integers(0, 10**15), st.sampled_from(sorted(UNITS)))
def test_fractions_are_exact(micro: int, unit: str) -> None:
    """A fraction is computed in whole numbers: no microsecond is lost to floating point."""
    digits = 15
    whole, rest = divmod(micro * 10**digits, UNITS[unit])
    if rest == 0:
        value = f"{whole // 10**digits}.{whole % 10**digits:0{digits}}{unit}"
        assert parse_duration(text(value), []) == micro


@given(st.text(alphabet="0123456789.+-hmsuµnKMGTiBd% e\n٣", max_size=40))
def test_any_text_is_read_or_refused(value: str) -> None:
    """Either a value or a problem with a place and words, never an exception."""
    for read in (parse_duration, parse_size):
        problems: list[Problem] = []
        found = read(text(value), problems)
        assert (found is None) == bool(problems)
        assert found is None or 0 <= found < 1 << 63
        assert all(problem.message() for problem in problems)


def test_a_million_digits_are_no_work() -> None:
    """An absurd number is refused without being computed with."""
    for value in ("9" * 1_000_000 + "s", "0." + "0" * 1_000_000 + "1s"):
        problems: list[Problem] = []
        assert parse_duration(text(value), problems) is None
        assert len(problems) == 1

"""What the end of a step means for those that streams join to it."""

import pytest

from gxo.plan.streams import groups
from gxo.runtime.group import Flow, Verdict, who_runs
from tests.unit.test_runtime_order import built

CHAIN = ("a", "b, stream_inputs: [a]", "c, stream_inputs: [b]")
FAN = ("a", "x", "b, stream_inputs: [a]", "c, stream_inputs: [a, x]")


def flow(*steps: str, tolerant: tuple[str, ...] = ()) -> Flow:
    """Of steps that all run."""
    return Flow(built(*steps).edges, tolerant)


@pytest.mark.parametrize(
    ("wanted", "runs"),
    [("axbc", "axbc"), ("xbc", "xc"), ("bc", "c"), ("ab", "ab"), ("", ""), ("ax", "ax")],
)
def test_who_runs(wanted: str, runs: str) -> None:
    """Who is wanted, and would read something where it says that it must."""
    made = built(*FAN)
    (group,) = groups(tuple(step.name.text for step in made.steps), made.edges)
    assert "".join(who_runs(group, wanted, "b")) == "".join(n for n in group.members if n in runs)


def test_who_would_read_nothing_all_the_way_down() -> None:
    """A member skipped for want of input starves the next that needs some."""
    made = built(*CHAIN)
    (group,) = groups(("a", "b", "c"), made.edges)
    assert who_runs(group, "bc", "bc") == ()
    assert who_runs(group, "bc", "c") == ("b", "c")


def test_a_good_end() -> None:
    """Its readers get the end, and none is a deserter while it lives."""
    found = flow(*FAN)
    assert found.over("a", ok=True) == Verdict(ends=("b", "c"))
    assert found.deserter(["c"]) is None
    assert found.over("b", ok=True) == Verdict()


def test_a_reader_that_ends_with_bytes_left() -> None:
    """It is named; of one that has read all, its end says nothing."""
    found = flow(*FAN)
    found.over("a", ok=True)
    found.over("b", ok=True)
    assert found.deserter(["c"]) is None
    assert found.deserter(["b", "c"]) == "b"


def test_a_failure_stops_all_down_the_streams() -> None:
    """Each for its own producer; what reads another's stream too takes that one with it."""
    found = flow(*CHAIN)
    assert found.over("a", ok=False) == Verdict(stop=("b",), failed=True)
    assert found.over("b", ok=False) == Verdict(stop=("c",), failed=True, failed_for="a")
    assert found.over("c", ok=False) == Verdict(failed=True, failed_for="b")
    found = flow(*FAN)
    assert found.over("a", ok=False).stop == ("b", "c")
    found.over("c", ok=False)
    assert found.over("x", ok=False) == Verdict(failed=True, deserted_by="c")


def test_who_ended_well_before_it_could_be_stopped() -> None:
    """It has ended well: its own end is given on."""
    found = flow(*CHAIN)
    found.over("a", ok=False)
    assert found.over("b", ok=True) == Verdict(ends=("c",))


def test_a_deserter() -> None:
    """Who cannot read any more is named, and is left to its own end; other readers are stopped."""
    found = flow(*FAN)
    verdict = found.over("a", ok=False, deserters=["c"])
    assert verdict == Verdict(stop=("b",), failed=True, deserted_by="c")
    assert found.over("c", ok=False) == Verdict(failed=True)


def test_a_tolerated_failure() -> None:
    """Its readers get the end of what there is, and nobody waits for them."""
    found = flow(*FAN, tolerant=("a",))
    assert found.over("a", ok=False) == Verdict(ends=("b", "c"), failed=True)

"""Streams of a plan: groups, policies, and what comes from one source twice."""

import pytest

from gxo.plan.codec import from_json, to_json
from gxo.plan.model import Edge, EdgeKind, Plan
from gxo.plan.streams import fed_twice, groups, streams
from tests.unit.test_plan_build import plan
from tests.unit.test_runtime_order import built
from tests.unit.units_plans import SPAN


def joined(made: Plan) -> list[tuple[tuple[str, ...], list[str]]]:
    """The members of each group, and its edges."""
    names = tuple(step.name.text for step in made.steps)
    return [
        (group.members, [f"{edge.source}{edge.target}" for edge in group.edges])
        for group in groups(names, made.edges)
    ]


def test_groups() -> None:
    """Streams join, other edges do not; a step without a stream is in none."""
    steps = "a", "b", "c, stream_inputs: [b, a]", "d, needs: [c]", "e", "f, stream_inputs: [e]"
    assert joined(built(*steps)) == [(("a", "b", "c"), ["bc", "ac"]), (("e", "f"), ["ef"])]
    assert joined(built("a", "b, needs: [a]")) == []


def test_fed_twice() -> None:
    """Two inputs that lead to one source, or of which one is the other's."""
    diamond = between("sa", "ab", "sc", "xd", "bd", "cd")
    assert fed_twice("d", diamond) == ("b", "c", "s")
    assert fed_twice("b", diamond) is None
    assert fed_twice("d", between("sa", "sd", "ad")) == ("s", "a", "s")


def between(*pairs: str) -> list[Edge]:
    """Streams, each from its first letter to its second."""
    return [Edge(pair[0], pair[1], EdgeKind.STREAM, SPAN) for pair in pairs]


TAIL = "lifecycle: {policy: run_once}, process: {module: exec, params: {command: /bin/true}}"


@pytest.mark.parametrize(
    ("producer", "consumer", "found"),
    [
        ("", "", (16384, "error")),
        ("channel_policy: {buffer_size: 8K}, ", "", (8192, "error")),
        ("channel_policy: {buffer_size: 8K}, ", "channel_policy: {buffer_size: 4K}, ",
         (4096, "error")),
        ("channel_policy: {buffer_size: 8K}, ", "channel_policy: {overflow_strategy: block}, ",
         (8192, "block")),
    ],
)  # fmt: skip
def test_whose_policy(producer: str, consumer: str, found: tuple[int, str]) -> None:
    """The consumer's own, then the producer's, then that of all, key by key; it is stored."""
    head = "channel_policy: {buffer_size: 16K, overflow_strategy: error}\n"
    made = plan(
        f"{head}workloads:\n- {{name: a, {producer}{TAIL}}}\n"
        f"- {{name: b, stream_inputs: [a], {consumer}{TAIL}}}\n"
    )
    for each in (made, from_json(to_json(made))):
        (edge,) = streams(each.edges)
        assert edge.channel is not None
        assert (edge.channel.buffer_size, edge.channel.overflow_strategy) == found


def test_without_a_policy() -> None:
    """There is none, so that a plan stored before stays the same."""
    (edge,) = built("a", "b, stream_inputs: [a]").edges
    assert edge.channel is None

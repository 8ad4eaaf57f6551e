"""Streams of a plan: which steps they make run at once, and which inputs share a source."""

from collections.abc import Iterable, Sequence
from itertools import combinations

from gxo.dataclass import dataclass
from gxo.plan.model import Edge, EdgeKind
from gxo.plan.order import Joined


@dataclass(frozen=True, slots=True)
class Group:
    """Steps that streams join, in the order of the plan: all of them start at once.

    `edges` are its streams, those into one step in the order of its `stream_inputs`.
    """

    members: tuple[str, ...]
    edges: tuple[Edge, ...]


def stream_variable(producer: str) -> str:
    """The environment variable that names the stream of a producer."""
    return "GXO_STREAM_" + producer.upper().replace("-", "_")


def streams(edges: Iterable[Edge]) -> tuple[Edge, ...]:
    """The edges that carry a stream."""
    return tuple(edge for edge in edges if edge.kind is EdgeKind.STREAM)


def groups(names: Sequence[str], edges: Iterable[Edge]) -> tuple[Group, ...]:
    """The groups that the streams among these edges make; a step without streams is in none."""
    live = streams(edges)
    if not live:
        return ()
    number = {name: index for index, name in enumerate(names)}
    joined = Joined(len(names))
    for edge in live:
        joined.join(number[edge.source], number[edge.target])
    ends = {end for edge in live for end in (edge.source, edge.target)}
    members: dict[int, list[str]] = {}
    between: dict[int, list[Edge]] = {}
    for name in names:
        if name in ends:
            members.setdefault(joined.of(number[name]), []).append(name)
    for edge in live:
        between.setdefault(joined.of(number[edge.source]), []).append(edge)
    return tuple(Group(tuple(found), tuple(between[top])) for top, found in members.items())


def fed_twice(name: str, edges: Iterable[Edge]) -> tuple[str, str, str] | None:
    """Two inputs of a step that come from one source by streams, and that source; else None.

    A program that reads one of them to its end first may wait for ever: once the pipe of the other
    is full, their common source writes no more.
    """
    sources: dict[str, list[str]] = {}
    for edge in streams(edges):
        sources.setdefault(edge.target, []).append(edge.source)
    behind = {each: _behind(each, sources) for each in sources.get(name, ())}
    for (one, found), (other, theirs) in combinations(behind.items(), 2):
        common = next((each for each in found if each in theirs), None)
        if common is not None:
            return one, other, common
    return None


def _behind(name: str, sources: dict[str, list[str]]) -> dict[str, None]:
    """A step and all whose streams lead to it, breadth first."""
    found = {name: None}
    waiting = [name]
    while waiting:
        for source in sources.get(waiting.pop(0), ()):
            if source not in found:
                found[source] = None
                waiting.append(source)
    return found

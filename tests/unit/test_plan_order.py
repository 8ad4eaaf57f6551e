"""Order and cycles of graphs, against plain definitions."""

from itertools import pairwise
from time import process_time

from hypothesis import given
from hypothesis import strategies as st

from gxo.plan.order import cycles, topological


@st.composite
def graphs(draw: st.DrawFn) -> list[list[int]]:
    size = draw(st.integers(0, 9))
    if not size:
        return []
    nodes = st.integers(0, size - 1)
    return [draw(st.lists(nodes, max_size=4, unique=True)) for _ in range(size)]


def arcs(graph: list[list[int]]) -> set[tuple[int, int]]:
    return {(node, target) for node, targets in enumerate(graph) for target in targets}


def reaches(graph: list[list[int]], start: int, goal: int) -> bool:
    seen: set[int] = set()
    left = list(graph[start])
    while left:
        node = left.pop()
        if node == goal:
            return True
        if node not in seen:
            seen.add(node)
            left += graph[node]
    return False


@given(graphs())
def test_each_stands_behind_what_it_waits_for(graph: list[list[int]]) -> None:
    """The order holds every node once unless there is a cycle, and no arc points backwards."""
    order = topological(graph)
    assert len(set(order)) == len(order)
    place = {node: index for index, node in enumerate(order)}
    assert all(place[a] < place[b] for a, b in arcs(graph) if a in place and b in place)
    cyclic = any(reaches(graph, node, node) for node in range(len(graph)))
    assert (len(order) < len(graph)) == cyclic


def test_order_is_that_of_the_playbook_where_free() -> None:
    """Only what an arc moves is moved: 0 waits for 3, the others stay in their places."""
    assert topological([[], [], [], [0], []]) == (1, 2, 3, 0, 4)


@given(graphs())
def test_cycles_are_real_and_share_no_arc(graph: list[list[int]]) -> None:
    """Each reported path follows arcs back to its start, and no arc serves two cycles."""
    used: list[tuple[int, int]] = []
    for cycle in cycles(graph):
        used += pairwise((*cycle, cycle[0]))
        assert cycle[0] == min(cycle)
    assert set(used) <= arcs(graph)
    assert len(set(used)) == len(used)


@given(graphs())
def test_no_cycle_is_left_without_the_reported_arcs(graph: list[list[int]]) -> None:
    """Taking the arcs of the reported cycles away leaves a graph that can be ordered."""
    used = {arc for cycle in cycles(graph) for arc in pairwise((*cycle, cycle[0]))}
    rest = [[t for t in targets if (node, t) not in used] for node, targets in enumerate(graph)]
    assert len(topological(rest)) == len(graph)


@given(graphs())
def test_cycles_do_not_depend_on_the_order_of_arcs(graph: list[list[int]]) -> None:
    """The same graph, its arcs listed backwards, has the same cycles in the same order."""
    assert cycles(graph) == cycles([targets[::-1] for targets in graph])


def test_twenty_cycles_are_enough() -> None:
    """A graph of fifty separate cycles reports the first twenty."""
    assert cycles([[node] for node in range(50)]) == tuple((node,) for node in range(20))


def test_a_long_chain_and_a_long_cycle() -> None:
    """Ten thousand nodes in a row are ordered, and closed to a ring reported, without recursion."""
    size = 10_000
    chain = [[node + 1] for node in range(size - 1)]
    assert topological([*chain, []]) == tuple(range(size))
    assert cycles([*chain, [0]]) == (tuple(range(size)),)


def test_time_grows_with_the_size_of_the_graph() -> None:
    """Ten times the nodes and arcs take no more than thirty times as long: no square in it."""

    def seconds(size: int) -> float:
        graph = [[n + step for step in (1, 2, 7) if n + step < size] for n in range(size)]
        best = 1e9
        for _ in range(3):
            start = process_time()
            assert len(topological(graph)) == size
            best = min(best, process_time() - start)
        return best

    assert seconds(20_000) < 30 * seconds(2_000)

"""Order of a graph: stable topological order, and its cycles."""

from collections import deque
from collections.abc import Sequence
from heapq import heapify, heappop, heappush

Arcs = Sequence[Sequence[int]]
"""For each node, the nodes that wait for it; nodes are numbers in the order of the playbook."""

# nobody fixes more at once, and each costs one more walk over the graph
_MOST_CYCLES = 20


def topological(after: Arcs) -> tuple[int, ...]:
    """Nodes in an order in which each comes after all it waits for; ties by number.

    Nodes on a cycle, or after one, are left out: the result is then shorter than `after`.
    """
    waits = [0] * len(after)
    for targets in after:
        for target in targets:
            waits[target] += 1
    ready = [node for node, count in enumerate(waits) if not count]
    heapify(ready)
    order = []
    while ready:
        node = heappop(ready)
        order.append(node)
        for target in after[node]:
            waits[target] -= 1
            if not waits[target]:
                heappush(ready, target)
    return tuple(order)


def cycles(after: Arcs) -> tuple[tuple[int, ...], ...]:
    """Cycles without common arcs: each the shortest through its lowest node, which comes first.

    Follows the arcs of `after`; a node that is its own successor is a cycle of one. Stops after 20.
    """
    left = [set(targets) for targets in after]
    found: list[tuple[int, ...]] = []
    while len(found) < _MOST_CYCLES:
        fresh = [_shortest(left, min(part), part) for part in _knots(left)]
        if not fresh:
            break
        for cycle in fresh:
            for node, follower in zip(cycle, (*cycle[1:], cycle[0]), strict=True):
                left[node].discard(follower)
        found += fresh
    return tuple(sorted(found))[:_MOST_CYCLES]


def _shortest(after: Sequence[set[int]], start: int, within: set[int]) -> tuple[int, ...]:
    """The shortest way from a node back to itself; the strongly connected `within` has one."""
    came: dict[int, int] = {}
    queue = deque([start])
    while queue:
        node = queue.popleft()
        for target in sorted(after[node]):
            if target == start:
                path = [node]
                while path[-1] != start:
                    path.append(came[path[-1]])
                return tuple(reversed(path))
            if target in within and target not in came:
                came[target] = node
                queue.append(target)
    raise AssertionError("a strongly connected part has a way back")


def _knots(after: Sequence[set[int]]) -> list[set[int]]:
    """Strongly connected parts that hold a cycle (Tarjan, without recursion)."""
    index = [-1] * len(after)
    low = [0] * len(after)
    on_stack = [False] * len(after)
    stack: list[int] = []
    parts: list[set[int]] = []
    count = 0
    for root in range(len(after)):
        if index[root] >= 0:
            continue
        work = [(root, iter(sorted(after[root])))]
        index[root] = low[root] = count
        count += 1
        stack.append(root)
        on_stack[root] = True
        while work:
            node, targets = work[-1]
            for target in targets:
                if index[target] < 0:
                    index[target] = low[target] = count
                    count += 1
                    stack.append(target)
                    on_stack[target] = True
                    work.append((target, iter(sorted(after[target]))))
                    break
                if on_stack[target]:
                    low[node] = min(low[node], index[target])
            else:
                work.pop()
                if work:
                    low[work[-1][0]] = min(low[work[-1][0]], low[node])
                if low[node] == index[node]:
                    part: set[int] = set()
                    while not part or node not in part:
                        member = stack.pop()
                        on_stack[member] = False
                        part.add(member)
                    if len(part) > 1 or node in after[node]:
                        parts.append(part)
    return parts


class Joined:
    """Nodes joined into groups (union-find with path halving)."""

    def __init__(self, size: int) -> None:
        self._parent = list(range(size))

    def of(self, node: int) -> int:
        while self._parent[node] != node:
            self._parent[node] = self._parent[self._parent[node]]
            node = self._parent[node]
        return node

    def join(self, one: int, other: int) -> None:
        low, high = sorted((self.of(one), self.of(other)))
        self._parent[high] = low

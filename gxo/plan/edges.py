"""Edges of a playbook: what each workload waits for, found in its keys and templates."""

from collections.abc import Iterable, Iterator, Mapping
from itertools import pairwise
from typing import TYPE_CHECKING

from gxo.diagnostic.base import Problem
from gxo.diagnostic.lazy import Lazy
from gxo.language.model import Playbook, Process, Workload
from gxo.plan.model import Edge, EdgeKind, Step
from gxo.plan.names import Read, Scope, loop_var
from gxo.plan.order import Joined, cycles, topological
from gxo.plan.streams import fed_twice, stream_variable, streams
from gxo.source import Name
from gxo.spec.library import LIBRARY
from gxo.spec.lifecycle import EventDriven, Policy
from gxo.spec.module import ParamType
from gxo.template.value import ListValue, Literal, MapValue, Value

if TYPE_CHECKING:
    from gxo.diagnostic import graph as faults
else:
    faults = Lazy("gxo.diagnostic.graph")

# both ends of these edges run at once; with all others the source ends before the target starts
_LIVE = frozenset({EdgeKind.STREAM, EdgeKind.EVENT})


def find_edges(playbook: Playbook, scope: Scope) -> tuple[tuple[Edge, ...], tuple[Problem, ...]]:
    """Every edge, each pair and kind once at its first place; problems for what cannot be."""
    problems: list[Problem] = []
    edges: dict[tuple[str, str, EdgeKind], Edge] = {}
    for workload in playbook.workloads:
        for edge in _edges_into(workload, scope, problems):
            edges.setdefault((edge.source, edge.target, edge.kind), edge)
        problems += _colliding_streams(workload)
    for process in (*playbook.on_success, *playbook.on_failure, *playbook.on_paused):
        _check_process(process, scope, problems)
    for artifact in playbook.artifacts:
        scope.reads(artifact, problems)
    found = tuple(edges.values())
    problems += _into_supervise(found, scope.workloads)
    return found, tuple(problems)


def _edges_into(workload: Workload, scope: Scope, problems: list[Problem]) -> Iterator[Edge]:
    target = workload.name.text
    named: list[tuple[Name, EdgeKind, str]] = [
        *((name, EdgeKind.NEEDS, "`needs`") for name in workload.needs),
        *((name, EdgeKind.STREAM, "`stream_inputs`") for name in workload.stream_inputs),
    ]
    if isinstance(workload.lifecycle, EventDriven):
        named.append((workload.lifecycle.source, EdgeKind.EVENT, "`source`"))
    for name, kind, key in named:
        if name.text in scope.workloads:
            yield Edge(name.text, target, kind, name.span)
        else:
            known = tuple(other for other in scope.workloads if other != target)
            problems.append(
                faults.UnknownWorkload(span=name.span, name=name.text, key=key, known=known)
            )
    # in the order of evaluation: the condition, then the items, then the params of each round
    item = (loop_var(workload),) if workload.loop is not None else ()
    for read in (
        *scope.reads(workload.when, problems),
        *scope.reads(workload.loop, problems),
        *_reads_of(workload.process, scope, problems, item),
    ):
        yield Edge(read.workload, target, read.kind, read.span)
    for process in workload.on_failure:
        _check_process(process, scope, problems)


def _check_process(process: Process, scope: Scope, problems: list[Problem]) -> None:
    """Compensations and notifications run later and make no edges, but their names must exist."""
    _reads_of(process, scope, problems)


def _reads_of(
    process: Process, scope: Scope, problems: list[Problem], item: tuple[str, ...] = ()
) -> tuple[Read, ...]:
    """What the params read of other workloads; a module may set names of its own in some."""
    return tuple(
        read
        for value, bound in _params(process.module.text, process.params)
        for read in scope.reads(value, problems, (*item, *bound))
    )


def _params(module: str, params: MapValue) -> Iterator[tuple[Value, tuple[str, ...]]]:
    """The params of a module and what it binds in each, those of a pipeline's steps among them."""
    spec = LIBRARY.get(module)
    known = {param.name: param for param in spec.params} if spec else {}
    for name, value in params.entries:
        param = known.get(name.text)
        if param is not None and param.type is ParamType.STEPS and isinstance(value, ListValue):
            for step in value.items:
                yield from _step(step)
        else:
            yield value, param.binds if param is not None else ()


def _step(step: Value) -> Iterator[tuple[Value, tuple[str, ...]]]:
    if isinstance(step, MapValue):
        uses, params = step.get("uses"), step.get("with")
        if isinstance(uses, Literal) and isinstance(params, MapValue):
            yield from _params(str(uses.data), params)
        yield from ((value, ()) for name, value in step.entries if name.text != "with")


def _colliding_streams(workload: Workload) -> Iterator[Problem]:
    seen: dict[str, Name] = {}
    for name in workload.stream_inputs:
        variable = stream_variable(name.text)
        other = seen.setdefault(variable, name)
        if other is not name:
            yield faults.StreamNameCollision(
                span=name.span,
                variable=variable,
                name=name.text,
                other=other.text,
                first=other.span,
            )


def _into_supervise(
    edges: tuple[Edge, ...], workloads: Mapping[str, Workload]
) -> Iterator[Problem]:
    for edge in edges:
        supervised = workloads[edge.target].lifecycle.policy is Policy.SUPERVISE
        if supervised and edge.kind in (EdgeKind.STATE, EdgeKind.STREAM):
            yield faults.DataIntoSupervise(
                span=edge.span,
                workload=edge.target,
                source=edge.source,
                stream=edge.kind is EdgeKind.STREAM,
            )


def stream_ends(steps: Iterable[Step], edges: tuple[Edge, ...]) -> Iterator[Problem]:
    """Streams cannot be read again, so that their steps take no `loop` and no `retry`.

    And a command that reads two streams of one source may wait for ever (see `fed_twice`).
    """
    named = {end: edge.span for edge in streams(edges) for end in (edge.source, edge.target)}
    for step in steps:
        name = step.name.text
        if name not in named:
            continue
        again = {"loop": step.loop, "retry": step.retry}
        if step.retry is not None and step.retry.attempts == 1:
            del again["retry"]
        for key, value in again.items():
            if value is not None:
                yield faults.StreamAgain(
                    span=value.span, workload=name, key=key, stream=named[name]
                )
        twice = fed_twice(name, edges) if step.action.module.text == "exec" else None
        if twice is not None:
            yield faults.StreamsOfOneSource(
                span=named[name], workload=name, inputs=twice[:2], source=twice[2]
            )


def ordered(
    names: tuple[str, ...], edges: tuple[Edge, ...]
) -> tuple[tuple[str, ...], tuple[Problem, ...]]:
    """Workloads in an order in which each comes after all it waits for, or problems for cycles."""
    number = {name: index for index, name in enumerate(names)}
    graph = _Graph(len(names))
    for edge in edges:
        graph.add(number[edge.source], number[edge.target], edge)
    order = topological(graph.after)
    if len(order) == len(names):
        return tuple(names[node] for node in order), _deadlocks(names, edges, number)
    problems = tuple(
        faults.Cycle(
            span=cycle[0].span,
            noun="workloads",
            path=_path(cycle),
            edges=tuple((edge.span, _reason(edge)) for edge in cycle),
        )
        for cycle in graph.cycles()
    )
    return (), problems


def _path(cycle: tuple[Edge, ...]) -> tuple[str, ...]:
    """The workloads of a cycle; the last is the first again, or of its group."""
    return (*(edge.target for edge in cycle), cycle[-1].source)


def _reason(edge: Edge) -> str:
    return {
        EdgeKind.STATE: f"`{edge.target}` reads what `{edge.source}` registers",
        EdgeKind.STREAM: f"`{edge.target}` reads the stream of `{edge.source}`",
        EdgeKind.STATUS: f"`{edge.target}` reads the status of `{edge.source}`",
        EdgeKind.NEEDS: f"`{edge.target}` needs `{edge.source}`",
        EdgeKind.EVENT: f"`{edge.target}` takes events from `{edge.source}`",
    }[edge.kind]


class _Graph:
    """A graph under construction: both directions, and the first edge between two nodes."""

    def __init__(self, size: int) -> None:
        self.after: list[list[int]] = [[] for _ in range(size)]
        self.waits_for: list[list[int]] = [[] for _ in range(size)]
        self.edge: dict[tuple[int, int], Edge] = {}

    def add(self, source: int, target: int, edge: Edge) -> None:
        if (source, target) not in self.edge:
            self.edge[source, target] = edge
            self.after[source].append(target)
            self.waits_for[target].append(source)

    def cycles(self) -> Iterator[tuple[Edge, ...]]:
        """The edges of each cycle: the source of one is the target of the next."""
        for cycle in cycles(self.waits_for):
            path = pairwise((*cycle, cycle[0]))
            yield tuple(self.edge[source, target] for target, source in path)


def _deadlocks(
    names: tuple[str, ...], edges: tuple[Edge, ...], number: Mapping[str, int]
) -> tuple[Problem, ...]:
    """Workloads that streams make run at once, and that yet wait for each other's end.

    Where `b` reads the stream of `a`, `a` ends only when `b` has drained it: an edge that starts
    `b`, or another member of the group, after the end of `a` could never be satisfied.
    """
    live = streams(edges)
    if not live:
        return ()
    group = Joined(len(names))
    for edge in live:
        group.join(number[edge.source], number[edge.target])
    graph = _Graph(len(names))
    for edge in edges:
        if edge.kind not in _LIVE:
            graph.add(group.of(number[edge.source]), group.of(number[edge.target]), edge)
    problems: list[Problem] = []
    for cycle in graph.cycles():
        members = {group.of(number[edge.target]) for edge in cycle}
        within = [edge for edge in live if group.of(number[edge.source]) in members]
        problems.append(
            faults.StreamDeadlock(
                span=cycle[0].span,
                path=_path(cycle),
                edges=tuple((edge.span, _reason(edge)) for edge in (*cycle[1:], *within)),
            )
        )
    return tuple(problems)

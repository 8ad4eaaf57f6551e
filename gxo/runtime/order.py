"""Order: which steps of a run may start now, and how the run ends."""

from collections.abc import Iterable, Mapping

from gxo.plan.model import Edge, EdgeKind, Plan
from gxo.plan.streams import Group, groups
from gxo.runtime.status import Status

_PASSES = frozenset({Status.COMPLETED, Status.SKIPPED})


class Order:
    """The statuses of a run's steps, and what follows from them.

    A step starts when each edge into it is satisfied: a status edge by any end of its source,
    another by an end that is no failure, or by a service that is up. Steps that streams join start
    together, the first of them standing for all. What is done for a failed step is part of its end.
    After a failure nothing starts but what reads a status; with `ignore_errors`, what does not
    depend on it does.
    """

    def __init__(self, plan: Plan, known: Mapping[str, Status] | None = None) -> None:
        """`known` are the ends of steps that ran before, for a run that goes on."""
        self.status = {step.name.text: Status.PENDING for step in plan.steps} | dict(known or {})
        self.failed = False
        self._up: set[str] = set()
        self._mending: set[str] = set()
        self._tolerant = {step.name.text for step in plan.steps if step.ignore_errors}
        self._into: dict[str, list[Edge]] = {name: [] for name in self.status}
        self._from: dict[str, list[str]] = {name: [] for name in self.status}
        for edge in plan.edges:
            self._into[edge.target].append(edge)
            self._from[edge.source].append(edge.target)
        joined = groups(tuple(self.status), plan.edges)
        self._group = {name: group for group in joined for name in group.members}
        self._watching = {
            step.name.text
            for step in plan.steps
            if step.when is not None
            and any(
                edge.kind is EdgeKind.STATUS
                and edge.span.source is step.when.span.source
                and step.when.span.start <= edge.span.start <= step.when.span.end
                for edge in self._into[step.name.text]
            )
        }

    def first(self) -> tuple[str, ...]:
        """The steps that may start at once, in the order of the plan."""
        return self._startable(self.status)

    def move(self, name: str, status: Status) -> tuple[str, ...]:
        """Note a step's new status; the steps that may start for that, in the order of its edges.

        What one move has named, another does not name again once it runs.
        """
        self.status[name] = status
        if status is Status.CANCELLED or (status is Status.FAILED and name not in self._tolerant):
            self.failed = True
        return self._startable(dict.fromkeys(self._from[name]))

    def fail(self) -> None:
        """Something has failed that no `ignore_errors` covers."""
        self.failed = True

    def up(self, name: str) -> tuple[str, ...]:
        """Note that a service is up; the steps that may start for that."""
        self._up.add(name)
        return self._startable(dict.fromkeys(self._from[name]))

    def down(self, name: str) -> None:
        """Note that a service is being stopped."""
        self._up.discard(name)

    def wanted(self) -> frozenset[str]:
        """The services that steps need which may still start."""
        waiting = (name for name, status in self.status.items() if status is Status.PENDING)
        may = [name for name in waiting if not self.failed or name in self._watching]
        edges = (edge for name in may for edge in self._into[name])
        return frozenset(edge.source for edge in edges if edge.kind is EdgeKind.NEEDS)

    def mending(self, name: str) -> None:
        """Note that `on_failure` runs for a step that has failed."""
        self._mending.add(name)

    def mended(self, name: str) -> tuple[str, ...]:
        """Note that its `on_failure` has ended; the steps that may start for that."""
        self._mending.discard(name)
        return self._startable(dict.fromkeys(self._from[name]))

    def end(self) -> Status:
        """How the run ends when nothing runs any more."""
        found = self.status.values()
        for status in (Status.CANCELLED, Status.PAUSED, Status.FAILED):
            if status in found:
                return status
        return Status.FAILED if self.failed else Status.COMPLETED

    def group(self, name: str) -> Group | None:
        """The steps that start together with that one."""
        return self._group.get(name)

    def _startable(self, names: Iterable[str]) -> tuple[str, ...]:
        first = dict.fromkeys(self._together(name)[0] for name in names)
        return tuple(name for name in first if self.may_start(name))

    def _together(self, name: str) -> tuple[str, ...]:
        group = self._group.get(name)
        return group.members if group else (name,)

    def may_start(self, name: str) -> bool:
        """Whether a step, and all that start with it, may start at this moment."""
        return all(map(self._may_start, self._together(name)))

    def _may_start(self, name: str) -> bool:
        if self.status[name] is not Status.PENDING:
            return False
        if self.failed and name not in self._watching:
            return False
        return all(self._satisfied(edge) for edge in self._into[name])

    def after(self, name: str) -> tuple[str, ...]:
        """The steps with an edge from that one."""
        return tuple(dict.fromkeys(self._from[name]))

    def awaited(self, name: str) -> tuple[Edge, ...] | None:
        """The edges that a pending step waits for; None where it runs, or may never start."""
        if self.status[name] is not Status.PENDING or self.failed:
            return None
        return tuple(edge for edge in self._into[name] if not self._satisfied(edge))

    def _satisfied(self, edge: Edge) -> bool:
        source = self.status[edge.source]
        if edge.kind is EdgeKind.STREAM:
            return True
        if edge.kind is EdgeKind.EVENT:
            return source is Status.RUNNING or source in _PASSES
        if edge.kind is EdgeKind.STATUS:
            return source.terminal and edge.source not in self._mending
        return source in _PASSES or (source is Status.RUNNING and edge.source in self._up)

"""Streams: the groups of a run that are under way, from their pipes to the last byte read."""

from collections.abc import Callable, Mapping
from functools import partial

from gxo.dataclass import replace
from gxo.plan.model import Edge, Plan, Step
from gxo.plan.streams import Group, fed_twice
from gxo.runtime.attempt import Result
from gxo.runtime.attempts import Attempts
from gxo.runtime.command import BadParams
from gxo.runtime.door import DoorError
from gxo.runtime.group import Flow, Verdict, who_runs
from gxo.runtime.pipe import Pipe, PipeError
from gxo.runtime.progress import BadLoop, Progress, begin
from gxo.runtime.scope import Scopes
from gxo.runtime.start import Doing, Start
from gxo.template.fault import Fault

_BEAT = 1.0
_SOON = 0.05
"""Seconds between two looks at what is left in a pipe: nothing tells when it is empty."""

Ended = Callable[[Progress, Result], None]
_Ready = Callable[[Step, tuple[str, ...], tuple[str, ...]], Start]
"""Evaluates a step, that reads the streams of some and whose own is read by others."""


class CannotJoin(Exception):
    """A step that cannot be set up, for whose sake no other of its group starts."""

    def __init__(self, step: str, error: Exception) -> None:
        super().__init__(str(error))
        self.step = step


class Streams:
    """`doing` says what a step does; `ended` is told how each member of a group ended."""

    def __init__(
        self,
        plan: Plan,
        attempts: Attempts,
        scopes: Scopes,
        doing: Callable[[Step], Doing],
        ended: Ended,
    ) -> None:
        self._plan = plan
        self._attempts = attempts
        self._scopes = scopes
        self._doing = doing
        self._ended = ended
        self._cancelled = False
        self._under_way: list[Joint] = []

    def __len__(self) -> int:
        """Groups under way; a step whose stream is not read yet may be all that is left of one."""
        return len(self._under_way)

    def join(self, group: Group, now: int) -> "Joint":
        """All that the members need to start, those aside that are to be skipped; raises
        CannotJoin.
        """
        found: dict[str, Progress] = {}
        steps = {
            step.name.text: step for step in self._plan.steps if step.name.text in group.members
        }
        for name, step in steps.items():
            try:
                progress = begin(step, self._scopes, now)
            except (Fault, BadLoop) as error:
                raise CannotJoin(name, error) from None
            if progress is not None:
                found[name] = progress
        needs = [name for name, step in steps.items() if step.skip_on_no_input]
        runs = who_runs(group, found, needs)
        edges = tuple(edge for edge in group.edges if edge.target in runs)
        joint = Joint(self._attempts, {name: found[name] for name in runs}, edges)
        joint.set_up(self._ready)
        return joint

    def start(self, joint: "Joint") -> None:
        """Start all that run."""
        self._under_way.append(joint)
        joint.start(self._ended)
        self._forget()

    def cancel(self) -> None:
        """All units of the run are being stopped: how they end says nothing of their streams."""
        for joint in self._under_way:
            joint.cancelled = True

    @property
    def wait(self) -> float:
        """Seconds until the next look is due."""
        return _SOON if any(joint.draining for joint in self._under_way) else _BEAT

    def look(self) -> None:
        """See whose streams are read to their end by now."""
        for joint in self._under_way:
            joint.look()
        self._forget()

    def _forget(self) -> None:
        self._under_way = [joint for joint in self._under_way if not joint.over]

    def _ready(self, step: Step, inputs: tuple[str, ...], readers: tuple[str, ...]) -> Start:
        from gxo.runtime.work import StreamEnds

        spool = step.action.module.text != "exec" and bool(
            fed_twice(step.name.text, self._plan.edges)
        )
        doing = replace(self._doing(step), ends=StreamEnds(inputs, bool(readers), spool))
        return self._attempts.ready(doing, self._scopes.now())


class Joint:
    """One group: the members that run, and the pipes of the streams that lead to them."""

    def __init__(
        self, attempts: Attempts, members: Mapping[str, Progress], edges: tuple[Edge, ...]
    ) -> None:
        self.members = members
        self.cancelled = False
        self.draining: dict[str, Result] = {}
        self._attempts = attempts
        self._edges = edges
        self._pipes: dict[tuple[str, str], Pipe] = {}
        self._starts: dict[str, Start] = {}
        self._units: dict[str, str] = {}
        self._flow = Flow(
            [edge for edge in edges if edge.source in members],
            {name for name, progress in members.items() if progress.step.ignore_errors},
        )
        self._left = len(members)

    @property
    def over(self) -> bool:
        """All have ended, and so have their streams."""
        return not self._left

    def set_up(self, ready: _Ready) -> None:
        """Make the pipes, and have `ready` make each start; raises CannotJoin."""
        for name, progress in self.members.items():
            inputs = self._inputs(name)
            try:
                for edge in inputs:
                    size = edge.channel.buffer_size if edge.channel else None
                    self._pipes[edge.source, name] = Pipe(size)
                names = tuple(edge.source for edge in inputs)
                self._starts[name] = ready(progress.step, names, self._flow.readers(name))
            except (Fault, BadParams, DoorError, PipeError) as error:
                self._close()
                raise CannotJoin(name, error) from None

    def start(self, ended: Ended) -> None:
        """Start all; `ended` is told of each once its stream, where it has one, is read."""
        self._ended = ended
        for name in self.members:
            readers = self._flow.readers(name)
            self._units[name] = self._attempts.start(
                self._starts[name],
                partial(self._over, name),
                tuple(self._pipes[edge.source, name].reader for edge in self._inputs(name)),
                self._pipes[name, readers[0]].writer if readers else None,
            )
        for (source, _), pipe in self._pipes.items():
            pipe.handed_over()
            if source not in self.members:  # it was skipped: its stream is empty
                pipe.close()

    def look(self) -> None:
        """See which of those that have ended well are read to their end."""
        for name, result in tuple(self.draining.items()):
            pipes = {reader: self._pipes[name, reader] for reader in self._flow.readers(name)}
            found = self._flow.drained({reader: pipe.unread for reader, pipe in pipes.items()})
            if found is True:
                self._tell(name, result)
            elif found:
                self._tell(name, _failed(result, deserted_by=found))

    def _inputs(self, name: str) -> list[Edge]:
        return [edge for edge in self._edges if edge.target == name]

    def _over(self, name: str, result: Result) -> None:
        """The unit of a member has ended."""
        readers = {reader: self._pipes[name, reader] for reader in self._flow.readers(name)}
        deserters = [reader for reader, pipe in readers.items() if pipe.deserted]
        verdict = self._flow.over(name, ok=result.ok, deserters=deserters)
        for reader in verdict.ends:
            readers[reader].end()
        if not self.cancelled:
            for reader in verdict.stop:
                self._attempts.stop(self._units[reader])
            result = _judged(result, verdict)
        if verdict.failed or not verdict.ends:
            self._tell(name, result)
        else:
            self.draining[name] = result

    def _tell(self, name: str, result: Result) -> None:
        self.draining.pop(name, None)
        self._left -= 1
        if self.over:
            self._close()
        self._ended(self.members[name], result)

    def _close(self) -> None:
        for pipe in self._pipes.values():
            pipe.close()


def _judged(result: Result, verdict: Verdict) -> Result:
    """How a member ended, with what the others have to do with it."""
    if verdict.failed_for is not None and result.cancelled:
        detail = f"`{verdict.failed_for}`, whose stream it reads, failed"
        return replace(result, cancelled=False, detail=detail)
    if verdict.deserted_by is not None:
        return _failed(result, deserted_by=verdict.deserted_by)
    return result


def _failed(result: Result, deserted_by: str) -> Result:
    said = f"`{deserted_by}` ended before it had read all of its stream"
    detail = f"{result.detail}: {said}" if result.detail else said
    return replace(result, ok=False, detail=detail)

"""Joint: one group under way: its members' units, and the pipes and pumps between them."""

import time
from collections.abc import Callable, Mapping
from functools import partial

from gxo.dataclass import dataclass, replace
from gxo.plan.model import Edge, Step
from gxo.runtime.attempt import Result
from gxo.runtime.attempts import Attempts
from gxo.runtime.command import BadParams
from gxo.runtime.door import DoorError
from gxo.runtime.group import Flow, Verdict
from gxo.runtime.pipe import Pipe, PipeError
from gxo.runtime.progress import Progress
from gxo.runtime.pumps import Counts, End, Outlet, Pump
from gxo.runtime.start import Start
from gxo.runtime.tally import Tallies, Tally
from gxo.spec.policy import Overflow
from gxo.template.fault import Fault

Ended = Callable[[Progress, Result], None]
Ready = Callable[[Step, tuple[str, ...], tuple[str, ...]], Start]
"""Evaluates a step, that reads the streams of some and whose own is read by others."""

_VAIN = 2.0
"""Seconds after which it is told that a step still writes for nobody: most end at once."""


class CannotJoin(Exception):
    """A step that cannot be set up, so that no other of its group starts either."""

    def __init__(self, step: str, error: Exception) -> None:
        super().__init__(str(error))
        self.step = step


@dataclass(slots=True)
class _Source:
    """A stream that needs a pump: the pipe from its producer, and the pump."""

    pipe: Pipe
    pump: Pump | None = None
    end: End | None = None
    stopped: bool = False
    """By the runner, as its producer failed: it has a reason of its own only from a reader."""

    @property
    def fault(self) -> str:
        """Why the pump has not moved all of the stream; empty where it has, or was stopped."""
        if self.end is None or self.end.ok or (self.stopped and self.end.culprit is None):
            return ""
        return self.end.reason


class Joint:
    """The members of a group that run, and the streams between them."""

    def __init__(
        self,
        attempts: Attempts,
        tallies: Tallies,
        members: Mapping[str, Progress],
        edges: tuple[Edge, ...],
        warn: Callable[[str], None],
    ) -> None:
        self.members = members
        self.cancelled = False
        self.draining: dict[str, Result] = {}
        self._attempts = attempts
        self._tallies = tallies
        self._tally: Tally | None = None
        self._edges = edges
        self._warn = warn
        self._in_vain: dict[str, tuple[str, float]] = {}
        self._pipes: dict[tuple[str, str], Pipe] = {}
        self._sources: dict[str, _Source] = {}
        self._starts: dict[str, Start] = {}
        self._units: dict[str, str] = {}
        self._results: dict[str, Result] = {}
        self._dropped: dict[tuple[str, str], int] = {}
        self._flow = Flow(
            [edge for edge in edges if edge.source in members],
            {name for name, progress in members.items() if progress.step.ignore_errors},
        )
        self._left = set(members)

    @property
    def over(self) -> bool:
        """Whether all members have ended, and their streams with them."""
        return not self._left

    @property
    def settling(self) -> bool:
        """Whether a member has ended whose stream is still being read."""
        return bool(self.draining) or any(
            source.end is None and name in self._results for name, source in self._sources.items()
        )

    def set_up(self, ready: Ready) -> None:
        """Make the pipes, each member's start by `ready`, then the pumps. Raises CannotJoin."""
        name = ""
        try:
            for name, progress in self.members.items():
                inputs = self._inputs(name)
                for edge in inputs:
                    size = edge.channel.buffer_size if edge.channel else None
                    self._pipes[edge.source, name] = Pipe(size)
                names = tuple(edge.source for edge in inputs)
                self._starts[name] = ready(progress.step, names, self._flow.readers(name))
            for name in self.members:
                if self._needs_pump(name):
                    self._sources[name] = _Source(Pipe(None))
                    self._sources[name].pump = self._pump(name)
        except (Fault, BadParams, DoorError, PipeError) as error:
            for source in self._sources.values():
                self._stop(source)
            self._close()
            raise CannotJoin(name, error) from None

    def start(self, ended: Ended) -> None:
        """Start all members. `ended` is called for each that has ended and whose stream is read."""
        self._ended = ended
        for name in self.members:
            self._units[name] = self._attempts.start(
                self._starts[name],
                partial(self._unit_over, name),
                tuple(self._pipes[edge.source, name].reader for edge in self._inputs(name)),
                self._output(name),
                partial(self._heard, name),
            )
        for source in self._sources.values():
            source.pipe.close()
        for (producer, _), pipe in self._pipes.items():
            pipe.handed_over()
            if producer not in self.members:  # it was skipped: its stream is empty
                pipe.close()
        self._tally = self._tallies.of(
            self._streams(),
            {name: self._units[name] for name in self._uncounted()},
        )

    def look(self) -> None:
        """Report members whose streams have been read to the end, and how far the others are."""
        if self._tally is not None:
            self._tally.look()
        self._tell_in_vain()
        for name, result in tuple(self.draining.items()):
            readers = self._flow.readers(name)
            behind = [reader for reader in readers if self._pipes[name, reader].unread]
            deserter = self._flow.deserter(behind)
            if not behind:
                self._tell(name, result)
            elif deserter is not None and self.cancelled:
                self._tell(
                    name, replace(result, ok=False, cancelled=True, detail="it was cancelled")
                )
            elif deserter is not None:
                self._tell(name, _failed(result, _deserted(deserter)))

    def _tell_in_vain(self) -> None:
        """Warn of producers whose reader failed: they learn of it only when they write again."""
        for name, (reader, due) in tuple(self._in_vain.items()):
            if name in self._results or self.cancelled:
                del self._in_vain[name]
            elif time.monotonic() >= due:
                del self._in_vain[name]
                self._warn(
                    f"`{name}` still runs, though `{reader}`, which reads its stream, failed:"
                    " it ends when it writes again, by itself, or when the run is cancelled"
                )

    def _streams(self) -> list[tuple[str, str]]:
        return [(e.source, e.target) for e in self._edges if e.source in self.members]

    def _is_over(self, stream: tuple[str, str]) -> bool:
        """Whether all of a stream is read. A worker that reads it tells how much that was when it
        ends.
        """
        source, target = stream
        return source not in self._left and not (
            target in self._left and self._starts[target].works
        )

    def _uncounted(self) -> set[str]:
        """The programs between which the kernel alone moves a stream, so that no one counts it."""
        programs = {name for name, start in self._starts.items() if not start.works}
        bare = [(e.source, e.target) for e in self._edges if e.source not in self._sources]
        return {end for ends in bare if programs.issuperset(ends) for end in ends}

    def _inputs(self, name: str) -> list[Edge]:
        return [edge for edge in self._edges if edge.target == name]

    def _outputs(self, name: str) -> list[Edge]:
        return [edge for edge in self._edges if edge.source == name]

    def _output(self, name: str) -> int | None:
        if name in self._sources:
            return self._sources[name].pipe.writer
        return next((self._pipes[name, r].writer for r in self._flow.readers(name)), None)

    def _needs_pump(self, name: str) -> bool:
        """Whether a pipe is not enough: it has one reader only, and blocks its writer when it is
        full.
        """
        outputs = self._outputs(name)
        return len(outputs) > 1 or any(_overflow(edge) is not Overflow.BLOCK for edge in outputs)

    def _pump(self, name: str) -> Pump:
        outlets = tuple(
            Outlet(
                edge.target,
                self._pipes[name, edge.target].writer,
                _overflow(edge),
                edge.channel.buffer_size if edge.channel else None,
            )
            for edge in self._outputs(name)
        )
        source = self._sources[name]
        loop = self._attempts.jobs.loop
        try:
            return Pump(
                *(loop, source.pipe.reader, outlets, partial(self._passed, name)),
                partial(self._pump_over, name),
            )
        except OSError as error:
            said = f"cannot start the process that moves its stream: {error.strerror}"
            raise PipeError(said) from None

    def _passed(self, name: str, counts: Counts) -> None:
        for reader, passed in counts.outlets.items():
            self._dropped[name, reader] = passed.dropped
        if self._tally is not None:
            self._tally.pumped(name, counts)

    def _heard(self, name: str, line: str) -> None:
        """Take in a line of a worker's answer."""
        from gxo.runtime.work import flow_of

        flow = flow_of(line)
        if flow is not None and self._tally is not None:
            self._tally.worked(name, flow.inputs, flow.output)

    def _unit_over(self, name: str, result: Result) -> None:
        """The unit of a member has ended; its pump may not have."""
        self._results[name] = result
        if not result.ok:
            due = time.monotonic() + _VAIN
            sources = {edge.source for edge in self._inputs(name)} & self.members.keys()
            self._in_vain |= dict.fromkeys(sources, (name, due))
        source = self._sources.get(name)
        if source is None or source.end is not None:
            self._over(name, result)
        elif not result.ok:
            self._stop(source)

    def _pump_over(self, name: str, end: End) -> None:
        """The pump of a member has ended. Its unit has too, or is stopped, since nobody reads what
        it writes.
        """
        self._sources[name].end = end
        self._passed(name, end.counts)
        if name in self._results:
            self._over(name, self._results[name])
        elif not end.ok and end.culprit is None and name in self._units:
            self._attempts.stop(self._units[name])

    def _stop(self, source: _Source) -> None:
        if source.pump is not None and source.end is None:
            source.stopped = True
            source.pump.stop()

    def _over(self, name: str, result: Result) -> None:
        """A member has ended, and so has its pump if it has one."""
        readers = {reader: self._pipes[name, reader] for reader in self._flow.readers(name)}
        fault = self._sources[name].fault if name in self._sources else ""
        deserters = [reader for reader, pipe in readers.items() if pipe.deserted]
        verdict = self._flow.over(name, ok=result.ok and not fault, deserters=deserters)
        for reader in verdict.ends:
            readers[reader].end()
        if not self.cancelled:
            for reader in verdict.stop:
                self._attempts.stop(self._units[reader])
            result = _judged(result, verdict, fault)
        if verdict.failed or not verdict.ends:
            self._tell(name, result)
        else:
            self.draining[name] = result

    def _tell(self, name: str, result: Result) -> None:
        self.draining.pop(name, None)
        self._left.remove(name)
        if self._tally is not None:
            self._tally.over(filter(self._is_over, self._streams()))
        if self.over:
            self._close()
        self._ended(self.members[name], self._with_dropped(name, result))

    def _with_dropped(self, name: str, result: Result) -> Result:
        inputs = self._inputs(name)
        if not inputs or not isinstance(result.summary, dict):
            return result
        dropped = sum(self._dropped.get((edge.source, name), 0) for edge in inputs)
        return replace(result, summary={**result.summary, "dropped": dropped})

    def _close(self) -> None:
        for pipe in (*self._pipes.values(), *(s.pipe for s in self._sources.values())):
            pipe.close()


def _overflow(edge: Edge) -> Overflow:
    return edge.channel.overflow_strategy if edge.channel else Overflow.BLOCK


def _judged(result: Result, verdict: Verdict, fault: str) -> Result:
    """How a member ended, once the other members' ends are taken into account."""
    if verdict.failed_for is not None and result.cancelled:
        detail = f"`{verdict.failed_for}`, whose stream it reads, failed"
        return replace(result, cancelled=False, detail=detail)
    if verdict.deserted_by is not None:
        return _failed(result, _deserted(verdict.deserted_by))
    return _failed(result, fault) if fault else result


def _deserted(reader: str) -> str:
    return f"`{reader}` ended before it had read all of its stream"


def _failed(result: Result, why: str) -> Result:
    """The result as a failure, `why` added to its own reason unless it was stopped for that."""
    own = "" if result.cancelled else result.detail
    detail = f"{own}: {why}" if own else why
    return replace(result, ok=False, cancelled=False, detail=detail)

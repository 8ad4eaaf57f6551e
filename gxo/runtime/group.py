"""Group: steps that streams join, under way: what the end of one means for the others.

A consumer must not take a part of a stream for the whole. So it gets an end of file only when its
producer has ended well, and is stopped where that has failed, and so on down the streams.
"""

from collections.abc import Collection

from gxo.dataclass import dataclass
from gxo.plan.model import Edge
from gxo.plan.streams import Group


def who_runs(
    group: Group, wanted: Collection[str], needs_input: Collection[str]
) -> tuple[str, ...]:
    """The members of a group that run: the `wanted`, whose conditions hold, but not those in
    `needs_input` whose producers are all skipped.
    """
    runs: list[str] = []
    for name in group.members:  # each behind its producers
        sources = [edge.source for edge in group.edges if edge.target == name]
        starves = name in needs_input and sources and not any(s in runs for s in sources)
        if name in wanted and not starves:
            runs.append(name)
    return tuple(runs)


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What follows from the end of a member.

    `ends`: the consumers that now see the end of its stream; unless it has `failed`, it waits for
    them to read all of it. `stop`: the consumers that may not go on. Why it failed, beside what it
    says itself: `failed_for` is the producer for which it was stopped, `deserted_by` the consumer
    that ended too soon.
    """

    ends: tuple[str, ...] = ()
    stop: tuple[str, ...] = ()
    failed: bool = False
    failed_for: str | None = None
    deserted_by: str | None = None


class Flow:
    """The members that run, by their streams; `tolerant` are those whose failure is no matter."""

    def __init__(self, edges: Collection[Edge], tolerant: Collection[str]) -> None:
        self.ended: set[str] = set()
        self._tolerant = tolerant
        self._readers: dict[str, list[str]] = {}
        self._stopped_for: dict[str, str] = {}
        for edge in edges:
            self._readers.setdefault(edge.source, []).append(edge.target)

    def readers(self, name: str) -> tuple[str, ...]:
        """Who reads its stream."""
        return tuple(self._readers.get(name, ()))

    def over(self, name: str, *, ok: bool, deserters: Collection[str] = ()) -> Verdict:
        """The unit of a member has ended. `deserters` are consumers that cannot read any more,
        though their own units' ends may not be known yet.
        """
        self.ended.add(name)
        readers = self.readers(name)
        if ok:
            return Verdict(ends=readers)
        gone = [reader for reader in readers if reader in self.ended or reader in deserters]
        left = tuple(reader for reader in readers if reader not in gone)
        cause = self._stopped_for.get(name)
        tolerated = name in self._tolerant
        if not tolerated:
            self._stopped_for |= {r: name for r in left if r not in self._stopped_for}
        deserter = next(iter(gone), None) if cause is None else None
        return Verdict(
            ends=left if tolerated else (),
            stop=() if tolerated else left,
            failed=True,
            failed_for=cause,
            deserted_by=deserter,
        )

    def deserter(self, behind: Collection[str]) -> str | None:
        """Of readers with something left to read, one that has ended and never will read it."""
        return next((reader for reader in behind if reader in self.ended), None)

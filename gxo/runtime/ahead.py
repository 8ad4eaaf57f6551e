"""Ahead: which steps are set up while those they wait for still run."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import chain

from gxo.plan.model import EdgeKind, Step
from gxo.runtime.gate import is_bare, leaves_all_as_it_is, may_wait
from gxo.runtime.order import Order
from gxo.runtime.status import Status


class Ahead:
    """Chooses over the order of a run; `most` are set up at once.

    A step is set up early where all it waits for runs or is itself set up, and none of that can
    change what its own set-up depends on.
    """

    def __init__(self, steps: Mapping[str, Step], order: Order, most: int) -> None:
        self._order = order
        self._most = most
        alone = {name: step for name, step in steps.items() if order.group(name) is None}
        self._fit = {name for name, step in alone.items() if may_wait(step)}
        self._calm = {name for name, step in steps.items() if leaves_all_as_it_is(step)}
        self._bare = {name for name, step in steps.items() if is_bare(step)}

    def next(self, running: Iterable[str], prepared: Sequence[str]) -> tuple[str, ...]:
        """The steps to set up now, those first that are nearest to their start; each once."""
        found = list(prepared)
        for source in chain(running, found):  # what is found leads on
            if len(found) >= self._most:
                break
            for name in self._order.after(source):
                if name in self._fit and len(found) < self._most and self._follows(name, found):
                    self._fit.discard(name)
                    found.append(name)
        return tuple(found[len(prepared) :])

    def lost(self, prepared: Sequence[str]) -> tuple[str, ...]:
        """The steps set up that will not start: what they waited for has not ended well."""
        kept: list[str] = []
        for name in prepared:
            if self._follows(name, kept):
                kept.append(name)
        return tuple(name for name in prepared if name not in kept)

    def _follows(self, name: str, prepared: Collection[str]) -> bool:
        """Whether nothing but ends to come stands between a step and its start."""
        awaited = self._order.awaited(name)
        return awaited is not None and all(
            edge.kind is EdgeKind.NEEDS
            and (edge.source in self._calm or name in self._bare)
            and (self._order.status[edge.source] is Status.RUNNING or edge.source in prepared)
            for edge in awaited
        )

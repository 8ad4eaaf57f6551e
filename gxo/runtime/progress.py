"""Progress: one step of a run, from its condition over its items and attempts to its summary."""

import random
from collections.abc import Iterator

from gxo.dataclass import dataclass, field
from gxo.plan.model import Step
from gxo.runtime.scope import Scopes
from gxo.runtime.status import Status
from gxo.spec.policy import Retry
from gxo.template.data import kind, truth
from gxo.template.evaluate import evaluate
from gxo.template.value import Data


class BadLoop(Exception):
    """A `loop` that came out as what cannot be gone through."""


@dataclass(slots=True)
class Item:
    """One iteration. `number` counts from 0; -1 is a step without a loop."""

    number: int
    value: Data = None
    attempts: int = 0
    summary: Data = None
    detail: str = ""
    fatal: bool = False
    status: Status = Status.PENDING
    started: int | None = None
    ended: int | None = None


@dataclass(slots=True)
class Progress:
    """A step under way: its items, of which `parallel` may run at once."""

    step: Step
    items: list[Item]
    started: int
    looped: bool
    waiting: list[Item] = field(default_factory=list)
    running: int = 0
    """How many items are under way, those between two attempts among them."""
    _broken: bool = False

    @property
    def failed(self) -> Item | None:
        return next((item for item in self.items if item.status is Status.FAILED), None)

    def next(self) -> Iterator[Item]:
        """The items that may start now; after one that failed or was cancelled none does."""
        while self.waiting and not self._broken and self.running < self.step.parallel:
            self.running += 1
            yield self.waiting.pop(0)

    def close(self, item: Item, status: Status) -> None:
        """End an item that was under way."""
        item.status = status
        self.running -= 1
        self._broken |= status in (Status.FAILED, Status.CANCELLED)

    def stop(self) -> None:
        """Start none of the items that wait, however those under way end."""
        self._broken = True

    @property
    def over(self) -> bool:
        return not self.running and (not self.waiting or self._broken)

    @property
    def summary(self) -> Data:
        """What `register` keeps: of a loop the list of its items' summaries, in their order."""
        if self.looped:
            return [item.summary for item in self.items]
        return self.items[0].summary


def begin(step: Step, scopes: Scopes, now: int) -> Progress | None:
    """The progress of a step, None where its `when` is false. Raises Fault, BadLoop."""
    scope = scopes.now()
    if step.when is not None and not truth(evaluate(step.when, scope)):
        return None
    if step.loop is None:
        items = [Item(-1)]
    else:
        items = [Item(n, value) for n, value in enumerate(_items(evaluate(step.loop, scope)))]
    return Progress(step, items, now, looped=step.loop is not None, waiting=list(items))


def own_names(progress: Progress, item: Item) -> dict[str, Data]:
    """The names that only a loop's templates read."""
    return {progress.step.loop_var: item.value} if progress.looped else {}


def delay(retry: Retry, attempts: int, chance: random.Random) -> int:
    """Microseconds to wait after so many attempts."""
    wait = retry.delay * retry.backoff_factor ** (attempts - 1)
    if retry.max_delay is not None:
        wait = min(wait, retry.max_delay)
    return round(wait * (1 + retry.jitter * chance.uniform(-1, 1)))


def _items(found: Data) -> list[Data]:
    """A map's items are maps of its `key` and `value`."""
    if isinstance(found, dict):
        return [{"key": key, "value": value} for key, value in found.items()]
    if isinstance(found, list):
        return found
    raise BadLoop(f"`loop` must yield a list or a map, not {kind(found)}")

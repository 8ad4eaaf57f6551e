"""Events: what an apply is doing, as values for a progress line or a line of JSON."""

import time
from collections.abc import Callable
from enum import StrEnum

from gxo.dataclass import dataclass


class Kind(StrEnum):
    """`starting` and `running` are followed by `started`, `ran` or `failed` of the same unit.

    `waiting` comes about once a second, for what has been under way the longest.
    """

    STARTING = "starting"
    SETTLING = "settling"
    STARTED = "started"
    RUNNING = "running"
    RAN = "ran"
    STOPPING = "stopping"
    STOPPED = "stopped"
    FAILED = "failed"
    WAITING = "waiting"
    UNDOING = "undoing"
    UNDONE = "undone"
    RELOADED = "reloaded"


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """`time` counts microseconds since 1970; `detail` says why, where there is more to say.

    `waited` is how many seconds a unit has been waited for.
    """

    time: int
    kind: Kind
    playbook: str
    workload: str
    unit: str
    detail: str = ""
    waited: int = 0


Listener = Callable[[Event], None]


def silent(_event: Event) -> None:
    """A listener that does nothing."""


def never() -> bool:
    """Whether it is cancelled, where nobody can."""
    return False


def timestamp() -> int:
    """Microseconds since 1970, as events and records count time."""
    return time.time_ns() // 1000

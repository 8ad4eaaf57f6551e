"""Events: what an apply is doing, as values for a progress line or a line of JSON."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """`starting` and `running` are followed by `started`, `ran` or `failed` of the same unit."""

    STARTING = "starting"
    SETTLING = "settling"
    STARTED = "started"
    RUNNING = "running"
    RAN = "ran"
    STOPPING = "stopping"
    STOPPED = "stopped"
    FAILED = "failed"
    UNDOING = "undoing"
    UNDONE = "undone"


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """`time` counts microseconds since 1970; `detail` says why, where there is more to say."""

    time: int
    kind: Kind
    playbook: str
    workload: str
    unit: str
    detail: str = ""


Listener = Callable[[Event], None]

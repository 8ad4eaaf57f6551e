"""Lifecycles: how and when a process runs. Durations are whole microseconds."""

from collections.abc import Mapping
from enum import StrEnum
from typing import ClassVar

from gxo.dataclass import dataclass, field
from gxo.source import Name, Span

SECOND = 1_000_000


class Policy(StrEnum):
    RUN_ONCE = "run_once"
    SUPERVISE = "supervise"
    EVENT_DRIVEN = "event_driven"
    SCHEDULED = "scheduled"


class Restart(StrEnum):
    ON_FAILURE = "on_failure"
    ALWAYS = "always"
    NEVER = "never"


class Overlap(StrEnum):
    SKIP = "skip"
    ALLOW = "allow"


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """A map of the playbook: `span` is the whole, `at` the place of each key that was written.

    The keys `either` exclude one another: who writes one inherits none of the others.
    """

    either: ClassVar[frozenset[str]] = frozenset()

    span: Span = field(compare=False)
    at: Mapping[str, Span] = field(compare=False, default_factory=dict)

    def where(self, key: str) -> Span:
        """The place of a key's value, or of the whole where the key was left out."""
        return self.at.get(key, self.span)


@dataclass(frozen=True, slots=True, kw_only=True)
class Backoff(Placed):
    """Gaps between restarts grow from `initial` to `max` within `steps` restarts."""

    initial: int = SECOND
    max: int = 60 * SECOND
    steps: int = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class StartLimit(Placed):
    """At most `burst` starts within `interval`, after which the service stays failed."""

    burst: int = 5
    interval: int = 10 * SECOND


class ReadyKind(StrEnum):
    """When systemd counts a service as started: its Type= (systemd.service(5))."""

    EXEC = "exec"
    NOTIFY = "notify"


@dataclass(frozen=True, slots=True)
class Address:
    """A TCP endpoint: `127.0.0.1:80`, `[::1]:80`, `localhost:80` or `:80` (host empty)."""

    host: str
    port: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Ready(Placed):
    """When a service counts as up: as `when` says, or as soon as it accepts connections there.

    It must then stay up for `settle`.
    """

    when: ReadyKind | Address = ReadyKind.EXEC
    settle: int = 2 * SECOND
    timeout: int = 90 * SECOND


@dataclass(frozen=True, slots=True, kw_only=True)
class RunOnce(Placed):
    policy: ClassVar[Policy] = Policy.RUN_ONCE


@dataclass(frozen=True, slots=True, kw_only=True)
class Supervise(Placed):
    policy: ClassVar[Policy] = Policy.SUPERVISE

    restart: Restart = Restart.ON_FAILURE
    backoff: Backoff | None = None
    start_limit: StartLimit | None = None
    ready: Ready | None = None
    stop_timeout: int = 90 * SECOND
    watchdog: int | None = None
    reload: str | tuple[str, ...] | None = None
    """A signal name (`SIGHUP`) or a command with its arguments."""

    @property
    def readiness(self) -> Ready:
        """`ready`, with the defaults where the playbook says nothing of it."""
        return self.ready or Ready(span=self.span)


class WorkspaceMode(StrEnum):
    PRIVATE = "private"
    NONE = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class Scheduled(Placed):
    """`calendar` holds systemd OnCalendar= expressions: one, or two for cron's day OR weekday."""

    policy: ClassVar[Policy] = Policy.SCHEDULED

    calendar: tuple[str, ...]
    timezone: str | None = None
    jitter: int = 0
    catch_up: bool = False
    overlap: Overlap = Overlap.SKIP
    workspace: WorkspaceMode = WorkspaceMode.PRIVATE


@dataclass(frozen=True, slots=True, kw_only=True)
class EventDriven(Placed):
    policy: ClassVar[Policy] = Policy.EVENT_DRIVEN

    source: Name
    max_instances: int | None = None
    rate_limit: float | None = None
    """Events a second."""
    timeout: int | None = None
    workspace: WorkspaceMode = WorkspaceMode.PRIVATE


Lifecycle = RunOnce | Supervise | Scheduled | EventDriven

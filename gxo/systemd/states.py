"""What systemd says of a unit, as values."""

from enum import StrEnum

from gxo.dataclass import dataclass


class SystemState(StrEnum):
    """The whole manager's state (systemctl(1), is-system-running)."""

    INITIALIZING = "initializing"
    STARTING = "starting"
    RUNNING = "running"
    DEGRADED = "degraded"
    MAINTENANCE = "maintenance"
    STOPPING = "stopping"
    UNKNOWN = "unknown"

    @classmethod
    def _missing_(cls, _value: object) -> "SystemState":
        return cls.UNKNOWN


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitState:
    """One row of systemd's list of units.

    `job` is the kind of the job queued for it (`start`, `stop`), empty for none. A name of which
    systemd knows nothing has `load` `not-found` and `active` `inactive`.
    """

    name: str
    load: str
    active: str
    sub: str
    job: str

    @property
    def found(self) -> bool:
        return self.load != "not-found"


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitResult:
    """A unit's state and how its main process fared, read in one go.

    `code` is how the process ended (`exited`, `killed`, `dumped`; empty while none has), `status`
    its exit status or signal number. For units without processes (timers, slices) both are empty
    and zero. `result` is systemd's word (`success`, `exit-code`, `signal`, `oom-kill`…).
    """

    name: str
    load: str
    active: str
    sub: str
    result: str = "success"
    code: str = ""
    status: int = 0
    pid: int = 0
    restarts: int = 0
    invocation: str = ""
    """32 hexadecimal digits: one start of the unit. Empty where it never started."""
    since: int = 0
    """When it entered `active` as systemd sees it, in microseconds since 1970; 0 for never."""
    ended: int = 0
    """When its main process ended last, as `since`; 0 also while it runs."""

    @property
    def found(self) -> bool:
        return self.load != "not-found"

"""Status: where a run or a step of it stands (4-language.md, Order)."""

from enum import StrEnum


class Status(StrEnum):
    PENDING = "Pending"
    RUNNING = "Running"
    PAUSED = "Paused"
    COMPLETED = "Completed"
    FAILED = "Failed"
    SKIPPED = "Skipped"
    CANCELLED = "Cancelled"

    @property
    def terminal(self) -> bool:
        """Nothing changes any more."""
        return self in (Status.COMPLETED, Status.FAILED, Status.SKIPPED, Status.CANCELLED)

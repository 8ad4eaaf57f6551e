"""Status: where a run or a step of it stands."""

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

    @property
    def exit_code(self) -> int:
        """Of a command that was about a run which ended so (docs/reference/commands.md)."""
        return _EXIT_CODES.get(self, 1)


_EXIT_CODES = {Status.COMPLETED: 0, Status.PAUSED: 3, Status.CANCELLED: 130}

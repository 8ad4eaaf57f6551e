"""Ending: how a unit's process ended, in words."""

from gxo.systemd.states import UnitResult

# what systemd itself exits with before the program runs: systemd.exec(5), "Process Exit Codes"
_STATUSES = {
    200: "its working directory cannot be entered",
    203: "its program cannot be run or found",
    216: "its group does not exist",
    217: "its user does not exist",
    226: "its sandbox could not be set up",
}


def describe(found: UnitResult, before: int = 0) -> str:
    """How a unit's process ended.

    `before` is the exit status of its ExecStartPre=, where that failed.
    """
    if found.result == "timeout":
        return "it was not ready in time"
    if found.result == "watchdog":
        return "it was killed: it did not report in time that it is alive (`watchdog`)"
    if found.result == "oom-kill":
        return "it was killed: out of memory"
    if found.code == "exited":
        return _exited(found.status)
    if found.code in ("killed", "dumped"):
        return f"it was killed by signal {found.status}"
    if found.result == "success":
        return "it ended"
    if before in _STATUSES:
        return _exited(before)
    return f"its set-up failed ({found.result})"


def _exited(status: int) -> str:
    meaning = f": {_STATUSES[status]}" if status in _STATUSES else ""
    return f"it exited with status {status}{meaning}"

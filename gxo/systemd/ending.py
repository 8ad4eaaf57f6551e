"""Ending: how a unit's process ended, in words."""

from gxo.systemd.states import UnitResult

# what systemd itself exits with before the program runs: systemd.exec(5), "Process Exit Codes"
_STATUSES = {
    203: "its program cannot be run or found",
    217: "its user does not exist",
    226: "its sandbox could not be set up",
}


def describe(found: UnitResult) -> str:
    """How a unit's process ended."""
    if found.result == "timeout":
        return "it was not ready in time"
    if found.result == "oom-kill":
        return "it was killed: out of memory"
    if found.code == "exited":
        meaning = f": {_STATUSES[found.status]}" if found.status in _STATUSES else ""
        return f"it exited with status {found.status}{meaning}"
    if found.code in ("killed", "dumped"):
        return f"it was killed by signal {found.status}"
    if found.result == "success":
        return "it ended"
    return f"its set-up failed ({found.result})"

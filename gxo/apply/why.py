"""Why: the reason why a unit did not start, or ended, in words."""

from gxo.spec.lifecycle import SECOND
from gxo.systemd.ending import describe
from gxo.systemd.jobs import JobResult, Outcome
from gxo.systemd.states import UnitResult
from gxo.units.instance import step_of
from gxo.units.model import Command, Unit
from gxo.units.scripts import PROBE, UNREADY

_WHY = {
    JobResult.DEPENDENCY: "a unit it depends on failed",
    JobResult.CANCELED: "its start was cancelled",
}


def why(
    unit: Unit, ended: JobResult, found: UnitResult, *, probed: int = 0, before: int = 0
) -> str:
    """Why a start failed, by the result of its job and of the unit.

    `probed` and `before` are the exit statuses of its probe and of its ExecStartPre=.
    """
    late = found.result == "timeout" or ended is JobResult.TIMEOUT
    if late or probed == UNREADY:
        # systemd stopped it then: how it ended is not the reason
        return _late(unit)
    return _WHY.get(ended) or describe_turn(found, runs=step_of(unit) is not None, before=before)


def describe_turn(found: UnitResult, *, runs: bool, before: int = 0) -> str:
    """How a unit's process ended; with `runs` it was gxo's runner, not the workload itself."""
    if runs and (found.code, found.status) == ("exited", 1):
        return "its run failed"
    return describe(found, before)


def why_unsettled(found: UnitResult, settle: int) -> str:
    """Why a service ended within `settle` microseconds of its start."""
    said = describe(found) if found.found else "it ended"
    told = f"{said} within {settle / SECOND:g} s of its start"
    if found.result == "success" and not found.restarts:
        return f"{told}; a service has to stay in the foreground"
    return told


def why_job(outcome: Outcome) -> str:
    """Why a job failed: the error by which systemd refused it, or its result."""
    return str(outcome.error) if outcome.error else f"its job ended as {outcome.result}"


def probe(unit: Unit) -> tuple[str, ...] | None:
    """The arguments of the TCP probe that tells when the service is ready; None without one."""
    for item in unit.directives:
        command = item.value
        if item.name == "ExecStartPost" and isinstance(command, Command) and PROBE in command.argv:
            return command.argv[command.argv.index(PROBE) + 1 :]
    return None


def describe_stop(found: UnitResult) -> str:
    """How a process failed as its unit was stopped; empty where there was no process.

    A service that waits for its next start is stopped in its ExecStartPre=.
    """
    if found.result == "timeout":
        return "it did not stop in time and was killed"
    return describe(found) if found.code else ""


def _late(unit: Unit) -> str:
    if probed := probe(unit):
        port, seconds, *hosts = probed
        where = ", ".join(hosts)
        return f"it was not ready in time: port {port} of {where} took no connection in {seconds} s"
    set_to = {item.name: item.value for item in unit.directives}
    limit = set_to.get("TimeoutStartSec")
    within = f" within {limit / SECOND:g} s" if isinstance(limit, int) else ""
    if set_to.get("Type") == "oneshot":
        return f"it did not end{within or ' in time'}"
    if set_to.get("Type") == "notify":
        return f"it was not ready in time: it did not send READY=1{within}"
    return f"it was not ready in time: its command was not started{within}"

"""Why: what kept a unit from starting, or ended it, in words."""

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
    """Why a start failed: how its job ended, what became of the unit.

    `probed` and `before` are the exit statuses of its probe, and of what goes before its command.
    """
    late = found.result == "timeout" or ended is JobResult.TIMEOUT
    if late or probed == UNREADY:
        # systemd has stopped it since: how it ended then is not why
        return _late(unit)
    return _WHY.get(ended) or describe_turn(found, runs=step_of(unit) is not None, before=before)


def describe_turn(found: UnitResult, *, runs: bool, before: int = 0) -> str:
    """How a unit's process ended; where it `runs` its workload, its status is not that one's."""
    if runs and (found.code, found.status) == ("exited", 1):
        return "its run failed"
    return describe(found, before)


def why_unsettled(found: UnitResult, settle: int) -> str:
    """Why a service failed that was up and did not stay so; `settle` is in microseconds."""
    said = describe(found) if found.found else "it ended"
    told = f"{said} within {settle / SECOND:g} s of its start"
    if found.result == "success" and not found.restarts:
        return f"{told}; a service has to stay in the foreground"
    return told


def why_job(outcome: Outcome) -> str:
    """Why a job did not do what was asked: what systemd refused it with, or how it ended."""
    return str(outcome.error) if outcome.error else f"its job ended as {outcome.result}"


def probe(unit: Unit) -> tuple[str, ...] | None:
    """The arguments of the probe that says when the service is ready; None without one."""
    for item in unit.directives:
        command = item.value
        if item.name == "ExecStartPost" and isinstance(command, Command) and PROBE in command.argv:
            return command.argv[command.argv.index(PROBE) + 1 :]
    return None


def describe_stop(found: UnitResult) -> str:
    """How a unit's process ended that was stopped, and did not end well; empty for no process.

    One that waits for its next start is stopped in what goes before its command.
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

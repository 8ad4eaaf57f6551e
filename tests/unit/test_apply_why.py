"""How a start failed and a process ended, in words."""

from typing import Any

import pytest

from gxo.apply.why import describe_stop, describe_turn, why, why_unsettled
from gxo.dataclass import replace
from gxo.spec.lifecycle import SECOND, Address
from gxo.systemd.ending import describe
from gxo.systemd.jobs import JobResult
from gxo.systemd.states import UnitResult
from gxo.units.directives import directive
from gxo.units.model import Directive, Unit, UnitType
from gxo.units.scripts import UNREADY, probe


def ended(**more: Any) -> UnitResult:
    """What systemd says of a service that failed."""
    plain = {"name": "w", "load": "loaded", "active": "failed", "sub": "failed"}
    return UnitResult(**{**plain, **more})


def unit(*directives: Directive) -> Unit:
    """A service of these settings."""
    return Unit(
        name="w.service",
        type=UnitType.SERVICE,
        playbook="site",
        workload="w",
        directives=directives,
        digest="d",
    )


@pytest.mark.parametrize(
    ("status", "said"),
    [(203, "its program cannot be run"), (217, "its user does not"), (226, "its sandbox could")],
)
def test_systemds_own_statuses_are_named(status: int, said: str) -> None:
    """A status with which systemd gave up before the program ran is said in words.

    It is so too where systemd gave up on what gxo puts before the program.
    """
    found = ended(code="exited", status=status, result="exit-code")
    assert f"status {status}: {said}" in describe(found)
    never = ended(result="exit-code")
    assert f"status {status}: {said}" in why(unit(), JobResult.FAILED, never, before=status)


def test_a_watchdog_is_named() -> None:
    """That a program was silent is told, not the signal by which systemd ended it."""
    found = ended(code="killed", status=6, result="watchdog")
    assert why_unsettled(found, 2 * SECOND) == (
        "it was killed: it did not report in time that it is alive (`watchdog`)"
        " within 2 s of its start"
    )


def test_what_goes_before_is_told_apart() -> None:
    """What failed before the program with a status of its own is not told as the program's end."""
    said = why(unit(), JobResult.FAILED, ended(result="exit-code"), before=1)
    assert said == "its set-up failed (exit-code)"


def test_a_turn_that_is_a_run_is_told_as_one() -> None:
    """The status of the runner is not told as that of the workload."""
    failed = ended(code="exited", status=1, result="exit-code")
    assert describe_turn(failed, runs=True) == "its run failed"
    assert describe_turn(failed, runs=False) == "it exited with status 1"
    killed = ended(code="killed", status=9, result="signal")
    assert describe_turn(killed, runs=True) == "it was killed by signal 9"


TCP = directive("ExecStartPost", probe(Address("127.0.0.1", 80), 5 * SECOND, own_pids=False))
LIMIT = directive("TimeoutStartSec", 9 * SECOND)
KILLED = ended(code="killed", status=15, result="exit-code")
LATE = ended(code="killed", status=15, result="timeout")


@pytest.mark.parametrize(
    ("made", "found", "probed", "said"),
    [
        (
            unit(TCP, LIMIT),
            KILLED,
            UNREADY,
            "it was not ready in time: port 80 of 127.0.0.1 took no connection in 5 s",
        ),
        (unit(TCP, LIMIT), ended(code="exited", status=3), 1, "it exited with status 3"),
        (unit(LIMIT), KILLED, 0, "it was killed by signal 15"),
        (
            unit(directive("Type", "notify"), LIMIT),
            LATE,
            0,
            "it was not ready in time: it did not send READY=1 within 9 s",
        ),
        (
            unit(directive("Type", "exec"), LIMIT),
            LATE,
            0,
            "it was not ready in time: its command was not started within 9 s",
        ),
        (unit(directive("Type", "oneshot"), LIMIT), LATE, 0, "it did not end within 9 s"),
    ],
)
def test_why_a_start_failed(made: Unit, found: UnitResult, probed: int, said: str) -> None:
    """What systemd did to a service that was late is not told as what the service did."""
    assert why(made, JobResult.FAILED, found, probed=probed) == said


def test_a_service_stopped_between_two_starts_has_not_failed() -> None:
    """A gap between restarts that a stop cuts short is no failure; a program's bad end is told."""
    assert describe_stop(ended(result="signal")) == ""
    assert describe_stop(ended(code="killed", status=9, result="signal")) == (
        "it was killed by signal 9"
    )


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (ended(code="exited", result="success"), "it exited with status 0 within 2 s of its start"),
        (ended(load="not-found", result="success"), "it ended within 2 s of its start"),
    ],
)
def test_a_service_that_goes_to_the_background(found: UnitResult, said: str) -> None:
    """A program that ends well at once is most likely a daemon that forks: it is told not to."""
    advice = "; a service has to stay in the foreground"
    assert why_unsettled(found, 2 * SECOND) == said + advice
    assert why_unsettled(replace(found, restarts=1), 2 * SECOND) == said
    failed = ended(code="exited", status=3, result="exit-code")
    assert why_unsettled(failed, SECOND) == "it exited with status 3 within 1 s of its start"

"""How a member of a group is said to have ended."""

import pytest

from gxo.runtime.attempt import Result
from gxo.runtime.group import Verdict
from gxo.runtime.joint import _judged

LOST = "the process that moves the stream was killed by SIGKILL"
GONE = "`use` ended before it had read all of its stream"


@pytest.mark.parametrize(
    ("verdict", "fault", "said"),
    [
        (Verdict(failed=True), LOST, LOST),
        (Verdict(failed=True, deserted_by="use"), LOST, GONE),
        (Verdict(failed=True, failed_for="make"), "", "`make`, whose stream it reads, failed"),
    ],
)
def test_what_the_runner_stopped_has_failed(verdict: Verdict, fault: str, said: str) -> None:
    """For the reason for which it was stopped; nobody has cancelled it."""
    stopped = Result(ok=False, summary=None, detail="it was cancelled", cancelled=True)
    found = _judged(stopped, verdict, fault)
    assert (found.ok, found.cancelled, found.detail) == (False, False, said)


def test_what_failed_by_itself_says_both() -> None:
    """Its own reason first, then what the others have to do with it."""
    broken = Result(ok=False, summary=None, detail="it was killed by SIGPIPE")
    found = _judged(broken, Verdict(failed=True, deserted_by="use"), "")
    assert found.detail == f"it was killed by SIGPIPE: {GONE}"


def test_what_somebody_else_stopped_was_cancelled() -> None:
    """A member that somebody else stopped is Cancelled, as any step is."""
    stopped = Result(ok=False, summary=None, detail="it was cancelled", cancelled=True)
    assert _judged(stopped, Verdict(failed=True), "") == stopped

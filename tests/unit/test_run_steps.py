"""One run for people: its steps as a table, and what a single one yielded."""

import pytest

from gxo.cli.exits import Failure
from gxo.cli.steps import detail, overview, pick
from gxo.runtime.status import Status
from gxo.runtime.store import EventRow, RunRow, StepRow
from gxo.template.value import Data

RUN = RunRow(
    id="0141d9b3e1dd", playbook="build", status=Status.FAILED, created=1, started=2_000_000,
    ended=5_500_000, spec={},
)  # fmt: skip


def row(
    step: str, status: Status, after: float, took: float, *, n: int = -1, attempts: int = 1,
    detail: str = "", summary: Data = None,
) -> StepRow:  # fmt: skip
    started = 2_000_000 + round(after * 1e6)
    return StepRow(
        step=step, status=status, iteration=n, attempts=attempts, started=started,
        ended=started + round(took * 1e6), detail=detail, summary=summary,
    )  # fmt: skip


STEPS = (
    row("fetch", Status.COMPLETED, 0, 0.5, summary={"exit_code": 0, "stdout": "a\nb", "n": [1]}),
    row("each", Status.FAILED, 0.5, 75, detail="it exited with status 7", summary=[{"n": 1}, None]),
    row("each", Status.FAILED, 0.5, 75, n=0, attempts=3, detail="it exited with status 7",
        summary={"exit_code": 7, "stdout": "", "truncated": False}),
    StepRow(step="use", status=Status.PENDING),
)  # fmt: skip


def test_the_table() -> None:
    """Times from the start of the run, exit codes, attempts; last words under what failed."""
    said = EventRow(time=1, run=RUN.id, event="output", step="each", iteration=0, detail="no\nnet")
    assert overview(RUN, STEPS, [said], colour=False) == (
        "  STEP     STATUS     AFTER   TOOK    ATTEMPTS  EXIT\n"
        "  fetch    Completed  0.00 s  0.50 s            0\n"
        "  each     Failed     0.50 s  1m15s                   it exited with status 7\n"
        "  each[0]  Failed     0.50 s  1m15s   3         7     it exited with status 7\n"
        "      no\n"
        "      net\n"
        "  use      Pending\n"
    )
    assert overview(RUN, (), [], colour=False) == ""


def test_what_a_step_yielded() -> None:
    """Key by key; texts of several lines as a block, a loop's summaries one a line."""
    assert detail(RUN, STEPS[0]) == (
        "fetch: Completed, after 0.00 s, 0.50 s\n"
        "  exit_code: 0\n"
        "  stdout:\n"
        "      a\n"
        "      b\n"
        "  n: [1]\n"
    )
    assert detail(RUN, STEPS[1]) == (
        'each: Failed, after 0.50 s, 1m15s\n  it exited with status 7\n  - {"n": 1}\n  - null\n'
    )
    assert detail(RUN, pick(RUN, STEPS, "each[0]")) == (
        "each[0]: Failed, after 0.50 s, 1m15s, 3 attempts\n"
        "  it exited with status 7\n"
        "  exit_code: 7\n"
        "  stdout:\n"
        "  truncated: false\n"
    )
    with pytest.raises(Failure, match=r"cannot show `fetsh`: run \w+ has no such step; did you"):
        pick(RUN, STEPS, "fetsh")

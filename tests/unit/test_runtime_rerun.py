"""What a run that goes on from another's failure takes over of it."""

from gxo.runtime.rerun import taken_over
from gxo.runtime.status import Status
from gxo.runtime.store import WHOLE, StepRow
from tests.unit.test_plan_build import plan

EXEC = "process: {module: exec, params: {command: /bin/true}}"


def over(workloads: str, **ends: Status) -> set[str]:
    """The steps taken over of a run whose steps ended so."""
    rows = (StepRow(step=name, status=status, iteration=WHOLE) for name, status in ends.items())
    return {row.step for row in taken_over(plan(f"workloads:\n{workloads}"), "0" * 12, rows)}


def test_what_read_how_a_service_ended_is_decided_anew() -> None:
    """The service is up again in the next run; what only needs it is taken over."""
    tell = "when: '{{ eq _gxo.workloads.web.status \"Failed\" }}'"
    found = over(
        f"- {{name: web, lifecycle: {{policy: supervise}}, {EXEC}}}\n"
        f"- {{name: use, needs: [web], lifecycle: {{policy: run_once}}, {EXEC}}}\n"
        f"- {{name: tell, {tell}, lifecycle: {{policy: run_once}}, {EXEC}}}\n"
        f"- {{name: more, needs: [tell], lifecycle: {{policy: run_once}}, {EXEC}}}\n",
        web=Status.FAILED,
        use=Status.COMPLETED,
        tell=Status.COMPLETED,
        more=Status.COMPLETED,
    )
    assert found == {"use"}


def test_what_a_stream_joins_runs_again_together() -> None:
    """One that ended well beside another's failure is not taken over, nor what stands behind it."""
    once = f"lifecycle: {{policy: run_once}}, {EXEC}"
    found = over(
        f"- {{name: a, {once}}}\n"
        f"- {{name: b, stream_inputs: [a], {once}}}\n"
        f"- {{name: c, stream_inputs: [b], {once}}}\n"
        f"- {{name: d, needs: [a], {once}}}\n"
        f"- {{name: e, stream_inputs: [f], {once}}}\n"
        f"- {{name: f, {once}}}\n",
        **dict.fromkeys("abdef", Status.COMPLETED),
        c=Status.FAILED,
    )
    assert found == {"e", "f"}

"""Statuses: how the state of a run and of its steps is worded and coloured for people."""

from gxo.cli.table import Colour
from gxo.plan.model import Plan
from gxo.runtime.status import Status
from gxo.runtime.store import WHOLE, RunRow
from gxo.spec.lifecycle import RunOnce, Supervise

_COLOURS = {
    Status.COMPLETED: Colour.GOOD,
    Status.FAILED: Colour.BAD,
    Status.CANCELLED: Colour.DOUBTFUL,
    Status.PAUSED: Colour.DOUBTFUL,
    Status.SKIPPED: Colour.DIM,
}

CANCELLING = "cancelling: the steps under way are being stopped"


def colour_of(status: Status) -> Colour:
    return _COLOURS.get(status, Colour.NONE)


def name_of(step: str, iteration: int) -> str:
    """A step, or the item of a loop as `step[N]`."""
    return step if iteration == WHOLE else f"{step}[{iteration}]"


def took(time: int) -> str:
    """Microseconds as people read them."""
    seconds = max(time, 0) / 1e6
    if seconds < 60:
        return f"{seconds:.2f} s"
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}h{minutes:02}m{rest:02}s" if hours else f"{minutes}m{rest:02}s"


def steps_of(run: RunRow) -> tuple[str, ...]:
    """The names of a run's steps, in the order of its plan; none where another gxo wrote that."""
    from gxo.plan.codec import UnreadablePlan, UnreadableRecord
    from gxo.runtime.task import from_spec

    try:
        task = from_spec(run.spec)
    except (UnreadablePlan, UnreadableRecord):
        return ()
    return steps_in(task.plan)


def steps_in(plan: Plan) -> tuple[str, ...]:
    """The names of the workloads of a plan that a run has."""
    return tuple(s.name.text for s in plan.steps if isinstance(s.lifecycle, RunOnce | Supervise))


def where_more_is(run: str, step: str) -> str:
    """How to see more of a run that failed, and of the step of it that did."""
    shows = f"`gxo runs show {run}` shows the steps"
    return f"`gxo logs {run} {step}` shows its whole log, {shows}" if step else shows

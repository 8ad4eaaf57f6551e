"""Rerun: what a run that goes on from another's failure has of it already."""

from collections.abc import Collection, Iterable, Mapping

from gxo.dataclass import replace
from gxo.plan.model import EdgeKind, Plan
from gxo.plan.streams import groups
from gxo.runtime.status import Status
from gxo.runtime.store import WHOLE, StepRow
from gxo.spec.lifecycle import RunOnce

_ENDS_WELL = frozenset({Status.COMPLETED, Status.SKIPPED})


def taken_over(plan: Plan, run: str, rows: Iterable[StepRow]) -> tuple[StepRow, ...]:
    """The steps of `run` that need not run again, with what they yielded.

    Those that ended well, come after no step that runs again, and do not read how a service ended:
    what only came about because another failed is decided anew. Steps joined by streams run again
    together.
    """
    whole = {row.step: row for row in rows if row.iteration == WHOLE}
    joined = groups(tuple(step.name.text for step in plan.steps), plan.edges)
    again: set[str] = set()
    while True:
        found = _good(plan, run, whole, again)
        torn = [group.members for group in joined if not found.keys() >= {*group.members}]
        more = {name for members in torn for name in members if name in found}
        if not more:
            return tuple(found.values())
        again |= more


def _good(
    plan: Plan, run: str, whole: Mapping[str, StepRow], again: Collection[str]
) -> dict[str, StepRow]:
    """Those that ended well and stand behind none that runs again, as do all of `again`."""
    steps = {step.name.text for step in plan.steps if isinstance(step.lifecycle, RunOnce)}
    found: dict[str, StepRow] = {}
    for step in plan.steps:  # each behind all it waits for
        name = step.name.text
        row = whole.get(name)
        sources = {
            edge.source
            for edge in plan.edges
            if edge.target == name and (edge.source in steps or edge.kind is EdgeKind.STATUS)
        }
        fresh = name not in steps or name in again or not sources <= found.keys()
        if row is not None and row.status in _ENDS_WELL and not fresh:
            found[name] = replace(
                row, attempts=0, started=None, ended=None, detail=f"taken over from run {run}"
            )
    return found

"""Keeping: a run's artifacts at its end, also where its runner did not live to see that."""

from pathlib import Path

from gxo.plan.codec import UnreadablePlan, UnreadableRecord
from gxo.plan.model import Plan
from gxo.runtime.artifacts import Artifacts
from gxo.runtime.store import RunRow
from gxo.runtime.task import from_spec
from gxo.template.value import Literal


def keep(plan: Plan, run: str, workspace: Path) -> str:
    """Keep the playbook's `artifacts` of a workspace that nobody uses any more; in words, what
    could not be kept and why.

    A path that is not there, or cannot be kept, changes nothing of how the run ended.
    """
    paths = [str(value.data) for value in plan.artifacts if isinstance(value, Literal)]
    return "; ".join(Artifacts().keep(run, workspace, paths))


def keep_behind(run: RunRow) -> str:
    """The same for a run whose runner is gone."""
    try:
        plan = from_spec(run.spec).plan
    except (UnreadablePlan, UnreadableRecord, LookupError):
        return ""  # of a version that is no more
    return keep(plan, run.id, Path(run.workspace)) if run.workspace else ""

"""Forget: ended runs that the state keeps no longer, and the one way by which they go."""

from collections import Counter
from collections.abc import Sequence

from gxo.runtime.artifacts import Artifacts
from gxo.runtime.store import Ended, Store

KEPT = 1000
"""Ended runs that are kept when nobody says otherwise."""
KEPT_OF_ONE = 100
"""Those of them that may be instances of one workload: a busy one does not oust the others."""


def forget(store: Store, artifacts: Artifacts, runs: Sequence[str]) -> None:
    """Forget runs that have ended: all that is kept of them goes with them.

    Raises StoreError, WorkspaceError.
    """
    if runs:
        store.forget(runs)
    for run in runs:
        artifacts.remove(run)


def too_many(ended: Sequence[Ended]) -> tuple[Ended, ...]:
    """The runs that go by themselves; `ended` is the newest first."""
    instances: Counter[tuple[str, str]] = Counter()
    kept, gone = 0, []
    for run in ended:
        whose = run.playbook, run.workload
        if kept >= KEPT or (run.workload and instances[whose] >= KEPT_OF_ONE):
            gone.append(run)
        else:
            kept += 1
            instances[whose] += 1
    return tuple(gone)


def beyond(ended: Sequence[Ended], *, keep: int, before: int | None) -> tuple[Ended, ...]:
    """All runs but the newest `keep`; where `before` is given, only those that ended before it."""
    return tuple(run for run in ended[keep:] if before is None or run.ended < before)

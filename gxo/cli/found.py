"""Found: the run that a user names by its id, or by how that begins."""

from gxo.cli.exits import Failure
from gxo.runtime.store import RunRow, Store


def find(store: Store, wanted: str) -> RunRow:
    """The run of that id, or the only one whose id begins so; raises Failure."""
    found = [run for run in store.runs() if run.id.startswith(wanted)]
    if len(found) == 1:
        return found[0]
    reason = "several begin so; give more of it" if found else "`gxo runs` lists them"
    raise Failure(f"cannot find run `{wanted}`: {reason}")

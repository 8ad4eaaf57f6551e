"""What is still known of a playbook with errors, so that the rest is checked in the same go."""

from collections.abc import Collection, Iterable

from yaml import MappingNode, Node

from gxo.dataclass import replace
from gxo.diagnostic.base import Problem
from gxo.language.model import Playbook
from gxo.source import Span
from gxo.spec.lifecycle import Placed

# an error in the value of one of these may hide a name that templates read
_NAMING = frozenset({"inputs", "loop", "loop_control", "name", "register", "vars", "workloads"})


def damaged(playbook: Playbook, root: Node, errors: Iterable[Problem]) -> Playbook | None:
    """The playbook marked as unsound; None where a workload's name is not known.

    Without it no reference to a workload could be called wrong.
    """
    workloads = playbook.workloads
    if _listed(root) != len(workloads):
        return None
    names_known = alone = True
    for error in errors:
        home: Placed = playbook.workload_at(error.span) or playbook
        alone = alone and home is not playbook
        names_known = names_known and _lies_in(error.span, home, home.at.keys() - _NAMING)
    if not alone:  # what it says for all workloads may be wrong
        workloads = tuple(replace(workload, sound=False) for workload in workloads)
    return replace(playbook, workloads=workloads, sound=False, names_known=names_known)


def _listed(root: Node) -> int:
    """How many workloads the playbook lists, whatever became of them."""
    pairs = root.value if isinstance(root, MappingNode) else ()
    return next((len(value.value) for key, value in pairs if key.value == "workloads"), 0)


def _lies_in(span: Span, home: Placed, keys: Collection[str]) -> bool:
    return any(span.within(home.at[key]) for key in keys)

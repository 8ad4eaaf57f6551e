"""What a playbook with errors leaves whole: a plan to be checked further, never applied."""

from collections.abc import Iterable, Sequence

from gxo.diagnostic.base import Severity
from gxo.language.model import Playbook
from gxo.plan.build import Given, Resolved, resolve
from gxo.plan.edges import ordered
from gxo.plan.model import Edge, EdgeKind, Plan


def build_parts(playbooks: Sequence[Playbook], given: Given) -> tuple[Plan, ...]:
    """Of each playbook with an error, a plan of its workloads that do not hang on any.

    Those have no error, and read nothing of one that has. Where there are none there is no plan.
    """
    found = (resolve(playbook, given) for playbook in playbooks)
    parts = ((resolved, _whole(resolved)) for resolved in found if not resolved.sound)
    return tuple(_plan(resolved, names) for resolved, names in parts if names)


def _plan(resolved: Resolved, names: tuple[str, ...]) -> Plan:
    kept = frozenset(names)
    edges = tuple(edge for edge in resolved.edges if kept >= {edge.source, edge.target})
    order, _ = ordered(names, edges)
    return resolved.plan(order, edges)


def _whole(resolved: Resolved) -> tuple[str, ...]:
    """The workloads without an error; none where another part of the playbook has one."""
    bad = resolved.workloads.keys() - resolved.steps.keys()
    for problem in resolved.problems:
        if problem.severity is Severity.ERROR:
            home = resolved.playbook.workload_at(problem.span)
            if home is None:
                return ()
            bad.add(home.name.text)
    bad |= _readers(bad, resolved.edges)
    return tuple(name for name in resolved.workloads if name not in bad)


def _readers(sources: Iterable[str], edges: Iterable[Edge]) -> set[str]:
    """All that reads what comes from the sources, directly or through others."""
    readers: dict[str, list[str]] = {}
    for edge in edges:
        if edge.kind is not EdgeKind.NEEDS:
            readers.setdefault(edge.source, []).append(edge.target)
    found: set[str] = set()
    pending = list(sources)
    while pending:
        for name in readers.pop(pending.pop(), ()):
            found.add(name)
            pending.append(name)
    return found

"""A plan drawn: as a tree of text, as DOT (Graphviz), as a Mermaid flowchart."""

from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType

from gxo.dataclass import dataclass
from gxo.plan.model import Edge, EdgeKind, Plan, Step, edges_into

_STYLES = {
    EdgeKind.STATE: ("solid", "-->"),
    EdgeKind.STREAM: ("bold", "==>"),
    EdgeKind.STATUS: ("dashed", "-.->"),
    EdgeKind.NEEDS: ("dotted", "-.->"),
    EdgeKind.EVENT: ("bold", "==>"),
}


@dataclass(frozen=True, slots=True)
class Mark:
    """The state of a workload in a run: in words, and as a colour, `#rrggbb`."""

    said: str
    colour: str


Marks = Mapping[str, Mark]
"""By the names of workloads."""
NO_MARKS: Marks = MappingProxyType({})
Flows = Mapping[tuple[str, str], str]
"""What has gone through each stream, by its producer and consumer."""
NO_FLOWS: Flows = MappingProxyType({})


def text(plan: Plan, marks: Marks = NO_MARKS, flows: Flows = NO_FLOWS) -> str:
    """The plan as a tree; a workload that waits for several stands under the last of them.

    Each line says the workload, how it stands, its lifecycle and module, and why it waits; edges
    that the tree's own shape does not show are named at the end of the line.
    """
    into = edges_into(plan.edges)
    place = {step.name.text: number for number, step in enumerate(plan.steps)}
    parent = {
        name: max((edge.source for edge in edges), key=place.__getitem__)
        for name, edges in into.items()
    }
    children: dict[str | None, list[str]] = {}
    for name in place:
        children.setdefault(parent.get(name), []).append(name)
    lines = [plan.playbook.text]
    # a stack, not recursion: a chain may be ten thousand long
    stack = [(name, "") for name in reversed(children.get(None, []))]
    last = {names[-1] for names in children.values()}
    while stack:
        name, indent = stack.pop()
        branch, below = ("└─ ", "   ") if name in last else ("├─ ", "│  ")
        step = plan.steps[place[name]]
        stands = f"  {marks[name].said}" if name in marks else ""
        what = f"{_what(step)}{_why(into.get(name, ()), parent.get(name), flows)}"
        lines.append(f"{indent}{branch}{name}{stands}  {what}")
        stack += [(child, indent + below) for child in reversed(children.get(name, []))]
    return "\n".join(lines) + "\n"


def _what(step: Step) -> str:
    return f"{step.lifecycle.policy.value} {step.action.module}"


def _why(edges: Sequence[Edge], parent: str | None, flows: Flows) -> str:
    if not edges:
        return ""
    kinds: dict[str, list[str]] = {}
    for edge in edges:
        kinds.setdefault(edge.source, []).append(" ".join(_kind(edge, flows)))
    others = [
        f"{source} ({', '.join(found)})" for source, found in kinds.items() if source != parent
    ]
    shown = f"  [{', '.join(kinds[str(parent)])}]"
    return shown + (f"  also after {', '.join(others)}" if others else "")


def _kind(edge: Edge, flows: Flows) -> tuple[str, ...]:
    """The kind of an edge, and how much went through a run's stream."""
    flow = flows.get((edge.source, edge.target)) if edge.kind is EdgeKind.STREAM else None
    return (edge.kind.value, flow) if flow else (edge.kind.value,)


def dot(plan: Plan, marks: Marks = NO_MARKS, flows: Flows = NO_FLOWS) -> str:
    """The plan as a DOT digraph; edges point from what runs first."""
    lines = [f"digraph {_dot(plan.playbook.text)} {{", "  rankdir=LR;", "  node [shape=box];"]
    for step in plan.steps:
        name = step.name.text
        mark = marks.get(name)
        label = _dot(name, *([mark.said] if mark else []), _what(step))
        filled = f", style=filled, fillcolor={_dot(mark.colour)}" if mark else ""
        lines.append(f"  {_dot(name)} [label={label}{filled}];")
    lines += (
        f"  {_dot(edge.source)} -> {_dot(edge.target)}"
        f" [label={_dot(*_kind(edge, flows))}, style={_STYLES[edge.kind][0]}];"
        for edge in plan.edges
    )
    return "\n".join((*lines, "}")) + "\n"


def _dot(*lines: str) -> str:
    """A quoted DOT string of several lines; only quotes and backslashes need escapes."""
    quoted = (line.replace("\\", "\\\\").replace('"', '\\"') for line in lines)
    return '"' + "\\n".join(quoted) + '"'


def mermaid(plan: Plan, marks: Marks = NO_MARKS, flows: Flows = NO_FLOWS) -> str:
    """The plan as a Mermaid flowchart; nodes are numbered, as names may be keywords of it."""
    return "\n".join(_mermaid(plan, marks, flows)) + "\n"


def _mermaid(plan: Plan, marks: Marks, flows: Flows) -> Iterator[str]:
    node = {step.name.text: f"n{number}" for number, step in enumerate(plan.steps)}
    yield "flowchart LR"
    for step in plan.steps:
        mark = marks.get(step.name.text)
        lines = [step.name.text, *([mark.said] if mark else []), _what(step)]
        yield f'  {node[step.name.text]}["{"<br/>".join(map(_entities, lines))}"]'
    for edge in plan.edges:
        arrow = _STYLES[edge.kind][1]
        said = "<br/>".join(_kind(edge, flows))
        yield f"  {node[edge.source]} {arrow}|{said}| {node[edge.target]}"
    for name, mark in marks.items():
        if name in node:
            yield f"  style {node[name]} fill:{mark.colour},color:#000"


def _entities(text: str) -> str:
    """Label text for Mermaid: anything that is not plain becomes a numbered entity."""
    return "".join(c if c.isalnum() or c in " _-.:" else f"#{ord(c)};" for c in text)

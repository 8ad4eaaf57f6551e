"""stream:pipeline: steps in one process, each feeding those that need it."""

from __future__ import annotations

from gxo.modules.drive import Net, given, operator
from gxo.modules.fault import ModuleError
from gxo.modules.flow import Batch, Handing
from gxo.modules.net import Node

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from gxo.modules.streams import Streams


class Skipped(Handing):
    """What stands in for a step whose `when` does not hold: it hands on what that would take."""

    def __init__(self, takes: type[Batch] | type[bytes] | None) -> None:
        self.takes = takes
        self.gives = takes


def pipeline(params: dict[str, Any], streams: Streams | None, directory: str) -> dict[str, Any]:
    """`stream:pipeline`."""
    inputs = len(streams.inputs) if streams else 0
    nodes: list[Node] = []
    named: dict[str, Node] = {}
    for step in params["steps"]:
        node = _node(step, nodes, named, inputs, directory)
        nodes.append(node)
        if step["id"] is not None:
            named[step["id"]] = node
    net = Net(nodes, streams)
    net.run()
    summaries = [{"count": node.count} | node.operator.summary() for node in nodes]
    steps = list(zip(params["steps"], summaries, strict=True))
    return {
        **{step["register"]: summary for step, summary in steps if step["register"] is not None},
        "steps": {step["id"]: summary for step, summary in steps if step["id"] is not None},
        "items": net.kept.items,
        "text": net.kept.text,
        "truncated": net.kept.truncated,
        "count": summaries[-1]["count"],
    }


def _node(
    step: dict[str, Any],
    nodes: list[Node],
    named: dict[str, Node],
    inputs: int,
    directory: str,
) -> Node:
    """A step, fed by those above."""
    chunks = given(step["with"])
    above: list[Node] = []
    if chunks is None and step["needs"] is not None:
        above = [named[name] for name in step["needs"]]
    elif chunks is None:
        above = nodes[-1:]
    first = not nodes
    ports = inputs if first else len(above)
    where = f"in step {len(nodes) + 1} ({step['uses']})"
    if chunks is None and not ports:
        raise ModuleError(f"{where}, nothing feeds it")
    if chunks is not None and ((first and inputs) or step["needs"]):
        raise ModuleError(f"{where}, both a param and other steps feed it")
    try:
        made = operator(step["uses"], step["with"], 0 if chunks is not None else ports)
    except ModuleError as error:
        raise ModuleError(f"{where}, {error}") from None
    if not step["when"]:
        chunks = None if chunks is None else ()
        made = Skipped(made.takes)
    node = Node(made, max(ports, 1), directory, chunks, where)
    for port, source in enumerate(above):
        source.feed_to(node, port)
    return node

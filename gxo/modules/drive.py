"""Drive: a net of operators between the streams of a worker, or a param and the summary."""

from __future__ import annotations

from gxo.modules.flow import Batch, batches
from gxo.modules.net import Node
from gxo.modules.table import OPERATORS, load

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from gxo.modules.flow import Chunk, Operator
    from gxo.modules.streams import Streams

KEPT = 1 << 20
"""Bytes of items or text that a summary keeps."""


def operator(module: str, params: dict[str, Any], ports: int) -> Operator:
    """The operator of a module; ModuleError where its params do not fit."""
    make = load(OPERATORS[module].code)
    made: Operator = make(params, ports) if module == "data:join" else make(params)
    return made


def given(params: dict[str, Any]) -> Iterable[Chunk] | None:
    """The data that a param gives an operator which no stream feeds; None where none does."""
    if params.get("items") is not None:
        return batches(params["items"])
    text = params.get("text")
    return None if text is None else [text.encode("utf-8", "replace")]


class Kept:
    """What the last operator made, where no stream takes it: as much as a summary keeps."""

    def __init__(self) -> None:
        self._size = 0
        self._items: list[Any] = []
        self._text = b""
        self.truncated = False

    def take(self, chunk: Chunk) -> None:
        if isinstance(chunk, bytes):
            self._text += chunk[: KEPT - len(self._text)]
            self._size += len(chunk)
            self.truncated = self._size > KEPT
            return
        if self.truncated:
            return
        lines = chunk.lines or [Batch([record]).encoded() for record in chunk.records]
        for record, line in zip(chunk.records, lines, strict=True):
            self._size += len(line)
            if self._size > KEPT:
                self.truncated = True
                return
            self._items.append(record)

    @property
    def items(self) -> list[Any]:
        return self._items

    @property
    def text(self) -> str:
        """What was cut within a character ends before it."""
        return self._text.decode("utf-8", "ignore" if self.truncated else "replace")


class Net:
    """Nodes in their order; the first is fed by the inputs unless it is given something, and what
    the last hands on goes out.
    """

    def __init__(self, nodes: list[Node], streams: Streams | None) -> None:
        self.nodes = nodes
        self.kept = Kept()
        self._streams = streams
        self._counts = nodes[0].operator.takes is Batch
        if streams is not None and nodes[-1].operator.gives is Batch:
            streams.records = 0
        nodes[-1].outlet = self._write if streams and streams.output is not None else self.kept.take

    def run(self) -> None:
        """Feed the net until all inputs are at their ends."""
        streams, first = self._streams, self.nodes[0]
        for node in self.nodes:
            node.start()
        if streams is None or not streams.inputs:
            return
        for port, data in streams.chunks(lambda _: first.wanted(), self._due):
            if port < 0:
                for node in self.nodes:
                    node.tick()
                continue
            if data:
                first.feed(port, data)
            else:
                first.end(port)
            if self._counts:
                streams.inputs[port].records = first.taken(port)

    def _due(self) -> float | None:
        all_ = [due for node in self.nodes if (due := node.operator.due()) is not None]
        return min(all_, default=None)

    def _write(self, chunk: Chunk) -> None:
        assert self._streams is not None
        if isinstance(chunk, Batch):
            self._streams.write(chunk.encoded(), len(chunk))
        else:
            self._streams.write(chunk)


def single(
    module: str, params: dict[str, Any], streams: Streams | None, directory: str
) -> dict[str, Any]:
    """The summary of one module that is an operator."""
    inputs = len(streams.inputs) if streams else 0
    made = operator(module, params, inputs)
    # without a stream, or a param in its place, it works on nothing
    node = Node(made, max(inputs, 1), directory, None if inputs else given(params) or ())
    net = Net([node], streams)
    net.run()
    kept = net.kept
    if made.gives is Batch:
        summary = {"items": kept.items, "count": node.count, "truncated": kept.truncated}
    elif module == "data:format":
        summary = {"text": kept.text, "truncated": kept.truncated}
    else:
        summary = {}
    return summary | made.summary()

"""Kinds of values of a playbook's own level: vars, the list of workloads, paths of artifacts."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from yaml import MappingNode, Node, ScalarNode, SequenceNode

from gxo.diagnostic.lazy import Lazy
from gxo.language.kinds import Kind, Named, Schema
from gxo.language.reader import Reader
from gxo.language.secrets import refuse_kept
from gxo.language.section import ListOf
from gxo.language.values import read_map
from gxo.template.value import Literal, MapValue

if TYPE_CHECKING:
    from gxo.diagnostic import graph as graph_faults
else:
    graph_faults = Lazy("gxo.diagnostic.graph")


class Vars(Kind):
    """A map of names to values of any type, which may hold templates but no secrets."""

    __slots__ = ()
    takes = "a map of names to values"
    _NAMED = Named("a var", word=True)

    def read(self, reader: Reader, node: Node, key: str) -> MapValue | None:
        written = reader.map(node, key, self.takes)
        if written is None:
            return None
        found = read_map(reader, written, key)
        for name, value in found.entries:
            self._NAMED.check(reader, name)
            refuse_kept(reader, key, value)
        return found

    def schema(self) -> Schema:
        return {"type": "object", "propertyNames": self._NAMED.schema()}


class Workloads(ListOf):
    """The list of workloads; a name that stands twice is found even where the rest is wrong."""

    __slots__ = ()

    def read(self, reader: Reader, node: Node, key: str) -> tuple[object, ...] | None:
        found = super().read(reader, node, key)
        seen: dict[str, ScalarNode] = {}
        for name in _names(node):
            first = seen.setdefault(name.value, name)
            if first is not name:
                reader.problems.append(
                    graph_faults.WorkloadTwice(
                        span=reader.span(name), name=name.value, first=reader.span(first)
                    )
                )
        return found


def _names(node: Node) -> Iterator[ScalarNode]:
    """The value of the first `name` of each map of a list."""
    for child in node.value if isinstance(node, SequenceNode) else ():
        if isinstance(child, MappingNode):
            for key, value in child.value:
                if key.value == "name":
                    if isinstance(value, ScalarNode):
                        yield value
                    break


class LiteralPaths(ListOf):
    """A list of texts as values with their places."""

    __slots__ = ()

    def read(self, reader: Reader, node: Node, key: str) -> tuple[object, ...] | None:
        found = super().read(reader, node, key)
        if found is None:
            return None
        texts = {str(text) for text in found}
        return tuple(
            Literal(child.value, reader.span(child))
            for child in node.value
            if isinstance(child, ScalarNode) and child.value in texts
        )

"""Kinds of values that a process is made of: a module's name, and params before they are typed."""

from typing import TYPE_CHECKING

from yaml import MappingNode, Node, ScalarNode

from gxo.diagnostic.lazy import Lazy
from gxo.language.kinds import Kind, Schema, line
from gxo.language.reader import Reader
from gxo.source import Name
from gxo.spec.library import LIBRARY

if TYPE_CHECKING:
    from gxo.diagnostic import modules as module_faults
else:
    module_faults = Lazy("gxo.diagnostic.modules")


class ModuleName(Kind):
    """The name of a module of the library."""

    __slots__ = ()
    takes = "the name of a module"

    def read(self, reader: Reader, node: Node, key: str) -> Name | None:
        found = line(reader, node, key, self.takes)
        if found is None:
            return None
        if found.value in LIBRARY:
            return reader.name(found)
        reader.problems.append(
            module_faults.UnknownModule(
                span=reader.span(found), name=found.value, known=tuple(LIBRARY)
            )
        )
        return None

    def schema(self) -> Schema:
        return {"enum": list(LIBRARY)}


class RawParams(Kind):
    """Any map: what is in it is the module's business, which is known when both are read."""

    __slots__ = ()
    takes = "a map of params"

    def read(self, reader: Reader, node: Node, key: str) -> MappingNode | None:
        if isinstance(node, MappingNode):
            return None if reader.refused_template(node) else node
        if isinstance(node, ScalarNode) and not reader.scalar(node, key, self.takes):
            return None
        reader.wrong(node, key, self.takes)
        return None

    def schema(self) -> Schema:
        return {"type": "object"}

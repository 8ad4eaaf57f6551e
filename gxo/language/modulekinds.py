"""Kinds of values that a process is made of: a module's name, and params before they are typed."""

from yaml import MappingNode, Node

from gxo.language.kinds import Kind, Schema, line
from gxo.language.reader import Reader, none_outside
from gxo.source import Name
from gxo.spec.library import LIBRARY, NAMESPACES
from gxo.spec.outside import MODULE_NAME

_OTHERS = f"^(?!(?:{'|'.join(sorted(NAMESPACES))}):){MODULE_NAME}$"


class ModuleName(Kind):
    """The name of a module, of the library alone where those from `outside` have no place."""

    __slots__ = ("_outside",)
    takes = "the name of a module"

    def __init__(self, *, outside: bool = False) -> None:
        self._outside = outside

    def read(self, reader: Reader, node: Node, key: str) -> Name | None:
        found = line(reader, node, key, self.takes)
        if found is None:
            return None
        name = reader.name(found)
        if name.text in LIBRARY:
            return name
        find = reader.outside if self._outside else none_outside
        return None if find(name, reader.problems) is None else name

    def schema(self) -> Schema:
        if self._outside:
            return {"anyOf": [{"enum": list(LIBRARY)}, {"type": "string", "pattern": _OTHERS}]}
        return {"enum": list(LIBRARY)}


class RawParams(Kind):
    """Any map: what is in it is the module's business, which is known when both are read."""

    __slots__ = ()
    takes = "a map of params"

    def read(self, reader: Reader, node: Node, key: str) -> MappingNode | None:
        return reader.map(node, key, self.takes)

    def schema(self) -> Schema:
        return {"type": "object"}

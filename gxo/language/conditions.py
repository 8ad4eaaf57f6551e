"""`when` and `loop`: values that decide whether and how often a workload runs."""

from typing import TYPE_CHECKING

from yaml import Node, ScalarNode

from gxo.diagnostic.lazy import Lazy
from gxo.language.kinds import Kind, Schema
from gxo.language.reader import BOOLS, Reader, phrase
from gxo.language.secrets import refuse_kept
from gxo.language.values import read_template, read_value
from gxo.template.value import Literal, Value

if TYPE_CHECKING:
    from gxo.diagnostic import keys as key_faults
else:
    key_faults = Lazy("gxo.diagnostic.keys")

_TAKES = "a template, or `true` or `false`"
TEMPLATE_SCHEMA: Schema = {"type": "string", "pattern": "\\{\\{"}


def read_condition(reader: Reader, node: Node, key: str) -> Value | None:
    """A template, or plain `true` or `false`."""
    found = reader.scalar(node, key, _TAKES)
    if found is None:
        return None
    if "{{" in found.value or "{%" in found.value:
        return read_template(reader, found, key)
    if not found.style and found.value in BOOLS:
        return Literal(BOOLS[found.value], reader.span(found))
    value = found.value.strip().split("\n", 1)[0]
    reader.problems.append(
        key_faults.ConditionNotTemplate(span=reader.span(found), key=key, value=value)
    )
    return None


class Condition(Kind):
    __slots__ = ()
    takes = _TAKES

    def read(self, reader: Reader, node: Node, key: str) -> Value | None:
        found = read_condition(reader, node, key)
        if found is not None:
            refuse_kept(reader, key, found)
        return found

    def schema(self) -> Schema:
        return {"anyOf": [{"type": "boolean"}, TEMPLATE_SCHEMA]}


class Loop(Kind):
    __slots__ = ()
    takes = "a list, a map or a template that yields one"

    def read(self, reader: Reader, node: Node, key: str) -> Value | None:
        if isinstance(node, ScalarNode) and "{{" not in node.value:
            span = reader.span(node)
            if reader.scalar(node, key, self.takes):
                reader.problems.append(key_faults.NothingToLoop(span=span, got=phrase(node)))
            return None
        found = read_value(reader, node, key)
        refuse_kept(reader, key, found)
        return found

    def schema(self) -> Schema:
        return {"anyOf": [{"type": "array"}, {"type": "object"}, TEMPLATE_SCHEMA]}

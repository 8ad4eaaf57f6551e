"""What reading a playbook's nodes shares: the source, the problems so far, how a node is called."""

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar, cast

from yaml import MappingNode, Node, ScalarNode, SequenceNode

from gxo.diagnostic.base import Problem
from gxo.diagnostic.lazy import Lazy
from gxo.language.scalar import end_of, text_of
from gxo.source import Name, Source, Span, Text
from gxo.spec.library import LIBRARY
from gxo.spec.outside import Outside

if TYPE_CHECKING:
    from gxo.diagnostic import keys as key_faults
    from gxo.diagnostic import modules as module_faults
    from gxo.diagnostic import yaml as yaml_faults
else:
    key_faults = Lazy("gxo.diagnostic.keys")
    module_faults = Lazy("gxo.diagnostic.modules")
    yaml_faults = Lazy("gxo.diagnostic.yaml")

T = TypeVar("T")
Find = Callable[[Name, list[Problem]], Outside | None]
"""Finds a module from outside the library by its name; that there is none it notes."""
Parse = Callable[[Text, list[Problem]], T | None]

NULLS = frozenset({"", "~", "null", "Null", "NULL"})
BOOLS = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_YES = {"yes": "true", "on": "true", "y": "true", "no": "false", "off": "false", "n": "false"}


def none_outside(name: Name, problems: list[Problem]) -> None:
    """A `Find` where there are none."""
    problems.append(
        module_faults.UnknownModule(span=name.span, name=name.text, known=tuple(LIBRARY))
    )


class Reader:
    """State of one document's reading. A reading function returns None where it found a problem."""

    __slots__ = ("_memo", "outside", "problems", "secrets", "source")

    def __init__(
        self, source: Source, problems: list[Problem], outside: Find = none_outside
    ) -> None:
        self.source = source
        self.problems = problems
        self.outside = outside
        self._memo: dict[tuple[object, str], object] = {}
        self.secrets = "secret" in source.text
        """Whether any template can call `secret`: most playbooks need no search for it."""

    def span(self, node: Node) -> Span:
        """A node's place as a reader sees it: a block ends with its last value."""
        return Span(self.source, node.start_mark.index, self.end(node))

    def end(self, node: Node) -> int:
        """The end of that place."""
        while not isinstance(node, ScalarNode):
            assert isinstance(node, SequenceNode | MappingNode)
            if node.flow_style or not node.value:
                return int(node.end_mark.index)
            if isinstance(node, MappingNode):
                before, last = node.value[-1]
            else:
                before, last = (node.value[-2] if len(node.value) > 1 else node), node.value[-1]
            if last.start_mark.index < before.start_mark.index:  # an alias of what stands above
                return self._last_word(node.start_mark.index, node.end_mark.index)
            node = last
        if node.style and node.style in "|>":
            return end_of(self.source.text, node)
        return int(node.end_mark.index)

    def _last_word(self, start: int, end: int) -> int:
        """The end without the blanks and line breaks before it."""
        text = self.source.text
        end = min(end, len(text))
        while end > start + 1 and text[end - 1] in " \t\r\n":
            end -= 1
        return end

    def text(self, node: ScalarNode) -> Text:
        return text_of(self.source, node)

    def name(self, node: ScalarNode) -> Name:
        return Name(node.value, self.span(node))

    def parsed(self, parse: Parse[T], node: ScalarNode) -> T | None:
        """What a parser makes of a scalar; text that has been parsed without problem is known."""
        key = (parse, node.value)
        known = self._memo.get(key)
        if known is not None:
            return cast("T", known)  # it is kept under the parser that made it
        before = len(self.problems)
        value = parse(self.text(node), self.problems)
        if len(self.problems) == before:
            self._memo[key] = value
        return value

    def scalar(self, node: Node, key: str, takes: str) -> ScalarNode | None:
        """The node if it is a scalar with a value; else a problem."""
        if not isinstance(node, ScalarNode):
            self.wrong(node, key, takes)
            return None
        if node.value in NULLS and not node.style:
            self.no_value(node, key, takes)
            return None
        return node

    def map(self, node: Node, key: str, takes: str) -> MappingNode | None:
        """The node if it is a map; else a problem."""
        if isinstance(node, MappingNode):
            return None if self.refused_template(node) else node
        if not isinstance(node, ScalarNode) or self.scalar(node, key, takes):
            self.wrong(node, key, takes)
        return None

    def no_value(self, node: ScalarNode, key: str, takes: str) -> None:
        span = self.span(node)
        if span.start == span.end:  # nothing is written: the key is the place
            span = self._before(span)
        self.problems.append(key_faults.NoValue(span=span, key=key, takes=takes, word=node.value))

    def _before(self, span: Span) -> Span:
        """The last character before an empty place in its line, where there is one."""
        text = self.source.text
        at = span.start
        while at > 0 and text[at - 1] in " \t":
            at -= 1
        if at == 0 or text[at - 1] == "\n":
            return span
        return Span(self.source, at - 1, at)

    def wrong(self, node: Node, key: str, takes: str, advice: str | None = None) -> None:
        """The node is not what its key takes."""
        if not self.refused_template(node):
            self.problems.append(
                key_faults.WrongType(
                    span=self.span(node), key=key, takes=takes, got=phrase(node), advice=advice
                )
            )

    def refused_template(self, node: Node) -> bool:
        """Whether the node is `{{ … }}` that YAML took for a map; then with its problem."""
        if isinstance(node, MappingNode) and node.flow_style:
            for key, _ in node.value:
                if isinstance(key, MappingNode) and key.flow_style:
                    self.problems.append(yaml_faults.UnquotedTemplate(span=self.span(node)))
                    return True
        return False

    def key(self, node: Node) -> str | None:
        """The text of a map's key, or None with a problem."""
        if isinstance(node, ScalarNode):
            return str(node.value)
        kind = "a list" if isinstance(node, SequenceNode) else "a map"
        self.problems.append(yaml_faults.KeyNotText(span=self.span(node), kind=kind))
        return None


def phrase(node: Node) -> str:
    """A node as a person would call it: `a list`, `the number 5`, `the text "x"`."""
    if isinstance(node, SequenceNode):
        return "a list" if node.value else "an empty list"
    if not isinstance(node, ScalarNode):
        return "a map"
    value = str(node.value)
    if not node.style:
        if value in NULLS:
            return "nothing"
        if value in BOOLS:
            return f"`{value}`"
        if value.lstrip("+-").replace(".", "", 1).isdecimal():
            return f"the number {value}"
    line = value.split("\n", 1)[0]
    short = line if len(line) <= 40 and line == value else line[:40] + "…"
    return f"the text `{short}`" if short else "an empty text"


def boolean_advice(value: str) -> str | None:
    """What to write for `yes`, `on`, `no`, `off`: here they are text, unlike in YAML 1.1."""
    word = _YES.get(value.casefold())
    return f"write `{word}`" if word else None

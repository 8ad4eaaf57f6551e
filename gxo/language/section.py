"""Sections: maps with a table of keys. The one reader that all of them share."""

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from yaml import MappingNode, Node, ScalarNode, SequenceNode

from gxo.diagnostic.base import closest
from gxo.diagnostic.lazy import Lazy
from gxo.language.kinds import Kind, Schema
from gxo.language.reader import Reader
from gxo.source import Name, Source, Span

if TYPE_CHECKING:
    from gxo.diagnostic import keys as key_faults
    from gxo.diagnostic import yaml as yaml_faults
else:
    key_faults = Lazy("gxo.diagnostic.keys")
    yaml_faults = Lazy("gxo.diagnostic.yaml")

Values = dict[str, Any]
_BLOCKS = frozenset("|>")
_FEW = 32
"""How many keys are looked through for one that is misspelt."""


class Places(Mapping[str, Span]):
    """Where the value of each written key stands; spans are made when asked for."""

    __slots__ = ("_ranges", "_source")

    def __init__(self, source: Source, ranges: dict[str, tuple[int, int]]) -> None:
        self._source = source
        self._ranges = ranges

    def __getitem__(self, key: str) -> Span:
        return Span(self._source, *self._ranges[key])

    def __contains__(self, key: object) -> bool:
        return key in self._ranges

    def __iter__(self) -> Iterator[str]:
        return iter(self._ranges)

    def __len__(self) -> int:
        return len(self._ranges)

    def written(self, key: str) -> str:
        """The value as it stands in the source."""
        start, end = self._ranges[key]
        return self._source.text[start:end]

    def also(self, key: str, other: str) -> "Places":
        """With the place of `other` for `key` too."""
        return Places(self._source, {**self._ranges, key: self._ranges[other]})

    def __repr__(self) -> str:
        return repr({key: str(span) for key, span in self.items()})


class Key:
    """One key of a section: the row from which reading, did-you-mean, schema and docs come.

    `default` and `example` are as a playbook writes them; `attribute` is the model's field.
    """

    __slots__ = ("attribute", "default", "doc", "example", "kind", "name", "required")

    def __init__(
        self,
        name: str,
        kind: Kind,
        doc: str,
        example: str,
        *,
        default: str | None = None,
        required: bool = False,
        attribute: str | None = None,
    ) -> None:
        self.name = name
        self.kind = kind
        self.doc = doc
        self.example = example
        self.default = default
        self.required = required
        self.attribute = attribute or name


Build = Callable[[Reader, Span, Places, Values], object | None]


class Section(Kind):
    """A map whose keys are known. `noun` names it in messages, `slug` in schema and docs.

    `build` makes the typed value of what was read (absent keys are absent); by default `model`
    is called with it. Nothing is built without the attributes `built_from`, by default those of all
    required keys.
    """

    __slots__ = (
        "_build",
        "built_from",
        "by_name",
        "doc",
        "elsewhere",
        "keys",
        "noun",
        "required",
        "slug",
        "takes",
    )

    def __init__(
        self,
        slug: str,
        noun: str,
        doc: str,
        keys: tuple[Key, ...],
        *,
        model: Callable[..., object] | None = None,
        build: Build | None = None,
        built_from: frozenset[str] | None = None,
        elsewhere: Callable[[str], str | None] | None = None,
    ) -> None:
        self.slug = slug
        self.noun = noun
        self.doc = doc
        self.keys = keys
        self.by_name = {key.name: key for key in keys}
        self.required = frozenset(key.name for key in keys if key.required)
        required = frozenset(key.attribute for key in keys if key.required)
        self.built_from = required if built_from is None else built_from
        self.takes = "a map"
        self.elsewhere = elsewhere
        if build is None:
            assert model is not None
            build = _build_with(model)
        self._build = build

    def read(self, reader: Reader, node: Node, key: str) -> object | None:
        found = read_keys(reader, node, key, self)
        if found is None:
            return None
        return self._build(reader, *found)

    def schema(self) -> Schema:
        return {"$ref": f"#/$defs/{self.slug}"}


def _build_with(model: Callable[..., object]) -> Build:
    def build(_: Reader, span: Span, at: Places, values: Values) -> object:
        return model(span=span, at=at, **values)

    return build


def read_keys(
    reader: Reader, node: Node, key: str, section: Section
) -> tuple[Span, Places, Values] | None:
    """What the keys of a section hold, by the model's attributes; None if a required one is not."""
    written = reader.map(node, key, section.takes)
    if written is None:
        return None
    values: Values = {}
    ranges: dict[str, tuple[int, int]] = {}
    misspelt: dict[str, Node] = {}
    known = section.by_name
    for key_node, value_node in written.value:
        name = key_node.value
        row = known.get(name) if isinstance(key_node, ScalarNode) else None
        if row is None:
            _unknown_key(reader, key_node, section)
            if meant := closest(str(name), known):
                misspelt[meant] = value_node
            continue
        if name in ranges:
            _duplicate_key(reader, written, key_node)
            continue
        # the usual case of `reader.end`, without a call
        scalar = isinstance(value_node, ScalarNode) and value_node.style not in _BLOCKS
        end = value_node.end_mark.index if scalar else reader.end(value_node)
        ranges[name] = (value_node.start_mark.index, end)
        value = row.kind.read(reader, value_node, name)
        if value is not None:
            values[row.attribute] = value
    span = Span(reader.source, node.start_mark.index, reader.end(node))
    for meant, value_node in misspelt.items():  # as if written and wrong: it is told of once
        ranges.setdefault(meant, (value_node.start_mark.index, reader.end(value_node)))
    if not section.required <= ranges.keys():
        _missing_keys(reader, span, section, ranges)
    if not section.built_from <= values.keys():
        return None
    return span, Places(reader.source, ranges), values


def _unknown_key(reader: Reader, node: Node, section: Section) -> None:
    name = reader.key(node)
    if name is None:
        return
    if name == "<<":
        reader.problems.append(yaml_faults.MergeKey(span=reader.span(node)))
        return
    reader.problems.append(
        key_faults.UnknownKey(
            span=reader.span(node),
            name=name,
            section=section.noun,
            known=tuple(section.by_name),
            elsewhere=section.elsewhere(name) if section.elsewhere else None,
        )
    )


def _duplicate_key(reader: Reader, node: MappingNode, second: Node) -> None:
    first = next(key for key, _ in node.value if key.value == second.value)
    reader.problems.append(
        yaml_faults.DuplicateKey(
            span=reader.span(second), name=second.value, first=reader.span(first)
        )
    )


def _missing_keys(
    reader: Reader, span: Span, section: Section, written: Mapping[str, object]
) -> None:
    place = first_line(span)
    for row in section.keys:
        if row.required and row.name not in written:
            reader.problems.append(
                key_faults.MissingKey(
                    span=place, section=section.noun, name=row.name, example=row.example
                )
            )


def first_line(span: Span) -> Span:
    """As much of a place as stands in its first line."""
    text = span.source.text
    stop = text.find("\n", span.start, span.end)
    end = span.end if stop < 0 else stop
    while end > span.start + 1 and text[end - 1] in " \r":
        end -= 1
    return Span(span.source, span.start, end)


class Variants(Kind):
    """A map whose key `by` says which section it is."""

    __slots__ = ("by", "noun", "sections", "slug", "takes")

    def __init__(
        self, slug: str, noun: str, by: str, takes: str, sections: Mapping[str, Section]
    ) -> None:
        self.slug = slug
        self.noun = noun
        self.by = by
        self.sections = sections
        self.takes = takes

    def read(self, reader: Reader, node: Node, key: str) -> object | None:
        if isinstance(node, ScalarNode) and node.value in self.sections:
            reader.wrong(node, key, self.takes, f"write {{{self.by}: {node.value}}}")
            return None
        written = reader.map(node, key, self.takes)
        if written is None:
            return None
        for key_node, value_node in written.value:
            if key_node.value == self.by:
                section = (
                    self.sections.get(value_node.value)
                    if isinstance(value_node, ScalarNode)
                    else None
                )
                if section is not None:
                    return section.read(reader, node, key)
                any_section = next(iter(self.sections.values()))
                any_section.by_name[self.by].kind.read(reader, value_node, self.by)
                return None
        keys = (key for key, _ in written.value[:_FEW] if isinstance(key, ScalarNode))
        if typo := next((key for key in keys if closest(key.value, (self.by,))), None):
            known = (self.by,)
            reader.problems.append(
                key_faults.UnknownKey(
                    span=reader.span(typo), name=typo.value, section=self.noun, known=known
                )
            )
            return None
        reader.problems.append(
            key_faults.MissingKey(
                span=first_line(reader.span(node)),
                section=self.noun,
                name=self.by,
                example=next(iter(self.sections)),
            )
        )
        return None

    def schema(self) -> Schema:
        return {"oneOf": [section.schema() for section in self.sections.values()]}


class ListOf(Kind):
    """A list, each item of one kind; `unique` items may stand in it only once."""

    __slots__ = ("_unique", "item", "least", "takes")

    def __init__(self, item: Kind, items: str, *, unique: bool = False, least: int = 0) -> None:
        self.item = item
        self.takes = f"a list of {items}"
        self._unique = unique
        self.least = least

    def read(self, reader: Reader, node: Node, key: str) -> tuple[object, ...] | None:
        if not isinstance(node, SequenceNode):
            advice = "begin each item with `- `"
            if not isinstance(node, ScalarNode):
                reader.wrong(node, key, self.takes, advice)
            elif reader.scalar(node, key, self.takes):
                whole = isinstance(self.item, Section | Variants)
                reader.wrong(node, key, self.takes, advice if whole else f"write [{node.value}]")
            return None
        if len(node.value) < self.least:
            reader.problems.append(
                key_faults.WrongType(
                    span=reader.span(node), key=key, takes=self.takes, got="an empty list"
                )
            )
            return None
        kind = self.item
        if isinstance(kind, Section):
            self._check_maps(reader, node, key)
            items = [
                kind.read(reader, item, key) for item in node.value if isinstance(item, MappingNode)
            ]
        else:
            items = [kind.read(reader, item, key) for item in node.value]
        if self._unique and len(items) > 1:
            self._check_unique(reader, node, items, key)
        return tuple([item for item in items if item is not None])

    def _check_maps(self, reader: Reader, node: SequenceNode, key: str) -> None:
        for item in node.value:
            if not isinstance(item, MappingNode):
                reader.wrong(item, key, f"{self.takes}, each a map")

    def _check_unique(
        self, reader: Reader, node: SequenceNode, items: list[object | None], key: str
    ) -> None:
        seen: dict[object, Node] = {}
        for item, child in zip(items, node.value, strict=True):
            value = item.text if isinstance(item, Name) else item
            if value is None:
                continue
            first = seen.setdefault(value, child)
            if first is not child:
                reader.problems.append(
                    key_faults.Twice(
                        span=reader.span(child),
                        key=key,
                        value=str(child.value),
                        first=reader.span(first),
                    )
                )

    def schema(self) -> Schema:
        least = {"minItems": self.least} if self.least else {}
        unique = {"uniqueItems": True} if self._unique else {}
        return {"type": "array", "items": self.item.schema(), **least, **unique}

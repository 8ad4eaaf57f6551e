"""`module.yaml`: what a module from outside the library says of itself, read as data."""

import json
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from yaml import Node, ScalarNode

from gxo.dataclass import dataclass, replace
from gxo.diagnostic.base import Problem, has_errors
from gxo.diagnostic.lazy import Lazy
from gxo.language.document import compose
from gxo.language.kinds import Bool, Choice, Kind, Named, Number, Prose, Schema, Text
from gxo.language.model import InputType
from gxo.language.params import read_param
from gxo.language.reader import Reader
from gxo.language.section import Key, ListOf, Places, Section, Values, read_keys
from gxo.language.values import map_items, read_value
from gxo.source import Name, Source, Span
from gxo.spec.library import NAMESPACES
from gxo.spec.lifecycle import Policy
from gxo.spec.module import TASK, ModuleSpec, Param, ParamType, SummaryKey
from gxo.spec.outside import MODULE_NAME
from gxo.template.value import Data, literal_data

if TYPE_CHECKING:
    from gxo.diagnostic import keys as key_faults
    from gxo.diagnostic import modules as module_faults
    from gxo.diagnostic import yaml as yaml_faults
else:
    key_faults = Lazy("gxo.diagnostic.keys")
    module_faults = Lazy("gxo.diagnostic.modules")
    yaml_faults = Lazy("gxo.diagnostic.yaml")

_FAR = 1e15
# the others are read by rules that one module of the library has
_TYPES = tuple(kind for kind in ParamType if kind not in (ParamType.STEPS, ParamType.FIELDS))
_LIFECYCLES = tuple(policy for policy in Policy if policy in TASK)
_EXAMPLES: Mapping[ParamType, str] = {
    ParamType.TEXT: "text",
    ParamType.TEXTS: "[text]",
    ParamType.ENVIRONMENT: "[NAME=value]",
    ParamType.PATH: "a/path",
    ParamType.MODE: "0640",
    ParamType.BOOL: "true",
    ParamType.INT: "1",
    ParamType.NUMBER: "0.5",
    ParamType.DURATION: "30s",
    ParamType.SIZE: "512M",
    ParamType.ADDRESS: "127.0.0.1:80",
    ParamType.LIST: "[1, 2]",
    ParamType.MAP: "{a: 1}",
    ParamType.ANY: "text",
    ParamType.CONDITION: "true",
}


@dataclass(frozen=True, slots=True)
class Described:
    """What a `module.yaml` says: the module's spec, and the file that is started."""

    spec: ModuleSpec
    name: Name
    entry: Name


class _Raw(Kind):
    """A value whose type is known when the keys beside it are."""

    __slots__ = ()
    takes = "a value of the param's type"

    def read(self, reader: Reader, node: Node, key: str) -> Node | None:
        before = len(reader.problems)
        read_value(reader, node, key, templates=False)
        return node if len(reader.problems) == before else None

    def schema(self) -> Schema:
        return {}


class _Entry(Kind):
    """A path beneath the module's directory."""

    __slots__ = ()
    takes = "a path beneath the module's directory"
    _TEXT = Text(takes)

    def read(self, reader: Reader, node: Node, key: str) -> Name | None:
        path = self._TEXT.read(reader, node, key)
        if path is None:
            return None
        assert isinstance(node, ScalarNode)
        if path.startswith("/") or not {"", ".", ".."}.isdisjoint(path.split("/")):
            reader.wrong(node, key, self.takes)
            return None
        return Name(path, reader.span(node))

    def schema(self) -> Schema:
        return {"type": "string"}


Make = Callable[[Reader, Name, Places, Values], object | None]


class _ByName(Kind):
    """A map of names to declarations with the keys of one section."""

    __slots__ = ("_make", "_named", "_section", "takes")

    def __init__(self, noun: str, nouns: str, section: Section, make: Make) -> None:
        self._named = Named(noun, word=True)
        self._section = section
        self._make = make
        self.takes = f"a map of names to {nouns}"

    def read(self, reader: Reader, node: Node, key: str) -> tuple[object, ...] | None:
        found = reader.map(node, key, self.takes)
        if found is None:
            return None
        made = [
            self._declared(reader, name, child)
            for name, child in map_items(reader, found)
            if self._named.check(reader, name)
        ]
        return tuple(item for item in made if item is not None)

    def _declared(self, reader: Reader, name: Name, node: Node) -> object | None:
        found = read_keys(reader, node, name.text, self._section)
        return None if found is None else self._make(reader, name, found[1], found[2])

    def schema(self) -> Schema:
        return {"type": "object"}


PARAM = Section(
    "param",
    "a param",
    "A param: what a playbook writes for it is held to its type, with its place.",
    (
        Key("type", Choice(_TYPES), "What it takes.", "path", default="text"),
        Key("doc", Prose(), "What it is for.", "Where the report goes.", required=True),
        Key(
            "required",
            Bool(),
            "With `false` and no default, it is null if it is not given.",
            "true",
            default="false",
        ),
        Key("default", _Raw(), "Its value if none is given.", "report.txt"),
        Key("example", Text(), "A value, as a playbook writes it.", "out/report.txt"),
        Key(
            "choices",
            ListOf(Text(), "words", unique=True, least=1),
            "The words that it takes; for the type `choice`, and required there.",
            "[fast, thorough]",
        ),
        Key("low", Number(-_FAR, _FAR), "The lowest value; for `int` and `number`.", "1"),
        Key("high", Number(-_FAR, _FAR), "The highest value; for `int` and `number`.", "100"),
    ),
    model=dict,
)
SUMMARY = Section(
    "summary",
    "a summary key",
    "What `.registered.name` yields after the module has run.",
    (
        Key("type", Choice((*InputType, ParamType.ANY)), "What it holds.", "int", default="any"),
        Key("doc", Prose(), "What it says.", "How many lines the report has.", required=True),
    ),
    model=dict,
)


def _param(reader: Reader, name: Name, at: Places, values: Values) -> Param | None:
    """A declared param; its default is read as a playbook's value of it would be."""
    kind: ParamType = values.get("type", ParamType.TEXT)
    default: Node | None = values.get("default")
    _refuse_idle(reader, kind, at)
    if kind is ParamType.CHOICE and "choices" not in at:
        reader.problems.append(
            key_faults.MissingKey(
                span=name.span, section="a param of type `choice`", name="choices", example="[a, b]"
            )
        )
        return None
    choices: tuple[str, ...] = values.get("choices", ())
    param = Param(
        name=name.text,
        type=kind,
        doc=values["doc"],
        example=values.get("example") or next(iter(choices), "") or _EXAMPLES[kind],
        required=values.get("required", False),
        choices=choices,
        low=values.get("low"),
        high=values.get("high"),
    )
    if default is None:
        return None if "default" in at else param
    value = read_param(reader, default, param)
    return None if value is None else replace(param, default=_written(literal_data(value), kind))


def _refuse_idle(reader: Reader, kind: ParamType, at: Places) -> None:
    """Keys that say nothing of a param of that type."""
    numbers = kind in (ParamType.INT, ParamType.NUMBER)
    idle = {
        "choices": kind is not ParamType.CHOICE and f"the type is `{kind}`",
        "low": not numbers and f"the type is `{kind}`",
        "high": not numbers and f"the type is `{kind}`",
        "required": "default" in at and "the param has a default",
    }
    for key, reason in idle.items():
        if reason and key in at:
            fault = key_faults.KeyHasNoEffect(span=at[key], name=key, reason=reason)
            reader.problems.append(fault)


def _summary_key(_: Reader, name: Name, __: Places, values: Values) -> SummaryKey:
    return SummaryKey(name.text, str(values.get("type", ParamType.ANY)), values["doc"])


def _written(data: Data, kind: ParamType) -> str:
    """A default as specs have it: text as it is where that cannot be taken for JSON."""
    typed = kind not in (ParamType.ANY, ParamType.CONDITION)
    bare = typed and isinstance(data, str) and data and data[0] not in '"[{'
    return str(data) if bare else json.dumps(data)


def _described(reader: Reader, _: Span, at: Places, values: Values) -> Described | None:
    name = Name(values["name"], at["name"])
    if name.text.split(":")[0] in NAMESPACES:
        reader.problems.append(module_faults.LibraryNamespace(span=name.span, name=name.text))
        return None
    lifecycles = frozenset(values.get("lifecycles", TASK))
    spec = ModuleSpec(
        name=name.text,
        doc=values["doc"],
        params=values.get("params", ()),
        lifecycles=lifecycles,
        summary=values.get("summary", ()),
    )
    return Described(spec, name, values["entry"])


MODULE = Section(
    "module",
    "a module",
    "What a module is, and how it is started.",
    (
        Key(
            "name",
            Text(
                "the name of a module",
                pattern=MODULE_NAME,
                form="a namespace, `:` and a name, in lower-case letters, digits, `_` and `-`",
            ),
            "The name by which playbooks call it. The namespaces of the library are reserved, and"
            " so is `gxo`.",
            "acme:report",
            required=True,
        ),
        Key("doc", Prose(), "What it does.", "Writes a report.", required=True),
        Key(
            "entry",
            _Entry(),
            "The file that is started: by Python if its name ends in `.py`; any other must be"
            " executable.",
            "main.py",
            required=True,
        ),
        Key(
            "lifecycles",
            ListOf(Choice(_LIFECYCLES), "lifecycles", unique=True, least=1),
            "The lifecycles it may have.",
            "[run_once]",
            default="[run_once, scheduled, event_driven]",
        ),
        Key(
            "params",
            _ByName("a param", "params", PARAM, _param),
            "What it takes.",
            "{path: {type: path, doc: Where the report goes., required: true}}",
            default="{}",
        ),
        Key(
            "summary",
            _ByName("a summary key", "summary keys", SUMMARY, _summary_key),
            "What it yields.",
            "{lines: {type: int, doc: How many there are.}}",
            default="{}",
        ),
    ),
    build=_described,
)


def read_module(source: Source) -> tuple[Described | None, tuple[Problem, ...]]:
    """What the text of a `module.yaml` says, None where it has an error; all that is wrong."""
    problems: list[Problem] = []
    roots = compose(source, problems)
    reader = Reader(source, problems)
    found: object | None = None
    if len(roots) > 1:
        reason = "a module is described by one document, but a second begins here"
        problems.append(yaml_faults.YamlSyntax(span=reader.span(roots[1]), reason=reason))
    elif roots:
        found = MODULE.read(reader, roots[0], "module.yaml")
    elif not problems:
        takes = MODULE.takes
        empty = key_faults.NoValue(span=Span(source, 0, 0), key="module.yaml", takes=takes, word="")
        problems.append(empty)
    if not isinstance(found, Described) or has_errors(problems):
        return None, tuple(problems)
    return found, tuple(problems)

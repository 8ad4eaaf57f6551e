"""What a module is, as data: its params, where it may run, its streams, its summary."""

import re
from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType

from gxo.dataclass import dataclass
from gxo.spec.lifecycle import Policy


class ParamType(StrEnum):
    """The type of a param; templates are held to it once they are evaluated."""

    TEXT = "text"
    TEXTS = "texts"
    ENVIRONMENT = "environment"
    PATH = "path"
    MODE = "mode"
    BOOL = "bool"
    INT = "int"
    NUMBER = "number"
    DURATION = "duration"
    SIZE = "size"
    ADDRESS = "address"
    CHOICE = "choice"
    LIST = "list"
    MAP = "map"
    ANY = "any"
    CONDITION = "condition"
    STEPS = "steps"
    FIELDS = "fields"


MODE = re.compile(r"[0-7]{3,4}")
"""What a mode looks like."""
_TAKES: Mapping[ParamType, str] = {
    ParamType.TEXT: "text",
    ParamType.TEXTS: "a list of texts",
    ParamType.ENVIRONMENT: "a list of NAME=value",
    ParamType.PATH: "a path",
    ParamType.MODE: "permission bits such as 0640",
    ParamType.BOOL: "`true` or `false`",
    ParamType.INT: "a whole number",
    ParamType.NUMBER: "a number",
    ParamType.DURATION: "a duration such as `30s`",
    ParamType.SIZE: "a size such as `512M`",
    ParamType.ADDRESS: "an address such as `127.0.0.1:80`",
    ParamType.LIST: "a list",
    ParamType.MAP: "a map",
    ParamType.ANY: "a value",
    ParamType.CONDITION: "a template, or `true` or `false`",
    ParamType.STEPS: "a list of steps",
    ParamType.FIELDS: "a map of inputs",
}


class Stream(StrEnum):
    """What flows through a stream end: nothing, raw bytes, or one JSON object a line."""

    NONE = "none"
    BYTES = "bytes"
    RECORDS = "records"


@dataclass(frozen=True, slots=True, kw_only=True)
class Param:
    """One param. `example` and `default` are as a playbook writes them.

    `public`: other users can read it (a command line), so that it must not hold a secret.
    `secret`: its value is always a secret. `binds`: names that its templates may read beside the
    playbook's, because the module sets them for each record.
    """

    name: str
    type: ParamType
    doc: str
    example: str
    required: bool = False
    default: str | None = None
    choices: tuple[str, ...] = ()
    low: float | None = None
    high: float | None = None
    public: bool = False
    secret: bool = False
    binds: tuple[str, ...] = ()


def takes(param: Param) -> str:
    """What a param takes, in words: `a path`, `a list of steps`."""
    if param.type is ParamType.CHOICE:
        return " or ".join(f"`{choice}`" for choice in param.choices)
    return _TAKES[param.type]


@dataclass(frozen=True, slots=True)
class SummaryKey:
    """What `.registered.name` yields after the module has run; `type` in the words of inputs."""

    name: str
    type: str
    doc: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ModuleSpec:
    """A module. `stands_in`: the param that gives the records in place of a stream: one of the two.

    `operator`: it may be a step of `stream:pipeline`.
    """

    name: str
    doc: str
    params: tuple[Param, ...]
    lifecycles: frozenset[Policy]
    summary: tuple[SummaryKey, ...] = ()
    stream_in: Stream = Stream.NONE
    stream_out: Stream = Stream.NONE
    stands_in: str | None = None
    operator: bool = False

    def param(self, name: str) -> Param | None:
        return next((param for param in self.params if param.name == name), None)


ALL = frozenset(Policy)
TASK = frozenset({Policy.RUN_ONCE, Policy.SCHEDULED, Policy.EVENT_DRIVEN})
"""Modules that end by themselves."""
SOURCE = frozenset({Policy.RUN_ONCE, Policy.SUPERVISE})
"""Modules that yield events for as long as they are kept running."""


def by_name(specs: tuple[ModuleSpec, ...]) -> Mapping[str, ModuleSpec]:
    """The specs by their names; ValueError if one is there twice."""
    table = {spec.name: spec for spec in specs}
    if len(table) != len(specs):
        raise ValueError("two modules share a name")
    return MappingProxyType(table)

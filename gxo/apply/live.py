"""Live: gxo's units as systemd has them, read once over one connection."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from gxo.apply.foreign import Foreign, read_foreign
from gxo.dataclass import dataclass, field, replace
from gxo.systemd.manager import RESULT, Manager, to_result
from gxo.systemd.states import UnitResult
from gxo.units.model import Unit
from gxo.units.names import ROOT_SLICE, parse, playbook_slice, unescape
from gxo.units.properties import properties

_STATE = (
    *RESULT,
    "LogExtraFields",
    "DropInPaths",
    "LastTriggerUSec",
    "NextElapseUSecRealtime",
    "Triggers",
)
# The first fields of each row, as they were set; the others change as the unit runs.
_STATIC_FIELDS = {
    "TimersCalendar": 2,
    "TimersMonotonic": 2,
    "ExecStartPreEx": 3,
    "ExecStartEx": 3,
    "ExecStartPostEx": 3,
    "ExecReloadEx": 3,
    "ExecStopEx": 3,
    "ExecStopPostEx": 3,
}


# Lists to which systemd itself adds as other units come and go, in no fixed order.
_GROWING = frozenset(
    ("After", "Before", "Wants", "Requires", "Requisite", "BindsTo", "PartOf", "Conflicts")
) | {"Upholds", "RequiresMountsFor"}


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveUnit:
    """A loaded unit. `properties` are the values, as JSON text, of those that gxo sets.

    Times are microseconds since 1970, 0 for never.
    """

    name: str
    active: str
    sub: str
    result: str = "success"
    pid: int = 0
    restarts: int = 0
    invocation: str = ""
    playbook: str | None = None
    """None for what all playbooks share."""
    workload: str = ""
    """Empty for a slice."""
    revision: str = ""
    """The digest in its name, if it has one."""
    digest: str | None = None
    """The digest of its content, from a journal field; timers and slices have none."""
    drop_ins: tuple[str, ...] = ()
    last_trigger: int = 0
    next_elapse: int = 0
    properties: Mapping[str, str] = field(default_factory=dict)

    @property
    def up(self) -> bool:
        """It runs, is about to, or waits to run again."""
        return self.active in ("active", "activating", "reloading", "refreshing")


@dataclass(frozen=True, slots=True)
class Live:
    """Loaded units by name, the version of the systemd that says so, and what others put there.

    `results` say of the same units how their processes fared.
    """

    units: Mapping[str, LiveUnit] = field(default_factory=dict)
    systemd: str = ""
    files: tuple[Foreign, ...] = ()
    results: Mapping[str, UnitResult] = field(default_factory=dict)

    def get(self, name: str) -> LiveUnit | None:
        return self.units.get(name)

    def foreign(self, name: str) -> tuple[Foreign, ...]:
        """The files of others that concern a unit, loaded or not."""
        return tuple(file for file in self.files if file.concerns(name))

    def of(self, playbook: str) -> "Live":
        """The units of one playbook, and those that all share."""
        mine = {k: unit for k, unit in self.units.items() if unit.playbook in (playbook, None)}
        return replace(self, units=mine)


def read_live(manager: Manager, patterns: Iterable[str], known: Iterable[Unit]) -> Live:
    """The loaded units whose names match a glob, with the properties that `known` units set.

    Raises as Manager does.
    """
    wanted: dict[str, dict[str, None]] = {}
    for unit in known:
        names = wanted.setdefault(unit.type.value, {})
        names |= {item.name: None for item in properties(unit) if item.name not in _GROWING}
    # what lost its file goes on to run: its process and its name are there
    rows = manager.units(*patterns)
    loaded = [row.name for row in rows if row.found or row.active not in ("inactive", "failed")]
    units: dict[str, LiveUnit] = {}
    results: dict[str, UnitResult] = {}
    for kind in sorted({_type(name) for name in loaded}):
        ours = tuple(wanted.get(kind, ()))
        read = manager.properties_of_many(
            (name for name in loaded if _type(name) == kind), (*_STATE, *ours)
        )
        units |= {name: to_live(name, found, ours) for name, found in read.items()}
        results |= {name: to_result(name, found) for name, found in read.items()}
    return Live(dict(sorted(units.items())), manager.version_text, read_foreign(), results)


def to_live(name: str, read: Mapping[str, Any], ours: Iterable[str]) -> LiveUnit:
    """The LiveUnit in the properties that were read of a unit."""
    owner = parse(name)
    shared = name == ROOT_SLICE
    playbook = owner.playbook if owner else None if shared else unescape(_slice_part(name))
    fields = dict(
        text.split("=", 1)
        for raw in read.get("LogExtraFields", ())
        if "=" in (text := bytes(raw).decode("utf-8", "replace"))
    )
    return LiveUnit(
        name=name,
        active=read["ActiveState"],
        sub=read["SubState"],
        result=read.get("Result", "success"),
        pid=read.get("MainPID", 0),
        restarts=read.get("NRestarts", 0),
        invocation=bytes(read.get("InvocationID", b"")).hex(),
        playbook=playbook,
        workload=owner.workload if owner else "",
        revision=owner.digest if owner else "",
        digest=fields.get("GXO_DIGEST"),
        drop_ins=tuple(read.get("DropInPaths", ())),
        last_trigger=read.get("LastTriggerUSec", 0),
        next_elapse=read.get("NextElapseUSecRealtime", 0),
        properties={key: _canonical(key, read[key]) for key in ours if key in read},
    )


def globs(playbook: str) -> tuple[str, ...]:
    """Globs for the names of a playbook's units and its slice."""
    # systemd matches with FNM_NOESCAPE: the backslash of an escaped name stands for itself
    return (playbook_slice(playbook).removesuffix("slice") + "*",)


def _slice_part(name: str) -> str:
    return name.removeprefix("gxo-").removesuffix(".slice")


def _type(name: str) -> str:
    return name.rpartition(".")[2]


def _canonical(name: str, value: Any) -> str:
    """A property as text to keep and compare, without what changes as the unit runs."""
    if name in _STATIC_FIELDS:
        value = [row[: _STATIC_FIELDS[name]] for row in value]
    return _WRITE(value)


def _bytes(value: object) -> str:
    return bytes(value).hex()  # type: ignore[call-overload,no-any-return]


_WRITE = json.JSONEncoder(default=_bytes, separators=(",", ":")).encode
"""Made once, as some thirty properties of each unit are written."""

"""Credential: the file from which systemd hands a unit its secrets, and what units say of it."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from gxo.units.model import Directive, Unit

PLACE = "/run/gxo/credentials"
"""The directory of these files; systemd reads a unit's file each time the unit starts."""
DIGEST = "GXO_DIGEST="
NO_DUMP = 1
"""LimitCORE= of what holds secrets. At 0 the kernel would still call a handler such as
systemd-coredump, which logs variables; for 1 byte it neither writes a file nor calls one (core(5)).
"""


def credential(directives: Iterable[Directive]) -> str:
    """The path of a unit's file; empty where it gets no secrets."""
    for item in directives:
        if item.name == "LoadCredential":
            return str(item.value).partition(":")[2]
    return ""


def recipe(directives: Iterable[Directive]) -> Mapping[str, Any]:
    """The plan that such a unit carries: its templates say what belongs into the file."""
    found = next(item.value for item in directives if item.name == "StandardInputData")
    read: Mapping[str, Any] = json.loads(str(found))["plan"]
    return read


def only_secrets_differ(old: Unit, new: Unit) -> bool:
    """Whether two revisions of a service differ in the values of their secrets alone."""
    first, second = (
        [item for item in unit.directives if not is_stamp(item) and item.name != "LoadCredential"]
        for unit in (old, new)
    )
    return credential(old.directives) != credential(new.directives) and first == second


def is_stamp(item: Directive) -> bool:
    """Whether it is the journal field with the unit's digest."""
    return item.name == "LogExtraFields" and str(item.value).startswith(DIGEST)

"""Credential: the file from which a unit gets its secrets, and what it says of them."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from gxo.units.model import Directive, Unit

PLACE = "/run/gxo/credentials"
"""Where each such unit has a file that systemd hands it at each of its starts."""
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
    """The plan of which the templates say what is in the file of such a unit."""
    found = next(item.value for item in directives if item.name == "StandardInputData")
    read: Mapping[str, Any] = json.loads(str(found))["plan"]
    return read


def only_secrets_differ(old: Unit, new: Unit) -> bool:
    """Whether two revisions of a guarded service say the same, but for what they are given."""
    first, second = (
        [item for item in unit.directives if not is_stamp(item) and item.name != "LoadCredential"]
        for unit in (old, new)
    )
    return credential(old.directives) != credential(new.directives) and first == second


def is_stamp(item: Directive) -> bool:
    """Whether it is where a unit tells its digest."""
    return item.name == "LogExtraFields" and str(item.value).startswith(DIGEST)

"""Credential: the file from which a unit gets its secrets, and what it says of them."""

import json
from collections.abc import Mapping
from typing import Any

from gxo.units.model import Directive, Unit

PLACE = "/run/gxo/credentials"
"""Where each such unit has a file that systemd hands it at each of its starts."""
DIGEST = "GXO_DIGEST="


def credential(unit: Unit) -> str:
    """The path of the file; empty where a unit gets no secrets."""
    for item in unit.directives:
        if item.name == "LoadCredential":
            return str(item.value).partition(":")[2]
    return ""


def recipe(unit: Unit) -> Mapping[str, Any] | None:
    """The plan of which the templates say what is in the file; None where there is none."""
    if not credential(unit):
        return None
    found = next(item.value for item in unit.directives if item.name == "StandardInputData")
    read: Mapping[str, Any] = json.loads(str(found))["plan"]
    return read


def only_secrets_differ(old: Unit, new: Unit) -> bool:
    """Whether two revisions of a guarded service say the same, but for what they are given."""
    first, second = (
        [item for item in unit.directives if not is_stamp(item) and item.name != "LoadCredential"]
        for unit in (old, new)
    )
    return credential(old) != credential(new) and first == second


def is_stamp(item: Directive) -> bool:
    """Whether it is where a unit tells its digest."""
    return item.name == "LogExtraFields" and str(item.value).startswith(DIGEST)

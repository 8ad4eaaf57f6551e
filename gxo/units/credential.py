"""Credential: the file from which a unit gets its secrets, and what it says of them."""

import json
from collections.abc import Mapping
from typing import Any

from gxo.units.model import Unit

PLACE = "/run/gxo/credentials"
"""Where each such unit has a file that systemd hands it at each of its starts."""


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

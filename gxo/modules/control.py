"""Modules that touch nothing outside: the runner evaluates them itself, in no unit."""

from __future__ import annotations

from gxo.modules.fault import ModuleError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def identity(params: dict[str, Any]) -> dict[str, Any]:
    """`control:identity`: its `value` as it is."""
    return {"value": params["value"]}


def held(params: dict[str, Any]) -> dict[str, Any]:
    """`control:assert`; its condition has been evaluated."""
    if not params["that"]:
        raise ModuleError(params["message"] or "`that` does not hold", {"held": False})
    return {"held": True}


def barrier(_: dict[str, Any]) -> dict[str, Any]:
    """`control:barrier` without streams."""
    return {"count": 0, "bytes": 0}


PURE = {"control:identity": identity, "control:assert": held, "control:barrier": barrier}

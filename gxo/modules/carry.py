"""Operators on bytes as they are: passthrough and control:barrier."""

from __future__ import annotations

from gxo.modules.flow import Operator, in_order

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection
    from typing import Any


class Passing(Operator):
    """Passes its inputs on, one after the other."""

    takes = bytes
    gives = bytes

    def __init__(self) -> None:
        self._bytes = 0

    def feed(self, port: int, chunk: bytes) -> bytes:  # noqa: ARG002
        self._bytes += len(chunk)
        return chunk

    def wanted(self, ports: Collection[int]) -> Collection[int]:
        return in_order(ports)

    def summary(self) -> dict[str, Any]:
        return {"bytes": self._bytes}


class Counting(Operator):
    """Takes in everything, passes on nothing, and counts lines."""

    takes = bytes
    gives = None

    def __init__(self) -> None:
        self._bytes = 0
        self._count = 0
        self._within: set[int] = set()

    def feed(self, port: int, chunk: bytes) -> None:
        self._bytes += len(chunk)
        self._count += chunk.count(b"\n")
        if chunk.endswith(b"\n"):
            self._within.discard(port)
        else:
            self._within.add(port)

    def summary(self) -> dict[str, Any]:
        """A last line counts without its break."""
        return {"count": self._count + len(self._within), "bytes": self._bytes}


def passing(_: dict[str, Any]) -> Operator:
    """`passthrough`."""
    return Passing()


def counting(_: dict[str, Any]) -> Operator:
    """`control:barrier`."""
    return Counting()

"""Operators on one record at a time: data:map, data:filter; those that hand on, and that count."""

from __future__ import annotations

from itertools import compress

from gxo.modules.each import each
from gxo.modules.flow import Batch, Handing, Operator, as_record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class Map(Operator):
    """Makes another record of each."""

    def __init__(self, told: dict[str, Any]) -> None:
        self._make = each(told)
        self._index = 0

    def feed(self, port: int, chunk: Batch) -> Batch:  # noqa: ARG002
        made = self._make(chunk.records, self._index)
        self._index += len(chunk)
        return Batch(list(map(as_record, made)))


class Filter(Operator):
    """Passes on the lines of the records for which a condition holds."""

    def __init__(self, told: dict[str, Any]) -> None:
        self._holds = each(told)
        self._index = 0

    def feed(self, port: int, chunk: Batch) -> Batch:  # noqa: ARG002
        kept = self._holds(chunk.records, self._index)
        self._index += len(chunk)
        lines = None if chunk.lines is None else list(compress(chunk.lines, kept))
        return Batch(list(compress(chunk.records, kept)), lines)


def mapping(params: dict[str, Any]) -> Operator:
    """`data:map`."""
    return Map(params["to"])


def filtering(params: dict[str, Any]) -> Operator:
    """`data:filter`."""
    return Filter(params["where"])


def handing(_: dict[str, Any]) -> Operator:
    """`data:generate_from_list`, whose list is fed to it."""
    return Handing()

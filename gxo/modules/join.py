"""data:join: the records of one stream, held by their keys, meet those of another."""

from __future__ import annotations

import json

from gxo.modules.fault import ModuleError
from gxo.modules.flow import MANY, Batch, Operator

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Hashable, Iterable, Iterator
    from typing import Any

    from gxo.modules.flow import Record

LEFT, RIGHT = 0, 1


class Join(Operator):
    """Holds the right side in memory, then lets the left one pass.

    A record without one of the keys, or with null there, has no partner, as in SQL. Of a key that
    both have, the left record's value stays.
    """

    def __init__(self, keys: list[str], kind: str, most: int) -> None:
        self._key = _key_of(keys)
        self._keep_left = kind in ("left", "outer")
        self._keep_right = kind in ("right", "outer")
        self._most = most
        self._held: dict[Hashable, list[Record]] = {}
        self._alone: list[Record] = []
        self._met: set[Hashable] = set()
        self._count = 0

    def wanted(self, ports: Collection[int]) -> Collection[int]:
        """The right side first."""
        return [RIGHT] if RIGHT in ports else ports

    def feed(self, port: int, chunk: Batch) -> Iterator[Batch] | None:
        if port == LEFT:
            return self._probe(chunk)
        self.build(chunk.records)
        return None

    def build(self, records: Iterable[Record]) -> None:
        """Hold records of the right side."""
        held, key_of = self._held, self._key
        for record in records:
            key = key_of(record)
            if key is None and not self._keep_right:
                continue
            self._count += 1
            if self._count > self._most:
                raise ModuleError(
                    f"the right side has more than {self._most} records (`max_build_records`);"
                    " let the smaller side be the right one"
                )
            if key is not None:
                there = held.get(key)
                if there is None:
                    held[key] = [record]
                else:
                    there.append(record)
            else:
                self._alone.append(record)

    def _probe(self, chunk: Batch) -> Iterator[Batch]:
        """In parts, since each of the left may have as many partners as there are on the right."""
        found: list[Record] = []
        get, key_of, keep = self._held.get, self._key, self._keep_left
        met = self._met if self._keep_right else None
        for left in chunk.records:
            key = key_of(left)
            partners = None if key is None else get(key)
            if partners is not None:
                for right in partners:
                    # twice: its keys come first, and its values stay
                    found.append({**left, **right, **left})
                    if len(found) >= MANY:
                        yield Batch(found)
                        found = []
                if met is not None:
                    met.add(key)
            elif keep:
                found.append(left)
        yield Batch(found)

    def close(self) -> Batch | None:
        """Those of the right that met none, where they stay."""
        if not self._keep_right:
            return None
        met = self._met
        alone = [record for key, held in self._held.items() if key not in met for record in held]
        return Batch([*alone, *self._alone])


def _key_of(keys: list[str]) -> Callable[[Record], Hashable]:
    """What two records must agree in; None for one that agrees with none."""
    if len(keys) == 1:
        (only,) = keys

        def single(record: Record) -> Hashable:
            value = record.get(only)
            return value if type(value) is str else _comparable(value)

        return single

    def several(record: Record) -> Hashable:
        values = tuple([_comparable(record.get(key)) for key in keys])
        return None if None in values else values

    return several


def _comparable(value: Any) -> Hashable:
    """Equal where the values are the same and of one kind: `1` is `1.0`, but not `true`."""
    if isinstance(value, bool):
        return "bool", value
    if isinstance(value, list | dict):
        return "json", json.dumps(_plain(value), sort_keys=True)
    return value  # type: ignore[no-any-return]


def _plain(value: Any) -> Any:
    """With each whole number written as such."""
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    return int(value) if isinstance(value, float) and value.is_integer() else value


def joining(params: dict[str, Any], inputs: int) -> Operator:
    """`data:join` of two inputs, or of one with the records of `with`."""
    if not params["on"]:
        raise ModuleError("`on` names no key")
    given = params["with"]
    if inputs > 2 or (inputs == 2) == (given is not None):
        raise ModuleError("it takes two inputs, or one and `with`")
    join = Join(params["on"], params["kind"], params["max_build_records"])
    if given is not None:
        for record in given:
            if not isinstance(record, dict):
                raise ModuleError("`with` must be a list of maps")
        join.build(given)
    return join

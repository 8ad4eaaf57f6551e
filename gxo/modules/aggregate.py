"""data:aggregate: one record of each group, of all records or of those in a window."""

from __future__ import annotations

import datetime
import json
import time
from math import isfinite

from gxo.modules.fault import ModuleError
from gxo.modules.flow import Batch, Operator

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Hashable
    from typing import Any

    from gxo.modules.flow import Record

    Number = int | float

FUNCTIONS = ("count", "sum", "avg", "min", "max", "first", "last")
WINDOW = "window"
_NEAR = -6e10, 2e11  # seconds of the years that datetime has
_BEFORE = "records must come in the order of their time"


class Value:
    """What one function makes of the values of one key in a group; null counts as not there."""

    __slots__ = ("count", "function", "held", "key")

    def __init__(self, function: str, key: str | None) -> None:
        self.function = function
        self.key = key
        self.count = 0
        self.held: Any = None

    def add(self, record: Record) -> None:
        if self.key is None:
            self.count += 1
            return
        value = record.get(self.key)
        if value is None:
            return
        self.count += 1
        function = self.function
        if function in ("sum", "avg"):
            if isinstance(value, bool) or not isinstance(value, int | float):
                raise ModuleError(f"`{self.key}` is not a number")
            self.held = value if self.held is None else self.held + value
        elif function in ("min", "max"):
            self.held = self._ordered(value)
        elif function == "last" or (function == "first" and self.count == 1):
            self.held = value

    def _ordered(self, value: Any) -> Any:
        number = isinstance(value, int | float) and not isinstance(value, bool)
        if not (number or isinstance(value, str)):
            raise ModuleError(f"`{self.key}` cannot be ordered: only numbers and texts can")
        held = self.held
        if held is None:
            return value
        if isinstance(held, str) is number:
            raise ModuleError(
                f"`{self.key}` holds numbers and texts, which cannot be ordered together"
            )
        return min(held, value) if self.function == "min" else max(held, value)

    def result(self) -> Any:
        if self.function == "count":
            return self.count
        found = self.held
        if self.function == "sum":
            found = 0 if found is None else found
        elif self.function == "avg" and self.count:
            found = _mean(found, self.count)
        if isinstance(found, float) and not isfinite(found):
            raise ModuleError(f"the {self.function} of `{self.key}` is too large for a number")
        return found


def _mean(total: Number, count: int) -> Number:
    try:
        return total / count
    except OverflowError:
        raise ModuleError("a sum is too large for a number") from None


class Groups:
    """The groups of one window."""

    def __init__(self, by: list[str], values: dict[str, tuple[str, str | None]], most: int) -> None:
        self._by = by
        self._values = values
        self._most = most
        self._groups: dict[Hashable, tuple[list[Any], list[Value]]] = {}

    def add(self, record: Record) -> None:
        own = [record.get(key) for key in self._by]
        name = tuple([value if type(value) is str else _name(value) for value in own])
        group = self._groups.get(name)
        if group is None:
            if len(self._groups) == self._most:
                raise ModuleError(f"there are more than {self._most} groups (`max_groups`)")
            group = own, [Value(*of) for of in self._values.values()]
            self._groups[name] = group
        for value in group[1]:
            value.add(record)

    def take(self, more: Record) -> list[Record]:
        """A record of each, in the order they came up; then there are none."""
        found = [
            {
                **more,
                **dict(zip(self._by, own, strict=True)),
                **{key: v.result() for key, v in zip(self._values, values, strict=True)},
            }
            for own, values in self._groups.values()
        ]
        self._groups.clear()
        return found


def _name(value: Any) -> Hashable:
    """Equal for values that are the same and of one kind."""
    if isinstance(value, bool):
        return "bool", value
    if isinstance(value, list | dict):
        return "json", json.dumps(value, sort_keys=True)
    return "number", value


class Aggregate(Operator):
    """Without a window, all there are."""

    def __init__(self, groups: Groups) -> None:
        self.groups = groups
        self._index = 0

    def feed(self, port: int, chunk: Batch) -> Batch:  # noqa: ARG002
        found: list[Record] = []
        for record in chunk.records:
            self._index += 1
            try:
                self.add(record, found)
            except ModuleError as error:
                raise ModuleError(f"record {self._index}: {error}") from None
        return Batch(found)

    def add(self, record: Record, found: list[Record]) -> None:  # noqa: ARG002
        """Take a record; what of its window that ends there goes to `found`."""
        self.groups.add(record)

    def taken(self) -> list[Record]:
        """The records of the window that is under way."""
        return self.groups.take({})

    def close(self) -> Batch:
        return Batch(self.taken())


class ByCount(Aggregate):
    """A window is so many records; the last may have fewer."""

    def __init__(self, groups: Groups, size: int) -> None:
        super().__init__(groups)
        self._size = size
        self._number = 0
        self._held = 0

    def add(self, record: Record, found: list[Record]) -> None:
        self.groups.add(record)
        self._held += 1
        if self._held == self._size:
            found += self.taken()

    def taken(self) -> list[Record]:
        if not self._held:
            return []
        closed = self.groups.take({WINDOW: self._number})
        self._number += 1
        self._held = 0
        return closed


class ByTime(Aggregate):
    """A window is so many seconds, of the clock or of the records; they start at its multiples."""

    def __init__(
        self,
        groups: Groups,
        seconds: float,
        field: str | None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        super().__init__(groups)
        self._seconds = seconds
        self._field = field
        self._clock = clock
        self._number: int | None = None

    def add(self, record: Record, found: list[Record]) -> None:
        at = self._clock() if self._field is None else _instant(record, self._field)
        number = int(at // self._seconds)
        if self._number is not None and number != self._number:
            if number < self._number and self._field is not None:
                raise ModuleError(f"its `{self._field}` is before the window: {_BEFORE}")
            found += self.taken()
        self._number = number
        self.groups.add(record)

    def taken(self) -> list[Record]:
        if self._number is None:
            return []
        start = datetime.datetime.fromtimestamp(self._number * self._seconds, datetime.UTC)
        self._number = None
        text = start.isoformat().replace("+00:00", "Z")
        return self.groups.take({WINDOW: text})

    def due(self) -> float | None:
        if self._field is not None or self._number is None:
            return None
        return (self._number + 1) * self._seconds

    def tick(self) -> Batch | None:
        due = self.due()
        return Batch(self.taken()) if due is not None and self._clock() >= due else None


def _instant(record: Record, field: str) -> float:
    """Seconds since 1970 of a record's own time, RFC 3339 or such seconds."""
    value = record.get(field)
    if isinstance(value, str):
        try:
            found = datetime.datetime.fromisoformat(value)
        except ValueError:
            found = None
        if found is not None and found.tzinfo is not None:
            return found.timestamp()
    elif (
        isinstance(value, int | float)
        and not isinstance(value, bool)
        and _NEAR[0] < value < _NEAR[1]
    ):
        return value
    raise ModuleError(f"`{field}` is not a time: 2006-01-02T15:04:05Z, or seconds since 1970")


def aggregating(params: dict[str, Any]) -> Operator:
    """`data:aggregate`."""
    by = params["by"] or []
    values = {name: _function(written) for name, written in params["values"].items()}
    window = params["window"]
    names = [*by, *values, *([] if window is None else [WINDOW])]
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise ModuleError(f"its records would have two keys `{twice}`")
    return _windowed(Groups(by, values, params["max_groups"]), window)


def _function(written: Any) -> tuple[str, str | None]:
    """`sum size` as a function and the key it is of."""
    function, _, key = written.strip().partition(" ") if isinstance(written, str) else ("", "", "")
    if function not in FUNCTIONS:
        raise ModuleError(f"`values` takes {', '.join(FUNCTIONS)}, each but count with a key")
    if not key and function != "count":
        raise ModuleError(f"`{function}` in `values` needs a key: `{function} size`")
    return function, key.strip() or None


def _windowed(groups: Groups, window: dict[str, Any] | None) -> Aggregate:
    if window is None:
        return Aggregate(groups)
    count, field = window.get("count"), window.get("field")
    if unknown := window.keys() - {"count", "time", "field"}:
        raise ModuleError(f"`window` has no `{sorted(unknown)[0]}`: it takes count, time, field")
    if (count is None) == (window.get("time") is None) or (count is not None and field is not None):
        raise ModuleError("`window` takes `count`, or `time` with or without `field`")
    if count is not None:
        if not isinstance(count, int) or isinstance(count, bool) or count < 1:
            raise ModuleError("`count` of `window` must be a whole number, 1 or more")
        return ByCount(groups, count)
    if field is not None and not isinstance(field, str):
        raise ModuleError("`field` of `window` must be text")
    return ByTime(groups, _seconds(window["time"]), field)


def _seconds(written: Any) -> float:
    from gxo.template.fault import Failure
    from gxo.template.times import duration

    try:
        found = duration(written) if isinstance(written, str) else None
    except Failure:
        found = None
    if not isinstance(found, int | float) or found <= 0:
        raise ModuleError("`time` of `window` must be a duration such as `10s`")
    return found

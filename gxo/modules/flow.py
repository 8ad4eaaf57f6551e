"""Flow: batches of records, one JSON object a line, and what an operator on them is."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from math import isfinite

import orjson

from gxo.modules.depth import DEEPEST, shallow
from gxo.modules.fault import ModuleError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator
    from typing import Any, TypeAlias

    Record = dict[str, Any]
    Chunk: TypeAlias = "Batch | bytes"

LONGEST = 4 << 20
"""Bytes of a line, and of a record within a document."""
DOCUMENT = 16 << 20
"""Bytes of a document that has to be read as a whole."""
MANY = 1000
"""Records handed on at once, where there are more."""
BEGINNING = 4096
"""Bytes of a bad line that its error takes along; the runner masks it, then shows less."""
_BOM = b"\xef\xbb\xbf"
_TO_ZERO = bytes.maketrans(b"123456789", b"0" * 9)
_LONG = b"0" * 19


class Batch:
    """Some records, and the lines they came in, if they are unchanged."""

    __slots__ = ("lines", "records")

    def __init__(self, records: list[Record], lines: list[bytes] | None = None) -> None:
        self.records = records
        self.lines = lines

    def __len__(self) -> int:
        return len(self.records)

    def parts(self) -> Iterator[Batch]:
        """The same in batches that are not too big, none of them empty."""
        records, lines = self.records, self.lines
        if 0 < len(records) <= 2 * MANY:
            yield self
            return
        for at in range(0, len(records), MANY):
            own = None if lines is None else lines[at : at + MANY]
            yield Batch(records[at : at + MANY], own)

    def encoded(self) -> bytes:
        """The lines, each with its line break."""
        if self.lines is not None:
            return b"\n".join((*self.lines, b"")) if self.lines else b""
        dumps, option = orjson.dumps, orjson.OPT_APPEND_NEWLINE
        try:
            data = _joined(dumps(record, option=option) for record in self.records)
        except (TypeError, ValueError):
            return _joined(map(encoded, self.records))
        if b"null" not in data or _finite(self.records):
            return data
        return _joined(map(encoded, self.records))


def _joined(lines: Iterable[bytes]) -> bytes:
    """All of them, none kept by itself: a fresh line has far more memory than it needs."""
    data = bytearray()
    for line in lines:
        data += line
    return bytes(data)


def encoded(record: Record) -> bytes:
    """The line of a record; ModuleError where JSON has no word for what is in it."""
    try:
        line = orjson.dumps(record, option=orjson.OPT_APPEND_NEWLINE)
    except (TypeError, ValueError):
        return _encoded_anyhow(record)
    # it writes a number that is not finite as null, silently
    return line if b"null" not in line or _finite((record,)) else _encoded_anyhow(record)


def _encoded_anyhow(record: Record) -> bytes:
    """With whole numbers of any size, and U+FFFD for half a character."""
    if not shallow(record):
        raise ModuleError(f"a record has more than {DEEPEST} levels of lists and maps")
    try:
        text = json.dumps(record, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    except ValueError:
        raise ModuleError("a number is not finite, which JSON has no word for") from None
    return text.encode("utf-8", "surrogatepass").decode("utf-8", "replace").encode() + b"\n"


def _finite(values: Iterable[Any]) -> bool:
    """Whether all numbers in them are, however deep."""
    for value in values:
        kind = type(value)
        if kind is float:
            if not isfinite(value):
                return False
        elif (kind is dict and not _finite(value.values())) or (
            kind is list and not _finite(value)
        ):
            return False
    return True


def as_record(value: Any) -> Record:
    """A value as a record: what is not a map becomes one, with the key `value`."""
    return value if isinstance(value, dict) else {"value": value}


class Lines:
    """Cuts bytes into lines, however they come; `number` is that of the first line of the last
    list, counted from 1. A byte order mark at the beginning is no part of them.
    """

    def __init__(self) -> None:
        self.number = 1
        self.given = 0
        self._rest = b""

    def feed(self, data: bytes) -> list[bytes]:
        """The lines that have ended, without their breaks."""
        lines = (self._rest + data if self._rest else data).split(b"\n")
        self._rest = lines.pop()
        self._count(lines)
        if len(self._rest) > LONGEST:
            self.number = self.given + 1
            raise self.fault(0, self._rest, f"is longer than {LONGEST >> 20} MiB")
        return lines

    def end(self) -> list[bytes]:
        """The last line, where it has no break."""
        lines = [self._rest] if self._rest else []
        self._rest = b""
        self._count(lines)
        return lines

    def _count(self, lines: list[bytes]) -> None:
        if lines and not self.given:
            lines[0] = lines[0].removeprefix(_BOM)
        self.number = self.given + 1
        self.given += len(lines)

    def fault(self, index: int, line: bytes, what: str) -> ModuleError:
        """What is wrong with a line of the last list."""
        return ModuleError(f"line {self.number + index} {what}", shown=beginning(line))

    def texts(self, lines: list[bytes], *, trim: bool = True) -> list[str]:
        """The lines as text; `trim`: without the carriage returns of other systems."""
        end = "\r" if trim else ""
        try:
            return [line.decode().removesuffix(end) for line in lines]
        except UnicodeDecodeError:
            for index, line in enumerate(lines):
                if not _utf8(line):
                    raise self.fault(index, line, "is not UTF-8 text") from None
            raise


def beginning(line: bytes) -> str:
    """The beginning of a line, for an error to quote."""
    return line[:BEGINNING].decode("utf-8", "replace")


def _utf8(line: bytes) -> bool:
    try:
        line.decode()
    except UnicodeDecodeError:
        return False
    return True


class Decoder:
    """Bytes to records: each line is one JSON object, or an error that says which is not."""

    def __init__(self, lines: Lines | None = None) -> None:
        self.lines = lines or Lines()

    @property
    def count(self) -> int:
        """How many records there were."""
        return self.lines.given

    def feed(self, data: bytes) -> Batch:
        return self._batch(self.lines.feed(data))

    def end(self) -> Batch:
        return self._batch(self.lines.end())

    def _batch(self, lines: list[bytes]) -> Batch:
        loads = orjson.loads
        try:
            records = [loads(line) for line in lines]
        except ValueError:
            records = [self.value(index, line) for index, line in enumerate(lines)]
        if not {*map(type, records)} <= {dict}:
            index = next(n for n, record in enumerate(records) if type(record) is not dict)
            raise self.lines.fault(index, lines[index], "is not a JSON object")
        # each level takes two bytes at least
        if max(map(len, lines), default=0) > 2 * DEEPEST:
            for index, line in enumerate(lines):
                self.check_depth(index, line, records[index])
        if _long(b"\n".join(lines)):
            records = [_exact(*pair) for pair in zip(lines, records, strict=True)]
        return Batch(records, lines)

    def value(self, index: int, line: bytes) -> Any:
        """The data of one line of the last list, whatever it is."""
        try:
            value = orjson.loads(line)
        except ValueError as error:
            reason = str(error).partition(": line")[0]
            raise self.lines.fault(index, line, f"is not JSON ({reason})") from None
        self.check_depth(index, line, value)
        return _exact(line, value)

    def check_depth(self, index: int, line: bytes, value: Any) -> None:
        if line.count(b"[") + line.count(b"{") > DEEPEST and not shallow(value):
            what = f"has more than {DEEPEST} levels of lists and maps"
            raise self.lines.fault(index, line, what)


def _long(data: bytes) -> bool:
    """Whether there may be a whole number in it of more than 64 bits."""
    return _LONG in data.translate(_TO_ZERO)


def _exact(line: bytes, value: Any) -> Any:
    """The value of a line with all digits of its whole numbers, where orjson rounds them."""
    return json.loads(line) if _long(line) else value


class Operator(ABC):
    """One step of records or bytes; its inputs are ports, numbered from 0.

    `takes` and `gives` are Batch or bytes; None where it takes either, or gives nothing. It never
    waits: it is fed what has come, and returns what there is to pass on.
    """

    takes: type[Batch] | type[bytes] | None = Batch
    gives: type[Batch] | type[bytes] | None = Batch

    @abstractmethod
    def feed(self, port: int, chunk: Any) -> Any:
        """What to pass on of what came, or an iterator of it; None for nothing."""

    def end(self, port: int) -> Any:  # noqa: ARG002 - those that keep something override it
        """What is left to pass on when a port is at its end; None for nothing."""
        return None

    def close(self) -> Any:
        """What is left to pass on when all ports are at their ends."""
        return None

    def wanted(self, ports: Collection[int]) -> Collection[int]:
        """The ports, of those not at their end, that it wants to be fed next."""
        return ports

    def due(self) -> float | None:
        """When to call `tick`, by the clock of time.time(), if nothing comes before."""
        return None

    def tick(self) -> Any:
        """What to pass on because the time for it has come."""
        return None

    def summary(self) -> dict[str, Any]:
        """What its step's summary says beside the records passed on."""
        return {}


class Handing(Operator):
    """Passes on what it is fed."""

    def feed(self, port: int, chunk: Any) -> Any:  # noqa: ARG002
        return chunk


def in_order(ports: Collection[int]) -> Collection[int]:
    """The first alone: one input after the other."""
    return [min(ports)]


def batches(records: Iterable[Any], size: int = MANY) -> Iterable[Batch]:
    """Values as batches of records."""
    batch: list[Record] = []
    for value in records:
        batch.append(as_record(value))
        if len(batch) == size:
            yield Batch(batch)
            batch = []
    if batch:
        yield Batch(batch)

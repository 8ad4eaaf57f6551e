"""Parser of CSV: rows of columns, quoted where need be, by the standard library's reader."""

from __future__ import annotations

import csv

from gxo.modules.fault import ModuleError
from gxo.modules.flow import LONGEST, Lines, beginning
from gxo.modules.formats import csv_delimiter
from gxo.modules.parse import Parser

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from gxo.modules.flow import Record

_UNFINISHED = "unexpected end of data"


class Csv(Parser):
    """The first row names the columns, or `columns` does; values are text. A row may span lines."""

    def __init__(self, params: dict[str, Any]) -> None:
        super().__init__(params)
        csv.field_size_limit(LONGEST)
        self._lines = Lines()
        self._delimiter = csv_delimiter(params["delimiter"])
        self._pending: list[str] = []
        self._read = 0
        self._columns: list[str] | None = None
        if params["columns"] is not None:
            self._name(params["columns"], 0)

    def feed(self, data: bytes) -> list[Record]:
        return self._rows(self._lines.feed(data), last=False)

    def end(self) -> list[Record]:
        return self._rows(self._lines.end(), last=True)

    def _rows(self, lines: list[bytes], *, last: bool) -> list[Record]:
        texts = [text + "\n" for text in self._lines.texts(lines, trim=False)]
        pending = [*self._pending, *texts]
        found: list[Record] = []
        used = 0
        reader = csv.reader(pending, delimiter=self._delimiter, strict=True)
        try:
            for row in reader:
                if row:
                    self._take(row, self._read + used + 1, found)
                used = reader.line_num
        except csv.Error as error:
            # a row whose end has not come yet is read again with more; too long ones are not
            if str(error) != _UNFINISHED or last or sum(map(len, pending[used:])) > LONGEST:
                raise ModuleError(
                    f"the row at line {self._read + used + 1} is not CSV: {_reason(str(error))}",
                    shown=beginning(pending[used].rstrip("\r\n").encode()),
                ) from None
        self._pending = pending[used:]
        self._read += used
        return found

    def _take(self, row: list[str], line: int, found: list[Record]) -> None:
        if self._columns is None:
            self._name(row, line)
        elif len(row) != len(self._columns):
            raise ModuleError(
                f"the row at line {line} has {len(row)} columns, not {len(self._columns)}",
                shown=beginning(self._delimiter.join(row).encode()),
            )
        else:
            found.append(dict(zip(self._columns, row, strict=True)))

    def _name(self, columns: list[str], line: int) -> None:
        if len(set(columns)) < len(columns):
            twice = next(name for name in columns if columns.count(name) > 1)
            where = f"line {line}" if line else "`columns`"
            raise ModuleError(f"{where} names two columns the same", shown=twice)
        self._columns = columns


def _reason(error: str) -> str:
    if error == _UNFINISHED:
        return f"a quote is not closed within {LONGEST >> 20} MiB"
    if error.startswith("new-line character"):
        return "a carriage return stands in it outside quotes, and not at its end"
    return error

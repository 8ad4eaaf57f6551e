"""data:format: records to text."""

from __future__ import annotations

import csv
import json
import re
from abc import abstractmethod
from functools import lru_cache

from gxo.modules.fault import ModuleError
from gxo.modules.flow import Batch, Operator, encoded
from gxo.modules.formats import check_own, csv_delimiter

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Any

    from gxo.modules.flow import Record

_NAME = re.compile(r"[^\W\d][\w.-]*")
_BARE = re.compile(r'[^\s"=\\]+')
_ESCAPES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "\r": "&#13;"})
_NO_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
# what starts with these is meant for one format alone
_OWN = {"csv": ("columns", "delimiter"), "template": ("template",), "xml": ("element",)}


class Format(Operator):
    """`text` makes the text of some records."""

    gives = bytes
    before = b""
    after = b""

    def __init__(self) -> None:
        self.index = 0
        self._begun = False

    def feed(self, port: int, chunk: Batch) -> bytes:  # noqa: ARG002
        text = self.text(chunk)
        self.index += len(chunk)
        return self._begin() + text

    def close(self) -> bytes:
        return self._begin() + self.after

    def summary(self) -> dict[str, Any]:
        return {"count": self.index}

    def _begin(self) -> bytes:
        begun, self._begun = self._begun, True
        return b"" if begun else self.before

    @abstractmethod
    def text(self, chunk: Batch) -> bytes:
        """What stands for these records."""

    def fault(self, more: int, what: str, shown: str | None = None) -> ModuleError:
        """What is wrong with a record of the batch at hand, and what of it shows that."""
        return ModuleError(f"record {self.index + more + 1} {what}", shown=shown)


class _ByRecord(Format):
    """A text made record by record."""

    def text(self, chunk: Batch) -> bytes:
        return "".join(self.lines(chunk.records)).encode("utf-8", "replace")

    @abstractmethod
    def lines(self, records: list[Record]) -> Iterable[str]:
        """What stands for each, in one piece or several."""


class Ndjson(Format):
    """The records as the lines they are."""

    def text(self, chunk: Batch) -> bytes:
        return chunk.encoded()


class Json(Format):
    """One list, a record a line."""

    before = b"["

    def text(self, chunk: Batch) -> bytes:
        lines = chunk.encoded().removesuffix(b"\n")
        if not lines:
            return b""
        return (b",\n" if self.index else b"\n") + lines.replace(b"\n", b",\n")

    def close(self) -> bytes:
        return super().close() + (b"\n]\n" if self.index else b"]\n")


class Yaml(_ByRecord):
    """One list in block style."""

    def lines(self, records: list[Record]) -> Iterator[str]:
        from gxo.template.yaml_text import dump

        yield from (dump([record]) + "\n" for record in records)

    def close(self) -> bytes:
        return b"" if self.index else b"[]\n"


class TextLines(_ByRecord):
    """What stands at `line` of each."""

    def lines(self, records: list[Record]) -> Iterator[str]:
        for more, record in enumerate(records):
            line = record.get("line")
            if not isinstance(line, str) or "\n" in line:
                raise self.fault(more, "has no single line of text at `line`")
            yield line + "\n"


class Logfmt(_ByRecord):
    """`key=value` each; text in quotes where it needs them, null left out."""

    def lines(self, records: list[Record]) -> Iterator[str]:
        for more, record in enumerate(records):
            yield " ".join(self._words(more, record)) + "\n"

    def _words(self, more: int, record: Record) -> Iterator[str]:
        for key, value in record.items():
            if not _BARE.fullmatch(key):
                what = "has a key that logfmt cannot hold: it has blanks or quotes"
                raise self.fault(more, what, key)
            text = _plain(value)
            if value is not None:
                bare = _BARE.fullmatch(text) is not None
                yield f"{key}={text if bare else json.dumps(text, ensure_ascii=False)}"


class _Rows:
    """Where csv.writer writes, a row at a time: a carriage return in a cell is quoted only where
    it is a part of the line breaks too.
    """

    def __init__(self) -> None:
        self.lines: list[str] = []

    def write(self, row: str) -> None:
        self.lines.append(row.removesuffix("\r\n") + "\n")


class Csv(_ByRecord):
    """A header, then a row of each: the columns are those given, or the keys of the first."""

    def __init__(self, columns: list[str] | None, delimiter: str) -> None:
        super().__init__()
        self._columns = columns
        self._chosen = columns is not None
        self._delimiter = delimiter
        self._headed = False

    def lines(self, records: list[Record]) -> Iterator[str]:
        rows = _Rows()
        writer = csv.writer(rows, delimiter=self._delimiter)
        if self._columns is None and records:
            self._columns = list(records[0])
        columns = self._columns or []
        if not self._headed and self._columns is not None:
            writer.writerow(columns)
            self._headed = True
        known = set(columns)
        for more, record in enumerate(records):
            if not self._chosen and not known.issuperset(record):
                other = next(key for key in record if key not in known)
                what = "has a key that the first record lacks: name all `columns`"
                raise self.fault(more, what, other)
            writer.writerow([_plain(record.get(column)) for column in columns])
        yield from rows.lines

    def close(self) -> bytes:
        return b"" if self._headed else "".join(self.lines([])).encode()


class Xml(_ByRecord):
    """`data:parse` reads the same records from it."""

    before = b'<?xml version="1.0" encoding="UTF-8"?>\n<records>\n'
    after = b"</records>\n"

    def __init__(self, element: str) -> None:
        super().__init__()
        if not _is_name(element):
            raise ModuleError("`element` is not a valid name of an XML element")
        self._element = element

    def lines(self, records: list[Record]) -> Iterator[str]:
        for more, record in enumerate(records):
            yield "".join(self._written(more, self._element, record)) + "\n"

    def _written(self, more: int, name: str, value: Any) -> Iterator[str]:
        if not _is_name(name):
            raise self.fault(more, "has a key that is not a valid name of an XML element", name)
        if isinstance(value, list):
            for item in value:
                yield from self._written(more, name, item)
            return
        inside = value if isinstance(value, dict) else {"#text": value}
        yield f"<{name}"
        for key, held in inside.items():
            if key.startswith("@"):
                if not _is_name(key[1:]):
                    raise self.fault(
                        more, "has a key that is not a valid name of an XML attribute", key
                    )
                yield f' {key[1:]}="{self._text(more, held).translate(_IN_TAG)}"'
        yield ">"
        for key, held in inside.items():
            if key == "#text":
                yield self._text(more, held)
            elif not key.startswith("@"):
                yield from self._written(more, key, held)
        yield f"</{name}>"

    def _text(self, more: int, value: Any) -> str:
        text = _plain(value)
        if _NO_XML.search(text):
            raise self.fault(more, "holds a control character, which XML cannot")
        return text.translate(_ESCAPES)


@lru_cache(1024)
def _is_name(text: str) -> bool:
    """Whether a reader of XML takes it for the name of an element."""
    if not _NAME.fullmatch(text):
        return False
    from pyexpat import ExpatError, ParserCreate

    try:
        ParserCreate().Parse(f"<{text}/>", True)
    except ExpatError:
        return False
    return True


_IN_TAG = str.maketrans({"\n": "&#10;", "\t": "&#9;"})


class Template(_ByRecord):
    """A text for each record, a line break at its end."""

    def __init__(self, told: dict[str, Any]) -> None:
        from gxo.modules.each import each

        super().__init__()
        self._make = each(told)

    def lines(self, records: list[Record]) -> Iterator[str]:
        for more, value in enumerate(self._make(records, self.index)):
            if value is None:
                raise self.fault(more, "gets nil from `template`")
            text = _plain(value)
            yield text if text.endswith("\n") else text + "\n"


def _plain(value: Any) -> str:
    """A value as text: nothing for null, lists and maps as JSON."""
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list | dict):
        return encoded(value).decode().removesuffix("\n")  # type: ignore[arg-type]
    return str(value)


def formatting(params: dict[str, Any]) -> Operator:
    """`data:format`."""
    check_own(params, _OWN)
    form = params["format"]
    if form == "csv":
        return Csv(params["columns"], csv_delimiter(params["delimiter"]))
    if form == "xml":
        return Xml(params["element"] or "record")
    if form == "template":
        if params["template"] is None:
            raise ModuleError("`format: template` needs `template`")
        return Template(params["template"])
    plain: dict[str, type[Format]] = {
        "json": Json,
        "ndjson": Ndjson,
        "yaml": Yaml,
        "text_lines": TextLines,
        "logfmt": Logfmt,
    }
    return plain[form]()

"""data:parse: text to records, each input a text of its own."""

from __future__ import annotations

from abc import ABC, abstractmethod

from gxo.modules.flow import Batch, Operator
from gxo.modules.formats import check_own

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from gxo.modules.flow import Record

# by format: the file and class that do it
PARSERS = {
    "json": ("parse_document", "Json"),
    "ndjson": ("parse_lines", "Ndjson"),
    "yaml": ("parse_document", "Yaml"),
    "csv": ("parse_csv", "Csv"),
    "xml": ("parse_xml", "Xml"),
    "text_lines": ("parse_lines", "TextLines"),
    "regex": ("parse_lines", "Regex"),
    "logfmt": ("parse_lines", "Logfmt"),
}
# by format: the params that are its own
_OWN = {
    "csv": ("columns", "delimiter"),
    "xml": ("element",),
    "regex": ("pattern", "unmatched"),
}


class Parser(ABC):
    """One text, fed in parts. Made of the params of `data:parse`."""

    def __init__(self, params: dict[str, Any]) -> None:
        self.params = params
        self.skipped = 0

    @abstractmethod
    def feed(self, data: bytes) -> list[Record]:
        """The records that are whole by now."""

    @abstractmethod
    def end(self) -> list[Record]:
        """Those of what is left."""


class Parse(Operator):
    """A parser for each input."""

    takes = bytes

    def __init__(self, make: Callable[[], Parser]) -> None:
        self._make = make
        self._parsers: dict[int, Parser] = {}

    def feed(self, port: int, chunk: bytes) -> Batch:
        return Batch(self._parser(port).feed(chunk))

    def end(self, port: int) -> Batch:
        return Batch(self._parser(port).end())

    def _parser(self, port: int) -> Parser:
        if port not in self._parsers:
            self._parsers[port] = self._make()
        return self._parsers[port]

    def summary(self) -> dict[str, Any]:
        return {"skipped": sum(parser.skipped for parser in self._parsers.values())}


def parsing(params: dict[str, Any]) -> Operator:
    """`data:parse`."""
    check_own(params, _OWN)
    file, name = PARSERS[params["format"]]
    make = getattr(__import__(f"gxo.modules.{file}", fromlist=[name]), name)
    make(params)  # what is wrong with the params is wrong without input too
    return Parse(lambda: make(params))

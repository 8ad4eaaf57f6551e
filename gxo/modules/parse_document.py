"""Parsers of documents: json, a list of which is read item by item, and yaml."""

from __future__ import annotations

import codecs
import json
import re

from gxo.modules.depth import DEEPEST, shallow
from gxo.modules.fault import ModuleError
from gxo.modules.flow import BEGINNING, DOCUMENT, LONGEST, Lines, as_record, beginning
from gxo.modules.parse import Parser
from gxo.template.fault import Failure, TooMuch
from gxo.template.limits import Limits
from gxo.template.yaml_text import load

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Never

    from gxo.modules.flow import Record

_BLANK = re.compile(r"[ \t\r\n]*")
# how far from the end of what has come an error may stem from what has not
_NEAR = 16
_ENDS = "the text ends within the document"


class Json(Parser):
    """One document. A list may be of any length, since each item is read when it is there."""

    def __init__(self, params: dict[str, Any]) -> None:
        super().__init__(params)
        self._decode = codecs.getincrementaldecoder("utf-8-sig")().decode
        self._scan = json.JSONDecoder(parse_constant=_refuse).raw_decode
        self._text = ""
        self._line = 1
        self._state = "start"

    def feed(self, data: bytes) -> list[Record]:
        return self._more(data, last=False)

    def end(self) -> list[Record]:
        found = self._more(b"", last=True)
        if self._state != "done":
            raise self._fault("the text is empty" if self._state == "start" else _ENDS)
        return found

    def _more(self, data: bytes, *, last: bool) -> list[Record]:
        try:
            self._text += self._decode(data, last)
        except UnicodeDecodeError:
            raise ModuleError("the text is not UTF-8") from None
        found: list[Record] = []
        at = self._blank(0)
        if self._state == "start" and at < len(self._text):
            is_list = self._text[at] == "["
            self._state, at = ("first", at + 1) if is_list else ("whole", at)
        if self._state == "whole":
            at = self._whole(at, found, last=last)
        elif self._state != "done":
            at = self._items(at, found, last=last)
        at = self._blank(at)
        if self._state == "done" and at < len(self._text):
            raise self._fault("there is more after the document: `format: ndjson` takes many", at)
        self._forget(at)
        return found

    def _whole(self, at: int, found: list[Record], *, last: bool) -> int:
        if len(self._text) > DOCUMENT:
            raise ModuleError(f"a document that is not a list is longer than {DOCUMENT >> 20} MiB")
        if not last:
            return at
        value, at = self._value(at)
        found.append(as_record(value))
        self._state = "done"
        return at

    def _items(self, at: int, found: list[Record], *, last: bool) -> int:
        """Items as far as they are whole, each with what stands behind it."""
        while True:
            at = self._blank(at)
            if self._state == "first" and self._text.startswith("]", at):
                self._state = "done"
                return at + 1
            if at == len(self._text):
                return at
            try:
                value, end = self._value(at)
            except _Unfinished as error:
                if last or len(self._text) - at > LONGEST:
                    raise error.fault from None
                return at
            behind = self._blank(end)
            if behind == len(self._text) and not last:
                if behind - at > LONGEST:
                    raise self._fault(f"an item is longer than {LONGEST >> 20} MiB", at)
                return at
            mark = self._text[behind : behind + 1]
            if not mark:
                raise self._fault(_ENDS, behind)
            if mark not in ",]":
                # the rest of a number may be still to come
                if len(self._text) - end < _NEAR and not last:
                    return at
                raise self._fault("a comma or the end of the list is missing", behind)
            found.append(as_record(value))
            at = behind + 1
            self._state = "done" if mark == "]" else "next"
            if mark == "]":
                return at

    def _value(self, at: int) -> tuple[Any, int]:
        try:
            value, end = self._scan(self._text, at)
        except json.JSONDecodeError as error:
            fault = self._fault(f"it is not JSON: {error.msg}", error.pos)
            unended = error.msg.startswith("Unterminated") or error.pos > len(self._text) - _NEAR
            raise (_Unfinished(fault) if unended else fault) from None
        except RecursionError:
            raise self._too_deep(at) from None
        except ValueError as error:
            raise self._fault(f"it is not JSON: {error}", at) from None
        if not shallow(value):
            raise self._too_deep(at)
        return value, end

    def _too_deep(self, at: int) -> ModuleError:
        return self._fault(f"a value has more than {DEEPEST} levels of lists and maps", at)

    def _blank(self, at: int) -> int:
        return _BLANK.match(self._text, at).end()  # type: ignore[union-attr]

    def _forget(self, at: int) -> None:
        self._line += self._text.count("\n", 0, at)
        self._text = self._text[at:]

    def _fault(self, what: str, at: int = 0) -> ModuleError:
        line = self._line + self._text.count("\n", 0, at)
        shown = self._text[at : at + BEGINNING].partition("\n")[0]
        return ModuleError(f"line {line}: {what}", shown=beginning(shown.encode()))


class _Unfinished(ModuleError):
    """It may be whole when more has come; `fault` is what is wrong if not."""

    def __init__(self, fault: ModuleError) -> None:
        super().__init__(str(fault), shown=fault.shown)
        self.fault = fault


def _refuse(word: str) -> Never:
    raise ValueError(f"{word} is not a number")


class Yaml(Parser):
    """Documents; a list among them is many records. Tags, anchors without end and the surprises of
    YAML 1.1 are as `fromYaml` has them.
    """

    def __init__(self, params: dict[str, Any]) -> None:
        super().__init__(params)
        self._lines = Lines()
        self._document: list[str] = []
        self._size = 0
        self._first = 1

    def feed(self, data: bytes) -> list[Record]:
        return self._take(self._lines.feed(data))

    def end(self) -> list[Record]:
        found = self._take(self._lines.end())
        return [*found, *self._done()]

    def _take(self, lines: list[bytes]) -> list[Record]:
        found: list[Record] = []
        for index, text in enumerate(self._lines.texts(lines)):
            # at the first column these mark a document, whatever they stand in
            if text[:3] in ("---", "...") and text[3:4] in ("", " ", "\t"):
                found += self._done()
                self._first = self._lines.number + index
                if text[:3] == "...":
                    continue
            self._document.append(text)
            self._size += len(text) + 1
            if self._size > DOCUMENT:
                raise ModuleError(
                    f"the document at line {self._first} is longer than {DOCUMENT >> 20} MiB"
                )
        return found

    def _done(self) -> list[Record]:
        text = "\n".join(self._document)
        self._document, self._size = [], 0
        if not text.strip() or all(line.startswith(("#", "%")) for line in text.split("\n")):
            return []
        try:
            value = load(text, Limits(size=DOCUMENT, depth=DEEPEST - 1))
        except (Failure, TooMuch) as error:
            raise ModuleError(f"in the document at line {self._first}, {error}") from None
        return (
            [as_record(item) for item in value] if isinstance(value, list) else [as_record(value)]
        )

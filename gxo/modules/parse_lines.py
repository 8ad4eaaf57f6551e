"""Parsers of texts in which each line is a record: text_lines, ndjson, logfmt, regex."""

from __future__ import annotations

import json
import re
from abc import abstractmethod

from gxo.modules.fault import ModuleError
from gxo.modules.flow import Decoder, Lines, as_record
from gxo.modules.parse import Parser

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from gxo.modules.flow import Record

# one word of logfmt: a key, perhaps with a value, bare or in quotes
_WORD = re.compile(r'([^\s="]+)(?:=("(?:[^"\\]|\\.)*"|[^\s"]*))?(?=\s|$)')
_BLANK = re.compile(r"\s*")
_ESCAPE = re.compile(r"\\(.)")


class _ByLine(Parser):
    """A text whose lines are records each."""

    def __init__(self, params: dict[str, Any]) -> None:
        super().__init__(params)
        self.lines = Lines()

    def feed(self, data: bytes) -> list[Record]:
        return self.records(self.lines.feed(data))

    def end(self) -> list[Record]:
        return self.records(self.lines.end())

    @abstractmethod
    def records(self, lines: list[bytes]) -> list[Record]:
        """What these lines say."""


class TextLines(_ByLine):
    """Each line is `{line: TEXT}`."""

    def records(self, lines: list[bytes]) -> list[Record]:
        return [{"line": text} for text in self.lines.texts(lines)]


class Ndjson(_ByLine):
    """Each line is a JSON document; empty ones are left out, as NDJSON allows."""

    def __init__(self, params: dict[str, Any]) -> None:
        super().__init__(params)
        self.decoder = Decoder(self.lines)

    def records(self, lines: list[bytes]) -> list[Record]:
        values = [
            self.decoder.value(index, line)
            for index, line in enumerate(lines)
            if line and not line.isspace()
        ]
        return [as_record(value) for value in values]


class Logfmt(_ByLine):
    """`key=value key="a value" key`: values are text, and true for a key without one."""

    def records(self, lines: list[bytes]) -> list[Record]:
        found = []
        for index, text in enumerate(self.lines.texts(lines)):
            record = _words(text)
            if record is None:
                what = 'is not logfmt: it takes words like key=value or key="a value"'
                raise self.lines.fault(index, lines[index], what)
            if record:
                found.append(record)
        return found


def _words(text: str) -> Record | None:
    record: Record = {}
    at = _BLANK.match(text).end()  # type: ignore[union-attr]
    while at < len(text):
        word = _WORD.match(text, at)
        if word is None:
            return None
        record[word[1]] = True if word[2] is None else _unquoted(word[2])
        at = _BLANK.match(text, word.end()).end()  # type: ignore[union-attr]
    return record


def _unquoted(written: str) -> str:
    if written[:1] != '"':
        return written
    if "\\" not in written:
        return written[1:-1]
    try:
        return str(json.loads(written))
    except ValueError:  # an escape that JSON does not have
        return _ESCAPE.sub(r"\1", written[1:-1])


class Regex(_ByLine):
    """The named groups of what a pattern finds in a line. RE2 takes time linear in the line."""

    def __init__(self, params: dict[str, Any]) -> None:
        import re2

        super().__init__(params)
        if params["pattern"] is None:
            raise ModuleError("`format: regex` needs `pattern`")
        options = re2.Options()
        options.log_errors = False
        try:
            # bytes: for text, its places would be counted out for every match
            self.pattern = re2.compile(params["pattern"].encode(), options)
        except re2.error as error:
            reason = error.args[0].decode() if isinstance(error.args[0], bytes) else error
            raise ModuleError(f"`pattern` is not a regular expression of RE2: {reason}") from None
        self.names = {name.decode(): at for name, at in self.pattern.groupindex.items()}
        if not self.names:
            raise ModuleError("`pattern` has no named groups, as in (?P<user>[^:]+)")
        self.skips = params["unmatched"] == "skip"

    def records(self, lines: list[bytes]) -> list[Record]:
        found = []
        search, names = self.pattern.search, tuple(self.names)
        numbers = tuple(self.names.values())
        for index, line in enumerate(lines):
            match = search(line.removesuffix(b"\r"))
            if match is not None:
                groups = match.groups()
                try:
                    values = [
                        None if (value := groups[number - 1]) is None else value.decode()
                        for number in numbers
                    ]
                except UnicodeDecodeError:
                    raise self.lines.fault(index, line, "is not UTF-8 text") from None
                found.append(dict(zip(names, values, strict=True)))
            elif self.skips:
                self.skipped += 1
            else:
                what = "does not match `pattern` (`unmatched: skip` leaves such lines out)"
                raise self.lines.fault(index, line, what)
        return found

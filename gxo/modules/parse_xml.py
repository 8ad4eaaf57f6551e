"""Parser of XML, by expat, element by element; a document type is refused, so no entity expands."""

from __future__ import annotations

from pyexpat import ExpatError, ParserCreate
from pyexpat.errors import XML_ERROR_NO_ELEMENTS, codes

from gxo.modules.depth import DEEPEST
from gxo.modules.fault import ModuleError
from gxo.modules.flow import LONGEST
from gxo.modules.parse import Parser

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Never

    from gxo.modules.flow import Record

_NAMES = 10_000


class Xml(Parser):
    """Each `element`, or each child of the outermost one, is a record.

    A key is `@NAME` for an attribute, NAME for an element within, `#text` for text beside those.
    An element that has text alone is that text; one that stands there again makes a list.
    """

    def __init__(self, params: dict[str, Any]) -> None:
        super().__init__(params)
        self._element = params["element"]
        self._interned: dict[str, str] = {}
        parser = ParserCreate(None, None, self._interned)
        parser.buffer_text = True
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._text
        parser.StartDoctypeDeclHandler = self._doctype
        self._parser = parser
        self._depth = 0
        self._open: list[_Element] = []
        self._found: list[Record] = []
        self._weight = 0
        self._fed = 0

    def feed(self, data: bytes) -> list[Record]:
        self._fed += len(data)
        self._parse(data, last=False)
        if self._fed - max(self._parser.CurrentByteIndex, 0) > LONGEST:
            raise self._fault(f"a tag is longer than {LONGEST >> 20} MiB")
        if len(self._interned) > _NAMES:  # names that never come again
            self._interned.clear()
        found, self._found = self._found, []
        return found

    def end(self) -> list[Record]:
        self._parse(b"", last=True)
        found, self._found = self._found, []
        return found

    def _parse(self, data: bytes, *, last: bool) -> None:
        try:
            self._parser.Parse(data, last)
        except ExpatError as error:
            reason = str(error).partition(":")[0]
            if error.code == codes[XML_ERROR_NO_ELEMENTS]:
                reason = "it ends before its outermost element does"
            raise ModuleError(f"line {error.lineno}: it is not XML: {reason}") from None

    def _doctype(self, *_: object) -> Never:
        raise self._fault("a document type is refused, since its entities could be anything")

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self._depth += 1
        if self._depth > DEEPEST:
            raise self._fault(f"more than {DEEPEST} elements are nested")
        begins = self._depth == 2 if self._element is None else name == self._element
        if not (self._open or begins):
            return
        self._weigh(len(name) + sum(len(k) + len(v) for k, v in attributes.items()))
        self._open.append(_Element(name, {f"@{key}": text for key, text in attributes.items()}))

    def _text(self, text: str) -> None:
        if self._open:
            self._weigh(len(text))
            self._open[-1].texts.append(text)

    def _end(self, _: str) -> None:
        self._depth -= 1
        if not self._open:
            return
        done = self._open.pop()
        if self._open:
            self._open[-1].put(done.name, done.value())
            return
        self._weight = 0
        value = done.value()
        self._found.append(value if isinstance(value, dict) else {"#text": value} if value else {})

    def _weigh(self, more: int) -> None:
        self._weight += more
        if self._weight > LONGEST:
            raise self._fault(f"an element is longer than {LONGEST >> 20} MiB")

    def _fault(self, what: str) -> ModuleError:
        return ModuleError(f"line {self._parser.CurrentLineNumber}: {what}")


class _Element:
    """An element whose end has not come yet."""

    def __init__(self, name: str, record: Record) -> None:
        self.name = name
        self.record = record
        self.texts: list[str] = []
        self._many: set[str] = set()

    def put(self, key: str, value: Any) -> None:
        if key not in self.record:
            self.record[key] = value
        elif key in self._many:
            self.record[key].append(value)
        else:
            self.record[key] = [self.record[key], value]
            self._many.add(key)

    def value(self) -> Any:
        text = "".join(self.texts)
        if not self.record:
            return text if text.strip() else text.strip()
        if text.strip():
            self.record["#text"] = text.strip()
        return self.record

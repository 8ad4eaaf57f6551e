"""Kinds of values: how each is read, what to call it, its JSON Schema. Here: plain scalars."""

import re
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import TYPE_CHECKING

from yaml import Node, ScalarNode

from gxo.diagnostic.lazy import Lazy
from gxo.language.document import STAND_IN
from gxo.language.limits import NAME
from gxo.language.reader import BOOLS, Reader, boolean_advice
from gxo.language.values import check_text, refuse_template
from gxo.source import Name

if TYPE_CHECKING:
    from gxo.diagnostic import keys as key_faults
    from gxo.diagnostic import names as name_faults
    from gxo.diagnostic import yaml as yaml_faults
else:
    key_faults = Lazy("gxo.diagnostic.keys")
    name_faults = Lazy("gxo.diagnostic.names")
    yaml_faults = Lazy("gxo.diagnostic.yaml")

Schema = Mapping[str, object]


class Kind(ABC):
    """What a key takes. `takes` is a phrase: "a duration such as `30s`"."""

    __slots__ = ()

    takes: str

    @abstractmethod
    def read(self, reader: Reader, node: Node, key: str) -> object | None:
        """The typed value; None where what is wrong with it went to the reader's problems."""

    @abstractmethod
    def schema(self) -> Schema:
        """JSON Schema (2020-12) of the value as editors see it."""


class Text(Kind):
    """One line of text without templates; `pattern` and `form` (a phrase) narrow it."""

    __slots__ = ("_advice", "_form", "_pattern", "takes")

    def __init__(
        self,
        takes: str = "text",
        *,
        pattern: str | None = None,
        form: str = "",
        advice: str | None = None,
    ) -> None:
        self.takes = takes
        self._pattern = re.compile(pattern) if pattern else None
        self._form = form
        self._advice = advice

    def read(self, reader: Reader, node: Node, key: str) -> str | None:
        found = line(reader, node, key, self.takes)
        if found is None:
            return None
        value: str = found.value
        if self._pattern and not self._pattern.fullmatch(value):
            reader.problems.append(
                key_faults.BadForm(
                    span=reader.span(found),
                    key=key,
                    value=value,
                    form=self._form,
                    advice=self._advice,
                )
            )
            return None
        return value

    def schema(self) -> Schema:
        if self._pattern is None:
            return {"type": "string"}
        numbers = ["string", "integer"] if self._pattern.fullmatch("1") else "string"
        return {"type": numbers, "pattern": f"^(?:{self._pattern.pattern})$"}


def line(reader: Reader, node: Node, key: str, takes: str) -> ScalarNode | None:
    """A scalar that holds one line of plain text; else a problem."""
    found = reader.scalar(node, key, takes)
    if found is None or not check_text(reader, found, key):
        return None
    value: str = found.value
    if "{{" in value:
        refuse_template(reader, reader.text(found), key)
        return None
    if "\n" in value:
        reader.problems.append(
            key_faults.Multiline(span=reader.span(found), key=key, block=found.style in ("|", ">"))
        )
        return None
    if not value.strip():
        reader.no_value(found, key, takes)
        return None
    return found


class Prose(Kind):
    """Text of any number of lines, for people."""

    __slots__ = ()
    takes = "text"

    def read(self, reader: Reader, node: Node, key: str) -> str | None:
        found = reader.scalar(node, key, self.takes)
        if found is None or not check_text(reader, found, key):
            return None
        if "{{" in found.value:
            refuse_template(reader, reader.text(found), key)
            return None
        return str(found.value)

    def schema(self) -> Schema:
        return {"type": "string"}


class Choice(Kind):
    """One of the words of an enumeration, or of some members of it."""

    __slots__ = ("_words", "takes")

    def __init__(self, members: Iterable[StrEnum]) -> None:
        self._words = {str(member): member for member in members}
        self.takes = " or ".join(f"`{word}`" for word in self._words)

    def read(self, reader: Reader, node: Node, key: str) -> StrEnum | None:
        known = self._words.get(node.value) if isinstance(node, ScalarNode) else None
        if known is not None:
            return known
        found = line(reader, node, key, self.takes)
        if found is not None:
            reader.problems.append(
                key_faults.NotOneOf(
                    span=reader.span(found),
                    key=key,
                    value=found.value,
                    choices=tuple(self._words),
                )
            )
        return None

    def schema(self) -> Schema:
        return {"enum": list(self._words)}


class Bool(Kind):
    __slots__ = ()
    takes = "`true` or `false`"

    def read(self, reader: Reader, node: Node, key: str) -> bool | None:
        if isinstance(node, ScalarNode):
            if not node.style and node.value in BOOLS:
                return BOOLS[node.value]
            if reader.scalar(node, key, self.takes) is None:
                return None
            if "{{" in node.value:
                refuse_template(reader, reader.text(node), key)
                return None
            advice = "remove the quotes" if node.value in BOOLS else boolean_advice(node.value)
            reader.wrong(node, key, self.takes, advice)
            return None
        reader.wrong(node, key, self.takes)
        return None

    def schema(self) -> Schema:
        return {"type": "boolean"}


class Int(Kind):
    __slots__ = ("_high", "_low", "takes")
    _FORM = re.compile(r"[+-]?[0-9]{1,18}")

    def __init__(self, low: int, high: int | None = None) -> None:
        self._low = low
        self._high = high
        self.takes = "a whole number"

    def read(self, reader: Reader, node: Node, key: str) -> int | None:
        found = number(reader, node, key, self.takes, self._FORM)
        if found is None:
            return None
        value = int(found.value)
        if value < self._low or (self._high is not None and value > self._high):
            high = None if self._high is None else str(self._high)
            out_of_range(reader, found, key, str(self._low), high)
            return None
        return value

    def schema(self) -> Schema:
        high = {} if self._high is None else {"maximum": self._high}
        return {"type": "integer", "minimum": self._low, **high}


class Number(Kind):
    __slots__ = ("_high", "_low", "takes")
    _FORM = re.compile(r"[+-]?(?:[0-9]{1,15}(?:\.[0-9]{0,15})?|\.[0-9]{1,15})")

    def __init__(self, low: float, high: float) -> None:
        self._low = low
        self._high = high
        self.takes = "a number"

    def read(self, reader: Reader, node: Node, key: str) -> float | None:
        found = number(reader, node, key, self.takes, self._FORM)
        if found is None:
            return None
        value = float(found.value)
        if not self._low <= value <= self._high:
            out_of_range(reader, found, key, f"{self._low:g}", f"{self._high:g}")
            return None
        return value

    def schema(self) -> Schema:
        return {"type": "number", "minimum": self._low, "maximum": self._high}


def number(
    reader: Reader, node: Node, key: str, takes: str, form: re.Pattern[str]
) -> ScalarNode | None:
    """An unquoted scalar of a number's form; else a problem."""
    found = line(reader, node, key, takes) if isinstance(node, ScalarNode) else None
    if found is None:
        if not isinstance(node, ScalarNode):
            reader.wrong(node, key, takes)
        return None
    if found.style or not form.fullmatch(found.value):
        advice = "remove the quotes" if found.style and form.fullmatch(found.value) else None
        reader.wrong(found, key, takes, advice)
        return None
    return found


def out_of_range(
    reader: Reader,
    node: ScalarNode,
    key: str,
    low: str | None,
    high: str | None,
    *,
    above: bool = False,
) -> None:
    reader.problems.append(
        key_faults.OutOfRange(
            span=reader.span(node), key=key, value=node.value, low=low, high=high, above=above
        )
    )


_DURATION_FORM = r"(?:[0-9]+(?:\.[0-9]*)?(?:ns|us|µs|μs|ms|s|m|h))+|0"
_SIZE_FORM = r"[0-9]+(?:\.[0-9]+)?[KMGT]?"


class Duration(Kind):
    """Whole microseconds. `low` and `high` are durations as a playbook writes them."""

    __slots__ = ("_high", "_low", "_shown_high", "_shown_low", "takes")

    def __init__(self, low: str | None = None, high: str | None = None) -> None:
        self.takes = "a duration such as `30s`"
        self._low = _microseconds(low) if low else 0
        self._high = _microseconds(high) if high else None
        self._shown_low = low
        self._shown_high = high

    def read(self, reader: Reader, node: Node, key: str) -> int | None:
        found = line(reader, node, key, self.takes)
        if found is None:
            return None
        from gxo.language.quantity import parse_duration

        value = reader.parsed(parse_duration, found)
        if value is None:
            return None
        if value < self._low or (self._high is not None and value > self._high):
            out_of_range(reader, found, key, self._shown_low, self._shown_high)
            return None
        return value

    def schema(self) -> Schema:
        return {"type": "string", "pattern": f"^(?:{_DURATION_FORM})$"}


_UNITS = {"us": 1, "ms": 1_000, "s": 1_000_000, "m": 60_000_000, "h": 3_600_000_000}


def _microseconds(text: str) -> int:
    """A bound in the table of keys: one number and one unit."""
    found = re.fullmatch(r"([0-9]+)(us|ms|s|m|h)", text)
    assert found, text
    return int(found[1]) * _UNITS[found[2]]


class Size(Kind):
    """Bytes."""

    __slots__ = ("_low", "_shown_low", "takes")

    def __init__(self, low: int, shown_low: str) -> None:
        self.takes = "a size such as `512M`"
        self._low = low
        self._shown_low = shown_low

    def read(self, reader: Reader, node: Node, key: str) -> int | None:
        found = line(reader, node, key, self.takes)
        if found is None:
            return None
        from gxo.language.quantity import parse_size

        value = reader.parsed(parse_size, found)
        if value is None:
            return None
        if value < self._low:
            out_of_range(reader, found, key, self._shown_low, None)
            return None
        return value

    def schema(self) -> Schema:
        return {"type": ["string", "integer"], "pattern": f"^(?:{_SIZE_FORM})$"}


_LETTERS = "letters, digits, `_` and `-`"
_WORD = "letters, digits and `_`, and does not begin with a digit"


class Named(Kind):
    """A name. `noun` is what it names: "a workload"; a `word` can be read in templates."""

    __slots__ = ("_allowed", "_noun", "_pattern", "takes")

    def __init__(self, noun: str, *, word: bool = False) -> None:
        self.takes = f"the name of {noun}"
        self._noun = noun
        self._allowed = _WORD if word else _LETTERS
        self._pattern = re.compile("[A-Za-z_][A-Za-z0-9_]*" if word else "[A-Za-z0-9_-]+")

    def read(self, reader: Reader, node: Node, key: str) -> Name | None:
        found = line(reader, node, key, self.takes)
        if found is None:
            return None
        name = Name(found.value, reader.span(found))
        return name if self.check(reader, name) else None

    def check(self, reader: Reader, name: Name) -> bool:
        """Whether the name may be; else with a problem."""
        text = name.text
        if STAND_IN in text:  # a control character stood here, which has been said
            return False
        if not self._pattern.fullmatch(text):
            better = re.sub(r"[^A-Za-z0-9_]+" if self._allowed is _WORD else r"[^\w-]+", "_", text)
            advice = f"write `{better}`" if self._pattern.fullmatch(better) else None
            reader.problems.append(
                name_faults.BadName(
                    span=name.span,
                    noun=self._noun,
                    name=text,
                    allowed=self._allowed,
                    advice=advice,
                )
            )
            return False
        if len(text) > NAME:
            reader.problems.append(
                name_faults.NameTooLong(span=name.span, noun=self._noun, limit=NAME)
            )
            return False
        return True

    def schema(self) -> Schema:
        return {"type": "string", "pattern": f"^{self._pattern.pattern}$", "maxLength": NAME}

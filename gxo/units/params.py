"""Params of a module, evaluated, and each checked against the type in the module's spec."""

import json
import math
import re
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING

from gxo.dataclass import dataclass
from gxo.diagnostic.base import Problem
from gxo.diagnostic.lazy import Lazy
from gxo.source import Span
from gxo.spec.module import MODE, ModuleSpec, Param, ParamType, takes
from gxo.template.data import kind, to_text, truth
from gxo.template.evaluate import Scope, evaluate
from gxo.template.fault import Failure, Fault
from gxo.template.times import duration
from gxo.template.value import Data, ListValue, MapValue, Value

if TYPE_CHECKING:
    from gxo.diagnostic import units as faults
else:
    faults = Lazy("gxo.diagnostic.units")

_FLAGS: Mapping[str, Data] = {"true": True, "false": False}
_INT = re.compile(r"[+-]?[0-9]{1,18}")
_SIZE = re.compile(r"([0-9]{1,15})([KMGT]?)")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_SHOWN = 60


class Bad:
    """In place of a value that could not be evaluated; its problem is noted."""


BAD = Bad()


@dataclass(frozen=True, slots=True)
class ParamReader:
    """Evaluates params in a scope; what is wrong with them goes to `problems`."""

    scope: Scope
    problems: list[Problem]

    def data(self, value: Value) -> Data | Bad:
        try:
            return evaluate(value, self.scope)
        except Fault as found:
            self.problems.append(found.problem)
            return BAD

    def text(self, value: Value | None, param: str, span: Span) -> str | None:
        """The text of a param; None where it is wrong, which is noted."""
        if value is None:
            self.wrong(span, param, "text", kind(None))
            return None
        return self._as_text(self.data(value), param, value.span)

    def flag(self, value: Value | None, param: str) -> bool:
        if value is None:
            return False
        found = self.data(value)
        if found in ("true", "false"):
            found = found == "true"
        if not isinstance(found, bool | Bad):
            self.wrong(value.span, param, "true or false", kind(found))
        return found is True

    def texts(self, value: Value | None, param: str) -> Iterator[tuple[str, Span]]:
        """Each item with its place; a template may yield the whole list."""
        if value is None:
            return
        items: list[tuple[Data | Bad, Span]]
        if isinstance(value, ListValue):
            items = [(self.data(item), item.span) for item in value.items]
        else:
            found = self.data(value)
            if isinstance(found, Bad):
                return
            if not isinstance(found, list):
                self.wrong(value.span, param, "a list of texts", kind(found))
                return
            items = [(item, value.span) for item in found]
        for item, span in items:
            text = self._as_text(item, param, span)
            if text is not None:
                yield text, span

    def wrong(self, span: Span, param: str, wanted: str, found: str) -> None:
        self.problems.append(faults.WrongParam(span=span, param=param, wanted=wanted, found=found))

    def _as_text(self, data: Data | Bad, param: str, span: Span) -> str | None:
        if isinstance(data, Bad):
            return None
        if data is None or isinstance(data, list | dict):
            self.wrong(span, param, "text", kind(data))
            return None
        return to_text(data, self.scope.limits)


def read_params(
    spec: ModuleSpec, params: MapValue, scope: Scope, span: Span
) -> tuple[dict[str, Data], tuple[Problem, ...]]:
    """Each param of a module, None where it has neither value nor default, and every problem.

    Modes come out as numbers, durations as seconds, sizes as bytes, conditions as true or false.
    Params that are `is_left` to the module are not evaluated, and left out.
    """
    reader = ParamReader(scope, [])
    found: dict[str, Data] = {}
    for param in spec.params:
        value = params.get(param.name)
        if value is not None and is_left(param):
            continue
        if value is not None:
            found[param.name] = _read(reader, param, value)
        elif param.default is not None:
            found[param.name] = _typed(param, _default(param.type, param.default))
        else:
            found[param.name] = None
            if param.required:
                reader.wrong(span, param.name, takes(param), kind(None))
    return found, tuple(reader.problems)


def is_left(param: Param) -> bool:
    """Whether the module evaluates its templates itself, as they read what it sets per record."""
    return bool(param.binds) or param.type is ParamType.STEPS


def _read(reader: ParamReader, param: Param, value: Value) -> Data:
    if param.type in (ParamType.TEXTS, ParamType.ENVIRONMENT):
        return [text for text, _ in reader.texts(value, param.name)]
    data = reader.data(value)
    if isinstance(data, Bad):
        return None
    try:
        return _typed(param, data)
    except ValueError:
        reader.wrong(value.span, param.name, _wanted(param), _shown(data))
        return None


def _default(kind: ParamType, written: str) -> Data:
    """A default, which a spec holds as a playbook would write it, as data."""
    if written[:1] in ('"', "[", "{") or kind in (ParamType.ANY, ParamType.CONDITION):
        found: Data = json.loads(written)
        return found
    return written


def _typed(param: Param, data: Data) -> Data:
    """The data as the param's type; ValueError where it is none."""
    return _TYPES[param.type](param, data)


def _text(_: Param, data: Data) -> Data:
    return _as_text(data)


def _as_text(data: Data) -> str:
    if isinstance(data, str):
        return data
    if isinstance(data, bool):
        return "true" if data else "false"
    if isinstance(data, int | float):
        return str(data)
    raise ValueError


def _path(_: Param, data: Data) -> Data:
    text = _as_text(data)
    if not text or _CONTROL.search(text):
        raise ValueError
    return text


def _mode(_: Param, data: Data) -> Data:
    text = _as_text(data)
    if not MODE.fullmatch(text):
        raise ValueError
    return int(text, 8)


def _bool(_: Param, data: Data) -> Data:
    found = _FLAGS.get(data) if isinstance(data, str) else data
    if not isinstance(found, bool):
        raise ValueError
    return found


def _number(param: Param, data: Data) -> Data:
    whole = param.type is ParamType.INT
    if isinstance(data, str):
        data = int(data) if _INT.fullmatch(data) else float(data)
    if isinstance(data, bool) or not isinstance(data, int if whole else int | float):
        raise ValueError
    low = -math.inf if param.low is None else param.low
    high = math.inf if param.high is None else param.high
    if not (math.isfinite(data) and low <= data <= high):
        raise ValueError
    return data


def _duration(_: Param, data: Data) -> Data:
    text = "0s" if data == "0" else data
    if not isinstance(text, str) or text[:1] not in tuple("0123456789.") or text[-1] not in "smh":
        raise ValueError
    try:
        return duration(text)
    except Failure:
        raise ValueError from None


def _size(_: Param, data: Data) -> Data:
    found = _SIZE.fullmatch(_as_text(data))
    if not found:
        raise ValueError
    return int(found[1]) << (10 * " KMGT".index(found[2] or " "))


def _choice(param: Param, data: Data) -> Data:
    if data not in param.choices:
        raise ValueError
    return data


def _list(_: Param, data: Data) -> Data:
    if not isinstance(data, list):
        raise ValueError
    return data


def _map(_: Param, data: Data) -> Data:
    if not isinstance(data, dict):
        raise ValueError
    return data


def _any(_: Param, data: Data) -> Data:
    return data


def _condition(_: Param, data: Data) -> Data:
    return truth(data)


_TYPES: Mapping[ParamType, Callable[[Param, Data], Data]] = {
    ParamType.TEXT: _text,
    ParamType.TEXTS: _list,
    ParamType.ENVIRONMENT: _list,
    ParamType.PATH: _path,
    ParamType.MODE: _mode,
    ParamType.BOOL: _bool,
    ParamType.INT: _number,
    ParamType.NUMBER: _number,
    ParamType.DURATION: _duration,
    ParamType.SIZE: _size,
    ParamType.ADDRESS: _text,
    ParamType.CHOICE: _choice,
    ParamType.LIST: _list,
    ParamType.MAP: _map,
    ParamType.ANY: _any,
    ParamType.CONDITION: _condition,
    ParamType.STEPS: _list,
    ParamType.FIELDS: _map,
}


def _wanted(param: Param) -> str:
    low = "" if param.low is None else f" from {param.low:g}"
    high = "" if param.high is None else f" to {param.high:g}"
    return f"{takes(param)}{low}{high}"


def _shown(data: Data) -> str:
    """A short scalar as it is, since its value may be what is wrong; other data by its kind.

    Whole or not at all: part of a secret would not be masked.
    """
    if data is None or isinstance(data, list | dict):
        return kind(data)
    text = _as_text(data)
    return f"`{text}`" if len(text) <= _SHOWN else kind(data)

"""The part of `dataclasses` that gxo uses, for commands that are over in a tenth of a second.

A short command defines a hundred data classes and makes instances of half of them. The standard
library's decorator compiles six methods for each and loads `inspect`: a third of such a command's
time. This one shares all methods but `__init__`, which it compiles when the first instance is made.
Type checkers are told that it is the standard library's, and a test holds the two to the same
behaviour.
"""

from collections.abc import Callable
from operator import attrgetter
from typing import TYPE_CHECKING, Any, ClassVar, NoReturn, get_origin

_MISSING = object()


class _Field:
    """What is known of one field; `name` and `kw_only` are set by the class it stands in."""

    __slots__ = ("compare", "default", "default_factory", "kw_only", "name", "repr")

    def __init__(
        self,
        *,
        default: object = _MISSING,
        default_factory: object = _MISSING,
        compare: bool = True,
        repr: bool = True,  # noqa: A002 (the standard library's name)
    ) -> None:
        self.name = ""
        self.kw_only = False
        self.default = default
        self.default_factory = default_factory
        self.compare = compare
        self.repr = repr


def _dataclass(
    *, slots: bool, frozen: bool = False, kw_only: bool = False, eq: bool = True
) -> Callable[[type], type]:
    """As `dataclasses.dataclass`: `slots=True` is a must, what gxo has no use for is missing."""
    assert slots

    def decorate(cls: type) -> type:
        inherited: dict[str, _Field] = {}
        for base in reversed(cls.__mro__[1:]):
            inherited |= {entry.name: entry for entry in base.__dict__.get("__fields__", ())}
        assert not hasattr(cls, "__post_init__"), "such a class is written out"
        own = {entry.name: entry for entry in _own_fields(cls, kw_only=kw_only)}
        entries = tuple((inherited | own).values())
        # slots can only be given to a new class
        content = {key: value for key, value in cls.__dict__.items() if key not in own}
        del content["__dict__"], content["__weakref__"]
        content |= {
            "__qualname__": cls.__qualname__,
            "__slots__": tuple(name for name in own if name not in inherited),
            "__fields__": entries,
            "__match_args__": tuple(entry.name for entry in entries if not entry.kw_only),
        }
        content.setdefault("__repr__", _repr)
        if eq:
            compared = [entry.name for entry in entries if entry.compare]
            content["__compared__"] = staticmethod(attrgetter(*compared) if compared else _nothing)
            content.setdefault("__eq__", _eq)
            if frozen and content.get("__hash__") is None:
                content["__hash__"] = _hash
        if frozen:
            content |= {"__setattr__": _refuse, "__delattr__": _refuse}
        made = type(cls)(cls.__name__, cls.__bases__, content)
        if "__init__" not in content:
            made.__init__ = _deferred_init(made, frozen=frozen)  # type: ignore[misc]
        return made

    return decorate


def _own_fields(cls: type, *, kw_only: bool) -> list[_Field]:
    """The fields that the class's own body declares, in order."""
    found = []
    hints = cls.__dict__.get("__annotations__", {})  # noqa: RUF063 (`inspect` takes long to load)
    for name, hint in hints.items():
        if _is_class_variable(hint):
            continue
        given = cls.__dict__.get(name, _MISSING)
        entry = given if isinstance(given, _Field) else _Field(default=given)
        if type(entry.default).__hash__ is None:
            raise ValueError(f"mutable default of {cls.__name__}.{name}: use default_factory")
        entry.name, entry.kw_only = name, kw_only
        found.append(entry)
    return found


def _is_class_variable(hint: object) -> bool:
    if isinstance(hint, str):  # under `from __future__ import annotations`
        return hint.startswith("ClassVar")
    return hint is ClassVar or get_origin(hint) is ClassVar


def _deferred_init(cls: type, *, frozen: bool) -> Callable[..., None]:
    """An `__init__` that at its first call puts the real one in its place."""

    def __init__(self: object, /, *values: object, **named: object) -> None:  # noqa: N807
        init = _compiled_init(cls, frozen=frozen)
        cls.__init__ = init  # type: ignore[misc]
        init(self, *values, **named)

    return __init__


def _compiled_init(cls: Any, *, frozen: bool) -> Callable[..., None]:
    scope: dict[str, object] = {"__missing": _MISSING}
    positional, named, body = ["self"], ["*"], []
    for entry in cls.__fields__:
        name = value = argument = entry.name
        if entry.default is not _MISSING:
            scope[f"__default_{name}"] = entry.default
            argument = f"{name}=__default_{name}"
        elif entry.default_factory is not _MISSING:
            scope[f"__make_{name}"] = entry.default_factory
            argument = f"{name}=__missing"
            value = f"__make_{name}() if {name} is __missing else {name}"
        (named if entry.kw_only else positional).append(argument)
        if frozen:  # past the __setattr__ that refuses
            scope[f"__set_{name}"] = getattr(cls, name).__set__
            body.append(f" __set_{name}(self, {value})")
        else:
            body.append(f" self.{name} = {value}")
    arguments = ", ".join(positional + (named if len(named) > 1 else []))
    code = f"def __init__({arguments}):\n" + ("\n".join(body) or " pass")
    made: dict[str, Any] = {}
    exec(code, scope, made)  # noqa: S102 (of names alone, as the standard library does)
    return made["__init__"]  # type: ignore[no-any-return]


def _nothing(_: object) -> tuple[()]:
    return ()


def _repr(self: Any) -> str:
    shown = (f"{e.name}={getattr(self, e.name)!r}" for e in self.__fields__ if e.repr)
    return f"{type(self).__qualname__}({', '.join(shown)})"


def _eq(self: Any, other: Any) -> object:
    if type(other) is not type(self):
        return NotImplemented
    return self.__compared__(self) == self.__compared__(other)


def _hash(self: Any) -> int:
    return hash(self.__compared__(self))


def _refuse(self: object, name: str, *_: object) -> NoReturn:
    raise AttributeError(f"cannot change `{name}`: {type(self).__name__} is frozen")


def _fields(of: Any) -> tuple[_Field, ...]:
    return of.__fields__  # type: ignore[no-any-return]


def _is_dataclass(value: object) -> bool:
    return hasattr(value, "__fields__")


def _replace(value: Any, /, **changes: object) -> object:
    kept = {e.name: getattr(value, e.name) for e in value.__fields__}
    return type(value)(**kept | changes)


def _asdict(value: Any) -> Any:
    """Data classes as dicts, also within lists, tuples and dicts."""
    if _is_dataclass(value):
        return {e.name: _asdict(getattr(value, e.name)) for e in value.__fields__}
    if isinstance(value, list | tuple):
        return type(value)(map(_asdict, value))
    if isinstance(value, dict):
        return {key: _asdict(item) for key, item in value.items()}
    return value


if TYPE_CHECKING:
    from dataclasses import MISSING, Field, asdict, dataclass, field, fields, is_dataclass, replace
else:
    MISSING, Field, dataclass, field = _MISSING, _Field, _dataclass, _Field
    asdict, fields, is_dataclass, replace = _asdict, _fields, _is_dataclass, _replace

__all__ = [
    "MISSING",
    "Field",
    "asdict",
    "dataclass",
    "field",
    "fields",
    "is_dataclass",
    "replace",
]

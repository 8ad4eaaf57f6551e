"""Plain Python data and D-Bus signatures, to GLib.Variant and back.

PyGObject's own constructor takes 4 µs for a string and 30 for a command line; a unit has some forty
properties. Here a signature is compiled once to a packer, and a property met before is not packed
again: variants are immutable, so that all units of a profile share theirs.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache, lru_cache
from typing import Any

from gxo.units.model import Property

Variant = Any
"""A GLib.Variant; gi has no types of its own, and is imported late."""

_LEAVES = {
    "b": "boolean",
    "y": "byte",
    "n": "int16",
    "q": "uint16",
    "i": "int32",
    "u": "uint32",
    "x": "int64",
    "t": "uint64",
    "h": "handle",
    "d": "double",
}
_RANGES = {
    "y": (0, 0xFF),
    "n": (-(1 << 15), (1 << 15) - 1),
    "q": (0, 0xFFFF),
    "i": (-(1 << 31), (1 << 31) - 1),
    "u": (0, 0xFFFFFFFF),
    "x": (-(1 << 63), (1 << 63) - 1),
    "t": (0, (1 << 64) - 1),
    "h": (0, (1 << 31) - 1),
}


def pack(signature: str, args: Sequence[object]) -> Variant:
    """The arguments of a call: `signature` lists their types, without outer parentheses.

    Arrays take a sequence (`ay` also bytes), dictionaries a mapping, structures a sequence, `v` a
    pair (signature, value). ValueError where data and signature do not fit each other.
    """
    return _packer(f"({signature})")(args)


def pack_properties(properties: Iterable[Property]) -> Variant:
    """The `a(sv)` that StartTransientUnit and SetUnitProperties take, in the order given."""
    from gi.repository import GLib

    packed = [_property(p.name, p.signature, _frozen(p.value)) for p in properties]
    return GLib.Variant.new_array(GLib.VariantType("(sv)"), packed)


@lru_cache(maxsize=8192)
def _property(name: str, signature: str, value: object) -> Variant:
    from gi.repository import GLib

    try:
        packed = _packer(signature)(value)
    except ValueError as error:
        raise ValueError(f"property {name}: {error}") from None
    return GLib.Variant.new_tuple(GLib.Variant.new_string(name), GLib.Variant.new_variant(packed))


def _frozen(value: object) -> object:
    """The value with its lists as tuples, so that it can be a key of the cache."""
    if isinstance(value, list | tuple):
        return tuple(map(_frozen, value))
    if isinstance(value, Mapping):
        return tuple((key, _frozen(item)) for key, item in value.items())
    return value


@cache
def _packer(signature: str) -> Callable[[Any], Variant]:
    """The packer of one complete type."""
    from gi.repository import GLib

    if not GLib.VariantType.string_is_valid(signature):
        raise ValueError(f"`{signature}` is not a D-Bus type")
    kind = signature[0]
    if kind == "s":
        return _text(GLib.Variant.new_string)
    if kind == "o":
        return _checked(GLib.Variant.new_object_path, GLib.Variant.is_object_path, signature)
    if kind == "g":
        return _checked(GLib.Variant.new_signature, GLib.Variant.is_signature, signature)
    if kind in _LEAVES:
        return _leaf(getattr(GLib.Variant, f"new_{_LEAVES[kind]}"), signature)
    if kind == "v":
        return lambda pair: GLib.Variant.new_variant(_packer(pair[0])(pair[1]))
    if kind == "a":
        return _array(signature)
    parts = [_packer(part) for part in split(signature[1:-1])]

    def structure(values: Sequence[object]) -> Variant:
        if isinstance(values, str | bytes) or len(values) != len(parts):
            raise ValueError(f"{values!r} is not a `{signature}`")
        return GLib.Variant.new_tuple(*[p(v) for p, v in zip(parts, values, strict=True)])

    return structure


def _array(signature: str) -> Callable[[Any], Variant]:
    from gi.repository import GLib

    item, inner = signature[1:], GLib.VariantType(signature[1:])
    if item == "s":
        return lambda values: GLib.Variant.new_strv([_clean(value) for value in _many(values)])
    if item == "y":
        packer = _packer("y")
        return lambda values: GLib.Variant.new_array(inner, [packer(v) for v in values])
    if item[0] == "{":
        key, value = (_packer(part) for part in split(item[1:-1]))

        def dictionary(values: Any) -> Variant:
            pairs = values.items() if isinstance(values, Mapping) else values
            entries = [GLib.Variant.new_dict_entry(key(k), value(v)) for k, v in pairs]
            return GLib.Variant.new_array(inner, entries)

        return dictionary
    packer = _packer(item)
    return lambda values: GLib.Variant.new_array(inner, [packer(v) for v in _many(values)])


def _many(values: Any) -> Any:
    if isinstance(values, str | bytes):
        raise ValueError(f"{values!r} is one value where a list is wanted")
    return values


def _leaf(new: Callable[[Any], Variant], signature: str) -> Callable[[Any], Variant]:
    low, high = _RANGES.get(signature, (float("-inf"), float("inf")))
    wanted: Any = {"b": bool, "d": (int, float)}.get(signature, int)

    def leaf(value: Any) -> Variant:
        fits = isinstance(value, wanted) and isinstance(value, bool) == (signature == "b")
        if not fits or not low <= value <= high:
            raise ValueError(f"{value!r} does not fit a `{signature}`")
        return new(value)

    return leaf


def _text(new: Callable[[str], Variant]) -> Callable[[Any], Variant]:
    return lambda value: new(_clean(value))


def _checked(
    new: Callable[[str], Variant], valid: Callable[[str], bool], signature: str
) -> Callable[[Any], Variant]:
    def checked(value: object) -> Variant:
        if not valid(_clean(value)):
            raise ValueError(f"{value!r} does not fit a `{signature}`")
        return new(str(value))

    return checked


def _clean(value: object) -> str:
    """GLib aborts or cuts what D-Bus cannot carry: NUL and lone surrogates."""
    if not isinstance(value, str):
        raise ValueError(f"{value!r} is not text")
    if "\0" in value:
        raise ValueError("text with a NUL character cannot be sent over D-Bus")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise ValueError(f"{value!r} is not valid Unicode") from None
    return value


def split(signature: str) -> tuple[str, ...]:
    """The complete types that a signature lists: `sa{sv}(ss)` is `s`, `a{sv}`, `(ss)`."""
    parts = []
    start = depth = 0
    for end, char in enumerate(signature, 1):
        depth += (char in "({") - (char in ")}")
        if not depth and char != "a":
            parts.append(signature[start:end])
            start = end
    return tuple(parts)


def unpack(variant: Variant) -> Any:
    """Plain data: structures are tuples, arrays lists (`ay` bytes), maps dicts, `v` its content."""
    return _unpacker(variant.get_type_string())(variant)


@cache
def _unpacker(signature: str) -> Callable[[Variant], Any]:
    from gi.repository import GLib

    kind = signature[0]
    if kind in "sog":
        return GLib.Variant.get_string  # type: ignore[no-any-return]
    if kind in _LEAVES:
        return getattr(GLib.Variant, f"get_{_LEAVES[kind]}")  # type: ignore[no-any-return]
    if kind == "v":
        return lambda variant: unpack(variant.get_variant())
    if signature in ("as", "ao"):
        return GLib.Variant.get_strv if signature == "as" else GLib.Variant.get_objv  # type: ignore[no-any-return]
    if signature == "ay":
        return lambda variant: variant.get_data_as_bytes().get_data() or b""
    if signature.startswith("a{"):
        key, value = (_unpacker(part) for part in split(signature[2:-1]))

        def dictionary(variant: Variant) -> dict[Any, Any]:
            entries = map(variant.get_child_value, range(variant.n_children()))
            return {key(e.get_child_value(0)): value(e.get_child_value(1)) for e in entries}

        return dictionary
    if kind == "a":
        one = _unpacker(signature[1:])
        return lambda v: [one(v.get_child_value(i)) for i in range(v.n_children())]
    parts = tuple(enumerate(map(_unpacker, split(signature[1:-1]))))
    return lambda v: tuple([part(v.get_child_value(i)) for i, part in parts])

"""Functions on lists and maps. A map is always walked in the order of its keys, as in Go."""

from typing import cast

from gxo.diagnostic.base import did_you_mean
from gxo.template.data import copy, kind, same, weigh_all
from gxo.template.fault import Failure
from gxo.template.limits import Limits
from gxo.template.value import Data


def get(box: dict[str, Data], key: str, fallback: Data = None) -> Data:
    return box.get(key, fallback)


def make_dict(*pairs: Data) -> Data:
    if len(pairs) % 2:
        raise Failure("the last key has no value", argument=len(pairs) - 1)
    keys = pairs[::2]
    for index, key in enumerate(keys):
        if not isinstance(key, str):
            raise Failure(f"a key must be text, not {kind(key)}", argument=2 * index)
    return dict(zip(cast("tuple[str, ...]", keys), pairs[1::2], strict=True))


def make_list(*items: Data) -> Data:
    return list(items)


def index(box: Data, *keys: Data) -> Data:
    for number, key in enumerate(keys, 1):
        box = _entry(box, key, number)
    return box


def _entry(box: Data, key: Data, number: int) -> Data:
    if isinstance(box, dict):
        if not isinstance(key, str):
            raise Failure(f"a key of a map is text, not {kind(key)}", argument=number)
        if key not in box:
            hint = did_you_mean(key, box) or "`get` reads a missing key as nil"
            raise Failure(f"the map has no key `{key}`", argument=number, hint=hint)
        return box[key]
    if isinstance(box, list):
        if not isinstance(key, int) or isinstance(key, bool):
            raise Failure(f"items of a list are numbered from 0, not {kind(key)}", argument=number)
        if not 0 <= key < len(box):
            raise Failure(f"the list has {len(box)} items, none at {key}", argument=number)
        return box[key]
    raise Failure(f"{kind(box)} has no items", argument=number - 1)


def length(box: str | list[Data] | dict[str, Data]) -> int:
    return len(box)


def first(items: list[Data]) -> Data:
    return items[0] if items else None


def last(items: list[Data]) -> Data:
    return items[-1] if items else None


def rest(items: list[Data]) -> Data:
    return items[1:]


def cut(row: str | list[Data], start: int, end: int | None = None) -> Data:
    size = len(row)
    stop = size if end is None else end
    if not 0 <= start <= size:
        raise Failure(f"START must be from 0 to {size}, the length", argument=1)
    if not start <= stop <= size:
        raise Failure(f"END must be from {start} to {size}, the length", argument=2)
    return row[start:stop]


def has(limits: Limits, item: Data, box: list[Data] | dict[str, Data]) -> bool:
    if isinstance(box, dict):
        return isinstance(item, str) and item in box
    weigh_all(limits, item, box)
    return any(same(item, other) for other in box)


def keys(box: dict[str, Data]) -> Data:
    return cast("Data", sorted(box))


def values(box: dict[str, Data]) -> Data:
    return [box[key] for key in sorted(box)]


def merge(limits: Limits, *boxes: dict[str, Data]) -> Data:
    """All entries, deeply; where two maps say a thing, the earlier one counts, as in sprig."""
    weigh_all(limits, *boxes)
    result: dict[str, Data] = {}
    for box in boxes:
        _merge_into(result, box)
    return result


def _merge_into(target: dict[str, Data], box: dict[str, Data]) -> None:
    for key, value in box.items():
        mine = target.get(key)
        if isinstance(mine, dict) and isinstance(value, dict):
            _merge_into(mine, value)
        elif key not in target:
            target[key] = copy(value)

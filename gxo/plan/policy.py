"""Policies of a playbook and a workload resolved into one: the nearest wins, key by key."""

from typing import TypeVar

from gxo.dataclass import fields, replace
from gxo.spec.lifecycle import Placed
from gxo.template.value import MapValue

P = TypeVar("P", bound=Placed)


def nearest(near: P | None, far: P | None) -> P | None:
    """The near policy, with the keys that only the far one writes taken over from it.

    Maps within (resources, namespaces, …) are resolved the same way; lists are not joined.
    """
    if near is None or far is None:
        return near or far
    taken: dict[str, object] = {}
    barred = near.either if not near.either.isdisjoint(near.at) else frozenset()
    for entry in fields(near):
        key = entry.name
        if key not in far.at or (key in barred and key not in near.at):
            continue
        theirs = getattr(far, key)
        ours = getattr(near, key)
        if key not in near.at:
            taken[key] = theirs
        elif isinstance(ours, Placed) and isinstance(theirs, Placed):
            taken[key] = nearest(ours, theirs)
    return replace(near, at={**far.at, **near.at}, **taken)  # type: ignore[arg-type]


def nearest_map(near: MapValue | None, far: MapValue | None) -> MapValue | None:
    """The same for policies kept as plain maps: the near one's keys win."""
    if near is None or far is None:
        return near or far
    mine = {name.text for name, _ in near.entries}
    rest = tuple(entry for entry in far.entries if entry[0].text not in mine)
    return MapValue((*near.entries, *rest), near.span)

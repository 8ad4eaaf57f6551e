"""Results: what an apply would do or has done, and what the user should know beside it."""

from collections.abc import Iterable, Mapping
from os.path import normpath

from gxo.apply.change import Change, Known
from gxo.apply.desired import Desired
from gxo.dataclass import dataclass


@dataclass(frozen=True, slots=True)
class Moved:
    """A playbook that was applied from another file; `now` is empty for standard input."""

    playbook: str
    before: str
    now: str


@dataclass(frozen=True, slots=True)
class Orphan:
    """An applied playbook of a directory that was given, which holds it no more."""

    playbook: str
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """What an apply would do.

    interrupted   playbooks of which an apply was killed and none has ended since
    under_way     the apply, in words, that changes this host meanwhile
    moved         playbooks that were applied from another file
    orphaned      playbooks that are left as they are, which pruning would remove
    damaged       why playbooks are left out: a record that cannot be read, a line each
    """

    changes: tuple[Change, ...]
    interrupted: tuple[str, ...] = ()
    under_way: str = ""
    moved: tuple[Moved, ...] = ()
    orphaned: tuple[Orphan, ...] = ()
    damaged: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Applied:
    """What an apply did: every change of its plan, and the revision each playbook has now.

    `moved`, `orphaned` and `damaged` are as in Planned.
    """

    changes: tuple[Change, ...]
    revisions: Mapping[str, int]
    moved: tuple[Moved, ...] = ()
    orphaned: tuple[Orphan, ...] = ()
    damaged: tuple[str, ...] = ()


def moved(wanted: Iterable[Desired], records: Mapping[str, Known]) -> tuple[Moved, ...]:
    """The playbooks that are wanted from another file than the one recorded."""
    found = []
    for item in wanted:
        current = records[item.playbook].current
        before = current.source if current and not item.removal else ""
        if before and normpath(before) != normpath(item.source):
            found.append(Moved(item.playbook, before, item.source))
    return tuple(found)


def barriers(todo: Iterable[Change]) -> tuple[str, ...]:
    """What keeps changes from being made, a line each: "cannot apply X: reason; what to do"."""
    return tuple(dict.fromkeys(f"cannot apply {c.quoted}: {why}" for c in todo for why in c.barred))

"""History: the revisions of a playbook that `gxo rollback` can apply, and what each changed."""

from collections.abc import Mapping

from gxo.apply.failure import ApplyError
from gxo.apply.places import HERE, Places
from gxo.apply.record import Revision
from gxo.apply.store import StoreError
from gxo.dataclass import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One revision. `applied` counts microseconds since 1970; `workloads` map to their digests.

    `changed` has a line for each workload that differs from the revision before; it is empty where
    that one is not kept.
    """

    number: int
    applied: int
    current: bool
    source: str
    workloads: Mapping[str, str]
    changed: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class History:
    """The newest first; `damaged` says why revisions are missing, a line each."""

    entries: tuple[Entry, ...]
    damaged: tuple[str, ...]


def history(playbook: str, places: Places = HERE) -> History:
    """Every revision that is kept. ApplyError where the playbook has none."""
    numbers = places.store.numbers(playbook)
    if not numbers:
        raise ApplyError(f"cannot list revisions of `{playbook}`: none is recorded")
    entries: list[Entry] = []
    damaged: list[str] = []
    before: Mapping[str, str] | None = {} if numbers[0] == 1 else None
    for number in numbers:
        try:
            revision = places.store.revision(playbook, number)
        except StoreError as error:
            damaged.append(str(error))
            before = None
            continue
        entries.append(_entry(revision, before, current=number == numbers[-1]))
        before = entries[-1].workloads
    return History(tuple(reversed(entries)), tuple(damaged))


def _entry(revision: Revision, before: Mapping[str, str] | None, *, current: bool) -> Entry:
    workloads = {part.workload: part.units[0].digest for part in revision.parts}
    return Entry(
        number=revision.number,
        applied=revision.applied,
        current=current,
        source=revision.source,
        workloads=workloads,
        changed=() if before is None else _changed(before, workloads),
    )


def _changed(before: Mapping[str, str], now: Mapping[str, str]) -> tuple[str, ...]:
    words = [
        f"{name} {'changed' if name in before else 'new'}"
        for name, digest in now.items()
        if before.get(name) != digest
    ]
    return (*words, *(f"{name} gone" for name in before if name not in now))

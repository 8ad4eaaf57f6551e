"""Brief: the lines of a diff, where two long ones differ in little cut down to that."""

from collections.abc import Iterator, Sequence

_ROOM = 100
"""Characters that a line may have without being cut."""
_AROUND = 20
"""Characters that stay to either side of what differs, if words do not end within."""


def brief(diff: Sequence[str]) -> Iterator[str]:
    """Each line in its turn; of `-Name=…` and the `+Name=…` to it, what is common is left out."""
    cut = list(diff)
    waiting: dict[str, list[int]] = {}
    for at, line in enumerate(diff):
        name = line[1:].partition("=")[0]
        if line.startswith("-"):
            waiting.setdefault(name, []).append(at)
        elif olds := waiting.get(name):
            old = olds.pop(0)
            cut[old], cut[at] = _cut(diff[old], line, len(name) + 2)
    yield from cut


def _cut(old: str, new: str, start: int) -> tuple[str, str]:
    """Both lines without what they have in common; all of `start` characters stays."""
    if max(len(old), len(new)) <= _ROOM:
        return old, new
    before = start + _common(old[start:], new[start:])
    after = _common(old[: before - 1 : -1], new[: before - 1 : -1])
    return _kept(old, start, before, after), _kept(new, start, before, after)


def _common(one: str, other: str) -> int:
    """With how many characters both begin."""
    differ = (at for at, (a, b) in enumerate(zip(one, other, strict=False)) if a != b)
    return next(differ, min(len(one), len(other)))


def _kept(line: str, start: int, before: int, after: int) -> str:
    end = len(line) - after
    first = max(start, before - _AROUND)
    last = min(len(line), end + _AROUND)
    if first > start:
        first = 1 + max(first - 1, line.find(" ", first, before))
    if last < len(line) and " " in line[end:last]:
        last = line.rindex(" ", end, last)
    left = "…" if first > start else ""
    right = "…" if last < len(line) else ""
    return f"{line[:start]}{left}{line[first:last]}{right}"

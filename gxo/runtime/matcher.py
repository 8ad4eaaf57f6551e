"""Matcher: where any of many texts stands in a stream of bytes, and a mask in the place of each.

It is of the standard library alone: it also travels to where nothing else of gxo can be seen.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence

MASK = b"[REDACTED_SECRET]"
HEAD = 16
"""Bytes of a text by which it is searched; its rest is compared where they stand."""

Find = Callable[[bytes], Iterable[tuple[int, int, int]]]
"""The places of heads in some data, overlapping ones too: number, begin and end of each."""


class Matcher:
    """Masks `forms`. The mask is one of them, so that no mask is put into another."""

    def __init__(self, forms: Iterable[bytes], finder: Callable[[Sequence[bytes]], Find]) -> None:
        found: dict[bytes, list[bytes]] = {}
        begins: set[bytes] = set()
        for form in sorted({*forms, MASK}, key=len, reverse=True):
            found.setdefault(form[:HEAD], []).append(form)
            begins.update(form[:size] for size in range(1, min(len(form), HEAD)))
        self._find = finder(tuple(found))
        self._forms = tuple(found.values())
        self._begins = begins

    def masked(self, data: bytes) -> bytes:
        """All of the data, with one mask for forms that overlap."""
        places, _ = self._look(data)
        return _said(data, places, 0, len(data))[0] if places else data

    def sure(self, data: bytes) -> bytes:
        """The data without its end where that may be the beginning of a form."""
        places, begun = self._look(data)
        return _said(data, places, 0, begun)[0]

    def part(self, data: bytes, masked: int) -> tuple[bytes, int, int]:
        """What may be said of data of which more will come, how many of its bytes that covers, and
        how many bytes after those the last mask covers. A mask said before covers the first
        `masked` bytes.
        """
        places, begun = self._look(data)
        return (*_said(data, places, masked, begun), begun)

    def rest(self, data: bytes, masked: int) -> bytes:
        """What is said of the last data."""
        return _said(data, self._look(data)[0], masked, len(data))[0]

    def _look(self, data: bytes) -> tuple[list[tuple[int, int]], int]:
        """The places of forms, in order, and where one may begin that is not complete yet."""
        size = begun = len(data)
        places: list[tuple[int, int]] = []
        for number, at, _ in self._find(data):
            for form in self._forms[number]:
                if at + len(form) > size:
                    if at < begun and form.startswith(data[at:]):
                        begun = at
                elif data.startswith(form, at):
                    places.append((at, at + len(form)))
                    break
        for count in range(min(HEAD - 1, size), 0, -1):
            if data[size - count :] in self._begins:
                begun = min(begun, size - count)
                break
        places.sort()
        return places, begun


def by_search(heads: Sequence[bytes]) -> Find:
    """A finder that needs no library: each head by itself."""

    def find(data: bytes) -> Iterator[tuple[int, int, int]]:
        for number, head in enumerate(heads):
            at = data.find(head)
            while at >= 0:
                yield number, at, at + len(head)
                at = data.find(head, at + 1)

    return find


class Stream:
    """One stream through a matcher, however it is cut into chunks.

    `matcher` is asked anew for each chunk, since there may be more to mask by then. No more bytes
    are held back than the longest form has.
    """

    def __init__(self, matcher: Callable[[], Matcher | None]) -> None:
        self._matcher = matcher
        self._held = b""
        self._masked = 0

    def feed(self, chunk: bytes) -> bytes:
        """Take a chunk; what may be said now. The rest is held until it is clear whether it is a
        form.
        """
        matcher = self._matcher()
        if matcher is None:
            return chunk
        data = self._held + chunk if self._held else chunk
        said, self._masked, end = matcher.part(data, self._masked)
        self._held = data[end:]
        return said

    def end(self) -> bytes:
        """What was held back, once nothing follows."""
        matcher, held = self._matcher(), self._held
        self._held = b""
        return matcher.rest(held, self._masked) if matcher is not None else held


def _said(
    data: bytes, places: Sequence[tuple[int, int]], masked: int, end: int
) -> tuple[bytes, int]:
    """The bytes before `end` as they may be said, and how many after it the last mask covers."""
    if not places and not masked:
        return data[:end], 0
    said, at, until = bytearray(), masked, masked
    for start, stop in places:
        if start < until:
            until = max(until, stop)
        elif start < end:
            said += data[at:start] + MASK
            until = stop
        else:
            break
        at = until
    said += data[at:end]
    return bytes(said), max(until - end, 0)

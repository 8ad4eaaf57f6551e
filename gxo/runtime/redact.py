"""Redact: secrets that a run has used, kept out of all it says."""

from collections.abc import Iterable, Iterator

from gxo.template.value import Data

MASK = "[REDACTED_SECRET]"
SHORTEST = 2
"""Bytes below which a secret is not masked: that would mask everything."""
_MASK = MASK.encode()


class Redactor:
    """The secrets of one run; each is added before its value goes anywhere."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._secrets: frozenset[bytes] = frozenset()
        for secret in secrets:
            self.add(secret)

    @property
    def empty(self) -> bool:
        """There is nothing to mask."""
        return not self._secrets

    def add(self, secret: str) -> None:
        """Mask it from here on: as a whole, and each line of one that has several."""
        whole = secret.encode("utf-8", "surrogateescape")
        parts = {whole, whole.strip(), *(line.strip() for line in whole.splitlines())}
        fresh = {part for part in parts if len(part) >= SHORTEST}
        if fresh:
            # a mask is one that stays as it is, so that none is put into another
            self._secrets |= {*fresh, _MASK}

    def raw(self, data: bytes) -> bytes:
        """The data with a mask in the place of each secret; of those that overlap, one for all."""
        if not self._secrets:
            return data
        return self.part(data, 0, len(data))[0]

    def text(self, text: str) -> str:
        if not self._secrets:
            return text
        return self.raw(text.encode("utf-8", "surrogateescape")).decode("utf-8", "replace")

    def cut(self, text: str) -> str:
        """As `text`, of one that was cut: what may begin a secret goes from its end."""
        data = text.encode("utf-8", "surrogateescape")
        return self.part(data, 0, len(data) - self.begun(data))[0].decode("utf-8", "replace")

    def holds(self, text: str) -> bool:
        """Whether there is a secret in it."""
        data = text.encode("utf-8", "surrogateescape")
        return any(secret in data for secret in self._secrets if secret != _MASK)

    def data(self, value: Data) -> Data:
        """Data with a mask in each of its texts, keys among them, and for a number that is one."""
        if not self._secrets or value is None or isinstance(value, bool):
            return value
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, list):
            return [self.data(item) for item in value]
        if isinstance(value, dict):
            return {self.text(key): self.data(item) for key, item in value.items()}
        return MASK if str(value).encode() in self._secrets else value

    def part(self, data: bytes, masked: int, end: int) -> tuple[bytes, int]:
        """The bytes before `end` as they may be said, and how many of those behind it that mask
        stands for which is said last. For the first `masked` of all, one was said before.
        """
        said, at, until = bytearray(), masked, masked
        for start, stop in self._found(data):
            if start < until:
                until = max(until, stop)
            elif start < end:
                said += data[at:start] + _MASK
                until = stop
            else:
                break
            at = until
        said += data[at:end]
        return bytes(said), max(until - end, 0)

    def begun(self, data: bytes) -> int:
        """How many bytes at the end of `data` may be the beginning of a secret."""
        return max((_begun(data, secret) for secret in self._secrets), default=0)

    def _found(self, data: bytes) -> list[tuple[int, int]]:
        """Where secrets stand, by their beginning, those that overlap another too."""
        return sorted(place for secret in self._secrets for place in _places(data, secret))


def _places(data: bytes, secret: bytes) -> Iterator[tuple[int, int]]:
    at = data.find(secret)
    while at >= 0:
        yield at, at + len(secret)
        at = data.find(secret, at + 1)


def _begun(data: bytes, secret: bytes) -> int:
    """Bytes at the end of `data` with which the secret begins, if not all of it."""
    at = data.find(secret[:1], max(len(data) - len(secret) + 1, 0))
    while at >= 0:
        if secret.startswith(data[at:]):
            return len(data) - at
        at = data.find(secret[:1], at + 1)
    return 0


class Stream:
    """One stream through a redactor: a secret is masked also where two chunks share it.

    What comes out does not depend on how the stream was cut, and no more is held than a secret has.
    """

    def __init__(self, redactor: Redactor) -> None:
        self._redactor = redactor
        self._held = b""
        self._masked = 0

    def feed(self, chunk: bytes) -> bytes:
        """What may be said now; the rest is held until it is clear whether it is a secret."""
        data = self._held + chunk
        return self._say(data, len(data) - self._redactor.begun(data))

    def end(self) -> bytes:
        """What was held, now that nothing follows."""
        return self._say(self._held, len(self._held))

    def _say(self, data: bytes, end: int) -> bytes:
        said, self._masked = self._redactor.part(data, self._masked, end)
        self._held = data[end:]
        return said

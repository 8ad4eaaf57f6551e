"""Redact: secrets that a run has used, kept out of all it says."""

from collections.abc import Iterable

from gxo.template.value import Data

MASK = "[REDACTED_SECRET]"
SHORTEST = 2
"""Bytes below which a secret is not masked: that would mask everything."""


class Redactor:
    """The secrets of one run; each is added before its value goes anywhere."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._secrets: list[bytes] = []
        for secret in secrets:
            self.add(secret)

    def add(self, secret: str) -> None:
        """Mask it from here on: as a whole, and each line of one that has several."""
        whole = secret.encode("utf-8", "surrogateescape")
        parts = {whole, whole.strip(), *(line.strip() for line in whole.splitlines())}
        known = {*self._secrets, *(part for part in parts if len(part) >= SHORTEST)}
        # the longest first: where one holds another, all of it goes
        self._secrets = sorted(known, key=lambda part: (-len(part), part))

    def raw(self, data: bytes) -> bytes:
        """The data with a mask in the place of each secret."""
        for secret in self._secrets:
            data = data.replace(secret, MASK.encode())
        return data

    def text(self, text: str) -> str:
        if not self._secrets:
            return text
        return self.raw(text.encode("utf-8", "surrogateescape")).decode("utf-8", "replace")

    def data(self, value: Data) -> Data:
        """Data with a mask in each of its texts, keys among them."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, list):
            return [self.data(item) for item in value]
        if isinstance(value, dict):
            return {self.text(key): self.data(item) for key, item in value.items()}
        return value

    def begun(self, data: bytes) -> int:
        """How many bytes at the end of `data` may be the beginning of a secret."""
        most = min(len(data), max(map(len, self._secrets), default=1) - 1)
        return next(
            (
                size
                for size in range(most, 0, -1)
                if any(secret.startswith(data[-size:]) for secret in self._secrets)
            ),
            0,
        )


class Stream:
    """One stream through a redactor: a secret is masked also where two chunks share it."""

    def __init__(self, redactor: Redactor) -> None:
        self._redactor = redactor
        self._held = b""

    def feed(self, chunk: bytes) -> bytes:
        """What may be said now; the rest is held until it is clear whether it is a secret."""
        data = self._redactor.raw(self._held + chunk)
        cut = len(data) - self._redactor.begun(data)
        self._held = data[cut:]
        return data[:cut]

    def end(self) -> bytes:
        """What was held, now that nothing follows."""
        rest, self._held = self._redactor.raw(self._held), b""
        return rest

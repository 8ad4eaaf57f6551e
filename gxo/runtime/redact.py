"""Redact: secrets that a run has used, kept out of all it says."""

from collections.abc import Iterable, Sequence

from gxo.runtime import matcher
from gxo.runtime.matcher import Find, Matcher, by_search
from gxo.template.value import Data

MASK = matcher.MASK.decode()
_MOST_AT_ONCE = 1000
"""Heads up to which an automaton's table, some 8 kB for each, is worth its room: it is the fastest.
"""
_MOST_DERIVED = 64
"""Secrets after which one more costs more than its worth: each has some forty forms, and a loop may
derive one for each of its items.
"""
_MOST_LINES = 256
"""Lines of a secret, the longest, that are masked encoded too: of a bundle of certificates all took
a minute and half a gigabyte.
"""


class Redactor:
    """The secrets of one run; each is added before its value goes anywhere."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._secrets: frozenset[bytes] = frozenset()
        self._forms: set[bytes] = set()
        self._made: Matcher | None = None
        for secret in secrets:
            self.add(secret)

    @property
    def empty(self) -> bool:
        """There is nothing to mask."""
        return not self._secrets

    def add(self, secret: str, *, derived: bool = False) -> None:
        """Mask it from here on: as a whole, each line of one that has several, and encoded.

        What is only `derived` from one is not masked encoded where there are many already, nor are
        the shorter lines of one that has very many.
        """
        from gxo.runtime.forms import encoded, plain

        fresh = plain(secret) - self._secrets
        if fresh:
            self._secrets |= fresh
            self._forms |= fresh
            if not derived or len(self._secrets) <= _MOST_DERIVED:
                longest = sorted(fresh, key=len, reverse=True)[:_MOST_LINES]
                self._forms.update(*map(encoded, longest))
            self._made = None

    def join(self, other: "Redactor") -> None:
        """Mask from here on also what another one masks."""
        self._secrets |= other._secrets
        self._forms |= other._forms
        self._made = None

    @property
    def forms(self) -> frozenset[bytes]:
        """All that is masked: the secrets, and each as it may be encoded."""
        return frozenset(self._forms)

    @property
    def matcher(self) -> Matcher | None:
        """What finds them; None while there are none."""
        if self._made is None and self._secrets:
            self._made = Matcher(self._forms, fastest)
        return self._made

    def raw(self, data: bytes) -> bytes:
        """The data with a mask in the place of each secret; of those that overlap, one for all."""
        found = self.matcher
        return data if found is None else found.masked(data)

    def text(self, text: str) -> str:
        if not self._secrets:
            return text
        return self.raw(text.encode("utf-8", "surrogateescape")).decode("utf-8", "replace")

    def cut(self, text: str) -> str:
        """As `text`, of one that was cut: what may begin a secret goes from its end."""
        found = self.matcher
        data = text.encode("utf-8", "surrogateescape")
        return (data if found is None else found.sure(data)).decode("utf-8", "replace")

    def holds(self, text: str) -> bool:
        """Whether there is a secret in it, as it is."""
        data = text.encode("utf-8", "surrogateescape")
        return any(secret in data for secret in self._secrets)

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


class Stream(matcher.Stream):
    """One stream through a redactor: a secret is masked also where two chunks share it."""

    def __init__(self, redactor: Redactor) -> None:
        super().__init__(lambda: redactor.matcher)


def fastest(heads: Sequence[bytes]) -> Find:
    """All heads in one pass where the library for that is there, else each by itself.

    No Debian packages it: a gxo beside the system's own Python goes without.
    """
    try:
        from ahocorasick_rs import BytesAhoCorasick, Implementation
    except ImportError:
        return by_search(heads)
    kinds = Implementation
    kind = kinds.DFA if len(heads) <= _MOST_AT_ONCE else kinds.ContiguousNFA
    automaton = BytesAhoCorasick(heads, implementation=kind)
    return lambda data: automaton.find_matches_as_indexes(data, overlapping=True)

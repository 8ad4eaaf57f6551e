"""Capture: what a step writes, redacted, line by line to the journal and bounded in memory."""

from collections.abc import Callable

from gxo.runtime.redact import Redactor, Stream

KEPT = 1 << 20
"""Bytes of an output that its summary keeps; the journal has all of it."""
LONGEST = 48 * 1024
"""Bytes of a line after which journald would cut it too (LineMax=, journald.conf(5))."""


class Capture:
    """One output of a step. `line` gets each line once it is complete, without its line break."""

    def __init__(self, redactor: Redactor, line: Callable[[str], None]) -> None:
        self.total = 0
        self._stream = Stream(redactor)
        self._line = line
        self._kept = bytearray()
        self._open = bytearray()

    def feed(self, chunk: bytes) -> None:
        """Take the next bytes; none of them means the end of the file."""
        said = self._stream.feed(chunk) if chunk else self._stream.end()
        self.total += len(said)
        self._kept += said[: max(KEPT - len(self._kept), 0)]
        self._open += said
        *lines, rest = self._open.split(b"\n")
        while len(rest) > LONGEST:
            lines.append(rest[:LONGEST])
            rest = rest[LONGEST:]
        self._open = rest
        if not chunk and rest:
            lines.append(rest)
            self._open = bytearray()
        for line in lines:
            self._line(line.decode("utf-8", "replace"))

    @property
    def text(self) -> str:
        """What is kept of it, without the last line break."""
        return self._kept.decode("utf-8", "replace").removesuffix("\n")

    @property
    def cut(self) -> bool:
        """Whether some of it is not kept."""
        return self.total > len(self._kept)


class Answer:
    """What a worker writes for the runner: data, not text, but bounded all the same.

    Its last line is the answer; `told` gets every line.
    """

    LONGEST = 8 << 20
    """Bytes: a text of KEPT takes six times that where each of its characters is escaped."""

    def __init__(self, told: Callable[[str], None]) -> None:
        self.cut = False
        self._told = told
        self._last = b""
        self._open = bytearray()

    def feed(self, chunk: bytes) -> None:
        """Take the next bytes; none of them means the end of the file."""
        self.cut = self.cut or len(self._open) + len(chunk) > self.LONGEST
        if self.cut:
            return
        self._open += chunk
        if b"\n" not in chunk:
            return
        *lines, self._open = self._open.split(b"\n")
        for line in lines:
            self._told(line.decode("utf-8", "replace"))
        self._last = bytes(lines[-1])

    @property
    def text(self) -> str:
        return "" if self.cut else (self._open or self._last).decode("utf-8", "replace")

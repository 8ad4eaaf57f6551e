"""Streams: the descriptors of a worker's inputs and output, read as they come, counted."""

from __future__ import annotations

import errno
import os
import select
import time

from gxo.modules.fault import ModuleError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator
    from typing import Any

CHUNK = 1 << 18
_EVERY = 0.25


class Aside:
    """A queue of bytes in a file without a name, for an input that is read before its turn."""

    def __init__(self, directory: str) -> None:
        self._directory = directory
        self._file: int | None = None
        self._kept = 0
        self._taken = 0

    @property
    def waits(self) -> bool:
        """Whether there is something to take."""
        return self._taken < self._kept

    def put(self, data: bytes) -> None:
        if self._file is None:
            self._file = _nameless(self._directory)
        done = 0
        while done < len(data):
            done += os.pwrite(self._file, data[done:], self._kept + done)
        self._kept += len(data)

    def take(self) -> bytes:
        """The next bytes. The file is emptied with the last of them."""
        assert self._file is not None
        data = os.pread(self._file, min(CHUNK, self._kept - self._taken), self._taken)
        self._taken += len(data)
        if not self.waits:
            os.ftruncate(self._file, 0)
            self._kept = self._taken = 0
        return data


def _nameless(directory: str) -> int:
    try:
        return os.open(directory, os.O_TMPFILE | os.O_RDWR | os.O_CLOEXEC, 0o600)
    except OSError as error:
        if error.errno not in (errno.EOPNOTSUPP, errno.EISDIR):
            raise
    from tempfile import TemporaryFile

    with TemporaryFile(dir=directory) as file:
        return os.dup(file.fileno())


class Input:
    """One input. `bytes` counts what was read, laid aside or not; `records` those that were taken,
    and is None where nobody counts them.
    """

    def __init__(self, name: str, descriptor: int, aside: Aside | None = None) -> None:
        self.name = name
        self.descriptor = descriptor
        self.bytes = 0
        self.records: int | None = None
        self.ended = False
        self._aside = aside

    def read(self) -> bytes:
        """Bytes from the pipe; none at its end."""
        data = os.read(self.descriptor, CHUNK)
        self.bytes += len(data)
        if not data:
            self.ended = True
            os.close(self.descriptor)
        return data

    def lay_aside(self) -> None:
        """Read bytes into the queue, so that their writer can go on."""
        assert self._aside is not None
        self._aside.put(self.read())

    @property
    def at_hand(self) -> bool:
        """Whether `next` need not wait."""
        return self.ended or (self._aside is not None and self._aside.waits)

    def next(self) -> bytes:
        """The next bytes, from the queue or the pipe; none at the end."""
        if self._aside is not None and self._aside.waits:
            return self._aside.take()
        return b"" if self.ended else self.read()

    def counts(self) -> dict[str, int | None]:
        return {"bytes": self.bytes, "records": self.records}


class Streams:
    """All streams of one worker; `told` is the descriptor on which it reports progress."""

    def __init__(
        self,
        inputs: Collection[tuple[str, int]],
        output: int | None,
        *,
        spool: str | None = None,
        told: int | None = None,
    ) -> None:
        """`spool`: the directory of what is laid aside, None where nothing is."""
        self.inputs = [
            Input(name, descriptor, None if spool is None else Aside(spool))
            for name, descriptor in inputs
        ]
        self.output = output
        self.bytes = 0
        self.records: int | None = None
        self._spools = spool is not None
        self._last = -1
        self._told = told
        self._next = time.monotonic() + _EVERY

    def chunks(
        self,
        wanted: Callable[[Collection[int]], Collection[int]],
        due: Callable[[], float | None],
    ) -> Iterator[tuple[int, bytes]]:
        """What comes of the inputs that are wanted, by their numbers; nothing is an input's end.

        The number is -1 when something is due, by the clock of time.time().
        """
        left = set(range(len(self.inputs)))
        while left:
            want = set(wanted(left))
            port = next((p for p in sorted(want) if self.inputs[p].at_hand), None)
            if port is None:
                port = self._await(left, want, due())
            if port is None:
                yield -1, b""
                continue
            data = self.inputs[port].next()
            if not data:
                left.discard(port)
            yield port, data
            self.tell()

    def _await(self, left: set[int], want: set[int], due: float | None) -> int | None:
        """One that is wanted and has something to read, each in its turn; None when it is due.

        Those not wanted are laid aside meanwhile.
        """
        poll = select.poll()
        ports = {
            self.inputs[port].descriptor: port
            for port in (left if self._spools else want)
            if not self.inputs[port].ended
        }
        for descriptor in ports:
            poll.register(descriptor, select.POLLIN)
        while True:
            wait = None if due is None else max((due - time.time()) * 1000, 0)
            ready = [(descriptor, ports[descriptor]) for descriptor, _ in poll.poll(wait)]
            if not ready:
                return None
            for descriptor, port in ready:
                if port not in want:
                    self.inputs[port].lay_aside()
                    if self.inputs[port].ended:
                        poll.unregister(descriptor)
            found = [port for _, port in ready if port in want]
            if found:
                self._last = min(found, key=lambda port: (port <= self._last, port))
                return self._last

    def whole(self) -> Iterator[bytes]:
        """All inputs, one after the other."""
        for _, data in self.chunks(lambda ports: [min(ports)], lambda: None):
            if data:
                yield data

    def write(self, data: bytes, records: int | None = None) -> None:
        """Hand on; ModuleError where nobody reads any more."""
        assert self.output is not None
        view = memoryview(data)
        while view:
            try:
                done = os.write(self.output, view)
            except BlockingIOError:
                select.select((), (self.output,), ())
                continue
            except BrokenPipeError:
                raise ModuleError("what reads its stream has ended") from None
            view = view[done:]
            self.bytes += done
        if records is not None:
            self.records = (self.records or 0) + records

    def counts(self) -> dict[str, Any]:
        """What has gone through so far, as progress and answer report it."""
        return {
            "in": {one.name: one.counts() for one in self.inputs},
            "out": {"bytes": self.bytes, "records": self.records},
        }

    def tell(self) -> None:
        """Report progress, if it is time to."""
        if self._told is None or time.monotonic() < self._next:
            return
        import json

        self._next = time.monotonic() + _EVERY
        os.write(self._told, json.dumps({"progress": self.counts()}).encode() + b"\n")

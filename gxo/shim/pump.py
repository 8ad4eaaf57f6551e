"""Pump: gives one stream to several readers, or drops lines for which a reader has no room.

Its standard input is the stream, a pipe. Its arguments are whom to become, `USER:GROUP` by number,
and one for each reader, `DESCRIPTOR:POLICY:SIZE`: the writer of its pipe, what happens where that
is full, and how many bytes may wait for it (0: as many as its pipe holds). Its standard output
tells, a line each, `counts BYTES RECORDS` of the source with `BYTES:RECORDS:DROPPED` of each reader
(`-`: not known), and last how it ended: `ok` at the end of the stream, `gone N` or `full N` for the
reader that ended it, or `failed WHY`.
"""

import _signal  # type: ignore[import-not-found]  # `signal` takes longer to load than this to run
import ctypes
import fcntl
import os
import select
import sys
from collections import deque
from collections.abc import Iterable, Sequence
from contextlib import suppress
from itertools import islice
from time import monotonic

_LIBC = ctypes.CDLL(None, use_errno=True)
_LIBC.tee.argtypes = (ctypes.c_int, ctypes.c_int, ctypes.c_size_t, ctypes.c_uint)
_OFTEN = 0.25  # seconds between two reports
_CHUNK = 1 << 16
_ALL = 1 << 30
_AT_ONCE = os.SPLICE_F_NONBLOCK
_BATCH = 256  # lines of a ring in one write
_TOLD, _SOURCE = 1, 0


class Ended(Exception):
    """The stream ends before its end; the text is the pump's last word."""


class Count:
    """The bytes and records that have passed one place, and those dropped there."""

    def __init__(self) -> None:
        self.bytes = self.records = self.dropped = 0
        self._open = False

    def add(self, data: bytes) -> None:
        """These bytes have passed."""
        self.bytes += len(data)
        self.records += data.count(b"\n")
        self._open = data[-1:] != b"\n" if data else self._open

    def end(self) -> None:
        """Count a last line that has no line break."""
        self.records += self._open


class Report:
    """Tells the runner how far the stream is, without waiting for it until the end."""

    def __init__(self, outlets: int, *, by_lines: bool) -> None:
        self.source = Count()
        self.outlets = [Count() for _ in range(outlets)]
        self._by_lines = by_lines
        self._said = self._counts()
        self._due = 0.0
        os.set_blocking(_TOLD, False)

    def tell(self) -> float | None:
        """Tell what is new if that is due; milliseconds until it is, None where nothing is new."""
        now = monotonic()
        if now < self._due:
            return (self._due - now) * 1000 + 1
        counts = self._counts()
        if counts != self._said:
            self._said, self._due = counts, now + _OFTEN
            with suppress(BlockingIOError):  # the runner is busy: the next one holds it all
                os.write(_TOLD, counts)
        return None

    def end(self, word: str) -> None:
        for count in (self.source, *self.outlets):
            count.end()
        os.set_blocking(_TOLD, True)
        with suppress(BrokenPipeError):
            os.write(_TOLD, self._counts() + word.encode(errors="replace") + b"\n")

    def wait(self, readers: Iterable[int], writers: Iterable[int]) -> set[int]:
        """Those descriptors that are ready; none where the runner is to be told something."""
        poll = select.poll()
        for reader in readers:
            poll.register(reader, select.POLLIN)
        for writer in writers:
            poll.register(writer, select.POLLOUT)
        poll.register(_TOLD, 0)
        ready = {descriptor for descriptor, _ in poll.poll(self.tell())}
        if _TOLD in ready:
            raise SystemExit(1)  # the runner is gone
        return ready

    def _counts(self) -> bytes:
        def said(count: Count) -> object:
            return count.records if self._by_lines else "-"

        each = (f" {count.bytes}:{said(count)}:{count.dropped}" for count in self.outlets)
        return f"counts {self.source.bytes} {said(self.source)}{''.join(each)}\n".encode()


class Sharing:
    """Every reader gets everything: the kernel moves its pages, none comes into this process.

    In rounds: what the source holds is teed into a pipe of each reader's own, and from there goes
    to the reader as it makes room. Only what all have taken is taken from the source, so that the
    writer is never further ahead than without a pump of the slowest reader by the source's pipe.
    """

    def __init__(self, given: Sequence[list[str]], report: Report) -> None:
        self._outlets = [int(writer) for writer, _, _ in given]
        self._report = report
        self._own = _pipes(len(given), fcntl.fcntl(_SOURCE, fcntl.F_GETPIPE_SZ))
        self._null = os.open("/dev/null", os.O_WRONLY)

    def run(self) -> None:
        while size := self._take():
            self._give(size)

    def _take(self) -> int:
        """Bytes that are now in each reader's own pipe, and in the source still; 0: its end."""
        first, *others = (writer for _, writer in self._own)
        while True:
            with suppress(BlockingIOError):
                size = _tee(_SOURCE, first, _ALL)
                break
            self._report.wait([_SOURCE], [])
        for other in others:
            # the same pages into as many places: there is room for neither more nor less
            if size and _tee(_SOURCE, other, size) != size:
                raise Ended("failed to share the stream: one reader got less than another")
        return size

    def _give(self, size: int) -> None:
        left = dict.fromkeys(range(len(self._outlets)), size)
        while left:
            for index, rest in tuple(left.items()):
                left[index] -= self._move(index, rest)
            slowest = max(left.values())
            self._let_go(size - slowest)
            size = slowest
            left = {index: rest for index, rest in left.items() if rest}
            if left:
                self._report.wait([], [self._outlets[index] for index in left])
        self._report.tell()

    def _move(self, index: int, size: int) -> int:
        own, _ = self._own[index]
        try:
            moved = os.splice(own, self._outlets[index], size, flags=_AT_ONCE)
        except BlockingIOError:
            return 0
        except BrokenPipeError:
            raise Ended(f"gone {index}") from None
        self._report.outlets[index].bytes += moved
        return moved

    def _let_go(self, size: int) -> None:
        self._report.source.bytes += size
        while size:
            size -= os.splice(_SOURCE, self._null, size)


def _pipes(count: int, size: int) -> list[tuple[int, int]]:
    """Pipes of one size, `size` if the host allows it: a user with many pipes gets small ones."""
    pipes = [os.pipe() for _ in range(count)]
    for _, writer in pipes * 2:
        with suppress(OSError):
            fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, size)
        size = fcntl.fcntl(writer, fcntl.F_GETPIPE_SZ)
    return pipes


def _tee(source: int, target: int, size: int) -> int:
    """tee(2), which Python has not."""
    done: int = _LIBC.tee(source, target, size, _AT_ONCE)
    if done < 0:
        raise OSError(number := ctypes.get_errno(), os.strerror(number))
    return done


class Copying:
    """Some readers get only what they have room for: by whole lines, never by a part of one."""

    def __init__(self, given: Sequence[list[str]], report: Report) -> None:
        self._outlets = [
            _POLICIES[policy](index, int(writer), int(size), report.outlets[index])
            for index, (writer, policy, size) in enumerate(given)
        ]
        self._report = report

    def run(self) -> None:
        while chunk := self._take():
            self._report.source.add(chunk)
            for outlet in self._outlets:
                outlet.offer(chunk)
        for outlet in self._outlets:
            outlet.end()
        while any(outlet.waits for outlet in self._outlets):
            self._wait([])

    def _take(self) -> bytes:
        """What the source gives next, once no reader holds it up; nothing at its end."""
        while any(outlet.waits and outlet.holds for outlet in self._outlets):
            self._wait([])
        while not self._wait([_SOURCE]):
            pass
        return os.read(_SOURCE, _CHUNK)

    def _wait(self, sources: Sequence[int]) -> bool:
        """Until something can be done; whether there is something to read."""
        found = self._report.wait(sources, [o.writer for o in self._outlets if o.waits])
        for outlet in self._outlets:
            outlet.flush()
        return _SOURCE in found


class Outlet:
    """A reader's pipe that takes everything, and holds up all until it has."""

    holds = True

    def __init__(self, index: int, writer: int, size: int, count: Count) -> None:
        self.writer = writer
        self._index = index
        self._count = count
        self._room = size or fcntl.fcntl(writer, fcntl.F_GETPIPE_SZ)
        self._begun = b""
        os.set_blocking(writer, False)

    @property
    def waits(self) -> bool:
        """There is something to be written as soon as there is room."""
        return bool(self._begun)

    def offer(self, chunk: bytes) -> None:
        """The source's next bytes."""
        self._begun += chunk
        self.flush()

    def end(self) -> None:
        """The source is at its end."""

    def flush(self) -> None:
        """Write what waits, as far as there is room."""
        self._begun = self._begun[self._write(self._begun) :]

    def _write(self, data: bytes) -> int:
        try:
            done = os.write(self.writer, data) if data else 0
        except BlockingIOError:
            return 0
        except BrokenPipeError:
            raise Ended(f"gone {self._index}") from None
        self._count.add(data[:done])
        return done


class ByLines(Outlet):
    """A reader's pipe that takes whole lines, and loses new ones for which it has no room.

    A line of which some has gone into the pipe is begun, and goes there before anything else. One
    that is longer than what may wait is lost.
    """

    holds = False

    def __init__(self, index: int, writer: int, size: int, count: Count) -> None:
        super().__init__(index, writer, size, count)
        self._part = bytearray()
        self._skips = False

    def offer(self, chunk: bytes) -> None:
        self._put(self._whole(chunk))

    def end(self) -> None:
        rest, self._part = bytes(self._part), bytearray()
        self._put(rest)

    def _put(self, lines: bytes) -> None:
        self.flush()
        if not self.waits:
            lines = self._start(lines)
        self._keep(lines)

    def _start(self, lines: bytes) -> bytes:
        """Write lines, none being begun; those that are not begun then."""
        done = self._write(lines)
        end = (lines.find(b"\n", done - 1) + 1 or len(lines)) if done else 0
        self._begun = lines[done:end]
        return lines[end:]

    def _keep(self, lines: bytes) -> None:
        """There is no room for these now."""
        self._lose(len(_split(lines)))

    def _lose(self, lines: int) -> None:
        self._count.dropped += lines

    def _whole(self, chunk: bytes) -> bytes:
        """The lines that are complete with this chunk, but those that are too long."""
        if self._skips:
            _, end, chunk = chunk.partition(b"\n")
            self._skips = not end
        cut = chunk.rfind(b"\n") + 1
        lines = b""
        if cut:
            lines = bytes(self._part) + chunk[:cut]
            self._part.clear()
        self._part += chunk[cut:]
        if len(self._part) > self._room:
            self._part.clear()
            self._skips = True
            self._lose(1)
        if len(lines) <= self._room:
            return lines
        every = _split(lines)
        short = [line for line in every if len(line) <= self._room]
        self._lose(len(every) - len(short))
        return b"".join(short)


class Strict(ByLines):
    """A reader's pipe that ends the stream with the first line for which it has no room."""

    def _lose(self, lines: int) -> None:
        if lines:
            raise Ended(f"full {self._index}")


class Ring(ByLines):
    """A reader's pipe before which as many lines wait as there is room for: the newest of all."""

    def __init__(self, index: int, writer: int, size: int, count: Count) -> None:
        super().__init__(index, writer, size, count)
        self._lines: deque[bytes] = deque()
        self._held = 0

    @property
    def waits(self) -> bool:
        return bool(self._begun or self._lines)

    def flush(self) -> None:
        super().flush()
        while self._lines and not self._begun:
            batch = tuple(islice(self._lines, _BATCH))
            rest = self._start(b"".join(batch))
            for line in batch[: len(batch) - len(_split(rest))]:
                self._held -= len(line)
                self._lines.popleft()
            if rest:
                break

    def _keep(self, lines: bytes) -> None:
        for line in _split(lines):
            self._lines.append(line)
            self._held += len(line)
        while self._held > self._room:
            self._held -= len(self._lines.popleft())
            self._lose(1)


def _split(data: bytes) -> list[bytes]:
    """Its lines with their ends, which the last may lack."""
    *lines, last = data.split(b"\n")
    return [line + b"\n" for line in lines] + ([last] if last else [])


_POLICIES = {"block": Outlet, "drop_new": ByLines, "drop_oldest": Ring, "error": Strict}


def main(owner: str, *outlets: str) -> int:
    _signal.signal(_signal.SIGTERM, _signal.SIG_IGN)  # a cancelled runner ends it in its own time
    given = [word.split(":") for word in outlets]
    by_lines = any(policy != "block" for _, policy, _ in given)
    report = Report(len(given), by_lines=by_lines)
    work = (Copying if by_lines else Sharing)(given, report)
    if os.geteuid() == 0:  # it was needed for pipes of this size
        user, group = map(int, owner.split(":"))
        os.setgroups([])
        os.setresgid(group, group, group)
        os.setresuid(user, user, user)
    try:
        work.run()
        word = "ok"
    except Ended as error:
        word = str(error)
    except OSError as error:
        word = f"failed to move the stream: {error.strerror}"
    report.end(word)
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))

"""A pump between real pipes, with what writes into it and reads from it."""

import fcntl
import os
import random
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from gxo.runtime.pumps import Counts, End, Outlet, Pump
from gxo.spec.policy import Overflow
from gxo.systemd.bus import Bus
from gxo.systemd.loop import Loop

PAGE = 4096
PIPE = 16 * PAGE
PATIENCE = 30.0


class Rig:
    """A pump between a pipe to write into and one for each reader, and all it has told."""

    def __init__(
        self,
        bus: Bus,
        *overflows: Overflow,
        size: int | None = None,
        pipe: int = PIPE,
        first: bytes = b"",
        over: bool = False,
    ) -> None:
        """`first` is in the source before the pump is there; `over`: and nothing follows."""
        self.loop = Loop(bus)
        source, self.writer = os.pipe()
        os.set_blocking(self.writer, False)
        if first:
            assert os.write(self.writer, first) == len(first)
        if over:
            self.close_writer()
        pipes = [os.pipe() for _ in overflows]
        self.readers = [reader for reader, _ in pipes]
        for _, writer in pipes:
            fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, pipe)
        self.told: list[Counts] = []
        self.ends: list[End] = []
        self.names = [f"{overflow}-{number}" for number, overflow in enumerate(overflows)]
        outlets = tuple(
            Outlet(name, writer, overflow, size)
            for name, (_, writer), overflow in zip(self.names, pipes, overflows, strict=True)
        )
        self.pump = Pump(self.loop, source, outlets, self.told.append, self.ends.append)
        for descriptor in (source, *(writer for _, writer in pipes)):
            os.close(descriptor)

    def __enter__(self) -> "Rig":
        return self

    def __exit__(self, *_: object) -> None:
        self.pump.stop()
        self.wait(lambda: bool(self.ends))
        self.close_writer()
        for reader in self.readers:
            os.close(reader)
        self.loop.close()

    def close_writer(self) -> None:
        if self.writer >= 0:
            os.close(self.writer)
            self.writer = -1

    def wait(self, until: Callable[[], bool]) -> None:
        assert self.loop.run(until, PATIENCE), (self.told[-1:], self.ends)

    def end(self) -> End:
        self.wait(lambda: bool(self.ends))
        (end,) = self.ends
        return end

    def push(self, data: bytes | memoryview) -> int:
        """How much the source takes now."""
        with suppress(BlockingIOError):
            return os.write(self.writer, data)
        return 0

    def push_all(self, data: bytes) -> None:
        rest = memoryview(data)

        def pushed() -> bool:
            nonlocal rest
            rest = rest[self.push(rest) :]
            time.sleep(0.001)
            return not rest

        self.wait(pushed)

    def taken(self, size: int) -> None:
        """Wait until the pump has told that it took as much from the source."""
        self.wait(lambda: bool(self.told) and self.told[-1].bytes >= size)

    def cpu(self) -> float:
        """Seconds of processor that the pump has used."""
        words = Path(f"/proc/{self.pump.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")


def rest_of(reader: int) -> bytes:
    """All to its end."""
    with open(reader, "rb", closefd=False) as file:
        return file.read()


def numbered(count: int, width: int = 100) -> list[bytes]:
    """Lines of the same length, each of which says its number."""
    return [b"%0*d\n" % (width - 1, number) for number in range(count)]


class Reading(threading.Thread):
    """Reads to the end, in pieces and with pauses as its chance has them."""

    def __init__(self, reader: int, seed: int) -> None:
        super().__init__()
        self._reader = reader
        self._chance = random.Random(seed)
        self.got = bytearray()
        self.start()

    def run(self) -> None:
        while chunk := os.read(self._reader, self._chance.choice((1, 100, PAGE, 200_000))):
            self.got += chunk
            if self._chance.random() < 0.02:
                time.sleep(self._chance.random() * 0.01)


class Writing(threading.Thread):
    """Writes all, in pieces and with pauses as its chance has them, and closes."""

    def __init__(self, rig: Rig, data: bytes, seed: int) -> None:
        super().__init__()
        self._rig = rig
        self._data = data
        self._chance = random.Random(seed)
        os.set_blocking(rig.writer, True)
        self.start()

    def run(self) -> None:
        rest = memoryview(self._data)
        while rest:
            size = self._chance.choice((1, 7, 1000, PAGE, PAGE + 1, 100_000))
            rest = rest[os.write(self._rig.writer, rest[:size]) :]
            if self._chance.random() < 0.02:
                time.sleep(self._chance.random() * 0.01)
        self._rig.close_writer()

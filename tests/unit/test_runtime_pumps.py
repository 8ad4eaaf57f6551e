"""A pump over real pipes: who gets what, who waits for whom, and how it ends."""

import errno
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gxo.runtime.pumps import Outlet, Pump
from gxo.spec.policy import Overflow
from gxo.systemd.bus import Bus
from gxo.systemd.loop import Loop
from tests.unit.pumping import PAGE, PATIENCE, PIPE, Reading, Rig, Writing, numbered, rest_of


@pytest.fixture(scope="module")
def bus() -> Iterator[Bus]:
    """A bus of our own: a loop has one, if only to wait beside it."""
    with subprocess.Popen(
        ["dbus-daemon", "--session", "--nofork", "--print-address=1"], stdout=subprocess.PIPE
    ) as daemon:
        assert daemon.stdout is not None
        try:
            with Bus.at(daemon.stdout.readline().decode().strip()) as found:
                yield found
        finally:
            daemon.kill()


def pumped(rig: Rig, data: bytes, seed: int) -> list[bytes]:
    """What each reader gets of this data."""
    writing = Writing(rig, data, seed)
    readings = [Reading(reader, seed + number) for number, reader in enumerate(rig.readers, 1)]
    end = rig.end()
    for thread in (writing, *readings):
        thread.join(PATIENCE)
    assert (end.ok, end.culprit, end.reason) == (True, None, "")
    return [bytes(reading.got) for reading in readings]


@settings(max_examples=15)
@given(seed=st.integers(0, 2**32), count=st.integers(1, 6), pages=st.sampled_from((1, 2, 16, 64)))
def test_every_reader_gets_every_byte(bus: Bus, seed: int, count: int, pages: int) -> None:
    """Whatever the sizes of the pieces and pipes, and whoever is slow for a while."""
    data = random.Random(seed).randbytes(300_000)
    with Rig(bus, *[Overflow.BLOCK] * count, pipe=pages * PAGE) as rig:
        assert pumped(rig, data, seed) == [data] * count
        counts = rig.ends[0].counts
        assert (counts.bytes, counts.records) == (len(data), None)
        assert [(o.bytes, o.records, o.dropped) for o in counts.outlets.values()] == [
            (len(data), None, 0)
        ] * count


@settings(max_examples=15)
@given(
    seed=st.integers(0, 2**32),
    size=st.sampled_from((None, 50, 1000, PIPE)),
    final=st.booleans(),
)
def test_lines_are_whole_in_order_and_counted(
    bus: Bus, seed: int, size: int | None, final: bool
) -> None:
    """A reader that lets lines go gets each other once, and with the lost ones they are all."""
    chance = random.Random(seed)
    lines = [b"%d:%s\n" % (n, b"x" * chance.choice((0, 5, 60, 300))) for n in range(3000)]
    if not final:
        lines[-1] = lines[-1][:-1]
    data = b"".join(lines)
    overflows = (Overflow.DROP_NEW, Overflow.BLOCK, Overflow.DROP_OLDEST)
    with Rig(bus, *overflows, size=size, pipe=PAGE) as rig:
        got = pumped(rig, data, seed)
        counts = rig.ends[0].counts
        assert got[1] == data
        assert (counts.bytes, counts.records) == (len(data), len(lines))
        for name, part in zip(rig.names, got, strict=True):
            kept = part.split(b"\n")
            kept = [line + b"\n" for line in kept[:-1]] + ([kept[-1]] if kept[-1] else [])
            left = iter(lines)
            assert all(line in left for line in kept), "each is a whole one, and in order"
            told = counts.outlets[name]
            assert (told.bytes, told.records) == (len(part), len(kept))
            assert told.dropped == len(lines) - len(kept)


def test_a_stalled_reader_holds_the_writer_within_two_pipes(bus: Bus) -> None:
    """No more is taken than the source and the stalled reader's pipe hold, and without a spin."""
    with Rig(bus, Overflow.BLOCK, Overflow.BLOCK) as rig:
        busy = Reading(rig.readers[0], 1)
        rig.push_all(bytes(2 * PIPE))
        used = rig.cpu()
        more = 0

        def pushing() -> bool:
            nonlocal more
            more += rig.push(b"x")
            return False

        assert not rig.loop.run(pushing, 0.6)
        assert more == 0
        assert rig.cpu() - used < 0.2
        slow = Reading(rig.readers[1], 2)
        rig.close_writer()
        assert rig.end().ok
        busy.join(PATIENCE)
        slow.join(PATIENCE)
        assert busy.got == slow.got == bytes(2 * PIPE)


def test_a_silent_source_costs_nothing(bus: Bus) -> None:
    """Neither way of moving it looks again and again whether there is something."""
    for overflow in (Overflow.BLOCK, Overflow.DROP_OLDEST):
        with Rig(bus, overflow, overflow, first=b"a\n") as rig:
            assert os.read(rig.readers[0], 10) == os.read(rig.readers[1], 10) == b"a\n"
            used = rig.cpu()
            rig.loop.run(lambda: False, 0.6)
            assert rig.cpu() - used < 0.2


def test_drop_new_keeps_what_came_first(bus: Bus) -> None:
    """As many lines as the full pipe of a stalled reader has begun, and none after."""
    lines = numbered(600)
    with Rig(bus, Overflow.DROP_NEW, pipe=PAGE, first=b"".join(lines), over=True) as rig:
        rig.taken(60_000)
        begun = -(-PAGE // 100)
        assert rest_of(rig.readers[0]).splitlines(keepends=True) == lines[:begun]
        end = rig.end()
        assert (end.ok, end.counts.outlets[rig.names[0]].dropped) == (True, 600 - begun)


def test_drop_oldest_keeps_what_came_last(bus: Bus) -> None:
    """What a stalled reader's pipe took at once, and then the newest that there is room for."""
    lines = numbered(600)
    with Rig(
        bus, Overflow.DROP_OLDEST, size=1050, pipe=PAGE, first=b"".join(lines), over=True
    ) as rig:
        rig.taken(60_000)
        begun = -(-PAGE // 100)
        expected = [*lines[:begun], *lines[-10:]]
        assert rest_of(rig.readers[0]).splitlines(keepends=True) == expected
        end = rig.end()
        told = end.counts.outlets[rig.names[0]]
        assert end.ok
        assert (told.records, told.dropped) == (begun + 10, 600 - begun - 10)


def test_error_ends_with_the_reader_that_was_too_slow(bus: Bus) -> None:
    """At the first line for which there is no room; the writer's next write fails."""
    data = b"".join(numbered(600))
    with Rig(bus, Overflow.BLOCK, Overflow.ERROR, pipe=PAGE, first=data) as rig:
        end = rig.end()
        assert (end.ok, end.culprit) == (False, rig.names[1])
        assert end.reason == f"`{rig.names[1]}` reads too slowly: it has no room for more"
        with pytest.raises(BrokenPipeError):
            os.write(rig.writer, b"x")


@pytest.mark.parametrize("overflow", [Overflow.DROP_NEW, Overflow.DROP_OLDEST])
def test_a_line_longer_than_its_room_is_lost_alone(bus: Bus, overflow: Overflow) -> None:
    """It is counted once, whether it comes in one piece or in many; its neighbours get through."""
    long = [b"x" * 300_000 + b"\n", b"y" * 1001 + b"\n", b"z" * 500_000]
    data = b"a\n" + long[0] + b"b\n" + long[1] + b"c" * 999 + b"\n" + long[2]
    with Rig(bus, overflow, size=1000) as rig:
        assert pumped(rig, data, 1) == [b"a\nb\n" + b"c" * 999 + b"\n"]
        counts = rig.ends[0].counts
        assert (counts.records, counts.outlets[rig.names[0]].dropped) == (6, 3)


@pytest.mark.parametrize("overflow", list(Overflow))
def test_a_reader_that_has_gone_is_named(bus: Bus, overflow: Overflow) -> None:
    """All others' pipes are closed, and the writer's next write fails."""
    with Rig(bus, Overflow.BLOCK, overflow) as rig:
        gone, rig.readers[1] = rig.readers[1], os.open("/dev/null", os.O_RDONLY)
        os.close(gone)
        assert not rig.ends, "as long as nothing is to be read, nobody misses it"
        rig.push_all(b"a\n")
        end = rig.end()
        assert (end.ok, end.culprit) == (False, rig.names[1])
        assert end.reason == f"`{rig.names[1]}` ended before it had read all of it"
        assert rest_of(rig.readers[0]) in (b"", b"a\n")
        with pytest.raises(BrokenPipeError):
            os.write(rig.writer, b"x")


def test_a_reader_that_goes_while_another_stalls_is_named(bus: Bus) -> None:
    """It is missed at once, not when the other reads on."""
    with Rig(bus, Overflow.BLOCK, Overflow.BLOCK) as rig:
        rig.push_all(bytes(2 * PIPE))
        gone, rig.readers[1] = rig.readers[1], os.open("/dev/null", os.O_RDONLY)
        os.close(gone)
        assert rig.end().culprit == rig.names[1]


@pytest.mark.parametrize("overflow", [Overflow.BLOCK, Overflow.DROP_NEW])
def test_an_empty_stream_ends_well(bus: Bus, overflow: Overflow) -> None:
    """Each reader sees its end at once, and the pump has done its work."""
    with Rig(bus, overflow, overflow, over=True) as rig:
        assert [rest_of(reader) for reader in rig.readers] == [b"", b""]
        assert rig.end().ok


@pytest.mark.parametrize("overflow", [Overflow.BLOCK, Overflow.DROP_OLDEST])
def test_a_killed_pump_has_not_ended_well(bus: Bus, overflow: Overflow) -> None:
    """Its readers and its writer see that it is gone, and no zombie stays."""
    with Rig(bus, overflow, overflow, first=b"a\n") as rig:
        assert os.read(rig.readers[0], 10) == b"a\n"
        os.kill(rig.pump.pid, signal.SIGKILL)
        end = rig.end()
        assert (end.ok, end.culprit) == (False, None)
        assert end.reason == "the process that moves the stream was killed by SIGKILL"
        assert rest_of(rig.readers[0]) == b""
        with pytest.raises(BrokenPipeError):
            os.write(rig.writer, b"x")
        with pytest.raises(ChildProcessError):
            os.waitpid(rig.pump.pid, 0)


def test_stop_ends_it_once_and_at_once(bus: Bus) -> None:
    """Also while a reader stalls; stopping what has ended does nothing."""
    with Rig(bus, Overflow.BLOCK, first=bytes(PIPE)) as rig:
        rig.pump.stop()
        rig.pump.stop()
        assert not rig.end().ok
        rig.pump.stop()


def test_a_cancel_of_its_runner_is_not_its_own(bus: Bus) -> None:
    """SIGTERM, which systemd sends to all processes of the runner's unit, leaves it at work."""
    with Rig(bus, Overflow.BLOCK, Overflow.BLOCK) as rig:
        rig.push_all(b"a\n")
        assert os.read(rig.readers[0], 10) == b"a\n"
        os.kill(rig.pump.pid, signal.SIGTERM)
        rig.push_all(b"b\n")
        assert os.read(rig.readers[0], 10) == b"b\n"


def test_it_has_no_rights_and_nothing_of_its_runner(bus: Bus) -> None:
    """Neither root's, nor its environment, nor a descriptor but its ends."""
    with Rig(bus, Overflow.BLOCK, Overflow.BLOCK, first=b"a\n") as rig:
        assert os.read(rig.readers[0], 10) == b"a\n"
        own = Path(f"/proc/{rig.pump.pid}")
        status = dict(line.split(":", 1) for line in (own / "status").read_text().splitlines())
        assert os.geteuid() != 0 or "0" not in status["Uid"].split() + status["Gid"].split()
        assert int(status["CapEff"], 16) == int(status["CapPrm"], 16) == 0
        assert (own / "environ").read_bytes() == b""
        its = {path.name: str(path.readlink()) for path in (own / "fd").iterdir()}
        handed_down = {path.name for path in Path("/proc/self/fd").iterdir() if _inherits(path)}
        kinds = sorted(its[name].split(":")[0] for name in its.keys() - handed_down | {"0", "1"})
        assert kinds == ["/dev/null", *["pipe"] * (2 + 2 + 2 * 2)]


def _inherits(path: Path) -> bool:
    """What started the tests has handed this descriptor down to all that they start."""
    with suppress(OSError):
        return os.get_inheritable(int(path.name))
    return False


def test_it_is_told_what_passes_while_it_passes(bus: Bus) -> None:
    """Counts come while data passes, not only at the end, and never go back."""
    with Rig(bus, Overflow.BLOCK, Overflow.BLOCK) as rig:
        readings = [Reading(reader, 1) for reader in rig.readers]
        for _ in range(3):
            before = len(rig.told)
            rig.push_all(b"a" * 1000)
            rig.wait(lambda seen=before: len(rig.told) > seen)  # type: ignore[misc]
        rig.taken(3000)
        sizes = [counts.bytes for counts in rig.told]
        assert sizes == sorted(sizes)
        rig.close_writer()
        rig.end()
        for reading in readings:
            reading.join(PATIENCE)


RUNNER = """\
import os, sys, time
from gxo.runtime.pumps import Outlet, Pump
from gxo.spec.policy import Overflow
class Nobody:
    def watch(self, descriptor, readable):
        pass
outlet = Outlet("a", os.pipe()[1], Overflow.BLOCK, None)
print(Pump(Nobody(), os.pipe()[0], (outlet,), print, print).pid, flush=True)
time.sleep(600)
"""
"""What starts a pump with pipes that never end, and does not look after it."""


def test_it_does_not_outlive_its_runner() -> None:
    """A runner that is killed takes it along, though its pipes stay open."""
    runner = subprocess.Popen([sys.executable, "-c", RUNNER], stdout=subprocess.PIPE, text=True)
    assert runner.stdout is not None
    pump = Path("/proc", runner.stdout.readline().strip())
    deadline = time.monotonic() + PATIENCE
    while b"pump.py" not in (pump / "cmdline").read_bytes():
        assert time.monotonic() < deadline
    runner.kill()
    runner.communicate()
    while _lives(pump):
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_one_that_cannot_be_watched_is_ended(bus: Bus, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where no descriptor is left for it, the process is gone, and so is its report's pipe."""
    started: list[int] = []

    def none_left(pid: int) -> int:
        started.append(pid)
        raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))

    monkeypatch.setattr(os, "pidfd_open", none_left)
    source, reader = os.pipe(), os.pipe()
    outlet = Outlet("a", reader[1], Overflow.BLOCK, None)
    with Loop(bus) as loop:
        free = os.dup(0)
        os.close(free)
        with pytest.raises(OSError, match="Too many open files"):
            Pump(loop, source[0], (outlet,), print, print)
        again = os.dup(0)
    assert again == free
    assert not Path("/proc", str(started[0])).exists()
    for descriptor in (again, *source, *reader):
        os.close(descriptor)


def _lives(process: Path) -> bool:
    with suppress(OSError):
        return (process / "stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    return False

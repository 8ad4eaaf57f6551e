"""What has gone through streams, by whoever counted it."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from gxo.runtime.meter import Meter
from gxo.runtime.pumps import Counts, Passed
from gxo.runtime.store import StreamRow
from gxo.runtime.tally import Edge, Tally

SECOND = 1_000_000


class Watch:
    """A clock that is set, and what was told at which time."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = SECOND
        self.told: list[StreamRow] = []
        monkeypatch.setattr("gxo.runtime.clock.now", lambda: self.now)

    def tell(self, rows: Sequence[StreamRow]) -> None:
        self.told += rows

    def looked(self, tally: Tally) -> list[StreamRow]:
        """What a look a second later tells."""
        self.told.clear()
        self.now += SECOND
        tally.look()
        return self.told


@pytest.fixture
def watch(monkeypatch: pytest.MonkeyPatch) -> Watch:
    return Watch(monkeypatch)


class Set(Meter):
    """One that shows what it was set to."""

    def __init__(self, read: int, written: int) -> None:
        super().__init__(Path("/nowhere"))
        self.read, self.written, self.lives = read, written, True

    def look(self) -> None:
        pass


def tally(watch: Watch, *edges: Edge, **meters: Meter) -> Tally:
    return Tally(edges, meters, watch.tell)


def row(target: str, **known: object) -> StreamRow:
    return StreamRow(source="a", target=target, started=SECOND, **known)  # type: ignore[arg-type]


def test_who_reads_knows_best(watch: Watch) -> None:
    """Before who carries it, and that before who writes; records are theirs who count them."""
    told = tally(watch, ("a", "b"), ("a", "c"), ("a", "d"))
    told.worked("a", {}, (100, 10))
    told.pumped("a", Counts(90, 9, {"b": Passed(80, None), "c": Passed(70, 7), "d": Passed(60)}))
    told.worked("b", {"a": (50, None)}, (0, 0))
    assert watch.looked(told) == [
        row("b", bytes=50, records=10),
        row("c", bytes=70, records=7),
        row("d", bytes=60, records=10),
    ]


def test_what_was_dropped_was_not_read(watch: Watch) -> None:
    """So what was written says nothing of the records that a reader got."""
    told = tally(watch, ("a", "b"))
    told.worked("a", {}, (100, 10))
    told.pumped("a", Counts(100, None, {"b": Passed(60, None, 4)}))
    assert watch.looked(told) == [row("b", bytes=60, dropped=4)]


def test_between_programs(watch: Watch) -> None:
    """What one has written, and when it has ended what the other reads yet; it says `about`."""
    giver, taker = Set(5, 1000), Set(1900, 3)
    told = tally(watch, ("a", "b"), a=giver, b=taker)
    assert watch.looked(told) == [row("b", bytes=1000, about=True)]
    giver.written, taker.read = 3000, 3800
    assert watch.looked(told) == [row("b", bytes=3000, about=True)]
    giver.lives, taker.read = False, 4500
    assert watch.looked(told) == [row("b", bytes=3700, about=True)]
    taker.lives = False
    assert watch.looked(told) == []


def test_a_program_that_nobody_saw(watch: Watch) -> None:
    """Of what was over before the first look nothing is made up."""
    giver, taker = Set(0, 0), Set(900_000, 0)
    giver.lives = False
    told = tally(watch, ("a", "b"), a=giver, b=taker)
    assert watch.looked(told) == [row("b", about=True)]


def test_two_streams_into_one_program(watch: Watch) -> None:
    """What a program of two inputs reads is put down to neither stream alone."""
    one, other, taker = Set(0, 100), Set(0, 50), Set(200, 0)
    told = tally(watch, ("a", "b"), ("c", "b"), a=one, c=other, b=taker)
    assert watch.looked(told)[0] == row("b", bytes=100, about=True)
    one.lives, taker.read = False, 500
    assert watch.looked(told) == []


def test_only_what_is_new_is_told(watch: Watch) -> None:
    """A few times a second at most; the end of a stream at once, and once."""
    told = tally(watch, ("a", "b"))
    told.worked("a", {}, (10, 1))
    assert watch.looked(told) == [row("b", bytes=10, records=1)]
    assert watch.looked(told) == []
    told.worked("a", {}, (20, 2))
    told.look()
    assert watch.told == []
    told.over([("a", "b")])
    assert watch.told == [row("b", bytes=20, records=2, ended=watch.now)]
    watch.now += 1
    told.over([("a", "b")])
    assert len(watch.told) == 1


def test_nothing_steps_back_while_it_runs(watch: Watch) -> None:
    """What who writes has told stands until who reads is further; the end has the exact count."""
    told = tally(watch, ("a", "b"))
    told.worked("a", {}, (100, 10))
    assert watch.looked(told) == [row("b", bytes=100, records=10)]
    told.worked("b", {"a": (70, 7)}, (0, 0))
    assert watch.looked(told) == []
    told.worked("b", {"a": (120, 12)}, (0, 0))
    assert watch.looked(told) == [row("b", bytes=120, records=12)]
    told.worked("b", {"a": (110, 11)}, (0, 0))
    watch.told.clear()
    told.over([("a", "b")])
    assert watch.told == [row("b", bytes=110, records=11, ended=watch.now)]

"""Who is attached to a run gets all that happens, whenever it looks, and holds nobody up."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from gxo.runtime.status import Status
from gxo.runtime.store import EventRow, RunRow, Store
from gxo.runtime.tell import Bell, Listening

MANY = 70_000
"""More than a pipe holds."""


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(tmp_path / "state.db") as opened:
        opened.add(
            RunRow(id="a1", playbook="site", status=Status.PENDING, created=5, spec={"jobs": 2})
        )
        yield opened


def happen(store: Store, bell: Bell, *steps: str) -> None:
    """Something in each of the steps, written down and then told."""
    events = [EventRow(time=1, run="a1", event="step", step=step) for step in steps]
    store.save("a1", [], events)
    for event in events:
        bell.ring(event)


def test_a_reader_that_sleeps(store: Store) -> None:
    """The runner does not wait for it; once awake it gets all, in order, each once."""
    reader, writer = os.pipe()
    bell = Bell(writer)
    with Listening(reader, store, "a1") as listening:
        assert listening.wait(0)
        assert listening.news() == ()
        happen(store, bell, *(f"s{n}" for n in range(MANY)))
        assert listening.wait(60)
        assert [event.step for event in listening.news()] == [f"s{n}" for n in range(MANY)]
        happen(store, bell, "last")
        os.close(writer)
        got = [event.step for event in iter_news(listening)]
    assert got == ["last"]


def iter_news(listening: Listening) -> Iterator[EventRow]:
    """What is left, as who is attached reads it."""
    while listening.wait(60):
        yield from listening.news()
    yield from listening.news()


def test_a_reader_that_went_away(store: Store) -> None:
    """The runner goes on when its reader has gone."""
    reader, writer = os.pipe()
    bell = Bell(writer)
    os.close(reader)
    happen(store, bell, "a", "b")
    os.close(writer)
    assert [event.step for event in store.events("a1")] == ["a", "b"]


def test_nobody_listens(store: Store) -> None:
    """Ringing is harmless where nobody listens, as in a detached run."""
    writer = os.open(os.devnull, os.O_WRONLY)
    happen(store, Bell(writer), "a")
    os.close(writer)
    assert len(store.events("a1")) == 1

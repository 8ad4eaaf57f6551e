"""The state of runs: what is written is read again, by others too, and survives upgrades."""

import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest

from gxo.runtime.status import Status
from gxo.runtime.store import VERSION, EventRow, RunRow, StepRow, Store, StoreError

RUN = RunRow(id="a1", playbook="site", status=Status.PENDING, created=5, spec={"jobs": 2})


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return tmp_path / "gxo" / "state.db"


def test_a_run_and_its_steps(place: Path) -> None:
    """All columns come back, native data among them; a second connection sees each commit."""
    step = StepRow(
        step="build", status=Status.COMPLETED, attempts=2, started=7, ended=9,
        summary={"stdout": "é\n", "list": [1, None, True, 2.5]},
    )  # fmt: skip
    event = EventRow(time=9, run="a1", step="build", event="step", status="Completed")
    with Store(place) as writer, Store(place) as reader:
        writer.add(RUN)
        assert reader.run("a1") == RUN
        writer.update("a1", [replace(event, step="")], status=Status.RUNNING, started=6)
        writer.save("a1", [step], [event])
        assert reader.run("a1") == replace(RUN, status=Status.RUNNING, started=6)
        assert reader.steps("a1") == (step,)
        first, second = reader.events("a1")
        assert (first, second) == (replace(event, step="", number=1), replace(event, number=2))
        assert reader.events("a1", after=1) == (second,)
        assert reader.run("a2") is None


def test_the_newest_runs(place: Path) -> None:
    """Newest first, as many as asked for, of the statuses asked for."""
    with Store(place) as store:
        for number, status in enumerate((Status.FAILED, Status.RUNNING, Status.COMPLETED)):
            store.add(replace(RUN, id=f"r{number}", created=number, status=status))
        assert [run.id for run in store.runs()] == ["r2", "r1", "r0"]
        assert [run.id for run in store.runs(1)] == ["r2"]
        assert [run.id for run in store.runs(statuses=[Status.RUNNING, Status.FAILED])] == [
            "r1",
            "r0",
        ]


def test_the_oldest_are_forgotten(place: Path) -> None:
    """Of those that have ended, with their steps and events; one that runs stays."""
    with Store(place) as store:
        for number, status in enumerate((Status.RUNNING, Status.FAILED, Status.COMPLETED)):
            run = replace(RUN, id=f"r{number}", created=number, status=status)
            store.add(run)
            event = EventRow(time=1, run=run.id, event="run")
            store.save(run.id, [StepRow(step="s", status=Status.RUNNING)], [event])
        store.trim(1)
        assert [run.id for run in store.runs()] == ["r2", "r0"]
        assert (store.steps("r1"), store.events("r1")) == ((), ())
        assert (len(store.steps("r0")), len(store.events("r2"))) == (1, 1)


def test_only_its_owner_reads_it(place: Path) -> None:
    """Summaries are nobody else's."""
    with Store(place):
        assert place.stat().st_mode & 0o777 == 0o600
        assert {path.stat().st_mode & 0o077 for path in place.parent.iterdir()} == {0}


def test_state_of_a_newer_gxo(place: Path) -> None:
    """It is refused with both versions, and left as it is."""
    with Store(place):
        pass
    with sqlite3.connect(place) as db:
        db.execute(f"PRAGMA user_version = {VERSION + 1}")
    with pytest.raises(StoreError) as caught:
        Store(place)
    reason = f"its version is {VERSION + 1}, newer than this gxo's {VERSION}"
    assert str(caught.value) == f"cannot open {place}: {reason}"


def test_state_that_is_none(place: Path) -> None:
    """A file that is no database is an error that names it."""
    place.parent.mkdir()
    place.write_text("not a database, but long enough to be taken for one" * 50)
    with pytest.raises(StoreError, match=f"cannot open {place}: file is not a database"):
        Store(place)

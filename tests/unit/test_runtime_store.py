"""The state of runs: what is written is read again, by others too, and survives upgrades."""

import sqlite3
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from gxo.dataclass import replace
from gxo.runtime.artifacts import Artifacts
from gxo.runtime.forget import beyond, forget, too_many
from gxo.runtime.status import Status
from gxo.runtime.store import (
    VERSION,
    Ended,
    EventRow,
    RunRow,
    StepRow,
    Store,
    StoreError,
    TooManyRuns,
)

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


def test_what_a_power_cut_must_not_take(place: Path) -> None:
    """A run's begin and its end are on disk when the call returns; no step waits for that."""
    found: list[int] = []
    with Store(place) as store:
        level = store._db.cursor()

        def look(statement: str) -> None:
            if statement == "COMMIT":
                found.append(level.execute("PRAGMA synchronous").fetchone()[0])

        store._db.set_trace_callback(look)
        store.add(RUN)
        store.update("a1", status=Status.RUNNING)
        store.save("a1", [StepRow(step="build", status=Status.RUNNING)])
        store.update("a1", status=Status.COMPLETED)
        store.save("a1", [StepRow(step="late", status=Status.RUNNING)])
    normal, full = 1, 2
    assert found == [full, normal, normal, full, normal]


def test_only_one_run_is_read_whole(place: Path) -> None:
    """By its id, which is found by how it begins; a list has all else of each."""
    with Store(place) as store:
        for name in ("a1", "a2", "b%"):
            store.add(replace(RUN, id=name))
        assert (store.named("a"), store.named("b"), store.named("%")) == (("a1", "a2"), ("b%",), ())
        assert (store.named("a1"), len(store.named(""))) == (("a1",), 2)
        assert replace(RUN, spec={}) in store.runs()
        assert store.run("a1") == RUN


def test_what_is_forgotten(place: Path) -> None:
    """Goes with its steps and events; what has ended is told of the newest first."""
    with Store(place) as store:
        for number, status in enumerate((Status.RUNNING, Status.FAILED, Status.COMPLETED)):
            run = replace(RUN, id=f"r{number}", created=number, ended=number * 10, status=status)
            store.add(run)
            event = EventRow(time=1, run=run.id, event="run")
            store.save(run.id, [StepRow(step="s", status=Status.RUNNING)], [event])
        assert [(run.id, run.ended) for run in store.ended()] == [("r2", 20), ("r1", 10)]
        artifacts = Artifacts(place.with_name("kept"))
        (artifacts.place / "r1").mkdir(parents=True)
        (artifacts.place / "r2").mkdir()
        forget(store, artifacts, ["r1"])
        assert artifacts.runs() == ("r2",)
        assert [run.id for run in store.runs()] == ["r2", "r0"]
        assert (store.steps("r1"), store.events("r1")) == ((), ())
        assert (len(store.steps("r0")), len(store.events("r2"))) == (1, 1)


def test_no_more_runs_than_there_may_be(place: Path) -> None:
    """Those of other playbooks do not count, nor those that have ended or pause."""
    with Store(place) as store:
        for number, status in enumerate((Status.PENDING, Status.RUNNING, Status.PAUSED)):
            store.add(replace(RUN, id=f"r{number}", created=number, status=status))
        store.add(replace(RUN, id="other", playbook="other"), most=1)
        store.add(replace(RUN, id="done", status=Status.FAILED))
        with pytest.raises(TooManyRuns) as caught:
            store.add(replace(RUN, id="new"), most=2)
        said = "cannot run `site`: 2 runs are under way (r0, r1), as many as its `max_runs` allows"
        assert str(caught.value) == f"{said}; try again when one has ended"
        assert store.run("new") is None
        store.update("r0", status=Status.COMPLETED)
        store.add(replace(RUN, id="new"), most=2)


def test_runs_that_come_at_once(place: Path) -> None:
    """Of many that start in the same moment, as many are let as there may be, and no more."""
    with Store(place):
        pass
    ready = threading.Barrier(8)

    def start(number: int) -> bool:
        with Store(place) as store:
            ready.wait(30)
            try:
                store.add(replace(RUN, id=f"r{number}"), most=3)
            except TooManyRuns:
                return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(start, range(8))) == 3


def test_what_is_kept_by_itself() -> None:
    """The newest thousand, of which no workload's instances are more than a hundred."""
    ended = [Ended(f"r{n}", "site", "job" if n < 300 else "", 0) for n in range(2000)]
    gone = [run.id for run in too_many(ended)]
    assert gone == [f"r{n}" for n in (*range(100, 300), *range(1200, 2000))]


def test_what_a_user_lets_go() -> None:
    """All but the newest; where an age is given, of those only what is older."""
    ended = [Ended(f"r{n}", "site", "", 100 - n) for n in range(5)]
    assert [run.id for run in beyond(ended, keep=3, before=None)] == ["r3", "r4"]
    assert [run.id for run in beyond(ended, keep=3, before=97)] == ["r4"]
    assert [run.id for run in beyond(ended, keep=0, before=99)] == ["r2", "r3", "r4"]


def test_only_its_owner_reads_it(place: Path) -> None:
    """Only root may read the state: summaries are nobody else's."""
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

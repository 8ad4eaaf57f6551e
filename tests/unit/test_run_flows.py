"""Streams of a run for people and programs: how much went through each, and how fast."""

from pathlib import Path

import pytest

from gxo.cli.attach import _Json, _Lines
from gxo.cli.flows import Flows, Speed, amount, pace
from gxo.cli.picture import Picture
from gxo.plan import draw
from gxo.plan.model import Edge, EdgeKind
from gxo.runtime.names import RunNames
from gxo.runtime.record import Record
from gxo.runtime.redact import Redactor
from gxo.runtime.status import Status
from gxo.runtime.store import RunRow, Store, StreamRow
from tests.schemas import held
from tests.unit.units_plans import SPAN, once, plan

RUN = "0141d9b3e1dd"
SECOND = 1_000_000
EDGE = ("make", "use")


def row(
    size: int, records: int | None = None, *, ended: float | None = None, dropped: int = 0,
    about: bool = False, source: str = "make",
) -> StreamRow:  # fmt: skip
    """A stream that began one second in."""
    return StreamRow(
        source=source, target="use", started=SECOND, bytes=size, records=records, dropped=dropped,
        ended=None if ended is None else round(ended * SECOND), about=about,
    )  # fmt: skip


def seen(*rows: StreamRow) -> Flows:
    """As they were a second after each other, the first two seconds in."""
    flows = Flows()
    for number, each in enumerate(rows, 2):
        flows.see(number * SECOND, [each])
    return flows


def test_no_speed_of_what_nobody_has_counted() -> None:
    """Neither while nothing is known of it, nor where nothing ever was."""
    assert seen(row(0, about=True), row(0, about=True)).speed(EDGE) is None
    assert seen(row(0, about=True), row(0, about=True, ended=2)).speed(EDGE) is None


def test_no_speed_is_below_nothing() -> None:
    """Also where who reads a stream tells later, and of less, than a pump that carries it."""
    assert seen(row(9000, 90), row(4000, 40)).speed(EDGE) == Speed(2000.0, 20.0)
    flows = seen(row(0), row(0), row(9000, 90), row(4000, 40), row(4000, 40))
    found = flows.speed(EDGE)
    assert found is not None
    assert (found.bytes, found.records) == (0, 0)


@pytest.mark.parametrize(
    ("stream", "said"),
    [
        (row(0), "0 B"),
        (row(999, 1), "999 B, 1 record"),
        (row(1000, 999), "1.00 kB, 999 records"),
        (row(12_345, 1250), "12.3 kB, 1.25 k records"),
        (row(999_499_999, 0), "999 MB, 0 records"),
        (row(999_500_000), "1.00 GB"),
        (row(10_000_000_000_000_000), "10000 TB"),
        (row(5000, 3, dropped=1), "5.00 kB, 3 records, 1 line dropped"),
        (row(5000, about=True), "about 5.00 kB"),
        (row(0, about=True), "nothing yet"),
        (row(0, about=True, ended=2), "not counted"),
        (row(5000, 3, dropped=2000), "5.00 kB, 3 records, 2.00 k lines dropped"),
    ],
)
def test_how_much(stream: StreamRow, said: str) -> None:
    """Amounts have three digits, beside what was counted."""
    assert amount(stream) == said


def test_how_fast_of_late() -> None:
    """Over the last two seconds, from its beginning where that is later; a stall is seen."""
    assert seen(row(100)).speed(EDGE) == Speed(100, None)
    flows = seen(row(1000, 10), row(2000, 20), row(6000, 60))
    assert flows.speed(EDGE) == Speed(2500, 25)
    for later in (5, 6):
        flows.see(later * SECOND, [row(6000, 60)])
    assert flows.speed(EDGE) == Speed(0, 0)
    assert pace(flows.speed(EDGE)) == "0 B/s, 0 records/s"


def test_how_fast_on_the_whole() -> None:
    """Once it is over, whenever anybody looks; nothing where no time has passed."""
    assert seen(row(1000), row(9000, ended=5)).speed(EDGE) == Speed(2250, None)
    assert pace(seen(row(9000, ended=1)).speed(EDGE)) == ""


@pytest.mark.parametrize(("plain", "arrow"), [(False, "⇐"), (True, "<=")])
def test_on_a_terminal(plain: bool, arrow: str) -> None:
    """Under the step that reads, a line for each it reads of."""
    picture = Picture(RUN, "build", ["make", "other", "use"], plain=plain)
    picture.flow(3 * SECOND, [row(4_000_000, 40), row(10, source="other", about=True)])
    lines = ["".join(cell.text for cell in line) for line in picture.lines(0, (80, 24))]
    assert lines[3:] == [
        f"  {'.' if plain else '·'} use  ",
        f"      {arrow} make  4.00 MB, 40 records, 2.00 MB/s, 20 records/s",
        f"      {arrow} other  about 10 B, 5 B/s",
    ]


def test_a_terminal_that_is_small() -> None:
    """What is read takes room of its own: nothing is cut off at the bottom."""
    picture = Picture(RUN, "build", ["make", "a", "b", "use"])
    picture.flow(3 * SECOND, [row(1), row(1, source="a"), row(1, source="b")])
    assert len(picture.lines(0, (80, 7))) <= 7


def test_as_lines(capsys: pytest.CaptureFixture[str]) -> None:
    """A stream has one line, once it has ended."""
    lines = _Lines("build")
    lines.show([], [row(10)])
    for _ in range(2):
        lines.show([], [row(3000, 30, ended=3, dropped=2)])
    assert capsys.readouterr().out == (
        "  streamed  make => use: 3.00 kB, 30 records, 2 lines dropped  1.50 kB/s, 15 records/s\n"
    )


def test_as_json(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Events once a second where there is something new, and at its end, as the schema has them."""
    now = [0.0]
    monkeypatch.setattr("gxo.runtime.clock.now", lambda: round(now[0] * SECOND))
    view = _Json(RunNames(run=RUN, playbook="build"))
    for at, stream in (
        (2, row(100)), (2.5, row(200)), (3, row(300)), (4, row(300)), (4.1, row(400, 4, ended=4)),
    ):  # fmt: skip
        now[0] = at
        view.show([], [stream])
    told = [held("event", line) for line in capsys.readouterr().out.splitlines()]
    assert [(e["time"] / SECOND, e["status"], e["stream"]["bytes"]) for e in told] == [
        (2, "Running", 100),
        (3, "Running", 300),
        (4, "Completed", 400),
    ]
    assert {(e["run"], e["playbook"], e["event"], e["step"]) for e in told} == {
        (RUN, "build", "stream", "use")
    }
    assert told[-1]["stream"] == {
        "source": "make",
        "target": "use",
        "bytes": 400,
        "records": 4,
        "dropped": 0,
        "about": False,
        "bytes_per_second": 133,
        "records_per_second": 1,
    }
    assert told[0]["stream"]["records_per_second"] is None


def test_drawn() -> None:
    """What went through a stream stands at its edge, in each form."""
    drawn = plan(once("make"), once("use"), edges=(Edge("make", "use", EdgeKind.STREAM, SPAN),))
    flows = {EDGE: "1.00 GB"}
    assert "[stream 1.00 GB]" in draw.text(drawn, flows=flows)
    assert r'[label="stream\n1.00 GB", style=bold]' in draw.dot(drawn, flows=flows)
    assert "==>|stream<br/>1.00 GB|" in draw.mermaid(drawn, flows=flows)


def test_what_is_kept(tmp_path: Path) -> None:
    """Each stream's newest state, until its run is forgotten."""
    with Store(tmp_path / "state.db") as store:
        store.add(RunRow(id=RUN, playbook="build", status=Status.RUNNING, created=1))
        record = Record(store, RUN, Redactor(), lambda _: None)
        other = row(7, 2, ended=2, about=True, dropped=3, source="other")
        record.flow([row(1), other])
        record.flow([row(2)])
        assert store.streams(RUN) == (row(2), other)
        store.forget([RUN])
        assert store.streams(RUN) == ()

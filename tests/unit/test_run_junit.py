"""The JUnit report of a run: well-formed whatever the run says, and never green for a red run."""

import os
from contextlib import suppress
from pathlib import Path
from threading import Event, Thread
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gxo.cli.exits import Failure
from gxo.cli.junit import Case, _write, cases, check, document
from gxo.dataclass import replace
from gxo.runtime.status import Status
from gxo.runtime.store import EventRow, RunRow, StepRow

RUN = RunRow(
    id="0141d9b3e1dd", playbook="build", status=Status.FAILED, created=1_000_000, started=2_000_000,
    ended=5_500_000, spec={},
)  # fmt: skip


def row(step: str, status: Status, iteration: int = -1, detail: str = "") -> StepRow:
    return StepRow(
        step=step, status=status, iteration=iteration, started=2_000_000, ended=2_250_000,
        detail=detail,
    )  # fmt: skip


def test_a_report() -> None:
    """The whole of it: what passed, failed with its last lines, was skipped, never started."""
    rows = [
        row("use", Status.SKIPPED),
        row("fetch", Status.COMPLETED),
        row("each", Status.FAILED, detail="it exited with status 7"),
        row("each", Status.COMPLETED, 0),
        row("each", Status.FAILED, 1, "it exited with status 7"),
    ]
    said = EventRow(
        time=1, run=RUN.id, event="output", step="each", iteration=1, detail="<no>\n]]> route"
    )
    found = tuple(cases(RUN, ["fetch", "each", "use", "last"], rows, [said]))
    assert document(RUN, found).decode() == (
        "<?xml version='1.0' encoding='utf-8'?>\n"
        '<testsuites name="gxo" tests="5" failures="1" errors="0" skipped="2" time="3.500">\n'
        '  <testsuite name="build" id="0141d9b3e1dd" timestamp="1970-01-01T00:00:02" tests="5"'
        ' failures="1" errors="0" skipped="2" time="3.500">\n'
        "    <properties>\n"
        '      <property name="run" value="0141d9b3e1dd" />\n'
        '      <property name="status" value="Failed" />\n'
        "    </properties>\n"
        '    <testcase classname="build" name="fetch" time="0.250" />\n'
        '    <testcase classname="build" name="each[0]" time="0.250" />\n'
        '    <testcase classname="build" name="each[1]" time="0.250">\n'
        '      <failure message="it exited with status 7" type="Failed">'
        "&lt;no&gt;\n]]&gt; route</failure>\n"
        "    </testcase>\n"
        '    <testcase classname="build" name="use" time="0.250">\n'
        '      <skipped message="skipped" />\n'
        "    </testcase>\n"
        '    <testcase classname="build" name="last" time="0.000">\n'
        '      <skipped message="it never started" />\n'
        "    </testcase>\n"
        "  </testsuite>\n"
        "</testsuites>\n"
    )


@pytest.mark.parametrize(
    ("status", "rows", "expected"),
    [
        (Status.COMPLETED, [row("a", Status.COMPLETED)], [("a", "")]),
        (Status.FAILED, [row("a", Status.FAILED)], [("a", "failure")]),
        (Status.CANCELLED, [row("a", Status.CANCELLED)], [("a", "error")]),
        (Status.CANCELLED, [], [("a", "skipped"), ("run", "error")]),
        (Status.FAILED, [row("a", Status.COMPLETED)], [("a", ""), ("run", "failure")]),
        # a loop that could not be made, and one that had nothing to do
        (Status.FAILED, [row("a", Status.FAILED, detail="no list")], [("a", "failure")]),
        (Status.COMPLETED, [row("a", Status.COMPLETED)], [("a", "")]),
        # cut off between two items
        (
            Status.FAILED,
            [row("a", Status.FAILED), row("a", Status.COMPLETED, 0)],
            [("a", "failure"), ("a[0]", "")],
        ),
    ],
)
def test_what_counts(status: Status, rows: list[StepRow], expected: list[tuple[str, str]]) -> None:
    """A run that did not complete has a case that says so."""
    found = cases(replace(RUN, status=status), ["a"], rows, [])
    assert [(case.name, case.outcome) for case in found] == expected


@given(st.text(), st.text(st.characters()), st.sampled_from(Status))
def test_it_is_well_formed(text: str, words: str, status: Status) -> None:
    """Whatever characters stand in it, lone halves of pairs among them; what XML has stays."""
    hostile = text + "\ud800\x00\x1b]]>\ufffe"
    data = document(
        replace(RUN, playbook=hostile), [Case(hostile, status, 1.0, hostile, words + hostile)]
    )
    (case,) = ElementTree.fromstring(data).iter("testcase")
    assert case.attrib["name"].endswith("\ufffd\ufffd\ufffd]]>\ufffd")


def test_writing(tmp_path: Path) -> None:
    """The old file or the new one, readable as others are, and nothing beside it."""
    file = tmp_path / "out.xml"
    file.write_text("old")
    _write(file, b"new")
    assert file.read_bytes() == b"new"
    assert list(tmp_path.iterdir()) == [file]
    other = tmp_path / "other"
    other.touch()
    assert file.stat().st_mode == other.stat().st_mode


def test_the_owner_of_the_directory_changes_it(tmp_path: Path) -> None:
    """A link put in place of the file being written makes nothing else readable."""
    secret = tmp_path / "secret"
    secret.touch(mode=0o600)
    beside = tmp_path / "out"
    beside.mkdir()

    def swap() -> None:
        while not done.is_set():
            for path in beside.glob(".out.xml.*"):
                with suppress(OSError):
                    path.unlink()
                    path.symlink_to(secret)

    done = Event()
    thread = Thread(target=swap)
    thread.start()
    try:
        for _ in range(300):
            with suppress(Failure):
                _write(beside / "out.xml", b"x")
    finally:
        done.set()
        thread.join()
    assert secret.stat().st_mode & 0o777 == 0o600


def test_where_nothing_can_be_written(tmp_path: Path) -> None:
    """It is said before the run; a pipe is written to and never replaced."""
    with pytest.raises(Failure, match=r"cannot write .*: it is a directory"):
        check(tmp_path)
    with pytest.raises(Failure, match=r"cannot write .*/x/y: there is no directory .*/x"):
        check(tmp_path / "x" / "y")
    with pytest.raises(Failure, match=r"cannot write .*/x/y: No such file or directory"):
        _write(tmp_path / "x" / "y", b"")
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    check(pipe)
    _write(pipe, b"x")
    assert os.read(reader, 9) == b"x"
    os.close(reader)

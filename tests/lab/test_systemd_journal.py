"""The journal, read and written on a real journald."""

import itertools
import shlex
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gxo.systemd.bus import Bus
from gxo.systemd.journal import Entry, Journal, Query, parse
from gxo.systemd.journal_write import JournalError, JournalWriter, encode
from gxo.systemd.manager import Manager
from tests.lab.applying import until
from tests.lab.machine import Machine
from tests.lab.systemd_units import FIELDS, ONESHOT, service

_names = itertools.count()


@pytest.fixture
def manager(machine: Machine) -> Iterator[Manager]:
    """The machine's systemd, over a connection of the test's own."""
    with Bus.at(machine.lab.bus_address) as bus:
        yield Manager(bus)


@pytest.fixture
def journal(machine: Machine) -> Journal:
    """The machine's journal, read from outside."""
    return Journal(str(machine.lab.path("/run/log/journal")))


def run(machine: Machine, manager: Manager, unit: str, script: str) -> None:
    """Run a workload to its end, and wait for journald to have written what it said.

    It ends only after journald has read it: whose line it is, journald finds out of /proc and of
    the running unit.
    """
    waiting = f"trap 'journalctl --sync' EXIT\n{script}"
    with manager.jobs() as jobs:
        jobs.start_transient(unit, service(waiting, ONESHOT, FIELDS))
        jobs.wait(30)
    manager.reset_failed(unit)
    machine.run("journalctl", "--sync")


def site(*, since: str = "") -> tuple[str, Query]:
    """A workload's unit that no other test uses, and the query for its playbook's lines."""
    playbook = f"gxo-site{next(_names)}"
    query = Query(
        units=(f"{playbook}.*",), fields=(("GXO_PLAYBOOK", "site"), ("GXO_WORKLOAD", "web"))
    )
    return f"{playbook}.web.service", query


def test_a_workload_and_what_systemd_says_of_it(
    machine: Machine, manager: Manager, journal: Journal
) -> None:
    """Its own lines come in order, and systemd's about it, with their unit and invocation."""
    unit, query = site()
    run(machine, manager, unit, "echo out; echo err >&2; exit 3")
    entries = journal.read(query)
    # journald hears systemd and the service on two sockets: only within each is there an order
    by_systemd = [e.message for e in entries if e.from_systemd]
    assert by_systemd[0] == f"Starting {unit}..."
    assert "status=3" in by_systemd[1]
    assert by_systemd[-1] == f"Failed to start {unit}."
    assert [e.message for e in entries if not e.from_systemd] == ["out", "err"]
    assert {e.unit for e in entries} == {unit}
    assert len({e.invocation for e in entries}) == 1
    assert [e.time for e in entries] == sorted(e.time for e in entries)
    own = [e for e in entries if not e.from_systemd]
    assert {(e.playbook, e.workload, e.identifier, e.priority) for e in own} == {
        ("site", "web", "sh", 6)
    }


def test_forged_lines_do_not_show(machine: Machine, manager: Manager, journal: Journal) -> None:
    """A line from another unit does not count, whatever fields it claims, systemd's among them."""
    unit, query = site()
    run(machine, manager, unit, "echo mine")
    forged = f"MESSAGE=forged\nGXO_PLAYBOOK=site\nGXO_WORKLOAD=web\nUNIT={unit}\n_PID=1\n"
    # it waits until journald has read its line: of a process that is gone, nobody knows the unit
    send = (
        "import socket, subprocess; s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM);"
        f" s.sendto({forged!r}.encode(), '/run/systemd/journal/socket');"
        " subprocess.run(['journalctl', '--sync'])"
    )
    script = f"/usr/bin/python3 -c {shlex.quote(send)}"
    run(machine, manager, "forger.service", script)
    assert (
        machine.journal("_SYSTEMD_UNIT=forger.service", "GXO_WORKLOAD=web", "MESSAGE=forged")
        == "forged\n"
    )
    messages = [e.message for e in journal.read(query) if not e.from_systemd]
    assert messages == ["mine"]
    assert [e.message for e in journal.read(query, 100) if not e.from_systemd] == ["mine"]
    assert "forged" not in [e.message for e in journal.of_start(unit, 100)]


def test_the_last_lines(machine: Machine, manager: Manager, journal: Journal) -> None:
    """The last N lines are the newest N, oldest first; none is none."""
    unit, query = site()
    run(machine, manager, unit, "for i in 1 2 3 4 5 6; do echo $i; done")
    everything = journal.read(query)
    assert len(everything) > 6
    assert journal.read(query, 3) == everything[-3:]
    assert journal.read(query, 1000) == everything
    assert journal.read(query, 0) == ()


def test_one_workload_of_two(machine: Machine, manager: Manager, journal: Journal) -> None:
    """A pattern for one workload leaves out the other, in its own lines and in systemd's."""
    unit, query = site()
    other = unit.replace(".web.", ".db.")
    run(machine, manager, unit, "echo web")
    run(machine, manager, other, "echo db")
    assert {e.unit for e in journal.read(query)} == {unit, other}
    assert {e.unit for e in journal.read(Query(units=(other,), fields=query.fields))} == {other}


def test_units_alone(machine: Machine, manager: Manager, journal: Journal) -> None:
    """Without fields all lines of the units matched come; of unknown units there are none."""
    unit, query = site()
    run(machine, manager, unit, "echo mine")
    bare = Query(units=query.units)
    assert journal.read(bare) == journal.read(query)
    assert journal.read(bare, 1) == journal.read(query, 1)
    assert journal.read(Query(units=("gxo-no-such-*",))) == ()
    assert journal.read(Query(units=("gxo-no-such.service",))) == ()


def test_following(machine: Machine, manager: Manager, journal: Journal) -> None:
    """Following gives the backlog, then each line as it is written, also of units new to it."""
    unit, query = site()
    run(machine, manager, unit, "echo old-1; echo old-2")
    lines = journal.follow(query, 2)
    past = [next(lines) for _ in range(2)]
    assert past == list(journal.read(query, 2))
    bare = journal.follow(Query(units=query.units), 0)
    fresh = unit.replace(".web.", ".fresh.")
    run(machine, manager, fresh, "echo new")
    for found in (lines, bare):
        seen: set[str] = set()
        while not seen >= {f"Starting {fresh}...", "new"}:
            entry = next(found)
            assert entry.unit == fresh
            seen.add(entry.message)
        found.close()


def test_following_where_nothing_is_yet(
    machine: Machine, manager: Manager, journal: Journal
) -> None:
    """Following before the first line gives the first line."""
    unit, query = site()
    with manager.jobs() as jobs:
        jobs.start_transient(unit, service("sleep 1; echo first", FIELDS))
        lines = (e for e in journal.follow(query, 0) if not e.from_systemd)
        assert next(lines).message == "first"


def test_odd_messages(machine: Machine, manager: Manager, journal: Journal) -> None:
    """Bytes that are no text, colours and very long lines are read, journald's splits and all."""
    unit, query = site()
    script = r"""printf 'bin\200\n'; printf '\033[31mred\n'; head -c 60000 /dev/zero | tr '\0' x"""
    run(machine, manager, unit, script)
    messages = [e.message for e in journal.read(query) if not e.from_systemd]
    assert messages[:2] == ["bin\ufffd", "\x1b[31mred"]
    assert [len(m) for m in messages[2:]] == [48 * 1024, 60000 - 48 * 1024]


def test_since(machine: Machine, manager: Manager, journal: Journal) -> None:
    """A time bounds what is read; one that journalctl does not know is an error that says so."""
    unit, query = site()
    run(machine, manager, unit, "echo before")
    time.sleep(1.1)
    middle = time.time()
    run(machine, manager, unit, "echo after")
    late = Query(units=query.units, fields=query.fields, since=f"@{middle:.6f}")
    assert [e.message for e in journal.read(late) if not e.from_systemd] == ["after"]
    with pytest.raises(JournalError) as caught:
        journal.read(Query(units=("x",), fields=(("GXO_RUN", "1"),), since="--output=x"))
    assert str(caught.value) == "cannot read the journal: Failed to parse timestamp: --output=x"


def test_a_journal_that_is_not_there() -> None:
    """A directory without a journal is an error, not an empty answer."""
    with pytest.raises(JournalError, match="cannot read the journal: "):
        Journal("/nonexistent").read(Query(units=("x.service",), fields=(("GXO_RUN", "1"),)), 5)


def test_one_start_of_a_unit(machine: Machine, manager: Manager, journal: Journal) -> None:
    """Of a unit that ran twice, only the lines of the start asked for come, the last N of them."""
    unit, _ = site()
    manager.start_transient(unit, service("echo one; sleep 0.3", FIELDS))
    assert until(lambda: not manager.result(unit).found)
    manager.start_transient(unit, service("echo two; echo three; sleep 0.3; exit 1", FIELDS))
    assert until(lambda: manager.result(unit).active == "failed")
    result = manager.result(unit)
    machine.run("journalctl", "--sync")
    entries = journal.of_start(unit, 100, invocation=result.invocation, since=result.since)
    assert [e.message for e in entries if not e.from_systemd] == ["two", "three"]
    assert entries[-1].from_systemd
    assert journal.of_start(unit, 2, invocation=result.invocation) == entries[-2:]
    manager.reset_failed(unit)


def test_a_reader_that_stops_leaves_no_process(machine: Machine, journal: Journal) -> None:
    """Taking a few lines of many ends the journalctl behind them."""
    before = children()
    lines = journal.follow(Query(units=("*",), fields=(("_PID", "1"),)), 3)
    next(lines)
    lines.close()
    journal.read(Query(units=("*",), fields=(("_PID", "1"),)), 2)
    assert children() == before


def children() -> str:
    """The PIDs of the processes that this one started."""
    return Path("/proc/thread-self/children").read_text()


ENTRY = {"__REALTIME_TIMESTAMP": "5", "__CURSOR": "c", "_SYSTEMD_UNIT": "a.service"}


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        (
            {"MESSAGE": [104, 105, 128]},
            Entry(time=5, message="hi\ufffd", unit="a.service", cursor="c"),
        ),
        ({"MESSAGE": None}, Entry(time=5, message="", unit="a.service", cursor="c")),
        ({"MESSAGE": []}, Entry(time=5, message="", unit="a.service", cursor="c")),
        (
            {"MESSAGE": "x", "PRIORITY": "nine", "_PID": "-1", "GXO_RUN": ["a", "b"]},
            Entry(time=5, message="x", unit="a.service", cursor="c", run="a"),
        ),
        (
            {"MESSAGE": "x", "UNIT": "b.service", "_PID": "7"},
            Entry(time=5, message="x", unit="a.service", cursor="c", pid=7),
        ),
        (
            {"MESSAGE": "x", "UNIT": "b.service", "_PID": "1"},
            Entry(time=5, message="x", unit="b.service", cursor="c", pid=1, from_systemd=True),
        ),
    ],
)
def test_parsing(fields: dict[str, object], expected: Entry) -> None:
    """Each form a field can take in journalctl's JSON is read, bad numbers as their defaults."""
    assert parse({**ENTRY, **fields}) == expected


def test_writing(machine: Machine) -> None:
    """An entry arrives with its fields; values may hold line breaks, and be too long to send."""
    long = "x" * 3_000_000
    with JournalWriter(str(machine.lab.path("/run/systemd/journal/socket"))) as writer:
        writer.write("short", {"GXO_RUN": "w1", "GXO_STEP": "a\nb"}, priority=3)
        writer.write("long", {"GXO_RUN": "w2", "TEXT": long})
    shown = machine.journal("--output=json", "--all", "GXO_RUN=w1")
    assert '"GXO_STEP":"a\\nb"' in shown
    assert '"PRIORITY":"3"' in shown
    assert machine.journal("--output-fields=TEXT", "--all", "GXO_RUN=w2").strip() == long


def test_writing_to_no_journal(tmp_path: object) -> None:
    """Where no journald listens, opening says so."""
    with pytest.raises(JournalError, match=r"cannot write to the journal at .*: No such file"):
        JournalWriter(f"{tmp_path}/none")


@pytest.mark.parametrize("name", ["", "lower", "_TRUSTED", "A=B", "1A", "A\nB", "X" * 65])
def test_names_that_journald_would_drop(name: str) -> None:
    """A field name that a program may not set is refused, not lost."""
    with pytest.raises(ValueError, match="journal field"):
        encode({name: "x"})


@given(st.binary(), st.text())
def test_a_value_cannot_become_a_field(data: bytes, text: str) -> None:
    """Whatever a value holds, it stays one value: with a line break in it, it goes by length."""
    for value in (data, text.encode("utf-8", "surrogatepass")):
        packed = encode({"A": value})
        if b"\n" in value:
            assert packed == b"A\n" + len(value).to_bytes(8, "little") + value + b"\n"
        else:
            assert packed == b"A=" + value + b"\n"

"""Modules at the ends of streams: records from program to module to program."""

import pytest

from tests.lab.machine import Machine
from tests.lab.running import run, step, summaries, use

SEQ = "seq 1 50000 | sed 's/.*/{\"n\": &}/'"


@pytest.fixture(autouse=True)
def ready(machine: Machine) -> None:
    """The host is set up."""
    machine.gxo("setup", check=True)


def streams(*names: str) -> str:
    return f"stream_inputs: [{', '.join(names)}], "


def test_records_between_programs_and_modules(machine: Machine) -> None:
    """Each takes from either; a secret in a template reaches the module, and no summary."""
    ran = run(
        machine,
        step("make", SEQ)
        + use("rows", "data:parse", streams("make"), format="ndjson")
        + use("even", "data:filter", streams("rows"), where="{{ eq (mod .record.n 2) 0 }}")
        + use("tens", "data:map", streams("even"), to={"n": "{{ mul .record.n 10 }}"})
        + use("sum", "data:aggregate", streams("tens"), values={"n": "sum n"})
        + use("text", "data:format", streams("sum"), format="ndjson")
        + use("file", "filesystem:write", streams("text"), path="sum.json")
        + use("again", "filesystem:read", "needs: [file], ", path="sum.json")
        + step("last", "cat", "stream_inputs: [again], register: last, ")
        + use("wait", "control:barrier", streams("last2"))
        + step("last2", "echo '{}'; echo '{}'"),
    )
    assert ran.code == 0, ran.events
    found = summaries(machine, ran.id)
    assert found["last"]["stdout"] == '{"n":6250250000}'
    assert found["even"]["count"] == 25000
    assert found["wait"]["dropped"] == 0


def test_a_module_that_reads_one_source_twice(machine: Machine) -> None:
    """It lays aside what it does not read yet, so that its source never waits for ever."""
    ran = run(
        machine,
        step("make", SEQ)
        + use("left", "data:map", streams("make"), to={"n": "{{ .record.n }}", "l": 1})
        + use("right", "data:map", streams("make"), to={"n": "{{ .record.n }}", "r": 2})
        + use("both", "data:join", streams("left", "right"), on=["n"])
        + use("all", "passthrough", streams("make", "both"))
        + step("count", "wc -l", "stream_inputs: [all], register: count, "),
    )
    assert ran.code == 0, ran.events
    assert summaries(machine, ran.id)["count"]["stdout"] == "100000"


def test_how_a_module_fails(machine: Machine) -> None:
    """Bad data is told as such, who reads it is stopped, who wrote it had no reader; a module whose
    reader ends early says so.
    """
    ran = run(
        machine,
        step("bad", "echo '{'; exec yes")
        + use("rows", "data:parse", streams("bad"), format="ndjson")
        + step("after", "cat", "stream_inputs: [rows], ")
        + use("list", "data:generate_from_list", "", items=[{"x": "y" * 1000}] * 500)
        + step("head", "head -1 >/dev/null", streams("list")),
    )
    assert ran.code == 1
    failed = {name for name, status in ran.steps.items() if status == "Failed"}
    assert failed == {"bad", "rows", "after", "list"}, ran.events
    assert ran.details("rows")[0].startswith("cannot parse the text: ")
    assert ran.details("after")[0] == "`rows`, whose stream it reads, failed"
    assert "`rows` ended before it had read all" in ran.details("bad")[0]
    assert "`head` ended before it had read all" in ran.details("list")[0]

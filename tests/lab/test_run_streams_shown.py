"""What went through streams is shown while they go, and known afterwards."""

import json

import pytest

from tests.lab.machine import Machine
from tests.lab.running import run, step
from tests.schemas import held

SIZE = 40 * 100_000
WORKLOADS = (
    step("make", "for n in $(seq 40); do head -c 100000 /dev/zero; sleep 0.05; done")
    + step("use", "exec cat >/dev/null", "stream_inputs: [make], ")
    + step("count", "seq 1000")
    + step("one", "exec cat >/dev/null", "stream_inputs: [count], ")
    + step(
        "two",
        "sleep 1; cat >/dev/null",
        "stream_inputs: [count], channel_policy: {overflow_strategy: drop_new, buffer_size: 4K}, ",
    )
)


@pytest.fixture(autouse=True)
def ready(machine: Machine) -> None:
    """The host is set up."""
    machine.gxo("setup", check=True)


def test_what_went_through(machine: Machine) -> None:
    """About, between programs; exactly, through a pump: in events, `runs show`, and `graph`."""
    ran = run(machine, WORKLOADS, name="shown")
    assert ran.code == 0, ran.events
    streams = [event for event in ran.events if event["event"] == "stream"]
    under_way = [e["stream"] for e in streams if (e["step"], e["status"]) == ("use", "Running")]
    assert under_way, "told while it goes"
    assert all(stream["about"] for stream in under_way)
    last = {e["step"]: e["stream"] for e in streams if e["status"] == "Completed"}
    assert len(last) == 3
    assert SIZE * 0.8 <= last["use"]["bytes"] <= SIZE * 1.2
    assert last["use"]["records"] is None
    whole = len("".join(f"{n}\n" for n in range(1, 1001)))
    assert (last["one"]["bytes"], last["one"]["records"], last["one"]["dropped"]) == (
        whole,
        1000,
        0,
    )
    two = last["two"]
    assert two["records"] + two["dropped"] == 1000
    assert not two["about"]

    shown = held("run", machine.gxo("runs", "show", "--json", ran.id, check=True).stdout)
    kept = {stream["target"]: stream for stream in shown["streams"]}
    assert kept == {
        name: {k: v for k, v in stream.items() if not k.endswith("_second")}
        for name, stream in last.items()
    }
    assert "  count => one  3.89 kB, 1.00 k records  " in machine.gxo("runs", "show", ran.id).stdout
    (graph,) = held("graph", machine.gxo("graph", "--json", ran.id).stdout)["graphs"]
    assert graph["streams"] == shown["streams"]
    drawn = machine.gxo("graph", ran.id, check=True).stdout
    assert "[stream 3.89 kB, 1.00 k records]" in drawn
    assert "[stream about " in drawn


def test_without_a_terminal(machine: Machine) -> None:
    """Without a terminal each stream has one line, at its end."""
    path = machine.write("/srv/shown.yaml", f"name: shown\nworkloads:\n{WORKLOADS}")
    said = machine.gxo("run", path, check=True).stdout
    assert "  streamed  count => one: 3.89 kB, 1.00 k records  " in said
    assert said.count("  streamed  ") == 3


def test_nothing_was_streamed(machine: Machine) -> None:
    """A run without streams says nothing of them."""
    ran = run(machine, step("alone", "true"), name="shown")
    assert json.loads(machine.gxo("runs", "show", "--json", ran.id).stdout)["streams"] == []
    assert "streams" not in machine.gxo("runs", "show", ran.id).stdout

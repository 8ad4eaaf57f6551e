"""The modules on records in runs on a real systemd, without streams: items in, items out."""

import pytest

from tests.lab.machine import Machine
from tests.lab.running import run, summaries, use

ROWS = "host,size\na,3\nb,4\na,5\n"
SIZED = {"host": "{{ .record.host }}", "size": "{{ int .record.size }}"}


@pytest.fixture(autouse=True)
def ready(machine: Machine) -> None:
    """The host is set up."""
    machine.gxo("setup", check=True)


def test_what_each_does(machine: Machine) -> None:
    """In a sandbox that hides gxo's libraries, each finds what it needs, and takes what the one
    before has yielded; all at once they are a pipeline.
    """
    steps = [
        {"id": "rows", "uses": "data:parse", "with": {"format": "csv", "text": ROWS}},
        {"uses": "data:map", "with": {"to": SIZED}},
        {"uses": "data:filter", "with": {"where": "{{ gt .record.size .least.value }}"}},
        {"uses": "data:aggregate", "register": "sums",
         "with": {"by": ["host"], "values": {"size": "sum size"}}},
        {"uses": "data:format", "with": {"format": "template",
                                         "template": "{{ .record.host }}={{ .record.size }}"}},
    ]  # fmt: skip
    ran = run(
        machine,
        use("least", "control:identity", value=3)
        + use("rows", "data:parse", format="csv", text=ROWS)
        + use("logs", "data:parse", format="regex", pattern="^(?P<a>[a-z]+)", text="ab 1\ncd 2")
        + use("tree", "data:parse", format="yaml", text="[{a: no}, {a: 1}]")
        + use("marked", "data:parse", format="xml", text="<a><b c='d'>e</b></a>")
        + use("sized", "data:map", to=SIZED, items="{{ .rows.items }}")
        + use("big", "data:filter", where="{{ gt .record.size .least.value }}",
              items="{{ .sized.items }}")
        + use("named", "data:join", **{"on": ["host"], "with": [{"host": "a", "name": "Ann"}]},
              items="{{ .big.items }}")
        + use("sums", "data:aggregate", by=["host"], values={"size": "sum size"},
              items="{{ .sized.items }}")
        + use("text", "data:format", format="csv", items="{{ .sums.items }}")
        + use("made", "data:generate_from_list", items=[1, {"a": 2}])
        + use("all", "stream:pipeline", steps=steps),
    )  # fmt: skip
    assert (ran.code, ran.status) == (0, "Completed"), [e["detail"] for e in ran.events]
    found = summaries(machine, ran.id)
    assert found["rows"]["count"] == 3
    assert found["logs"]["items"] == [{"a": "ab"}, {"a": "cd"}]
    assert found["tree"]["items"] == [{"a": "no"}, {"a": 1}]
    assert found["marked"]["items"] == [{"@c": "d", "#text": "e"}]
    assert found["big"]["items"] == [{"host": "b", "size": 4}, {"host": "a", "size": 5}]
    assert found["named"]["items"] == [{"host": "a", "size": 5, "name": "Ann"}]
    assert found["text"] == {"text": "host,size\na,8\nb,4\n", "truncated": False, "count": 2}
    assert found["made"]["items"] == [{"value": 1}, {"a": 2}]
    assert found["all"]["text"] == "b=4\na=5\n"
    assert found["all"]["sums"] == {"count": 2}
    assert found["all"]["steps"] == {"rows": {"count": 3, "skipped": 0}}


def test_what_fails_says_where(machine: Machine) -> None:
    """The line, and its beginning; without a sandbox too."""
    host = "security_context: {profile: host}, "
    ran = run(machine, use("bad", "data:parse", host, format="ndjson", text='{"a": 1}\n{"b": 2'))
    assert ran.steps == {"bad": "Failed"}
    (detail,) = ran.details("bad")
    assert detail.startswith("cannot parse the text: line 2 is no JSON (")
    assert detail.endswith('`{"b": 2`')
    secret = {"to": '{{ secret "a" }}', "items": [1]}
    refused = run(machine, use("map", "data:map", **secret))
    assert refused.code != 0

"""The modules on records in runs on a real systemd: items in, items out; and as stream ends."""

from typing import Any

import pytest

from tests.lab.machine import Machine
from tests.lab.running import run, step, summaries, use

HOST = "security_context: {profile: host}, "
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
    named: dict[str, Any] = {
        "on": ["host"], "with": [{"host": "a", "name": "Ann"}], "items": "{{ .big.items }}",
    }  # fmt: skip
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
        + use("named", "data:join", **named)
        + use("sums", "data:aggregate", by=["host"], values={"size": "sum size"},
              items="{{ .sized.items }}")
        + use("text", "data:format", format="csv", items="{{ .sums.items }}")
        + use("made", "data:generate_from_list", items=[1, {"a": 2}])
        + use("all", "stream:pipeline", steps=steps),
    )  # fmt: skip
    assert (ran.code, ran.status) == (0, "Completed"), [
        e["detail"] for e in ran.events if e["detail"]
    ]
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
    ran = run(machine, use("bad", "data:parse", HOST, format="ndjson", text='{"a": 1}\n{"b": 2'))
    assert ran.steps == {"bad": "Failed"}
    (detail,) = ran.details("bad")
    assert detail.startswith("cannot parse the text: line 2 is not JSON (")
    assert detail.endswith('`{"b": 2`')


def reads(*producers: str) -> str:
    return f"stream_inputs: [{', '.join(producers)}], "


def test_streams_through_every_module(machine: Machine) -> None:
    """A file parsed, altered, joined with what comes of the same file, summed up, written."""
    ran = run(
        machine,
        step("make", "echo host,size; seq 1 20000 | sed 's/.*/h&,&/; s/^h[0-9]*\\(.\\),/\\1,/'")
        + use("keep", "filesystem:write", reads("make"), path="rows.csv")
        + use("read", "filesystem:read", "needs: [keep], ", path="rows.csv")
        + use("rows", "data:parse", reads("read"), format="csv")
        + use("sized", "data:map", reads("rows"), to=SIZED)
        + use("odd", "data:filter", reads("sized"),
              where="{{ gt .record.size 10000 }}")
        + use("sums", "data:aggregate", reads("sized"), by=["host"],
              values={"n": "count", "all": "sum size"})
        + use("both", "data:join", reads("odd", "sums"), on=["host"])
        + use("named", "stream:pipeline", reads("both"), steps=[
            {"uses": "data:map", "with": {"to": {"k": "{{ .record.host }}-{{ .record.n }}"}}},
            {"uses": "data:aggregate", "with": {"by": ["k"], "values": {"n": "count"}}},
        ])
        + use("text", "data:format", reads("named"), format="csv")
        + use("on", "passthrough", reads("text"))
        + use("report", "filesystem:write", reads("on"), path="report.csv")
        + use("count", "control:barrier", reads("sized"))
        + use("seen", "filesystem:read", "needs: [report], ", path="report.csv")
        + use("items", "data:generate_from_list", items=[{"a": 1}, 2])
        + step("lines", 'cat; cat "$GXO_STREAM_FILES"', reads("items", "files"))
        + use("files", "filesystem:list", "needs: [report], ", path="."),
    )  # fmt: skip
    assert (ran.code, ran.status) == (0, "Completed"), [
        e["detail"] for e in ran.events if e["detail"]
    ]
    found = summaries(machine, ran.id)
    rows = {"items": [], "count": 20000, "truncated": False, "skipped": 0, "dropped": 0}
    assert found["rows"] == rows
    assert found["count"]["count"] == 20000
    assert (found["odd"]["count"], found["both"]["count"]) == (10000, 10000)
    assert found["on"]["bytes"] == found["report"]["size"] == found["seen"]["size"]
    header, *named = found["seen"]["content"].splitlines()
    assert header == "k,n"
    assert sorted(named) == sorted(f"{host}-2000,1000" for host in range(10))


def test_a_line_that_is_no_record_fails_the_streams(machine: Machine) -> None:
    """By its number and beginning; who reads of it is failed too, and writes nothing."""
    ran = run(
        machine,
        step("make", "echo '{}'; echo oops")
        + use("map", "data:map", reads("make"), to="{{ .record }}")
        + use("out", "filesystem:write", f"{HOST}{reads('map')}", path="/srv/never"),
    )
    assert ran.steps["map"] == ran.steps["out"] == "Failed"
    (detail,) = ran.details("map")
    assert detail.startswith("cannot map the records: line 2 is not JSON (")
    assert detail.endswith(": `oops`")
    assert not machine.exists("/srv/never")


def test_a_consumer_that_ends_is_named_by_its_producer(machine: Machine) -> None:
    """A worker whose reader has gone fails, and says who."""
    ran = run(
        machine,
        step("make", "yes '{}'")
        + use("map", "data:map", reads("make"), to={"a": "{{ .index }}"})
        + step("few", "head -n 1", reads("map")),
    )
    assert ran.steps["map"] == ran.steps["make"] == "Failed"
    assert any("few" in detail for detail in ran.details("map")), ran.details("map")


def test_both_sides_of_a_join_come_of_one_stream(machine: Machine) -> None:
    """What it does not read yet is laid aside, so that the one source is not held up."""
    ran = run(
        machine,
        step("make", """seq 1 300000 | sed 's/.*/{"n":&}/'""")
        + use("left", "data:filter", reads("make"), where="{{ true }}")
        + use("right", "data:aggregate", reads("make"), values={"n": "max n"})
        + use("join", "data:join", reads("left", "right"), on=["n"]),
    )
    assert (ran.code, ran.status) == (0, "Completed"), [
        e["detail"] for e in ran.events if e["detail"]
    ]
    assert summaries(machine, ran.id)["join"]["items"] == [{"n": 300000}]

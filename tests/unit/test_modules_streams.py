"""Streams of modules: real pipes, parts of any size, files, pipelines."""

import json
import os
import random
import threading
import time
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import gxo
from gxo.modules.fault import ModuleError
from gxo.modules.streams import Streams
from gxo.runtime.attempt import Result
from gxo.runtime.redact import MASK, Redactor
from gxo.runtime.work import answered
from tests.unit.flowing import ask, lines, parts, records, stream

TOP = Path(gxo.__file__).parent.parent
SIZES = st.lists(st.integers(1, 30), max_size=20)


@given(st.lists(st.integers(0, 99), max_size=30), SIZES)
@settings(max_examples=30)
def test_any_parts_are_the_same_stream(numbers: list[int], sizes: list[int]) -> None:
    """Lines cut anywhere come out as they are, and are counted."""
    data = lines({"n": n, "s": "é\n"} for n in numbers)
    where = "{{ lt .record.n 50 }}"
    answer, out, counts = stream("data:filter", [parts(data, sizes)], Path("/nowhere"), where=where)
    kept = b"".join(line for line in data.splitlines(keepends=True) if json.loads(line)["n"] < 50)
    assert out == kept
    assert counts == {
        "in": {"i0": {"bytes": len(data), "records": len(numbers)}},
        "out": {"bytes": len(kept), "records": len(records(kept))},
    }
    assert answer["summary"]["count"] == len(records(kept))


def test_inputs_are_read_as_they_come(tmp_path: Path) -> None:
    """One that says nothing yet does not hold the other up."""
    quiet, loud, out = os.pipe(), os.pipe(), os.pipe()
    streams = Streams([("quiet", quiet[0]), ("loud", loud[0])], out[1])
    seen = streams.chunks(lambda ports: ports, lambda: None)
    os.write(loud[1], b"a\n")
    assert next(seen) == (1, b"a\n")
    os.write(quiet[1], b"b\n")
    assert next(seen) == (0, b"b\n")
    for end in (quiet[1], loud[1]):
        os.close(end)
    assert sorted(seen) == [(0, b""), (1, b"")]
    for end in out:
        os.close(end)


def test_what_is_not_wanted_yet_is_not_read(tmp_path: Path) -> None:
    """Without spooling its producer is held by its pipe; with it, it can go on for ever."""
    for spool in (False, True):
        first, second = os.pipe(), os.pipe()
        streams = Streams(
            [("first", first[0]), ("second", second[0])], None,
            spool=str(tmp_path) if spool else None,
        )  # fmt: skip
        written = [0]

        def write(end: int = second[1], written: list[int] = written) -> None:
            with open(end, "wb", buffering=0) as file:
                for _ in range(64):
                    written[0] += file.write(b"x" * 65536)

        writing = threading.Thread(target=write, daemon=True)
        writing.start()
        got = [b"", b""]

        def read(streams: Streams = streams, got: list[bytes] = got) -> None:
            for port, data in streams.chunks(lambda ports: [min(ports)], lambda: None):
                got[port] += data

        reading = threading.Thread(target=read, daemon=True)
        reading.start()
        writing.join(0.5 if not spool else 20)
        assert (written[0] == 64 * 65536) == spool
        deadline = time.monotonic() + 20
        while spool and streams.inputs[1].bytes < 64 * 65536:  # what is laid aside is counted
            assert time.monotonic() < deadline
            time.sleep(0.01)
        assert list(tmp_path.iterdir()) == []
        os.write(first[1], b"a")
        os.close(first[1])
        for thread in (writing, reading):
            thread.join(20)
            assert not thread.is_alive()
        assert got == [b"a", b"x" * (64 * 65536)]


@pytest.mark.parametrize("spool", [False, True])
def test_passthrough_hands_on_bytes_in_order(tmp_path: Path, spool: bool) -> None:
    """One input after the other, whatever is in them."""
    inputs = [[os.urandom(70_000)], [b""], [os.urandom(200_000), b"\xff"]]
    answer, out, counts = stream("passthrough", inputs, tmp_path, spool=spool)
    assert out == b"".join(b"".join(i) for i in inputs)
    assert answer == {"summary": {"bytes": len(out)}}
    assert counts["out"] == {"bytes": len(out), "records": None}


def test_barrier_counts_and_hands_on_nothing(tmp_path: Path) -> None:
    """Lines of all inputs; the last needs no line break."""
    answer, out, _ = stream("control:barrier", [[b"a\nb", b"c\n"], [b"d"]], tmp_path, output=False)
    assert answer["summary"] == {"count": 3, "bytes": 6}
    assert ask("control:barrier")["summary"] == {"count": 0, "bytes": 0}
    assert out == b""


@pytest.mark.parametrize(
    ("line", "what"),
    [(b"[1]", "is not a JSON object"), (b"", "is not JSON ("), (b'{"a":1} {', "is not JSON ("),
     (b'{"a":NaN}', "is not JSON ("), (b'{"a":"\xff"}', "is not JSON ("),
     (b"nil", "is not JSON (")],
)  # fmt: skip
def test_a_line_that_is_no_record_is_told(line: bytes, what: str, tmp_path: Path) -> None:
    """By its number and its beginning, never left out."""
    parts_ = [b'{"a":1}\n{"a":2}\n', line + b'\n{"a":3}\n']
    answer, _, _ = stream("data:map", [parts_], tmp_path, to="{{ .record }}")
    assert answer["error"].startswith(f"line 3 {what}")
    assert answer["shown"] == line.decode("utf-8", "replace")


def test_the_beginning_of_a_line_holds_no_part_of_a_secret() -> None:
    """A line that an error quotes is masked before it is cut."""
    token = "eyJhbGciOi" * 20
    said = {"cannot": "map", "about": "the records", "error": "line 1 is not JSON", "shown":
            f"abc {token} def {token[:50]}", "summary": None}  # fmt: skip
    ended = Result(ok=False, summary=None, answer=json.dumps(said))
    result = answered(ended, Redactor([token]))
    assert result.detail == f"cannot map the records: line 1 is not JSON: `abc {MASK} def `"


def test_nobody_reads(tmp_path: Path) -> None:
    """A consumer that has ended is an error of its producer."""
    ends = os.pipe()
    os.close(ends[0])
    with pytest.raises(ModuleError, match="what reads its stream has ended"):
        Streams([], ends[1]).write(b"x")
    os.close(ends[1])


def test_a_file_as_a_stream(tmp_path: Path) -> None:
    """A file goes into a stream unchanged, and the summary has its digest."""
    data = random.Random(4).randbytes(700_001)
    (tmp_path / "a").write_bytes(data)
    answer, out, _ = stream("filesystem:read", [], tmp_path, path="a")
    assert out == data
    assert answer["summary"] == {
        "content": "", "size": len(data), "sha256": sha256(data).hexdigest(), "truncated": False,
    }  # fmt: skip


def test_streams_into_a_file(tmp_path: Path) -> None:
    """One after the other, at once or not at all; the same again changes nothing."""
    inputs = [[b"a" * 100_000, b"b"], [b"c"]]
    for changed in (True, False):
        answer, _, _ = stream("filesystem:write", inputs, tmp_path, output=False, path="f")
        assert answer["summary"] == {"path": f"{tmp_path}/f", "size": 100_002, "changed": changed}
    assert (tmp_path / "f").read_bytes() == b"a" * 100_000 + b"bc"
    answer, _, _ = stream(
        "filesystem:write", [[b"d"]], tmp_path, output=False, path="f", append=True
    )
    assert (tmp_path / "f").read_bytes().endswith(b"bcd")
    assert [path.name for path in tmp_path.iterdir()] == ["f"]


def test_a_directory_as_records(tmp_path: Path) -> None:
    """The same as its summary has without a stream."""
    for name in ("b/c/x.txt", "a.txt", "b.txt", "b/a.txt"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name)
    answer, out, _ = stream("filesystem:list", [], tmp_path, path=".", recursive=True)
    found = ask("filesystem:list", tmp_path, path=".", recursive=True)["summary"]
    assert records(out) == found["entries"]
    assert [e["path"] for e in records(out)] == [
        *("a.txt", "b", "b/a.txt", "b/c", "b/c/x.txt", "b.txt")
    ]
    assert answer["summary"] == {"entries": [], "count": 6, "truncated": False}


# pipelines


def test_a_pipeline_is_its_steps(tmp_path: Path) -> None:
    """A step feeds several, a join is fed by two, the last one's records are the workload's."""
    steps = [
        {"id": "rows", "uses": "data:parse", "with": {"format": "csv"}},
        {"id": "sums", "uses": "data:aggregate", "needs": ["rows"], "register": "totals",
         "with": {"by": ["k"], "values": {"of": "count"}}},
        {"uses": "data:join", "needs": ["rows", "sums"], "with": {"on": ["k"]}},
        {"uses": "data:filter", "when": True, "with": {"where": "{{ gt .record.of 1 }}"}},
        {"id": "out", "uses": "data:map", "when": False, "with": {"to": "{{ 1 }}"}},
    ]  # fmt: skip
    data = b"k,n\na,1\nb,2\na,3\n"
    answer, out, _ = stream("stream:pipeline", [parts(data, [3, 5])], tmp_path, steps=steps)
    assert records(out) == [{"k": "a", "n": "1", "of": 2}, {"k": "a", "n": "3", "of": 2}]
    assert answer["summary"] == {
        "totals": {"count": 2},
        "steps": {
            "rows": {"count": 3, "skipped": 0}, "sums": {"count": 2}, "out": {"count": 2},
        },
        "items": [], "text": "", "truncated": False, "count": 2,
    }  # fmt: skip


def test_a_pipeline_without_streams(tmp_path: Path) -> None:
    """Its first step has what it works on; a later one may have records of its own."""
    steps = [
        {"id": "a", "uses": "data:parse", "with": {"format": "ndjson", "text": '{"k":1}\n{"k":2}'}},
        {"id": "b", "uses": "data:generate_from_list", "with": {"items": [{"k": 2, "x": 3}]}},
        {"uses": "data:join", "needs": ["a", "b"], "with": {"on": ["k"], "kind": "left"}},
        {"uses": "data:format", "with": {"format": "logfmt"}},
    ]  # fmt: skip
    found = ask("stream:pipeline", tmp_path, steps=steps)["summary"]
    assert (found["text"], found["count"]) == ("k=1\nk=2 x=3\n", 2)


@pytest.mark.parametrize(
    ("steps", "reason"),
    [
        ([{"uses": "data:map", "with": {"to": "{{ 1 }}"}}], "in step 1 (data:map), nothing feeds"),
        (
            [
                {"uses": "data:generate_from_list", "with": {"items": [1, {"a": 2}]}},
                {"uses": "data:map", "with": {"to": "{{ .record.a }}"}},
            ],
            "in step 2 (data:map), record 1: ",
        ),
        (
            [{"uses": "data:parse", "with": {"format": "regex", "text": "a"}}],
            "in step 1 (data:parse), `format: regex` needs `pattern`",
        ),
    ],
)
def test_a_pipeline_says_which_step(steps: list[dict[str, Any]], reason: str) -> None:
    """An error in params or records names the pipeline's step."""
    assert ask("stream:pipeline", steps=steps)["error"].startswith(reason)

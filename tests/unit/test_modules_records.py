"""data:map, filter, join, aggregate: each against the same job in plain Python."""

import datetime
import itertools
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gxo.modules.aggregate import ByTime, Groups
from gxo.modules.flow import Batch
from tests.unit.flowing import Records, ask, fed, lines, node, records, stream, summary

NOWHERE = Path("/nowhere")
KEYS = st.sampled_from(["a", "b", 1, 1.0, True, "1", None, 0, False, [1], {"x": 1}])
NUMBERS = st.integers(-1000, 1000) | st.none()
RECORDS = st.lists(
    st.fixed_dictionaries({}, optional={"k": KEYS, "l": KEYS, "n": NUMBERS, "o": NUMBERS}),
    max_size=12,
)


def same(left: Any, right: Any) -> bool:
    """As templates have it: `1` is `1.0` and not `true`."""
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    return bool(left == right)


@given(RECORDS)
def test_map_makes_one_of_each(found: Records) -> None:
    """Each record becomes one, in order; its template reads its number, from 0."""
    to = {"n": "{{ .record.n | default 7 }}", "at": "{{ .index }}", "of": "{{ .record }}"}
    expected = [{"n": r.get("n") or 7, "at": i, "of": r} for i, r in enumerate(found)]
    assert fed("data:map", {"to": to}, [found], NOWHERE) == expected


def test_map_wraps_what_is_no_record() -> None:
    """A value that is no map becomes a record, since a stream holds objects only."""
    found = summary("data:map", to="{{ .record.a }}", items=[{"a": 1}, {"a": {"b": 2}}, {"a": [3]}])
    assert found == {
        "items": [{"value": 1}, {"b": 2}, {"value": [3]}],
        "count": 3,
        "truncated": False,
    }


def test_map_says_which_record_it_cannot_make() -> None:
    """The error says which record it is, and what its template lacks."""
    answer = ask("data:map", to="{{ .record.a }}", items=[{"a": 1}, {"b": 1}])
    assert (answer["cannot"], answer["about"]) == ("map", "the records")
    assert answer["error"].startswith("record 2: ")
    assert "`a`" in answer["error"]


@given(RECORDS)
def test_filter_hands_on_the_very_lines(found: Records) -> None:
    """Spaces, escapes and the order of keys stay as they came."""
    data = b"".join(f" {json.dumps(record)}\t\n".encode() for record in found)
    made, handed = node("data:filter", {"where": "{{ gt (.record.n | default 0) 5 }}"}, 1, NOWHERE)
    made.feed(0, data)
    made.end(0)
    kept = [line for line, r in zip(data.splitlines(), found, strict=True) if (r.get("n") or 0) > 5]
    assert b"".join(batch.encoded() for batch in handed) == b"".join(k + b"\n" for k in kept)


def joined(left: Records, right: Records, keys: list[str], kind: str) -> Records:
    """What a join is, without an index."""
    meets = [
        [
            all(r.get(k) is not None and same(ours.get(k), r.get(k)) for k in keys)
            for r in right
        ]
        for ours in left
    ]  # fmt: skip
    found = []
    for ours, row in zip(left, meets, strict=True):
        found += [{**r, **ours} for r, met in zip(right, row, strict=True) if met]
        if not any(row) and kind in ("left", "outer"):
            found.append(ours)
    if kind in ("right", "outer"):
        found += [r for at, r in enumerate(right) if not any(row[at] for row in meets)]
    return found


def sortable(found: Records) -> list[str]:
    return sorted(json.dumps(record, sort_keys=True) for record in found)


@given(
    RECORDS,
    RECORDS,
    st.sampled_from([["k"], ["k", "l"]]),
    st.sampled_from(["inner", "left", "right", "outer"]),
)
def test_join_is_what_sql_says(left: Records, right: Records, keys: list[str], kind: str) -> None:
    """Whatever the keys hold; the left side comes in order, with the left's values."""
    expected = joined(left, right, keys, kind)
    given_ = {"on": keys, "kind": kind, "with": right}
    found = fed("data:join", given_, [left], NOWHERE)
    assert sortable(found) == sortable(expected)
    if kind in ("inner", "left"):
        assert found == expected


@given(RECORDS, RECORDS, st.integers(0, 2**12))
def test_join_takes_its_sides_in_any_order(left: Records, right: Records, order: int) -> None:
    """What comes of the left one before the right one has ended is laid aside."""
    import tempfile

    with tempfile.TemporaryDirectory() as place:
        made, handed = node("data:join", {"on": ["k"], "kind": "outer"}, 2, Path(place))
        sides = {0: iter(left), 1: iter(right)}
        for turn in itertools.count():
            if not sides:
                break
            port = sorted(sides)[(order >> turn % 12 & 1) % len(sides)]
            record = next(sides[port], None)
            if record is None:
                made.end(port)
                del sides[port]
            else:
                made.feed(port, Batch([record]))
    found = [record for batch in handed for record in batch.records]
    assert sortable(found) == sortable(joined(left, right, ["k"], "outer"))


def test_a_join_hands_on_in_parts(tmp_path: Path) -> None:
    """A join passes on batches of bounded size, however many partners a record has."""
    made, handed = node("data:join", {"on": ["k"], "kind": "right"}, 2, tmp_path)
    made.feed(1, Batch([{"k": 1, "r": n} for n in range(2500)] + [{"k": 2}] * 2500))
    made.end(1)
    made.feed(0, Batch([{"k": 1, "l": n} for n in range(3)]))
    made.end(0)
    assert max(map(len, handed)) <= 2000
    found = [record for batch in handed for record in batch.records]
    pairs = [{"k": 1, "r": r, "l": left} for left in range(3) for r in range(2500)]
    assert found == [*pairs, *[{"k": 2}] * 2500]


def test_join_names_the_limit_it_meets() -> None:
    """One record too many on the right is an error that names `max_build_records`."""
    more: dict[str, Any] = {"on": ["k"], "items": [], "max_build_records": 2}
    assert summary("data:join", **more, **_with([{"k": 1}] * 2))["count"] == 0
    error = ask("data:join", **more, **_with([{"k": 1}] * 3))["error"]
    assert "more than 2 records (`max_build_records`)" in error


def _with(right: Records) -> dict[str, Any]:
    return {"with": right}


@pytest.mark.parametrize("inputs", [1, 3])
def test_join_needs_two_sides(inputs: int, tmp_path: Path) -> None:
    """One stream without `with`, or three, are no join."""
    answer, _, _ = stream("data:join", [[b""]] * inputs, tmp_path, on=["k"])
    assert answer["error"] == "it takes two inputs, or one and `with`"


VALUES = {
    "count": "count",
    "there": "count n",
    "sum": "sum n",
    "avg": "avg n",
    "min": "min n",
    "max": "max n",
    "first": "first n",
    "last": "last n",
}


def grouped(found: Records, by: list[str]) -> Records:
    """What an aggregate is, by looking at all records for each group."""
    groups: list[tuple[list[Any], Records]] = []
    for record in found:
        own = [record.get(key) for key in by]
        for name, members in groups:
            if all(same(a, b) for a, b in zip(name, own, strict=True)):
                members.append(record)
                break
        else:
            groups.append((own, [record]))
    made = []
    for own, members in groups:
        n = [r["n"] for r in members if r.get("n") is not None]
        made.append(
            {
                **dict(zip(by, own, strict=True)),
                "count": len(members),
                "there": len(n),
                "sum": sum(n),
                "avg": sum(n) / len(n) if n else None,
                "min": min(n, default=None),
                "max": max(n, default=None),
                "first": n[0] if n else None,
                "last": n[-1] if n else None,
            }
        )
    return made


@given(RECORDS, st.sampled_from([[], ["k"], ["k", "l"]]))
def test_aggregate_is_what_sql_says(found: Records, by: list[str]) -> None:
    """Each function in each group, groups in the order in which they came up."""
    assert fed("data:aggregate", {"by": by, "values": VALUES}, [found], NOWHERE) == grouped(
        found, by
    )


@given(RECORDS, st.integers(1, 5))
def test_windows_by_count(found: Records, size: int) -> None:
    """Each is an aggregate of its own, with its number; the last may be smaller."""
    given_ = {"by": ["k"], "values": VALUES, "window": {"count": size}}
    expected = [
        {"window": at // size, **group}
        for at in range(0, len(found), size)
        for group in grouped(found[at : at + size], ["k"])
    ]
    assert fed("data:aggregate", given_, [found], NOWHERE) == expected


@given(st.lists(st.integers(0, 100), max_size=20).map(sorted), st.booleans())
def test_windows_by_the_time_of_records(times: list[int], as_text: bool) -> None:
    """They start at multiples of their size; time is text or seconds."""

    def written(second: int) -> str:
        return datetime.datetime.fromtimestamp(second, datetime.UTC).isoformat()

    found = [{"t": written(t) if as_text else t} for t in times]
    window = {"time": "10s", "field": "t"}
    made = fed("data:aggregate", {"values": {"n": "count"}, "window": window}, [found], NOWHERE)
    expected = [
        {"window": written(start * 10).replace("+00:00", "Z"), "n": len(list(members))}
        for start, members in itertools.groupby(times, lambda t: t // 10)
    ]
    assert made == expected


def test_windows_by_arrival_end_by_the_clock() -> None:
    """Without any further record, when their time is up; not before."""
    now = [1005.0]
    window = ByTime(Groups([], {"n": ("count", None)}, 9), 10.0, None, lambda: now[0])
    assert window.due() is None
    window.feed(0, Batch([{}, {}]))
    assert window.due() == 1010.0
    now[0] = 1009.9
    assert window.tick() is None
    now[0] = 1010.0
    batch = window.tick()
    assert batch is not None
    assert batch.records == [{"window": "1970-01-01T00:16:40Z", "n": 2}]
    assert window.due() is None
    window.feed(0, Batch([{}]))
    now[0] = 1031.0
    assert [r["n"] for r in window.feed(0, Batch([{}])).records] == [1]


@pytest.mark.parametrize(
    ("given_", "items", "reason"),
    [
        ({"values": {"s": "sum n"}}, [{"n": 1}, {"n": "2"}], "record 2: `n` is not a number"),
        ({"values": {"s": "min n"}}, [{"n": 1}, {"n": "2"}], "record 2: `n` holds numbers and"),
        ({"values": {"s": "max n"}}, [{"n": True}], "record 1: `n` cannot be ordered"),
        ({"values": {"s": "sum n"}}, [{"n": 1.7e308}] * 2, "the sum of `n` is too large"),
        ({"values": {"s": "median n"}}, [], "`values` takes count, sum,"),
        ({"values": {"s": "sum"}}, [], "`sum` in `values` needs a key"),
        ({"values": {"s": "count"}, "by": ["s"]}, [], "its records would have two keys `s`"),
        ({"values": {"s": "count"}, "window": {}}, [], "`window` takes"),
        ({"values": {"s": "count"}, "window": {"count": 0}}, [], "`count` of `window` must be"),
        ({"values": {"s": "count"}, "window": {"time": "x"}}, [], "`time` of `window` must be a"),
        ({"values": {"s": "count"}, "window": {"size": 1}}, [], "`window` has no `size`"),
        ({"values": {"s": "count"}, "window": {"time": "1s", "count": 1}}, [], "`window` takes"),
        ({"values": {"s": "count"}, "by": ["n"], "max_groups": 2}, [{"n": n} for n in range(3)],
         "record 3: there are more than 2 groups (`max_groups`)"),
        ({"values": {"s": "count"}, "window": {"time": "1s", "field": "t"}}, [{"t": 5}, {"t": 1}],
         "record 2: its `t` is before the window: records must come in the order"),
        ({"values": {"s": "count"}, "window": {"time": "1s", "field": "t"}}, [{"t": "noon"}],
         "record 1: `t` is not a time"),
    ],
)  # fmt: skip
def test_what_an_aggregate_cannot_do(given_: dict[str, Any], items: Records, reason: str) -> None:
    """It says which record, key or param is to blame."""
    answer = ask("data:aggregate", items=items, **given_)
    assert answer.get("error", "").startswith(reason)


def test_a_list_becomes_records() -> None:
    """What is no map stands at `value`; a long list is cut in the summary, and counted whole."""
    found = summary("data:generate_from_list", items=[{"a": 1}, 2, "c", None, [4]])
    assert found["items"] == [{"a": 1}, *({"value": v} for v in (2, "c", None, [4]))]
    long = summary("data:generate_from_list", items=["x" * 1000] * 3000)
    assert (long["count"], long["truncated"]) == (3000, True)
    assert 900 < len(long["items"]) < 1048


def test_secrets_and_names_of_the_playbook_reach_each_record(tmp_path: Path) -> None:
    """By the request; in the stream they are as they are."""
    to = {"a": '{{ secret "key" }}{{ .record.n }}{{ env "HOME" }}'}
    _, out, _ = stream("data:map", [[lines([{"n": 1}, {"n": 2}])]], tmp_path, to=to)
    assert [r["a"] for r in records(out)] == ["<key>1$HOME", "<key>2$HOME"]

"""stream:pipeline: any graph of steps yields what the steps do one after the other."""

import json
import tempfile
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.flowing import Records, fed, lines, parts, records, stream

STEPS: list[tuple[str, dict[str, Any]]] = [
    ("data:map", {"to": {"k": "{{ mod .record.k 3 }}", "n": "{{ add .record.n .index }}"}}),
    ("data:map", {"to": {"k": "{{ .record.n }}", "n": "{{ .record.k }}"}}),
    ("data:filter", {"where": "{{ gt .record.n 2 }}"}),
    ("data:aggregate", {"by": ["k"], "values": {"n": "sum n"}}),
    ("data:aggregate", {"by": ["k"], "values": {"n": "count"}, "window": {"count": 2}}),
    ("data:generate_from_list", {"items": [{"k": 1, "n": 5}, {"k": 2, "n": 1}]}),
]
JOINS = [("data:join", {"on": ["k"], "kind": kind}) for kind in ("inner", "left", "outer")]
ROWS = st.lists(st.fixed_dictionaries({"k": st.integers(0, 4), "n": st.integers(0, 9)}), max_size=8)


@st.composite
def graphs(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Steps, the first of which has the input; each further one reads some that stand above."""
    steps: list[dict[str, Any]] = []
    for number in range(draw(st.integers(1, 6))):
        ids = [step["id"] for step in steps]
        uses, with_ = draw(st.sampled_from([*STEPS, *(JOINS if ids else [])] if ids else STEPS[:5]))
        step: dict[str, Any] = {"id": f"s{number}", "uses": uses, "with": with_}
        if uses == "data:join":
            step["needs"] = draw(st.lists(st.sampled_from(ids), min_size=2, max_size=2))
        elif uses != "data:generate_from_list" and ids:
            step["needs"] = [draw(st.sampled_from(ids))]
        if draw(st.integers(0, 5)) == 0 and uses != "data:join":
            step["when"] = False
        steps.append(step)
    return steps


def expected(steps: list[dict[str, Any]], rows: Records) -> dict[str, Records]:
    """What each step yields, by doing one after the other."""
    found: dict[str, Records] = {}
    for step in steps:
        inputs = [found[name] for name in step.get("needs", [])] or [rows]
        if step["uses"] == "data:generate_from_list":
            inputs = [step["with"]["items"]]
        if step.get("when", True):
            given_ = {k: v for k, v in step["with"].items() if k != "items"}
            given_ |= {"items": []} if "items" in step["with"] else {}
            found[step["id"]] = fed(step["uses"], given_, inputs, Path(tempfile.gettempdir()))
        else:
            source = step["uses"] == "data:generate_from_list"
            found[step["id"]] = [] if source else inputs[0]
    return found


def sortable(found: Records) -> list[str]:
    return sorted(json.dumps(record, sort_keys=True) for record in found)


@given(graphs(), ROWS, st.lists(st.integers(1, 40), max_size=8))
@settings(max_examples=60)
def test_any_graph_is_its_steps(
    steps: list[dict[str, Any]], rows: Records, sizes: list[int]
) -> None:
    """Whatever the parts that the input comes in; each step counts what it hands on."""
    with tempfile.TemporaryDirectory() as place:
        data = parts(lines(rows), sizes)
        answer, out, _ = stream("stream:pipeline", [data], Path(place), steps=steps)
        assert list(Path(place).iterdir()) == []
    found = expected(steps, rows)
    assert sortable(records(out)) == sortable(found[steps[-1]["id"]])
    counts = {name: {"count": len(all_)} for name, all_ in found.items()}
    assert answer["summary"]["steps"] == counts

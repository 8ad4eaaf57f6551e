"""Plans through JSON and back."""

import json
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gxo.dataclass import is_dataclass, replace
from gxo.plan import model
from gxo.plan.codec import UnreadablePlan, from_json, to_compact_json, to_json
from gxo.plan.model import Action, Plan, Step
from gxo.source import Name, Source, Span, Text
from gxo.spec import lifecycle, policy
from gxo.spec.lifecycle import Supervise
from gxo.spec.policy import ChannelPolicy, SecurityContext
from gxo.template import tree, value
from gxo.template.tree import Node, Output, Path, Template
from gxo.template.value import Literal, MapValue
from tests.drawing import any_of

SOURCES = (Source("a.yaml", "first\ntext"), Source("b.yaml", "ünïcode — second"))


for room in (model, lifecycle, policy, tree, value):
    for kind in vars(room).values():
        if isinstance(kind, type) and is_dataclass(kind):
            st.register_type_strategy(kind, any_of)
st.register_type_strategy(
    Span,
    st.builds(Span, st.sampled_from(SOURCES), st.integers(0, 20), st.integers(0, 20)),
)
st.register_type_strategy(Mapping, st.dictionaries(st.text(), st.from_type(Span), max_size=2))
st.register_type_strategy(float, st.floats(allow_nan=False, allow_infinity=False))
DATA = st.recursive(
    st.none() | st.booleans() | st.integers() | st.from_type(float) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)


def plans() -> st.SearchStrategy[Plan]:
    """Any plan that the types allow, sense apart."""
    return any_of(
        Plan,
        version=st.just(1),
        inputs=st.lists(st.tuples(st.text(), DATA), max_size=2).map(tuple),
        steps=st.lists(st.from_type(Step), max_size=2).map(tuple),
    )


@given(plans())
@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
def test_a_plan_survives_json(plan: Plan) -> None:
    """What comes back is equal, to the last place and the type of every value."""
    text = json.dumps(to_json(plan))
    again = from_json(json.loads(text))
    assert again == plan
    assert repr(again) == repr(plan)  # spans take no part in equality, but in this


def step(name: str) -> Step:
    span = Span(SOURCES[0], 0, 5)
    return Step(
        name=Name(name, span),
        lifecycle=Supervise(span=span),
        action=Action(
            module=Name("exec", span),
            params=MapValue(((Name("command", span), Literal("/bin/true", span)),), span),
        ),
        security=SecurityContext(span=span, at={"user": Span(SOURCES[1], 1, 2)}),
        channel=ChannelPolicy(span=span),
        span=span,
    )


def plan() -> Plan:
    return Plan(playbook=Name("p", Span(SOURCES[0], 1, 2)), steps=(step("a"), step("b")), edges=())


def test_each_source_is_written_once() -> None:
    """Two steps of one file carry its text once; every span names it by number."""
    written = to_json(plan())
    assert [source["path"] for source in written["sources"]] == ["a.yaml", "b.yaml"]
    assert written["plan"]["steps"][1]["name"]["span"] == [0, 0, 5]


def test_places_come_back_in_one_source() -> None:
    """Spans of one file still share one source, so that places can be compared."""
    again = from_json(to_json(plan()))
    assert again.steps[0].span.source is again.steps[1].span.source


@pytest.mark.parametrize("version", [0, 2, "1", None])
def test_another_version_is_refused(version: object) -> None:
    """A plan of any other version is not guessed at."""
    with pytest.raises(UnreadablePlan, match="its version is"):
        from_json({**to_json(plan()), "version": version})


@given(plans())
@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
def test_a_plan_survives_its_compact_form(plan: Plan) -> None:
    """It comes back equal; of places there is the label."""
    again = from_json(json.loads(json.dumps(to_compact_json(plan, "site.job"))))
    assert again == plan
    assert str(again.playbook.span) == "site.job"


def test_the_compact_form_is_of_what_is_said() -> None:
    """It is the same wherever the text stands; what is at its default is left out."""
    source = Source("b.yaml", "# moved\n" * 9 + "x")
    moved = Text("{{ .a }}", Span(source, 3, 9), 4, (1, 2, 3, 4, 5, 6, 7, 8, 9))
    plain = Text("{{ .a }}", Span(SOURCES[0], 0, 5), 0)
    made = []
    for text in (moved, plain):
        read = Template((Output(0, 8, Path(3, 5, ".", ("a",))),), native=True, text=text)
        one = replace(step("a"), when=read, span=text.span, name=Name("a", text.span))
        made.append(to_compact_json(replace(plan(), steps=(one,)), "site.job"))
    assert made[0] == made[1]
    (written,) = made[0]["plan"]["steps"]
    assert "ignore_errors" not in written
    assert written["security"] == {"$": "SecurityContext"}


def damaged(data: Any, path: tuple[str | int, ...], value: object) -> Any:
    """A copy of nested JSON with one place replaced."""
    if not path:
        return value
    if isinstance(data, Mapping):
        return {**data, path[0]: damaged(data[path[0]], path[1:], value)}
    assert isinstance(path[0], int)
    return [damaged(v, path[1:], value) if i == path[0] else v for i, v in enumerate(data)]


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("plan",), None),
        (("plan", "$"), "Step"),
        (("plan", "steps", 0, "lifecycle", "$"), "Playbook"),
        (("plan", "steps", 0, "lifecycle", "restart"), "perhaps"),
        (("plan", "steps", 0, "name"), {"$": "Name"}),
        (("plan", "steps", 0, "span"), [7, 0, 1]),
        (("sources",), []),
    ],
)
def test_a_broken_record_is_refused(path: tuple[str | int, ...], value: object) -> None:
    """Damage anywhere is one clear error, and no class outside a plan is ever made."""
    with pytest.raises(UnreadablePlan, match="cannot read the plan"):
        from_json(damaged(to_json(plan()), path, value))


def test_a_template_node_knows_its_kind() -> None:
    """The base class of nodes is no node of its own: a record that names it is refused."""
    value = {"$": Node.__name__, "start": 0, "end": 1}
    path = ("plan", "steps", 0, "action", "params", "entries", 0, 1)
    with pytest.raises(UnreadablePlan):
        from_json(damaged(to_json(plan()), path, value))

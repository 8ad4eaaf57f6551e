"""Plans built from playbooks: order, policies, given values, vars."""

import gc
import time

import pytest

from gxo.diagnostic import Problem
from gxo.language.frontend import parse_sources
from gxo.language.model import Playbook
from gxo.plan.build import Given, build_plan, build_plans
from gxo.plan.model import Plan
from gxo.plan.scope import compile_scope
from gxo.plan.streams import stream_variable
from gxo.source import Source
from gxo.spec.policy import Profile
from gxo.template.fault import Fault
from gxo.template.value import Data

STEP = "{policy: run_once}, process: {module: exec, params: {command: /bin/true}}"


def playbook(text: str, path: str = "p.yaml") -> Playbook:
    playbooks, problems = parse_sources([Source(path, text)])
    assert [problem.message() for problem in problems] == []
    return playbooks[0]


def plan(text: str, given: Given | None = None) -> Plan:
    built, problems = build_plan(playbook(text), given or Given())
    assert problems == ()
    assert built is not None
    return built


def codes(problems: tuple[Problem, ...]) -> list[str]:
    return [problem.code for problem in problems]


def messages(text: str, given: Given) -> list[str]:
    built, problems = build_plan(playbook(text), given)
    assert built is None
    return [problem.message() for problem in problems]


def test_steps_keep_the_order_of_the_playbook_where_free() -> None:
    """Only a workload that needs a later one moves behind it."""
    steps = plan(
        f"workloads:\n"
        f"  - {{name: a, needs: [c], lifecycle: {STEP}}}\n"
        f"  - {{name: b, lifecycle: {STEP}}}\n"
        f"  - {{name: c, lifecycle: {STEP}}}\n"
        f"  - {{name: d, lifecycle: {STEP}}}\n"
    ).steps
    assert [step.name.text for step in steps] == ["b", "c", "a", "d"]


def test_the_nearest_policy_wins_key_by_key() -> None:
    """A workload's keys override the playbook's, also within maps; others are inherited."""
    built = plan(f"""
security_context:
  profile: host
  user: web
  capabilities: [CAP_CHOWN]
  resources: {{memory_max: 1M, tasks_max: 5}}
channel_policy: {{buffer_size: 8K}}
workloads:
  - {{name: far, lifecycle: {STEP}}}
  - {{name: near,
     security_context: {{user: other, capabilities: [], resources: {{tasks_max: 9}}}},
     channel_policy: {{overflow_strategy: error}},
     lifecycle: {STEP}}}
""")
    far, near = built.steps
    assert far.security.user == "web"
    assert near.security.user == "other"
    assert near.security.profile is Profile.HOST
    assert near.security.capabilities == ()
    assert near.security.resources is not None
    assert (near.security.resources.memory_max, near.security.resources.tasks_max) == (1 << 20, 9)
    assert set(near.security.at) == {"profile", "user", "capabilities", "resources"}
    assert near.channel.buffer_size == 8192
    assert near.channel.overflow_strategy == "error"


def test_a_nearer_root_is_the_only_one() -> None:
    """A workload's tree takes the place of the playbook's image, whose other keys it keeps."""
    built = plan(f"""
security_context: {{root_filesystem: {{image: /srv/a.raw, read_only: false}}}}
workloads:
  - {{name: near, security_context: {{root_filesystem: {{path: /srv/b}}}}, lifecycle: {STEP}}}
""")
    root = built.steps[0].security.root_filesystem
    assert root is not None
    assert (root.path, root.image, root.read_only) == ("/srv/b", None, False)


INPUTS = f"""
inputs:
  text: {{type: string, default: x}}
  count: {{type: int, default: 1}}
  share: {{type: float, default: 0.5}}
  debug: {{type: bool, default: false}}
  tags: {{type: list, default: [a]}}
  opts: {{type: map, default: {{a: 1}}}}
workloads:
  - {{name: a, lifecycle: {STEP}}}
"""


def test_inputs_are_typed() -> None:
    """What is given as text becomes what is declared; what is not given keeps its default."""
    given = {"count": "7", "share": "2", "debug": "true", "tags": '["b"]', "opts": '{"c": [null]}'}
    assert dict(plan(INPUTS, Given(inputs=given)).inputs) == {
        "text": "x", "count": 7, "share": 2.0, "debug": True, "tags": ["b"], "opts": {"c": [None]},
    }  # fmt: skip


@pytest.mark.parametrize(
    ("name", "text", "reason"),
    [
        ("count", "7.5", "input `count` must be of type int: write a whole number"),
        ("count", "", "input `count` must be of type int: write a whole number"),
        ("share", "nan", "input `share` must be of type float: write a number"),
        ("debug", "yes", "input `debug` must be of type bool: write `true` or `false`"),
        ("tags", '{"a": 1}', "input `tags` must be of type list: write a list as JSON"),
        ("tags", "[NaN]", "input `tags` must be of type list: write a list as JSON"),
        ("opts", "[" * 100_000, "input `opts` must be of type map: write a map as JSON"),
        ("cuont", "7", "no input is named `cuont`"),
    ],
)
def test_bad_inputs_are_problems(name: str, text: str, reason: str) -> None:
    """Whatever is typed on the command line is answered in the input's own terms."""
    assert messages(INPUTS, Given(inputs={name: text})) == [reason]


def test_a_bad_input_is_shown_as_typed() -> None:
    """The place is the option, its caret under the value."""
    _, (problem,) = build_plan(playbook(INPUTS), Given(inputs={"count": "x"}))
    assert str(problem.span) == "--input:1:7"


def test_one_of_several_playbooks_must_declare_an_input() -> None:
    """An input that one of them declares is no problem of the others."""
    with_input = playbook(INPUTS.replace("workloads:", "name: one\nworkloads:"))
    other = playbook(f"name: two\nworkloads:\n  - {{name: a, lifecycle: {STEP}}}\n")
    plans, problems = build_plans((with_input, other), Given(inputs={"count": "3"}))
    assert (len(plans), problems) == (2, ())
    _, problems = build_plans((with_input, other), Given(inputs={"nowhere": "3"}))
    assert codes(problems) == ["unknown-input"]


def test_one_bad_playbook_keeps_the_others() -> None:
    """Its own plan is missing, theirs are not."""
    good = playbook(f"name: good\nworkloads:\n  - {{name: a, lifecycle: {STEP}}}\n")
    bad = playbook(f"name: bad\nworkloads:\n  - {{name: a, needs: [x], lifecycle: {STEP}}}\n")
    plans, problems = build_plans((bad, good))
    assert [found.playbook.text for found in plans] == ["good"]
    assert codes(problems) == ["unknown-workload"]


def test_a_missing_input_may_be_missing_where_nothing_runs() -> None:
    """Validation of a playbook asks for no values."""
    text = f"inputs:\n  host: {{type: string}}\nworkloads:\n  - {{name: a, lifecycle: {STEP}}}\n"
    assert messages(text, Given()) == ["input `host` has no default and was not given"]
    assert plan(text, Given(partial=True)).inputs == ()


VARS = f"""
inputs:
  host: {{type: string, default: example.org}}
vars:
  url: "https://{{{{ .host }}}}:{{{{ .net.port }}}}/{{{{ .deep }}}}"
  deep: "{{{{ .path }}}}!"
  path: a
  net: {{port: 80, name: "{{{{ .host }}}}"}}
  when: "{{{{ now }}}}"
  later: "at {{{{ .when }}}}"
workloads:
  - {{name: a, lifecycle: {STEP}}}
"""


def read(built: Plan, name: str) -> Data:
    scope, problems = compile_scope(built)
    assert problems == ()
    return scope.names[name]


def test_vars_read_vars_and_inputs() -> None:
    """In any order, through several of them, keeping types within."""
    assert read(plan(VARS), "url") == "https://example.org:80/a!"
    assert read(plan(VARS), "net") == {"port": 80, "name": "example.org"}


def test_a_long_chain_of_vars() -> None:
    """Each reads the next, a thousand times, and none is evaluated within another."""
    chain = "".join(f"  v{n}: '{{{{ .v{n + 1} }}}}'\n" for n in range(1000))
    text = f"vars:\n{chain}  v1000: end\nworkloads: [{{name: a, lifecycle: {STEP}}}]\n"
    assert read(plan(text), "v0") == "end"


def test_given_vars_lie_over_the_written_ones() -> None:
    """Maps are joined; other vars see the given value; new names may come."""
    given = Given(vars={"net": {"port": 8080}, "path": "{{ .host }}", "new": [1]})
    built = plan(VARS, given)
    assert read(built, "url") == "https://example.org:8080/{{ .host }}!"
    assert read(built, "net") == {"port": 8080, "name": "example.org"}
    assert read(built, "new") == [1]


def test_what_only_a_run_can_tell_waits_for_it() -> None:
    """A var with `now` is no problem until something compiled reads it, if only through another."""
    scope, problems = compile_scope(plan(VARS))
    assert problems == ()
    for name in ("when", "later"):
        with pytest.raises(Fault, match="now"):
            scope.names[name]


def test_a_var_that_cannot_be_evaluated_is_a_problem() -> None:
    """At compile time, whether or not anything reads it, and only once."""
    text = (
        f"vars:\n  b: x\n  a: '{{{{ add 1 .b }}}}'\nworkloads: [{{name: a, lifecycle: {STEP}}}]\n"
    )
    _, problems = compile_scope(plan(text))
    assert len(problems) == 1
    assert str(problems[0].span).startswith("p.yaml:3:")


def test_stream_variables() -> None:
    """Upper case, hyphens as underscores."""
    assert stream_variable("my-Source_2") == "GXO_STREAM_MY_SOURCE_2"


def test_ten_thousand_workloads_take_linear_time() -> None:
    """Ten times the workloads in a chain with cross edges take at most thirty times as long."""

    def seconds(size: int) -> float:
        lines = ["workloads:"]
        for number in range(size):
            needs = ", ".join(f"w{n}" for n in {number // 2, number - 1} if 0 <= n < number)
            lines.append(f"  - {{name: w{number}, needs: [{needs}], lifecycle: {STEP}}}")
        parsed = playbook("\n".join(lines))
        gc.collect()
        gc.disable()  # its pauses tell of the heap of all tests, not of the plan
        start = time.process_time()
        built, problems = build_plan(parsed)
        assert built is not None
        spent = time.process_time() - start
        gc.enable()
        assert problems == ()
        return spent

    assert seconds(10_000) < 30 * max(seconds(1_000), 0.005)

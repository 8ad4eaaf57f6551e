"""What the template tests share: one scope, and a template's outcome as text."""

from collections.abc import Mapping

from gxo.diagnostic import Problem, render
from gxo.language.template import parse_template
from gxo.source import Source, Span, Text
from gxo.template.evaluate import Scope, evaluate
from gxo.template.fault import Failure, Fault
from gxo.template.functions import run_functions
from gxo.template.limits import DEFAULT, Limits
from gxo.template.tree import Template
from gxo.template.value import Data, Literal

NAMES: Mapping[str, Data] = {
    "name": "Ada",
    "n": 7,
    "f": 2.5,
    "yes": True,
    "no": False,
    "nothing": None,
    "empty": "",
    "list": ["a", "b", "c"],
    "none": [],
    "map": {"b": 2, "a": 1},
    "deep": {"one": {"two": {"three": "bottom"}}, "my-key": "hyphen", "0": "zero"},
    "reg": {"stdout": "out\n", "exit_code": 0, "items": [{"id": 1}, {"id": 2}]},
    "hostile": "{{ .name }}",
}
GXO: Mapping[str, Data] = {
    "workspace": {"path": "/w/1"},
    "run": {"id": "r-1"},
    "workloads": {"my-task": {"status": "Completed"}},
    "resume_payload": {"approved": True},
}


def text_of(written: str) -> Text:
    """A value that stands verbatim in a source of its own."""
    source = Source("playbook.yaml", written)
    return Text(written, Span(source, 0, len(written)), 0)


def parsed(written: str) -> tuple[Literal | Template, tuple[Problem, ...]]:
    problems: list[Problem] = []
    value = parse_template(text_of(written), problems)
    return value, tuple(problems)


def scope(limits: Limits = DEFAULT, **names: Data) -> Scope:
    functions = run_functions(
        secret=lambda name: f"<{name}>",
        env=_env,
        now=lambda: "2024-05-06T07:08:09Z",
        uuid=lambda: "00000000-0000-4000-8000-000000000000",
    )
    return Scope(names={**NAMES, **names}, gxo=GXO, functions=functions, limits=limits)


def _env(name: str) -> str:
    if name != "HOME":
        raise Failure("there is no such variable", argument=0)
    return "/root"


def value_of(written: str, limits: Limits = DEFAULT, **names: Data) -> Data:
    """What a template evaluates to; AssertionError where it has a problem."""
    value, problems = parsed(written)
    assert not problems, render(problems[0])
    return evaluate(value, scope(limits, **names))


def outcome(written: str, limits: Limits = DEFAULT) -> str:
    """What a template prints, or its problems as they are shown."""
    value, problems = parsed(written)
    if problems:
        return "".join(map(render, problems))
    try:
        result = evaluate(value, scope(limits))
    except Fault as fault:
        return render(fault.problem)
    assert isinstance(result, str), f"{result!r} is no text"
    return result


def fault_of(written: str, limits: Limits = DEFAULT, **names: Data) -> Problem:
    """The problem that ends an evaluation."""
    value, problems = parsed(written)
    assert not problems, render(problems[0])
    try:
        result = evaluate(value, scope(limits, **names))
    except Fault as fault:
        return fault.problem
    raise AssertionError(f"evaluated to {result!r}")

"""Templates under arbitrary input: what holds for every text, value and tree."""

import json
import shlex

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from gxo.diagnostic import render, to_json
from gxo.plan.codec import _decoder, _Encoder
from gxo.template.evaluate import evaluate
from gxo.template.fault import Fault
from gxo.template.limits import Limits
from gxo.template.names import references, uses
from gxo.template.tree import Template
from gxo.template.value import Data, Literal
from tests.unit.template_support import parsed, scope, value_of

TEXT = st.text(st.characters(exclude_categories=["Cs"]))
PRINTABLE = st.text(st.characters(exclude_categories=("Cs", "Cc"), exclude_characters="\x85\ufeff"))
SCALARS = st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | TEXT
DATA: st.SearchStrategy[Data] = st.recursive(
    SCALARS | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=12,
)
PIECES = [
    "{{",
    "}}",
    "{{-",
    "-}}",
    "(",
    ")",
    "|",
    "||",
    "&&",
    "==",
    "!=",
    "<",
    "<=",
    "!",
    "=",
    ":=",
    ",",
    ".",
    "$",
    "$x",
    ".name",
    ".list.0",
    ".reg.missing",
    "._gxo.run.id",
    "if",
    "else",
    "end",
    "range",
    "with",
    "break",
    "continue",
    "and",
    "or",
    "not",
    "eq",
    "define",
    "default",
    "upper",
    "printf",
    "list",
    "index",
    '"a"',
    "`b`",
    "'c'",
    '"%d"',
    "1",
    "-2",
    "0x",
    "1.2.3",
    "/*",
    "*/",
    "[",
    "]",
    "{",
    "}",
    "+",
    ";",
    "@",
    "\\",
    '"',
    "'",
    "`",
    "é",
    "漢",
    "{%",
    "%}",
    "nil",
    "true",
]
MUTANTS = st.lists(st.sampled_from([*PIECES, " ", "\n", "x"]), max_size=30).flatmap(
    lambda pieces: st.sampled_from((" ", "")).map(lambda glue: glue.join(pieces))
)
SMALL = Limits(steps=2_000, size=5_000, depth=20, search=5_000)


@given(TEXT.filter(lambda text: "{{" not in text))
@example("}} {% x %} { {")
def test_text_without_braces_is_itself(text: str) -> None:
    """A value without `{{` is a literal, character for character."""
    value, problems = parsed(text)
    assert value == Literal(text, value.span)
    assert not [problem for problem in problems if problem.severity == "error"]


@given(TEXT, TEXT)
def test_text_around_an_action_stays(before: str, after: str) -> None:
    """What stands around `{{ … }}` comes out as it is written."""
    before, after = before.replace("{{", ""), after.replace("{{", "")
    if before.endswith("{") or after.startswith("}"):
        before, after = before + " ", " " + after
    assert value_of(f"{before}{{{{ .name }}}}{after}", name="X") == f"{before}X{after}"


@settings(max_examples=400)
@given(MUTANTS | TEXT.map(lambda text: "{{" + text))
@example("{{ if }}{{ end")
@example("{{" + "(" * 300)
@example("{{ " + "!" * 300 + ".n }}")
@example("{{ if .n }}" * 300)
@example("{{ .n " + "| print " * 300 + "}}")
@example("{{ .n }}{{ if .n }}{{ else if .n }}" + "{{ else if .n }}" * 2000 + "{{ end }}")
@example("{{ 1 " + "|| 1 " * 5000 + "}}")
def test_any_text_parses_or_has_problems_within_it(written: str) -> None:
    """The parser never raises; each problem can be drawn and marks a range of the text."""
    value, problems = parsed(written)
    for problem in problems:
        assert 0 <= problem.span.start <= problem.span.end <= len(written)
        assert problem.span.start < problem.span.end or not written
        assert render(problem).endswith("\n")
        assert to_json(problem)["line"]
        assert "\n" not in problem.message()
    errors = [problem for problem in problems if problem.severity == "error"]
    assert isinstance(value, Literal) or not errors
    if "{{" in written and not errors:
        assert isinstance(value, Template)


@settings(max_examples=300)
@given(MUTANTS, DATA)
def test_any_template_evaluates_or_faults_within_limits(written: str, data: Data) -> None:
    """An evaluation ends in data of bounded size or in a Fault at a place of the template."""
    value, _ = parsed("{{ range $x := .data }}{{ end }}" + written)
    assert isinstance(references(value), tuple)
    assert isinstance(uses(value), tuple)
    try:
        result = evaluate(value, scope(SMALL, data=data if isinstance(data, list) else [data]))
    except Fault as fault:
        assert fault.problem.span.end <= value.span.end
        assert render(fault.problem)
    else:
        assert not isinstance(value, Template) or len(str(result)) <= 10 * SMALL.size


@given(st.integers(0, 400))
def test_deep_nesting_is_refused_not_crashed_on(depth: int) -> None:
    """Parentheses and blocks of any depth parse, or are refused as too deep."""
    for written in (
        "{{ " + "(print " * depth + "1" + ")" * depth + " }}",
        "{{ if .n }}" * depth + "{{ .n }}" + "{{ end }}" * depth,
    ):
        value, problems = parsed(written)
        codes = {problem.code for problem in problems}
        assert codes <= {"template-too-deep"}
        if isinstance(value, Template):
            assert depth <= 101
            assert value_of(written) is not None
        else:
            assert depth >= 99 or depth == 0


@given(DATA)
def test_json_and_yaml_round_trips(data: Data) -> None:
    """FromJson undoes toJson, and fromYaml toYaml, for all data."""
    assert value_of("{{ .d | toJson | fromJson }}", d=data) == data
    assert json.loads(str(value_of("{{ toJson .d }}\n", d=data))) == data


YAML = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | PRINTABLE
    | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(PRINTABLE, inner, max_size=4),
    max_leaves=12,
)  # fmt: skip


@given(YAML)
@example("1e3")
@example("010")
@example("0o17")
@example("no")
@example({"y": "~", "null": "0x1f"})
@example("1_000")
@example(1e16)
@example([1e-7, -0.0, 5e-324])
def test_yaml_round_trips(data: Data) -> None:
    """FromYaml undoes toYaml for all data that YAML can hold."""
    assert value_of("{{ .d | toYaml | fromYaml }}", d=data) == data


@given(TEXT)
def test_quoting_round_trips(text: str) -> None:
    """`quote` is a JSON string; `squote` one word of a shell."""
    assert json.loads(str(value_of("{{ quote .t }}", t=text))) == text
    assert shlex.split(str(value_of("{{ squote .t }}", t=text))) == [text]
    assert value_of("{{ .t | b64enc | b64dec }}", t=text) == text


@given(TEXT)
def test_text_in_quotes_is_itself(text: str) -> None:
    """A text written as JSON writes it, in the template itself, is that text."""
    written = json.dumps(text, ensure_ascii=True)
    astral = any(ord(character) > 0xFFFF for character in text)
    slash = "\\/" in written
    if not astral and not slash:  # JSON writes those as surrogate pairs
        assert value_of("{{ " + written + " }}") == text


@given(DATA)
def test_data_is_never_parsed_again(data: Data) -> None:
    """A value with braces in it comes out as it went in, alone and within text."""
    assert value_of("{{ .d }}", d=data) == data
    hostile = "{{ secret `x` }}{{ .name }}"
    assert value_of("{{ .d }}{{ .d }}", d=hostile) == hostile * 2


@settings(max_examples=200)
@given(MUTANTS)
def test_trees_survive_the_plan(written: str) -> None:
    """A template read back from a plan's JSON is equal and marks the same places."""
    value, _ = parsed(
        "{{ .n | add 1 }}{{ if .n }}{{ range $k, $v := .map }}"
        + written
        + "{{ break }}{{ end }}{{ else }}{{ (.reg).a }}{{ end }}"
    )
    if isinstance(value, Literal):
        return
    encoder = _Encoder()
    encoded = json.loads(json.dumps(encoder.value(value)))
    decoded = _decoder(Template)(encoded, tuple(encoder.sources))
    assert decoded == value
    assert isinstance(decoded, Template)
    assert decoded.span == value.span
    assert references(decoded) == references(value)


@pytest.mark.parametrize("written", ["{{ .a }}", "{{ if .a }}x{{ end }}"])
def test_equal_templates_are_equal_wherever_they_stand(written: str) -> None:
    """Places do not count: moving a template changes nothing that depends on its value."""
    first, _ = parsed(written)
    second, _ = parsed(written)
    assert first == second
    assert first.span != second.span
    assert hash(first) == hash(second)

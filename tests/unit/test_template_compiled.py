"""Compiled values mean what evaluated ones do, whatever they read, and are many times as fast."""

from collections.abc import Callable, Mapping
from itertools import count
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from gxo.dataclass import replace
from gxo.diagnostic import render
from gxo.runtime.redact import Redactor
from gxo.runtime.taint import TaintingTable
from gxo.source import Name
from gxo.template.compiled import compile_value
from gxo.template.evaluate import Scope, evaluate
from gxo.template.fault import Fault
from gxo.template.function import Kind, Param
from gxo.template.functions import FUNCTIONS
from gxo.template.limits import DEFAULT, Limits
from gxo.template.names import references
from gxo.template.value import Data, ListValue, MapValue, Value
from tests.unit.template_support import parsed, scope
from tests.unit.test_template_limits import BOMBS
from tests.unit.test_template_limits import NAMES as BIG
from tests.unit.test_template_properties import DATA, MUTANTS, SMALL

RECORD: Data = {
    "host": "web-1",
    "note": "a b c d " * 16,
    "size": 2048,
    "load": 0.5,
    "up": True,
    "gone": None,
    "tags": ["a", "b"],
    "of": {"x": {"y": "deep"}, "0": "zero"},
}
READS: Mapping[Kind, tuple[str, ...]] = {
    Kind.TEXT: (".record.host", "$.record.host", ".record.tags.1", "$.record.of.x.y", ".name",
                "_gxo.run.id", "`a`", "`web-1`", "``", "`%v %d`", "$x.host", "$.record.note"),
    Kind.NUMBER: ("$.record.size", ".record.load", "$.record.load", ".f", "-2.5", "1e300"),
    Kind.INTEGER: (".record.size", "$.index", ".n", "0", "1", "9223372036854775807"),
    Kind.LIST: (".record.tags", "$.record.tags", "$.list", "$.none"),
    Kind.MAP: ("$.record", "$.record.of", "$.record", ".deep.one"),
    Kind.ANY: ("$.record.up", "$.record.gone", "$x", "nil", "true", "$.record.of.0"),
}  # fmt: skip
"""Expressions that yield a kind of value, with RECORD and the record as `$x`."""
WRONG = tuple(
    """
    .record.tags.9 .record.tags.99999999999 .record.tags.x .record.of.x.y.z .record.nope .nope .
    $.record.nope.nope .index.x .deep.none _gxo.nope $ $x.0 $x.nope
    """.split()  # noqa: SIM905 - a table of words
)


def _leaf(kind: Kind) -> st.SearchStrategy[str]:
    kinds = {
        Kind.ANY: tuple(READS),
        Kind.NUMBER: (Kind.NUMBER, Kind.INTEGER),
        Kind.BOX: (Kind.LIST, Kind.MAP),
        Kind.SIZED: (Kind.TEXT, Kind.LIST, Kind.MAP),
        Kind.ROW: (Kind.TEXT, Kind.LIST),
    }.get(kind, (kind,))
    right = tuple(word for each in kinds for word in READS[each])
    return st.integers(0, 30).flatmap(lambda n: st.sampled_from(right if n else WRONG))


def _calls(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    def argument(param: Param) -> st.SearchStrategy[str]:
        made = {
            Kind.ANY: inner,
            Kind.TEXT: inner.map("(toString {})".format),
            Kind.INTEGER: inner.map("(len (print {}))".format),
            Kind.LIST: inner.map("(list {})".format),
        }
        return _leaf(param.kind) | made.get(param.kind, inner)

    def call(name: str) -> st.SearchStrategy[str]:
        function = FUNCTIONS[name]
        most = 3 if function.most is None else function.most
        return st.integers(function.least, max(most, function.least)).flatmap(
            lambda many: st.tuples(
                st.just(name), *(argument(function.param(index)) for index in range(many))
            ).map(lambda words: f"({' '.join(words)})")
        )

    operators = st.sampled_from(("==", "!=", "<", "<=", ">", ">="))
    sides = st.sampled_from(((Kind.NUMBER, Kind.NUMBER), (Kind.TEXT, Kind.TEXT))).flatmap(
        lambda kinds: st.tuples(*map(_leaf, kinds))
    )
    return st.one_of(
        st.sampled_from(tuple(FUNCTIONS)).flatmap(call),
        st.builds(lambda two, sign: f"({two[0]} {sign} {two[1]})", sides, operators),
        st.builds("({} {} {})".format, inner, st.sampled_from(("&&", "||", "==")), inner),
        st.sampled_from((".x", ".host", ".tags.0", ".of.0")).map("($.record){}".format),
    )


def _braces(written: str) -> str:
    """`[[ … ]]` made `{{ … }}`."""
    return written.replace("[[", "{{").replace("]]", "}}")


EXPR = st.recursive(_leaf(Kind.ANY), _calls, max_leaves=6)
_BLOCKS = (
    "{b}{c}",
    "[[ if {e} ]]{b}[[ end ]]",
    "[[ if {e} ]]{b}[[ else if $x := {f} ]]{c}[[ else ]][[ $x ]][[ end ]]",
    "[[ with {e} ]]{b}[[ . ]][[ else with $x := {f} ]]{c}[[ end ]]",
    "[[ range .record ]]{b}[[ . ]][[ else ]]none[[ end ]]",
    "[[ range {e} ]]{b}[[ else ]]none[[ end ]]",
    "[[ range $k, $x := list .record {e} ]]{b}[[ if {f} ]][[ break ]][[ end ]][[ $k ]][[ end ]]",
    "[[ range $x := .record.tags ]][[ if {e} ]][[ continue ]][[ end ]]{b}[[ end ]]",
    "[[ range 70 ]]{b}[[ end ]]",
    "[[ range 5 ]][[ range 20 ]]{b}[[ end ]][[ end ]]",
)
BODY = st.recursive(
    st.builds("[[ {} ]]".format, EXPR)
    | st.builds("[[ $x {} {} ]]".format, st.sampled_from(("=", ":=")), EXPR)
    | st.just("text"),
    lambda inner: st.sampled_from(_BLOCKS).flatmap(
        lambda block: st.builds(block.format, e=EXPR, f=EXPR, b=inner, c=inner)
    ),
    max_leaves=6,
)
TEMPLATE = st.one_of(
    EXPR.map(lambda written: f"[[ {written.replace('$x', '.record')} ]]"),
    BODY.map("[[ $x := .record ]]{}".format),
).map(_braces)


def _outcome(work: Callable[[], Data]) -> str:
    """What comes out, kinds of numbers and order of keys too, or the fault as it is shown."""
    try:
        return repr(work())
    except Fault as fault:
        return render(fault.problem)


def _same(value: Value, outer: Scope, record: Data) -> None:
    compiled = compile_value(value, outer, ("record", "index"))
    for index in range(2):
        names = {**outer.names, "record": record, "index": index}
        expected = _outcome(lambda names=names: evaluate(value, replace(outer, names=names)))  # type: ignore[misc]
        assert _outcome(lambda index=index: compiled(record, index)) == expected  # type: ignore[misc]


def _map_of(**templates: str) -> MapValue:
    values = {name: parsed(written)[0] for name, written in templates.items()}
    return MapValue(
        tuple((Name(name, value.span), value) for name, value in values.items()),
        next(iter(values.values())).span,
    )


@settings(max_examples=600)
@given(TEMPLATE, st.just(RECORD) | DATA, st.sampled_from((DEFAULT, SMALL)))
@example(
    "{{ range 3 }}{{ range $.record.tags }}{{ . }}{{ break }}{{ end }}{{ end }}", RECORD, SMALL
)
@example("{{ ge .record .record }}", float("nan"), DEFAULT)
@example("{{ default 1 (ternary .record.nope 1 true) }}", RECORD, DEFAULT)
def test_a_compiled_template_is_the_evaluated_one(
    written: str, record: Data, limits: Limits
) -> None:
    """The same data comes out, or the same fault at the same place in the same words."""
    _same(parsed(written)[0], scope(limits), record)


@settings(max_examples=100)
@given(MUTANTS, DATA)
def test_a_hostile_template_too(written: str, data: Data) -> None:
    """So it is for any text that parses at all."""
    _same(parsed("{{ $x := .record }}" + written)[0], scope(SMALL), data)


@settings(max_examples=200)
@given(TEMPLATE, st.integers(0, 200), st.integers(0, 200))
def test_limits_hold_to_the_last_step(written: str, steps: int, size: int) -> None:
    """However small the limits are, they are passed where an evaluation passes them."""
    _same(parsed(written)[0], scope(Limits(steps=steps, size=size)), RECORD)


@settings(max_examples=50)
@given(TEMPLATE, TEMPLATE, st.integers(0, 100))
def test_a_value_has_one_count_of_steps(first: str, second: str, steps: int) -> None:
    """Lists and maps of templates come out in their order; steps count for all of it."""
    value = _map_of(b=first, a=second, plain="text")
    _same(value, scope(Limits(steps=steps)), RECORD)
    _same(ListValue((value, parsed(first)[0]), value.span), scope(), RECORD)


@pytest.mark.parametrize("case", BOMBS)
def test_a_bomb_ends_as_it_does_evaluated(case: str) -> None:
    """What passes a limit passes it compiled too, and takes no more memory or time for it."""
    written, _ = BOMBS[case]
    value, outer = parsed(written)[0], scope(DEFAULT, **BIG)
    compiled = compile_value(value, outer)
    expected = _outcome(lambda: evaluate(value, outer))
    assert _outcome(compiled) == expected


@pytest.mark.parametrize("length", [100, 7_900, 8_100, 20_000])
@pytest.mark.parametrize(
    "written",
    ["{{ eq .record .record }}", "{{ lower .record | lower }}", "{{ contains .record .record }}"],
)
def test_long_texts_use_up_steps(written: str, length: int) -> None:
    """A text costs steps by its length where it is an argument, however it is compiled."""
    _same(parsed(written + "{{ .index }}")[0], scope(Limits(steps=1_000)), "x" * length)


def test_rounds_within_rounds_use_up_steps() -> None:
    """Few rounds within few rounds within few rounds are many."""
    for deep in (2, 3):
        written = "{{ range 60 }}" * deep + "{{ end }}" * deep
        _same(parsed(written)[0], scope(Limits(steps=20_000)), RECORD)


def test_what_comes_out_is_its_own() -> None:
    """Changing a result changes neither the record nor what the next record gives."""
    compiled = compile_value(_map_of(a="{{ .record }}", b="{{ .list }}"), scope(), ("record",))
    record: Data = {"tags": ["a"]}
    first: Any = compiled(record)
    first["a"]["tags"].append("b")
    first["b"].clear()
    assert compiled(record) == {"a": {"tags": ["a"]}, "b": ["a", "b", "c"]}


@pytest.mark.parametrize(
    "written",
    [
        "{{ gt .record.size (mul .limit 2) }}",
        "{{ and (eq .record.host .of) (not .record.gone) .record.up }}",
        "{{ .record.host | upper | default .of }}",
        "{{ .record.of.x.y }} {{ .record.load }}: {{ .record.size }} of {{ .limit }}",
        "{{ if .record.up }}{{ .record.tags.0 }}{{ else }}{{ .index }}{{ end }}{{ .limit }}",
        "{{ with .record.of }}{{ $y := .x.y }}{{ print $y $.limit }}{{ end }}",
        "{{ range $i, $tag := .record.tags }}{{ $i }}{{ $tag }}{{ $.limit }}{{ end }}",
        "{{ merge .record (dict `limit` .limit) }}",
        "{{ printf `%s %d` .record.host .limit | contains .of }}",
    ],
)
def test_what_is_common_is_evaluated_once(written: str) -> None:
    """What does not change from record to record is read when the value is compiled; no record
    is left to the evaluator, which would read it again.
    """

    class Counted(dict[str, Data]):
        reads = 0

        def __getitem__(self, name: str) -> Data:
            self.reads += 1
            return super().__getitem__(name)

    names = Counted(limit=10, of="web-1")
    value, problems = parsed(written)
    assert not problems
    compiled = compile_value(value, Scope(names=names), ("record", "index"))
    for index in range(3):
        compiled(RECORD, index)
    assert names.reads == len(references(value)) - sum(
        reference.path[0] in ("record", "index") for reference in references(value)
    )


def test_effects_are_had_for_each_record() -> None:
    """`uuid`, `now` and the like are called anew; what they cannot do is a fault as ever."""
    numbers = count()
    outer = scope()
    effects = {**outer.functions.effects, "uuid": lambda: f"id-{next(numbers)}"}
    outer = replace(outer, functions=replace(outer.functions, effects=effects))
    compiled = compile_value(parsed("{{ upper uuid }}")[0], outer)
    assert [compiled(), compiled()] == ["ID-0", "ID-1"]
    _same(parsed("{{ env .record }}{{ secret `a` }}")[0], outer, "HOME")
    _same(parsed("{{ env .record }}")[0], outer, "SHELL")


def test_what_is_made_of_a_secret_is_masked() -> None:
    """A table that looks at each call sees those of compiled values too."""
    redactor = Redactor(["hunter2"])
    plain = scope().functions
    table = TaintingTable(plain.functions, plain.effects, redactor=redactor)
    compiled = compile_value(
        parsed("{{ .password | upper }}{{ b64enc .record }}")[0],
        replace(scope(password="hunter2"), functions=table),
        ("record",),
    )
    assert compiled("my hunter2") == "HUNTER2bXkgaHVudGVyMg=="
    assert redactor.text("HUNTER2 bXkgaHVudGVyMg==") == "[REDACTED_SECRET] [REDACTED_SECRET]"

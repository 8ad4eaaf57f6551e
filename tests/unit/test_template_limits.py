"""No template runs long, grows big or goes deep: each limit is a clear error, soon."""

import time

import pytest

from gxo.diagnostic import render
from gxo.template.limits import DEFAULT, Limits
from gxo.template.value import Data
from tests.unit.template_support import fault_of, parsed, value_of

GROWTH = "{{ $x := `0123456789` }}{{ range 30 }}{{ $x = print $x $x }}{{ end }}{{ $x }}"
BOMBS = {
    "rounds": ("{{ range 1000000000 }}{{ end }}", "1000000 steps"),
    "rounds within rounds": (
        "{{ range 100000 }}{{ range 100000 }}{{ end }}{{ end }}",
        "1000000 steps",
    ),
    "output": ("{{ range 1000000 }}0123456789{{ end }}", "4194304 characters"),
    "text that doubles": (GROWTH, "4194304 characters"),
    "replace": (
        "{{ $x := printf `%1000d` 1 }}{{ range 4 }}{{ $x = replace `` $x $x }}{{ end }}",
        "4194304 characters",
    ),
    "indent": ("{{ indent 1000000000 `a` }}", "4194304 characters"),
    "join": ("{{ join .million .tens }}", "4194304 characters"),
    "lists that double": (
        "{{ $x := list 1 }}{{ range 60 }}{{ $x = list $x $x }}{{ end }}{{ $x }}",
        "4194304 characters and entries",
    ),
    "lists that double, compared": (
        "{{ $x := list 1 }}{{ $y := list 1 }}{{ range 60 }}{{ $x = list $x $x }}"
        "{{ $y = list $y $y }}{{ end }}{{ eq $x $y }}",
        "4194304 characters and entries",
    ),
    "maps that double, merged": (
        "{{ $x := dict }}{{ range 60 }}{{ $x = dict `a` $x `b` $x }}{{ end }}{{ merge $x $x }}",
        "4194304 characters and entries",
    ),
    "depth": (
        "{{ $x := list }}{{ range 5000 }}{{ $x = list $x }}{{ end }}{{ toJson $x }}",
        "100 levels of lists and maps within each other",
    ),
    "depth, compared": (
        "{{ $x := list }}{{ range 5000 }}{{ $x = list $x }}{{ end }}{{ eq $x $x }}",
        "100 levels of lists and maps within each other",
    ),
    "regular expression": (
        "{{ $x := `a` }}{{ range 12 }}{{ $x = print $x $x }}{{ end }}"
        "{{ regexReplace `(?:a.*)*[^a]|a` `` $x }}",
        "2000000 steps of a regular expression",
    ),
    "pattern": ("{{ regexMatch .long `a` }}", "1000 characters in a regular expression"),
    "pattern written out": (
        "{{ regexMatch (print `((a{1000}){1000})` `{1000}`) `a` }}",
        "10000 steps in a regular expression with its counts written out",
    ),
    "aliases of YAML": (
        "{{ fromYaml .yaml }}",
        "4194304 characters and entries, aliases written out",
    ),
    "depth of YAML": ("{{ fromYaml .brackets }}", "100 levels of lists and maps within each other"),
    "depth of JSON within its own limit": (
        "{{ fromJson .nested }}",
        "100 levels of lists and maps within each other",
    ),
}
NAMES: dict[str, Data] = {
    "long": "a" * 1001,
    "million": "x" * 1_000_000,
    "tens": list("0123456789"),
    "yaml": "a0: &a0 [x, x]\n"
    + "".join(f"a{n + 1}: &a{n + 1} [*a{n}, *a{n}, *a{n}]\n" for n in range(40)),
    "brackets": "[" * 100_000,
    "nested": "[" * 500 + "]" * 500,
}


@pytest.mark.parametrize("case", BOMBS)
def test_limits(case: str) -> None:
    """What would take too much ends within seconds, with an error that names the limit."""
    written, limit = BOMBS[case]
    start = time.monotonic()
    problem = fault_of(written, DEFAULT, **NAMES)
    assert problem.code == "template-limit"
    assert problem.message() == f"cannot evaluate the template: more than {limit}"
    assert render(problem)
    assert time.monotonic() - start < 20


def test_deep_json_is_refused() -> None:
    """JSON nested beyond what Python itself reads is an error like any other."""
    problem = fault_of("{{ fromJson .deep }}", deep="[" * 200_000)
    assert problem.message() == "cannot use `fromJson`: the JSON is nested too deep"


def test_steps_count_for_all_of_an_evaluation() -> None:
    """Limits are the scope's: the same template passes with more and fails with fewer steps."""
    written = "{{ range 10 }}{{ . }}{{ end }}"
    assert value_of(written, Limits(steps=100)) == "0123456789"
    assert fault_of(written, Limits(steps=15)).code == "template-limit"


def test_what_fits_is_not_refused() -> None:
    """The limits leave room for real work: ten thousand records, a megabyte of text."""
    items: list[Data] = [{"id": number, "name": f"n{number}"} for number in range(10_000)]
    text = value_of("{{ range .d }}{{ .id }}={{ .name | upper }},{{ end }}", d=items)
    assert isinstance(text, str)
    assert text.count(",") == 10_000
    big = "x" * 1_000_000
    assert value_of("{{ .big | replace `x` `yy` }}", big=big) == "yy" * 1_000_000
    assert value_of("{{ regexReplace `[0-9]+` `` .t }}", t="ab12 " * 20_000) == "ab " * 20_000
    assert DEFAULT.size > 2_000_000


HOSTILE = {
    "open parentheses": "{{" + "(" * 50_000,
    "open blocks": "{{ if .n }}" * 50_000,
    "a long chain": "{{ 1 " + "|| 1 " * 50_000 + "}}",
    "a long pipe": "{{ .n" + "| print " * 50_000 + "}}",
    "many branches": "{{ if .n }}" + "{{ else if .n }}" * 20_000 + "{{ end }}",
    "a long word": "{{ " + "a" * 100_000 + ".b }}",
    "a long path": "{{ .a" + ".a" * 50_000 + ".}}",
    "many mistakes": "{{ nope }}" * 10_000,
    "many comments": "{{/*" * 50_000,
    "many quotes": "{{ " + '"' * 100_001,
}


@pytest.mark.parametrize("case", HOSTILE)
def test_hostile_templates_parse_or_fail_soon(case: str) -> None:
    """Parsing takes time in proportion to the text, also where it ends in an explanation."""
    start = time.monotonic()
    _, problems = parsed(HOSTILE[case])
    for problem in problems[:3]:
        assert render(problem)
    assert time.monotonic() - start < 10

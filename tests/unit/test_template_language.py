"""What templates mean: a table of texts and what they print or evaluate to."""

import pytest

from gxo.template.value import Data
from tests.unit.template_support import outcome, value_of

PRINTS = {
    "plain": ("no braces }} { %", "no braces }} { %"),
    "path": ("{{ .name }}!", "Ada!"),
    "keys": ("<{{ .deep.one.two.three }}>", "<bottom>"),
    "list by number": ("{{ .list.0 }}{{ .list.2 }}", "ac"),
    "hyphens in keys": ("{{ .deep.my-key }}.", "hyphen."),
    "digits are keys of a map": ("{{ .deep.0 }}.", "zero."),
    "root": ("{{ range .list }}{{ $.n }}{{ end }}", "777"),
    "gxo by dot": ("{{ ._gxo.workspace.path }}/x", "/w/1/x"),
    "gxo by root": ("{{ $._gxo.run.id }}.", "r-1."),
    "gxo bare": ("{{ _gxo.run.id }}.", "r-1."),
    "gxo where the dot has moved": ("{{ range .list }}{{ ._gxo.run.id }}{{ end }}", "r-1r-1r-1"),
    "gxo workload": ("{{ ._gxo.workloads.my-task.status }}.", "Completed."),
    "numbers print": ("{{ .n }} {{ .f }} {{ -3 }} {{ 0x1f }} {{ 1e3 }}", "7 2.5 -3 31 1000.0"),
    "booleans print": ("{{ .yes }}/{{ .no }}", "true/false"),
    "lists and maps print as JSON": ("{{ .list }}{{ .map }}", '["a", "b", "c"]{"a": 1, "b": 2}'),
    "double quotes": (r'{{ "a\tb\"\u00e9\x41" }}.', 'a\tb"éA.'),
    "single quotes": (r"{{ 'it\'s' }}.", "it's."),
    "raw": (r"{{ `a\n` }}.", r"a\n."),
    "braces in text": ("{{ '{{ x }}' }}.", "{{ x }}."),
    "closing braces in text": ('{{ "}}" }}.', "}}."),
    "trim left": ("a \n {{- .n }} b", "a7 b"),
    "trim right": ("a {{ .n -}} \n\t b", "a 7b"),
    "minus is a number, not a trim": ("a {{-3}}", "a -3"),
    "comment": ("a{{/* b {{ .c }} */}}d", "ad"),
    "comment that trims": ("a {{- /* b */ -}} d", "ad"),
    "comment with spaces": ("a{{ /* b */ }}c", "ac"),
    "pipeline": ("{{ .name | lower | printf `%s-%s` `x` }}.", "x-ada."),
    "piped value is last": ("{{ 3 | sub 5 }}.", "2."),
    "parentheses": ("{{ add (mul 2 3) (len .list) }}.", "9."),
    "keys of parentheses": ('{{ (fromJson "{\\"a\\":[5]}").a.0 }}.', "5."),
    "function as argument": ("{{ print now }}.", "2024-05-06T07:08:09Z."),
    "no space needed before a parenthesis": ("{{ upper(.name) }}.", "ADA."),
    "if": ("{{ if .yes }}a{{ end }}b", "ab"),
    "if not": ("{{ if .no }}a{{ end }}b", "b"),
    "else": ("{{ if .none }}a{{ else }}b{{ end }}", "b"),
    "else if": ("{{ if .no }}a{{ else if .n }}b{{ else if .yes }}c{{ else }}d{{ end }}", "b"),
    "else if falls through": ("{{ if .no }}a{{ else if .no }}b{{ else }}d{{ end }}", "d"),
    "nested if": ("{{ if .yes }}{{ if .no }}a{{ else }}b{{ end }}c{{ end }}", "bc"),
    "truth of zero": ("{{ if 0 }}a{{ else }}b{{ end }}", "b"),
    "truth of empty text": ("{{ if .empty }}a{{ else }}b{{ end }}", "b"),
    "truth of nil": ("{{ if nil }}a{{ else }}b{{ end }}", "b"),
    "truth of the text false": ('{{ if "false" }}a{{ else }}b{{ end }}', "a"),
    "range": ("{{ range .list }}<{{ . }}>{{ end }}", "<a><b><c>"),
    "range with item": ("{{ range $x := .list }}<{{ $x }}>{{ end }}", "<a><b><c>"),
    "range with index": ("{{ range $i, $x := .list }}{{ $i }}{{ $x }}{{ end }}", "0a1b2c"),
    "range over a map is in order": ("{{ range $k, $v := .map }}{{ $k }}{{ $v }}{{ end }}", "a1b2"),
    "range over a number": ("{{ range 3 }}{{ . }}{{ end }}", "012"),
    "range else": ("{{ range .none }}a{{ else }}b{{ end }}", "b"),
    "range else has the outer dot": ("{{ range .none }}{{ else }}{{ .n }}{{ end }}", "7"),
    "range in range": (
        "{{ range .list }}{{ $a := . }}{{ range 2 }}{{ $a }}{{ . }}{{ end }}{{ end }}",
        "a0a1b0b1c0c1",
    ),
    "break": ("{{ range .list }}{{ if eq . `b` }}{{ break }}{{ end }}{{ . }}{{ end }}", "a"),
    "continue": ("{{ range .list }}{{ if eq . `b` }}{{ continue }}{{ end }}{{ . }}{{ end }}", "ac"),
    "break leaves one range": (
        "{{ range 2 }}{{ range 9 }}{{ break }}{{ end }}x{{ end }}",
        "xx",
    ),
    "with": ("{{ with .deep.one }}{{ .two.three }}{{ end }}", "bottom"),
    "with else": ("{{ with .empty }}a{{ else }}{{ .n }}{{ end }}", "7"),
    "else with": ("{{ with .empty }}a{{ else with .name }}{{ . }}{{ end }}", "Ada"),
    "with variable": ("{{ with $x := .name }}{{ $x }}{{ . }}{{ end }}", "AdaAda"),
    "if variable": ("{{ if $x := .name }}{{ $x }}{{ else }}{{ $x }}{{ end }}", "Ada"),
    "variable": ("{{ $x := .n }}{{ $x }}", "7"),
    "variable has keys": ("{{ $x := .reg }}{{ $x.exit_code }}", "0"),
    "assignment reaches out": ("{{ $x := 1 }}{{ if .yes }}{{ $x = 2 }}{{ end }}{{ $x }}", "2"),
    "declaration stays inside": ("{{ $x := 1 }}{{ if .yes }}{{ $x := 2 }}{{ end }}{{ $x }}", "1"),
    "a round's variable is fresh": (
        "{{ range 2 }}{{ $x := . }}{{ $x }}{{ $x = 9 }}{{ end }}",
        "01",
    ),
    "sum over rounds": ("{{ $s := 0 }}{{ range 4 }}{{ $s = add $s . }}{{ end }}{{ $s }}", "6"),
    "infix": ("{{ if .n == 7 && .f < 3 || .no }}a{{ end }}", "a"),
    "and binds tighter than or": ("{{ true || false && false }}.", "true."),
    "words as infix": ("{{ .n ge 7 and .f lt 1 or .yes }}.", "true."),
    "words as prefix": ("{{ and (ge .n 7) (lt .f 3) }}.", "true."),
    "not binds tighter than ==": ("{{ !.no == true }}.", "true."),
    "not before a call": ('{{ not hasPrefix "x" .name }}.', "true."),
    "a call binds tighter than ==": ("{{ len .list == 3 }}.", "true."),
    "comparison is piped": ("{{ .n == 7 | ternary `a` `b` }}.", "a."),
    "not at the end of a pipe": ("{{ .yes | not }}.", "false."),
    "and gives a value": ("{{ and .yes .name }}.", "Ada."),
    "and gives the empty one": ("{{ and 0 .name }}.", "0."),
    "or gives a value": ("{{ .empty || .name }}.", "Ada."),
    "or does not go on": ("{{ or .name .missing }}.", "Ada."),
    "and does not go on": ("{{ .no && .missing }}.", "false."),
    "eq with several": ("{{ eq .n 1 7 }}.", "true."),
    "whole and other numbers are alike": ("{{ 1 == 1.0 }}.", "true."),
    "nil can be compared": ("{{ .nothing == nil }}{{ .n == nil }}.", "truefalse."),
    "texts have an order": ('{{ "a" < "b" }}.', "true."),
    "lists are equal by items": ('{{ .list == list "a" "b" "c" }}.', "true."),
    "a truth is no number": ("{{ list 1 | has true }}.", "false."),
    "default of a missing key": ('{{ .reg.missing | default "x" }}.', "x."),
    "default further down": ('{{ default "x" .deep.nope.never }}.', "x."),
    "default of a missing item": ('{{ .list.9 | default "x" }}.', "x."),
    "default of nil": ('{{ .nothing | default "x" }}.', "x."),
    "coalesce of missing keys": ("{{ coalesce .reg.a .reg.b .name }}.", "Ada."),
    "empty of a missing key": ("{{ empty .reg.missing }}.", "true."),
    "secret": ('{{ secret "db" }}.', "<db>."),
    "output is data": ("{{ .hostile }}.", "{{ .name }}."),
    "output of a function is data": ('{{ print "{" "{ .name }}" }}.', "{{ .name }}."),
    "only a declaration": ("{{ $x := 1 }}", ""),
    "several lines": ("a\n{{ if .yes -}}\nb\n{{- end }}\nc\n", "a\nb\nc\n"),
    "carriage returns are trimmed": ("a\r\n{{- .n -}}\r\nb", "a7b"),
    "wide text": ("漢{{ .n }}字", "漢7字"),
}


@pytest.mark.parametrize("case", PRINTS)
def test_what_a_template_prints(case: str) -> None:
    """Each form of the language prints what the table says."""
    written, expected = PRINTS[case]
    assert outcome(written) == expected


NATIVE: dict[str, Data] = {
    "{{ .n }}": 7,
    "{{ .f }}": 2.5,
    "{{ .yes }}": True,
    "{{ .nothing }}": None,
    "{{ .list }}": ["a", "b", "c"],
    "{{ .map }}": {"b": 2, "a": 1},
    "{{- .n -}}": 7,
    "{{ .n | add 1 }}": 8,
    "{{ list 1 nil }}": [1, None],
    "{{ .n }} ": "7 ",
    " {{ .n }}": " 7",
    "{{ .n }}{{ .n }}": "77",
    "{{ if .yes }}{{ .n }}{{ end }}": "7",
    "{{ $x := 5 }}{{ $x }}": "5",
    "{{/* c */}}{{ .n }}": "7",
    "{{ .n }}\n": "7\n",
}


@pytest.mark.parametrize("written", NATIVE)
def test_a_single_action_keeps_its_type(written: str) -> None:
    """A value that is exactly one `{{ … }}` keeps its native type; any other is text."""
    result = value_of(written)
    assert result == NATIVE[written]
    assert type(result) is type(NATIVE[written])


def test_names_may_be_of_any_script() -> None:
    """A name is letters and digits as Unicode knows them."""
    assert value_of("{{ .名 }}", 名="値") == "値"


def test_what_comes_out_is_not_the_scopes_own() -> None:
    """A list that a template yields can be changed without changing what it was read from."""
    items: list[Data] = [[1]]
    result = value_of("{{ .items }}", items=items)
    assert isinstance(result, list)
    assert isinstance(result[0], list)
    result[0].append(2)
    assert items == [[1]]

"""The function table: every example of its doc, the reference made of it, and the edges of each."""

import re
from pathlib import Path

import pytest

from gxo.template.data import to_text
from gxo.template.functions import COMPILE_FUNCTIONS, FUNCTIONS
from gxo.template.limits import DEFAULT
from gxo.template.reference import function_table, replace_table
from gxo.template.value import Data
from tests.unit.template_support import fault_of, outcome, parsed, value_of

REFERENCE = Path(__file__).parents[2] / "docs/reference/templates.md"
LISTED = """default coalesce ternary empty get dict list index len first last rest slice has keys
  values merge trim upper lower title replace split join contains hasPrefix hasSuffix printf print
  quote squote indent nindent int float bool toString add sub mul div mod min max round toJson
  fromJson toYaml fromYaml b64enc b64dec sha256 urlquote regexMatch regexReplace now date
  duration env secret uuid eq ne lt le gt ge and or not"""


def test_the_table_is_the_list_of_the_language() -> None:
    """The functions are those of the language's list and its operators, no more and no fewer."""
    assert sorted(FUNCTIONS) == sorted(LISTED.split())


@pytest.mark.parametrize("name", [name for name, row in FUNCTIONS.items() if row.pure])
def test_examples_of_the_reference(name: str) -> None:
    """The example of each function prints what its doc says."""
    written, printed = FUNCTIONS[name].example
    assert to_text(value_of(written), DEFAULT) == printed
    assert name in written


def test_impure_functions() -> None:
    """Just four functions depend on more than their arguments."""
    impure = [name for name, row in FUNCTIONS.items() if not row.pure]
    assert impure == ["now", "env", "secret", "uuid"]
    assert not any(COMPILE_FUNCTIONS.can(FUNCTIONS[name]) for name in impure)


def test_the_reference_shows_the_table(request: pytest.FixtureRequest) -> None:
    """docs/reference/templates.md holds the table as it is; `--accept` writes it there."""
    written = REFERENCE.read_text(encoding="utf-8")
    expected = replace_table(written, function_table(FUNCTIONS.values()))
    if request.config.getoption("--accept", default=False):
        REFERENCE.write_text(expected, encoding="utf-8")
    assert expected in (written, REFERENCE.read_text(encoding="utf-8"))


VALUES: dict[str, Data] = {
    '{{ default 1 "" }}': 1,
    "{{ default 1 0 }}": 1,
    "{{ default 1 false }}": 1,
    "{{ default 1 (list) }}": 1,
    "{{ default 1 2 }}": 2,
    "{{ coalesce 0 nil }}": None,
    '{{ get .map "zzz" }}': None,
    '{{ index .reg "items" 1 "id" }}': 2,
    '{{ len "漢字" }}': 2,
    "{{ len .map }}": 2,
    "{{ first .none }}": None,
    "{{ last .none }}": None,
    "{{ rest .none }}": [],
    "{{ slice .list 1 }}": ["b", "c"],
    '{{ slice "abc" 3 }}': "",
    '{{ has "a" .map }}': True,
    "{{ has 1 .map }}": False,
    "{{ merge (dict `a` (dict `x` 1)) (dict `a` (dict `x` 2 `y` 3)) }}": {"a": {"x": 1, "y": 3}},
    '{{ title "äb cd" }}': "Äb Cd",
    '{{ replace "" "-" "ab" }}': "-a-b-",
    '{{ split "" "ab" }}': ["a", "b"],
    '{{ split "," "" }}': [""],
    '{{ join "," .none }}': "",
    '{{ join ", " (list 1 true (list 2)) }}': "1, true, [2]",
    "{{ print }}": "",
    "{{ print 1 2 }}": "1 2",
    "{{ print true 1 `a` 2 3 }}": "true 1a2 3",
    '{{ printf "%%|%5s|%-5s|%05d|%+d|%x|%X|%o|%b|%c" "a" "b" -7 7 255 255 8 5 955 }}': (
        "%|    a|b    |-0007|+7|ff|FF|10|101|λ"
    ),
    '{{ printf "%.3f %e %g %g %6.2f" 1.5 1.5 1.5 2 3.14159 }}': "1.500 1.500000e+00 1.5 2.0   3.14",
    '{{ printf "%x" "é" }}': "c3a9",
    '{{ printf "%.2s" "abc" }}': "ab",
    "{{ indent 2 `a\nb` }}": "  a\n  b",
    "{{ int 3.9 }}": 3,
    "{{ int -3.9 }}": -3,
    '{{ int " 12 " }}': 12,
    "{{ int true }}": 1,
    '{{ float "1e3" }}': 1000.0,
    '{{ bool "TRUE" }}': True,
    "{{ add 1 0.5 }}": 1.5,
    "{{ div -7 2 }}": -3,
    "{{ mod -7 2 }}": -1,
    "{{ mod 7.5 2 }}": 1.5,
    "{{ min 2 1.5 }}": 1.5,
    "{{ round -2.5 }}": -3,
    "{{ round 2.345 2 }}": 2.35,
    "{{ round 7 }}": 7,
    "{{ toJson nil }}": "null",
    "{{ fromJson `[1, 1.5, null, {}]` }}": [1, 1.5, None, {}],
    r"""{{ fromJson `{"a\ud83d": ["\ud83d\ude00\udfff"]}` }}""": {"a\ufffd": ["\U0001f600\ufffd"]},
    "{{ fromYaml `` }}": None,
    "{{ fromYaml `[no, on, 010, 1_0, 0x1f, 12:30, 2024-01-02, 1e3]` }}": (
        ["no", "on", "010", "1_0", "0x1f", "12:30", "2024-01-02", "1e3"]
    ),
    "{{ fromYaml `[true, ~, null, 1, -2.5, 'true']` }}": [True, None, None, 1, -2.5, "true"],
    "{{ fromYaml `{a: &x [1], b: *x}` }}": {"a": [1], "b": [1]},
    "{{ toYaml (list 1 (dict `k` `no`)) }}": "- 1\n- k: 'no'",
    "{{ toYaml .name }}": "Ada",
    "{{ regexMatch `^a.c$` `abc` }}": True,
    "{{ regexReplace `(?P<x>b+)` `<${x}>` `abbc` }}": "a<bb>c",
    "{{ regexReplace `a*` `x` `baac` }}": "xbxcx",
    "{{ regexReplace `b` `$$` `abc` }}": "a$c",
    "{{ date `2006-01-02 15:04:05` 0 }}": "1970-01-01 00:00:00",
    "{{ date `Mon Jan _2 3:04:05.000 PM MST -0700 Z07:00 002` `2024-05-06T17:08:09.5+02:00` }}": (
        "Mon May  6 5:08:09.500 PM +02:00 +0200 +02:00 127"
    ),
    "{{ date `2006` `2024-05-06` }}": "2024",
    "{{ duration 0 }}": "0s",
    "{{ duration 0.0015 }}": "1.5ms",
    "{{ duration 95 }}": "1m35s",
    '{{ duration "95" }}': "1m35s",
    '{{ duration "500ms" }}': 0.5,
    '{{ duration "-1h" }}': -3600,
    '{{ env "HOME" }}': "/root",
}


@pytest.mark.parametrize("written", VALUES)
def test_values(written: str) -> None:
    """Each function gives the value the table says, of the type it says."""
    value = value_of(written)
    assert value == VALUES[written]
    assert type(value) is type(VALUES[written])


FAULTS = {
    "{{ upper .n }}": ": TEXT must be text, not a number",
    "{{ upper .nothing }}": ": TEXT must be text, not nil",
    "{{ .n == .name }}": "cannot compare the two: a number and text are of different kinds",
    "{{ lt .map .map }}": "cannot compare the two: a map cannot be ordered",
    "{{ index .list 3 }}": ": the list has 3 items, none at 3",
    '{{ index .map "c" }}': ": the map has no key `c`",
    "{{ index .n 0 }}": ": a number has no items",
    "{{ dict .name }}": ": the last key has no value",
    "{{ dict .n 1 }}": ": a key must be text, not a number",
    "{{ slice .name 2 1 }}": ": END must be from 2 to 3, the length",
    "{{ slice .name 4 }}": ": START must be from 0 to 3, the length",
    "{{ int .name }}": ": the text is not a whole number",
    "{{ int .list }}": ": a list is not a number",
    "{{ float .name }}": ": the text is not a number",
    "{{ bool .n }}": ": a number is neither `true` nor `false`",
    "{{ div .n 0 }}": ": the divisor is zero",
    "{{ mod .n 0 }}": ": the divisor is zero",
    "{{ mul 9223372036854775807 .n }}": ": the result needs more than 64 bits",
    "{{ mul 1e308 1e308 .n }}": ": the result is too large for a number",
    "{{ round .f 16 }}": ": DIGITS must be from 0 to 15",
    "{{ indent -1 .name }}": ": the number of spaces is below 0",
    "{{ fromJson .name }}": ": the text is not JSON, see its line 1, column 1",
    '{{ fromJson "NaN" }}': ": the text is not JSON: `NaN` is not a number there",
    '{{ fromJson "1e999" }}': ": a number in the JSON is too large",
    '{{ fromYaml "a: [" }}': ": the text is not YAML, see its line 2, column 1",
    '{{ fromYaml "!!python/name:os.system x" }}': (
        ": the YAML is refused at its line 1, column 1: tags are refused"
    ),
    '{{ fromYaml "a: 1\\na: 2" }}': (
        ": the YAML is refused at its line 2, column 1: a key stands there twice"
    ),
    '{{ fromYaml "*x" }}': (
        ": the YAML is refused at its line 1, column 1: an alias has no anchor before it"
    ),
    '{{ fromYaml "&x [*x]" }}': (
        ": the YAML is refused at its line 1, column 5: an alias has no anchor before it"
    ),
    '{{ fromYaml "1\\n---\\n2" }}': (
        ": the YAML is refused at its line 2, column 1: there is a second document"
    ),
    '{{ fromYaml "? [1]\\n: 2" }}': (
        ": the YAML is refused at its line 1, column 5: a key is not text"
    ),
    '{{ fromYaml "a\\x00b" }}': ": the text is not YAML: it holds a NUL character",
    '{{ b64dec "!" }}': ": the text is not base64",
    '{{ b64dec "/w==" }}': ": what it encodes is not text (not UTF-8)",
    '{{ date "%Y" 0 }}': ": the layout is written with `%`",
    '{{ date "2006" .name }}': ": the text is not a time",
    '{{ date "2006" "2024-02-30" }}': ": there is no such time",
    '{{ duration "1x" }}': ": the text is not a duration",
    '{{ printf "%d" .name }}': ": `%d` takes a whole number, not text",
    '{{ printf "%d" }}': ": there is no value for `%d`",
    '{{ printf "a" 1 }}': ": the text has no `%` verb for value 1",
    '{{ printf "%y" 1 }}': ": `%y` is not a verb",
    '{{ printf "a%" }}': ": there is no value for `%`",
    '{{ printf "%v" nil }}': ": the value is nil",
    '{{ printf "%9999999d" 1 }}': ": the width in `%9999999d` is more than 1000",
    '{{ regexReplace "a" "$1" "a" }}': ": the pattern has no group `1`",
    '{{ regexReplace "(a)" "$1x" "a" }}': ": the pattern has no group `1x`",
    '{{ join "," (list nil) }}': ": the value is nil",
    "{{ quote .nothing }}": ": the value is nil",
    "{{ range .name }}{{ end }}": "cannot loop over `.name`: it is text",
    "{{ range .nothing }}{{ end }}": "cannot loop over `.nothing`: it is nil",
}


@pytest.mark.parametrize("written", FAULTS)
def test_faults(written: str) -> None:
    """What a function cannot do is said in one line, in the user's words."""
    name = written.split()[1]
    expected = FAULTS[written]
    # what starts with a colon has its beginning in common with all
    whole = f"cannot use `{name}`{expected}" if expected.startswith(":") else expected
    assert fault_of(written).message() == whole


def test_a_fault_marks_the_argument_to_blame() -> None:
    """The caret stands under the argument that cannot be used, a piped one too."""
    assert outcome('a: {{ .n | join (upper "x") }}') == (
        "error[function-failed]: cannot use `join`: ITEMS must be a list, not a number\n"
        " --> playbook.yaml:1:7\n"
        "  |\n"
        '1 | a: {{ .n | join (upper "x") }}\n'
        "  |       ^^\n"
    )


@pytest.mark.parametrize(
    ("call", "secret"),
    [
        ("add 1", "hunter2"),
        ("fromJson", "hunter2"),
        ("fromYaml", "!!hunter2"),
        ("fromYaml", "{hunter2: 1, hunter2: 2}"),
        ("fromYaml", "*hunter2"),
        ("fromYaml", "[hunter2"),
        ("b64dec", "hunter2!"),
        ("int", "hunter2"),
        ("bool", "hunter2"),
        ("duration", "1hunter2"),
        ("date `2006`", "hunter2"),
        ("regexMatch .secret", "(hunter2"),
    ],
)
def test_no_fault_shows_a_value(call: str, secret: str) -> None:
    """A value may be a secret: messages and hints speak of its kind and of places in it only."""
    problem = fault_of(f"{{{{ {call} .secret }}}}", secret=secret)
    assert "hunter2" not in f"{problem.message()} {problem.hint()}"


@pytest.mark.parametrize(
    "trick",
    ["{0.__class__.__mro__}", "{}{name!r:>{0}}", "%(name)s", "%n%n%s", "%*d", "%1$s", "${HOME}$$"],
)
def test_format_string_tricks(trick: str) -> None:
    """Text is no format: not Python's, not C's, not a shell's; as a pattern it has Go's verbs."""
    for template in (
        "{{ .t }}",
        "{{ print .t }}",
        "{{ printf `%s` .t }}",
        "{{ replace `x` .t `x` }}",
    ):
        assert value_of(template, t=trick) == trick
    if "%" in trick:
        assert fault_of("{{ printf .t }}", t=trick).message().startswith("cannot use `printf`: ")
    else:
        assert value_of("{{ printf .t }}", t=trick) == trick


def test_the_templates_of_the_reference_parse() -> None:
    """Every whole template that the reference shows in code can be read."""
    shown = re.findall(r"(`+)(.+?)\1(?!`)", REFERENCE.read_text(encoding="utf-8"))
    written = [code.replace("\\|", "|").replace("⏎", "\n").strip() for _, code in shown]
    whole = [code for code in written if "{{" in code and "}}" in code and "…" not in code]
    assert len(whole) > len(FUNCTIONS)
    # a block's opening, a part of a `range` and the change of a variable may be shown alone
    allowed = {"template-missing-end", "template-stray", "unknown-variable"}
    for code in (code for code in whole if code != "{{ }}"):
        assert {problem.code for problem in parsed(code)[1]} <= allowed, code

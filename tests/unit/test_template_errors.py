"""Whole rendered errors of templates, as template_errors.txt beside this file holds them."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from gxo.diagnostic import Problem, render, to_json
from gxo.language.template import parse_template
from gxo.source import Source, Span, Text
from tests.unit.template_support import outcome, parsed

CASES = Path(__file__).with_name("template_errors.txt")
_CASE = "=" * 20 + "\n"
_OUTPUT = "-" * 20 + "\n"


def cases() -> Iterator[tuple[str, str]]:
    """Each template and the error it gives."""
    for case in CASES.read_text(encoding="utf-8").split(_CASE)[1:]:
        written, output = case.split("\n" + _OUTPUT)
        yield written, output


@pytest.mark.parametrize(("written", "expected"), [*cases()])
def test_errors(written: str, expected: str) -> None:
    """A wrong template gives just this error: words, place, caret and hint."""
    assert outcome(written) == expected


def test_errors_are_accepted_whole(request: pytest.FixtureRequest) -> None:
    """The file is what the templates in it give; `--accept` writes it anew."""
    text = "".join(f"{_CASE}{w}\n{_OUTPUT}{outcome(w)}" for w, _ in cases())
    if request.config.getoption("--accept", default=False):
        CASES.write_text(text, encoding="utf-8")
    assert CASES.read_text(encoding="utf-8") == text


def test_no_error_speaks_of_the_parser() -> None:
    """No message names a token or a rule of the grammar."""
    for _, output in cases():
        for word in ("OPEN", "CLOSE", "PATH", "RELATION", "pipeline", "operand", "$END", "token"):
            assert word not in output.replace("{{", "").split("\n")[0], output


def test_a_caret_stands_under_the_text_as_yaml_spells_it() -> None:
    """Where characters of the value are escaped in the source, the span covers them as written."""
    source = Source("p.yaml", r'a: "\u007b{ uper\x20.n }}"')
    # where each character of the value stands: `\u007b` takes six characters, `\x20` four
    offsets = (4, *range(10, 17), *range(20, 26))
    problems: list[Problem] = []
    parse_template(Text("{{ uper .n }}", Span(source, 3, 26), 4, offsets), problems)
    assert render(problems[0]) == (
        "error[unknown-function]: there is no function `uper`\n"
        " --> p.yaml:1:13\n"
        "  |\n"
        '1 | a: "\\u007b{ uper\\x20.n }}"\n'
        "  |             ^^^^\n"
        "  = hint: did you mean `upper`?\n"
    )


def test_every_problem_of_a_template_is_reported() -> None:
    """Unknown functions and variables, wrong counts: all of one text come in one go."""
    _, problems = parsed("{{ nope 1 }}{{ upper }}{{ $x }}")
    assert [problem.code for problem in problems] == [
        "unknown-function",
        "argument-count",
        "unknown-variable",
    ]
    assert [to_json(problem)["column"] for problem in problems] == [4, 16, 27]

"""Hostile input: nothing raises, nothing takes long, every problem lies in its source."""

import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gxo.diagnostic import Problem, render, sort_problems, to_json
from gxo.language.files import decode
from gxo.language.frontend import parse_sources
from gxo.language.limits import DEPTH, FAULTS, TEXT, VALUES
from gxo.language.model import Playbook
from gxo.source import Source

GOLDEN = Path(__file__).parent.parent / "golden" / "language"
SEEDS = [path.read_bytes() for path in sorted(GOLDEN.glob("*/*.y*ml"))]
# pieces that mean something to YAML, to templates or to a terminal
PIECES = [
    b"{{", b"}}", b"*", b"&a ", b"*a", b"!!", b"!x ", b"<<: ", b"---\n", b"...\n", b"? ", b"- ",
    b"[", b"]", b"{", b"}", b"'", b'"', b"|\n", b">\n", b"\t", b"\0", b"\x1b[", b"\xff", b"#",
    b"\xc2\x85", b"\xe2\x80\xa8", b"\xef\xbb\xbf", b"\r", b"\r\n", b": ", b"%", b"@", b"`",
    b"\\", b"~", b"999999999999999999999", b"1e999", b"workloads:\n", b"params: ", b"\n", b"  ",
]  # fmt: skip


def check(data: bytes) -> tuple[tuple[Playbook, ...], list[Problem]]:
    """Read bytes as a playbook; every problem must lie in its source and be shown."""
    problems: list[Problem] = []
    source = decode("x.yaml", data, problems)
    playbooks, found = parse_sources([source] if source else [])
    problems += found
    for problem in sort_problems(problems):
        places = [problem.span, *(span for span, _ in problem.related())]
        for span in places:
            assert 0 <= span.start <= span.end <= len(span.source.text), (problem, span)
        text = render(problem)
        assert text.endswith("\n")
        assert "\x1b" not in text
        to_json(problem)
    assert playbooks or problems
    return playbooks, problems


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=400))
def test_any_bytes(data: bytes) -> None:
    """Arbitrary bytes give playbooks or problems, never an exception."""
    check(data)


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=300))
def test_any_text(text: str) -> None:
    """Also text that no file can hold, such as lone surrogates."""
    playbooks, problems = parse_sources([Source("x.yaml", text)])
    for problem in problems:
        render(problem)
    assert playbooks or problems


@settings(max_examples=500, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_broken_playbooks(data: st.DataObject) -> None:
    """Real playbooks with pieces put in, cut out and moved."""
    text = data.draw(st.sampled_from(SEEDS))
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(text)))
        cut = data.draw(st.integers(0, 12))
        text = text[:at] + data.draw(st.sampled_from(PIECES)) + text[at + cut :]
    check(text)


@pytest.mark.timeout(30)
@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"[" * 100_000, "too-deep"),
        (b"{a: " * 100_000, "too-deep"),
        (b"- " * 100_000, "too-deep"),
        (b"vars: " + b"[" * (DEPTH - 2) + b"]" * (DEPTH - 2) + b"\n", "missing-key"),
        (b"vars: {a: '" + b"{{ (" * 20_000 + b"'}\n", None),
        (b"vars: [" + b"a," * VALUES + b"]\n", "too-many-values"),
        (b"vars: {a: '" + b"x" * (TEXT + 1) + b"'}\nworkloads: []\n", "text-too-long"),
        (b"name: a\n" * 20_000, "duplicate-key"),
        (b"".join(b"a%d: b\n" % i for i in range(10_000)), "unknown-key"),
        (b"? " + b"a" * 1_000_000 + b"\n: b\n", "unknown-key"),
        (b"vars: {a: &a [x], b: [" + b"*a," * 300_000 + b"]}\nworkloads: []\n", None),
    ],
    ids=lambda value: "" if isinstance(value, bytes) else str(value),
)
def test_big_and_deep(data: bytes, code: str | None) -> None:
    """Input that is deep, wide or long is refused or read, in seconds."""
    began = time.process_time()
    _, problems = check(data)
    assert code is None or code in {problem.code for problem in problems}
    assert time.process_time() - began < 20


def test_control_characters_are_not_listed_for_ever() -> None:
    """A file of control characters gets as many problems as help somebody."""
    _, problems = check(b"\x07" * 10_000)
    assert sum(problem.code == "control-character" for problem in problems) == FAULTS


def test_no_value_of_a_playbook_holds_a_control_character() -> None:
    """A playbook that is read has none in any text, however it was written."""
    for escape in (
        "\\x00",
        "\\x07",
        "\\e",
        "\\r",
        "\\x7f",
        "\\x85",
        "\\u2028",
        "\\u202e",
        "\\ufeff",
    ):
        for key in ('vars: {a: "%s"}', 'vars: {a: ["x %s"]}', 'vars: {"a%s": b}'):
            text = f"{key % escape}\nworkloads: []\n"
            playbooks, problems = parse_sources([Source("x.yaml", text)])
            assert not any(playbook.sound for playbook in playbooks)
            assert [problem.code for problem in problems] == ["control-character"], text


def test_start_up_is_light() -> None:
    """The frontend loads yaml, and neither lark nor anything that only errors or templates need."""
    code = (
        "import sys; from gxo.language.frontend import parse_sources;"
        "from gxo.source import Source;"
        f"print(len(parse_sources([Source('x', {SIMPLE!r})])[0]));"
        "print(sorted(m for m in sys.modules if m in ('lark', 'jinja2', 'typer', 'zoneinfo')"
        " or m.startswith('gxo.diagnostic.') and m.split('.')[2] in ('yaml', 'keys', 'modules')))"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout == "1\n[]\n"


SIMPLE = """
name: a
workloads:
  - name: b
    lifecycle: {policy: supervise, restart: always, stop_timeout: 5s}
    process: {module: exec, params: {command: /usr/bin/id, args: [a]}}
"""


@pytest.mark.parametrize("key", ["watchdog", "restart", "x"])
def test_a_problem_fits_a_terminal(key: str) -> None:
    """What was written may have a million characters: an error quotes the beginning of it."""
    long = "x" * 500_000
    text = (
        f"workloads:\n- {{name: a, lifecycle: {{policy: supervise, {key}: {long}}},"
        f" process: {{module: exec, params: {{command: 'true', {long}: 1}}}}}}\n"
    )
    _, problems = check(text.encode())
    assert problems
    assert max(len(render(problem)) for problem in problems) < 5000

"""Start-up: what a process loads to parse and to evaluate templates."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

TOP = Path(__file__).parents[2]
HEAVY = "('lark', 'yaml', 'gxo.template.regex', 'gxo.template.times', 'gxo.diagnostic.template')"
PARSE = f"""
import sys
from gxo.language.template import parse_template
from gxo.source import Source, Span, Text
written = '{{{{ .a | default "x" | upper }}}}'
source = Source('p', written)
problems = []
value = parse_template(Text(written, Span(source, 0, len(written)), 0), problems)
assert value.native and not problems
print([name for name in {HEAVY} if name in sys.modules])
"""


def run(code: str, cache: Path) -> str:
    environment = {**os.environ, "GXO_CACHE": str(cache)}
    command = [sys.executable, "-c", code]
    done = subprocess.run(
        command, cwd=TOP, env=environment, capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def test_lark_is_loaded_once_for_all_processes(tmp_path: Path) -> None:
    """The first process has lark compute the tables; the next read them, and load nothing heavy."""
    cache = tmp_path / "cache"
    assert run(PARSE, cache) == "['lark']"
    assert run(PARSE, cache) == "[]"


@pytest.mark.parametrize("mode", [0o770, 0o707])
def test_a_cache_that_others_can_write_is_not_used(tmp_path: Path, mode: int) -> None:
    """Tables that somebody else could have changed are computed anew."""
    cache = tmp_path / "cache"
    run(PARSE, cache)
    cache.chmod(mode)
    assert run(PARSE, cache) == "['lark']"


def test_without_a_place_for_a_cache_templates_work(tmp_path: Path) -> None:
    """Where the cache cannot be made, tables are computed each time."""
    blocked = tmp_path / "file"
    blocked.write_text("")
    assert run(PARSE, blocked / "cache") == "['lark']"


def test_evaluating_needs_no_parser(tmp_path: Path) -> None:
    """The evaluator and its table load neither the language nor lark nor yaml."""
    code = (
        "import sys, gxo.template.evaluate, gxo.template.names;"
        "print([m for m in sys.modules if m in ('lark', 'yaml') or m.startswith('gxo.language')])"
    )
    assert run(code, tmp_path) == "[]"

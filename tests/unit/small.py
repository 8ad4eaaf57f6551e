"""What the tests of the small languages share: texts, problems as lines, tables of expectations."""

import json
from pathlib import Path

from gxo.diagnostic import Problem
from gxo.source import Source, Span, Text

TABLES = Path(__file__).parent / "tables"


def text(value: str) -> Text:
    """The value as a plain scalar that is the whole source."""
    return Text(value, Span(Source("playbook.yaml", value), 0, len(value)), 0)


def marked(problem: Problem) -> list[str]:
    """`code: "the marked text": message`, and the hint behind an arrow."""
    under = problem.span.source.text[problem.span.start : problem.span.end]
    shown = json.dumps(under, ensure_ascii=False)
    hint = problem.hint()
    return [f"{problem.code}: {shown}: {problem.message()}", *([f"-> {hint}"] if hint else [])]


def table(name: str) -> list[tuple[str, list[str]]]:
    """What is read, and what is said of it, in blocks of `tables/NAME.txt`.

    A block has the first at the margin (as JSON where it needs quotes) and the second indented:
    `= result`, or problems as `marked` shows them.
    """
    found = []
    for block in (TABLES / f"{name}.txt").read_text(encoding="utf-8").split("\n\n"):
        value, *said = block.strip("\n").split("\n")
        plain = json.loads(value) if value.startswith('"') else value
        found.append((plain, [line.strip() for line in said]))
    return found

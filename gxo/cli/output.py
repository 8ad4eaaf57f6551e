"""What commands print: results to stdout, diagnostics to stderr, JSON on request."""

import sys
from collections.abc import Iterable
from contextlib import suppress

from gxo.diagnostic import Problem, Severity, render_all, to_json


def emit(document: dict[str, object]) -> None:
    """One JSON document on stdout, `"version": 1` first (docs/reference/json)."""
    import json

    json.dump({"version": 1, **document}, sys.stdout, indent=2, ensure_ascii=False)
    sys.stdout.write("\n")


def emit_line(document: dict[str, object]) -> None:
    """One line of NDJSON on stdout, at once: the reader follows as we go."""
    import json

    sys.stdout.write(json.dumps({"version": 1, **document}, ensure_ascii=False) + "\n")
    sys.stdout.flush()


def say(text: str = "") -> None:
    """A line of the result."""
    sys.stdout.write(text + "\n")


def note(text: str, end: str = "\n") -> None:
    """A line beside the result: progress, hints, warnings. Nobody has to read it."""
    with suppress(OSError):
        sys.stdout.flush()
        sys.stderr.write(text + end)
        sys.stderr.flush()


def report(problems: Iterable[Problem]) -> bool:
    """Print problems to stderr, a count last; whether there was an error among them."""
    problems = tuple(problems)
    sys.stdout.flush()
    sys.stderr.write("\n".join(render_all(problems)))
    errors = sum(p.severity is Severity.ERROR for p in problems)
    if problems:
        sys.stderr.write(f"\n{counted(errors, 'error')}, ")
        sys.stderr.write(f"{counted(len(problems) - errors, 'warning')}\n")
    return errors > 0


def emit_problems(problems: Iterable[Problem]) -> None:
    """The problems as the JSON document of `validate --json`."""
    emit({"problems": [to_json(problem) for problem in problems]})


def counted(count: int, noun: str) -> str:
    """`1 playbook`, `2 playbooks`."""
    return f"{count} {noun}{'' if count == 1 else 's'}"

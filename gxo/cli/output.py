"""What commands print: results to stdout, diagnostics to stderr, JSON on request."""

import sys
from collections.abc import Iterable
from contextlib import suppress

from gxo.diagnostic import Problem, Severity, render_all, to_json
from gxo.diagnostic.render import hidden


def emit(document: dict[str, object]) -> None:
    """One JSON document on stdout, `"version": 1` first (docs/reference/json)."""
    sys.stdout.write(_json({"version": 1, **document}, indent=2) + "\n")


def emit_line(document: dict[str, object]) -> None:
    """One line of NDJSON on stdout, at once: the reader follows as we go."""
    sys.stdout.write(_json({"version": 1, **document}) + "\n")
    sys.stdout.flush()


def _json(document: dict[str, object], indent: int | None = None) -> str:
    """JSON in which what would drive a terminal, or break a line for some reader, is escaped, and
    so is what a standard output of another encoding could not write.
    """
    import json

    text = json.dumps(document, indent=indent, ensure_ascii=False)
    if text.isascii() and "\x7f" not in text:
        return text
    narrow = (sys.stdout.encoding or "utf-8").lower() not in ("utf-8", "utf8")
    return "".join(_escaped(c) if _is_escaped(c, narrow=narrow) else c for c in text)


def _is_escaped(c: str, *, narrow: bool) -> bool:
    return c != "\n" and (hidden(c) or (narrow and not c.isascii()))


def _escaped(c: str) -> str:
    units = c.encode("utf-16-be", "surrogatepass").hex()
    return "".join(f"\\u{units[at : at + 4]}" for at in range(0, len(units), 4))


def say(text: str = "") -> None:
    """A line of the result."""
    sys.stdout.write(text + "\n")


def note(text: str, end: str = "\n") -> None:
    """A line beside the result: progress, hints, warnings. A script may ignore it."""
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

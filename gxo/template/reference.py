"""The function table as the reference manual shows it."""

from collections.abc import Iterable

from gxo.template.function import Function

BEGIN = "<!-- functions: made from the table in gxo/template/functions.py -->"
END = "<!-- end of functions -->"


def function_table(functions: Iterable[Function]) -> str:
    """A Markdown table: usage, meaning, an example with what it prints."""
    rows = ["| write | to get | example | prints |", "| --- | --- | --- | --- |"]
    for function in functions:
        written, printed = function.example
        shown = _code(printed) if function.pure else "what the run knows"
        cells = (_code(function.usage), _cell(function.doc), _code(written), shown)
        rows.append(f"| {' | '.join(cells)} |")
    return "\n".join(rows) + "\n"


def replace_table(text: str, table: str) -> str:
    """A document with the table between its two marks; ValueError where it lacks them."""
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise ValueError("cannot place the function table: the document lacks its marks")
    return f"{before}{begin}\n\n{table}\n{end}{after}"


def _code(text: str) -> str:
    """Code within a cell, line breaks as `⏎`."""
    shown = text.replace("\n", "⏎")
    fence = "``" if "`" in shown else "`"
    space = " " if fence == "``" else ""
    return _cell(f"{fence}{space}{shown}{space}{fence}")


def _cell(text: str) -> str:
    return text.replace("|", "\\|")

"""Columns for people: aligned by what a terminal shows, safe whatever they hold."""

import pytest

from gxo.cli.table import Cell, Colour, paint, table, width


def test_columns_align_and_lines_end_at_their_text() -> None:
    """Columns stand two spaces apart; nothing is padded after the last text of a line."""
    text = table([("a", "longer", ""), ("bcd", "x", "y"), ("", "", "")], header=("N", "W", "Z"))
    assert text == "N    W       Z\na    longer\nbcd  x       y\n\n"


def test_no_rows_no_table() -> None:
    """Without rows there is no header either."""
    assert table([], header=("A", "B")) == ""


@pytest.mark.parametrize(
    ("text", "columns"), [("abc", 3), ("größe", 5), ("日本", 4), ("é", 1), ("\x1b", 4)]
)
def test_width(text: str, columns: int) -> None:
    """Wide characters take two columns, combining ones none, control characters their escape."""
    assert width(Cell(text)) == columns


def test_colour_only_where_wanted_and_not_in_the_width() -> None:
    """Colour surrounds the text and moves no column; text cannot bring its own."""
    row = (Cell("ok", Colour.GOOD), "x")
    assert table([row], colour=True) == "\x1b[32mok\x1b[0m  x\n"
    assert table([row], colour=False) == "ok  x\n"
    assert paint(Cell("\x1b[31mred\nnext"), colour=True) == "\\x1b[31mred\\nnext"

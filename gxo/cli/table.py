"""Columns of text for people: aligned by what a terminal shows, coloured only where one reads."""

import os
import sys
from collections.abc import Iterable, Sequence
from enum import StrEnum
from unicodedata import category, east_asian_width

from gxo.dataclass import dataclass
from gxo.diagnostic.render import visible


class Colour(StrEnum):
    NONE = ""
    GOOD = "32"
    DOUBTFUL = "33"
    BAD = "31"
    DIM = "2"
    BOLD = "1"


@dataclass(frozen=True, slots=True)
class Cell:
    """Text of one line; control characters in it are shown, not obeyed."""

    text: str
    colour: Colour = Colour.NONE


def coloured() -> bool:
    """Whether stdout is a terminal that may be coloured (no-color.org)."""
    return (
        sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
    )


def paint(cell: Cell, *, colour: bool) -> str:
    """The cell's text as it is printed."""
    text = visible(cell.text)
    return f"\x1b[{cell.colour}m{text}\x1b[0m" if colour and cell.colour and text else text


def table(
    rows: Iterable[Sequence[Cell | str]], *, header: Sequence[str] = (), colour: bool = False
) -> str:
    """Lines of columns two spaces apart, none padded at its end; empty without rows."""
    cells = [[cell if isinstance(cell, Cell) else Cell(cell) for cell in row] for row in rows]
    if not cells:
        return ""
    if header:
        cells.insert(0, [Cell(title, Colour.BOLD) for title in header])
    widths = [max(map(width, column)) for column in zip(*cells, strict=True)]
    return "".join(_line(row, widths, colour=colour) + "\n" for row in cells)


def width(cell: Cell) -> int:
    """Columns that the cell's text takes on a terminal."""
    return sum(
        0 if category(c) in ("Mn", "Me") else 2 if east_asian_width(c) in ("W", "F") else 1
        for c in visible(cell.text)
    )


def _line(row: Sequence[Cell], widths: Sequence[int], *, colour: bool) -> str:
    last = max((i for i, cell in enumerate(row) if cell.text), default=-1)
    shown = [
        paint(cell, colour=colour) + ("" if i == last else " " * (wide - width(cell)))
        for i, (cell, wide) in enumerate(zip(row, widths, strict=True))
        if i <= last
    ]
    return "  ".join(shown)

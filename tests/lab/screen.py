"""A terminal's screen: what stands on it after a program has written to it."""

import re

_PARTS = re.compile(
    r"\x1b\[(?P<number>\d*)(?P<act>[AK])|\x1b\[[0-9;?]*[a-zA-Z]|(?P<text>[^\x1b])", re.S
)


def screen(written: str) -> list[str]:
    """Its lines, with those that went off its top; without colours."""
    lines: list[str] = [""]
    row = column = 0
    for part in _PARTS.finditer(written):
        text, act = part["text"], part["act"]
        if act == "A":
            row = max(row - int(part["number"] or 1), 0)
        elif act == "K":
            lines[row] = "" if part["number"] == "2" else lines[row][:column]
        elif text == "\r":
            column = 0
        elif text == "\n":
            row += 1
            lines += [""] * (row + 1 - len(lines))
        elif text:
            lines[row] = lines[row][:column].ljust(column) + text + lines[row][column + 1 :]
            column += 1
    return [line.rstrip() for line in lines]

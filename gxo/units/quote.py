"""Quoting: the only place that escapes text for unit files, and refuses what no unit can hold.

Over D-Bus text is sent as it is, but systemd writes it to a file that it reads at the next reload:
so both renderings refuse the same (systemd.syntax(7), systemd.exec(5)).
"""

import re
from collections.abc import Iterable

LONGEST_WORD = 131_071
"""Bytes of one argument or environment variable: Linux takes no longer one (execve(2))."""
LONGEST_LINE = 1_000_000
"""Bytes of one line: systemd stops at 1 MiB, key and escapes included."""

# a word of these characters needs no quotes
_BARE = re.compile(r"[A-Za-z0-9_@/.,:=+\-~^]+")
# Unicode's noncharacters: systemd does not accept them as UTF-8, and ignores their line
_NONE = "\ufdd0-\ufdef" + "".join(
    chr(plane << 16 | n) for plane in range(17) for n in (0xFFFE, 0xFFFF)
)
_NO_TEXT = rf"\x7f-\x9f\u2028\u2029\ud800-\udfff{_NONE}"
_CONTROL = re.compile(rf"[\x00-\x08\x0b-\x1f{_NO_TEXT}]")
_CONTROL_OR_BREAK = re.compile(rf"[\x00-\x1f{_NO_TEXT}]")
_ESCAPES = str.maketrans(
    {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\t": "\\t", "%": "%%"},
)
# systemd reads these as prefixes of a command line, even within quotes
_PREFIXES = "-@:+!|"


def words_fault(text: str) -> str | None:
    """Why a text cannot be an argument or an environment variable; None where it can.

    Line breaks and tabs may stand: both renderings escape them.
    """
    if found := _CONTROL.search(text):
        return _control(found[0])
    return _too_long(text, LONGEST_WORD)


def data_fault(text: str) -> str | None:
    """Why a text cannot be the value of StandardInputData=."""
    if found := re.search(r"[\ud800-\udfff]", text):
        return _control(found[0])
    return _too_long(text, LONGEST_LINE * 3 // 4)


def text_fault(text: str) -> str | None:
    """Why a text cannot be an unquoted value up to the end of its line (Description=, User=…)."""
    if found := _CONTROL_OR_BREAK.search(text):
        return _control(found[0])
    if text != text.strip():
        return "it begins or ends with a blank, which systemd takes off"
    if text.endswith("\\"):
        return "it ends with a backslash, which joins the next line to it"
    return _too_long(text, LONGEST_WORD)


def path_fault(path: str) -> str | None:
    """Why a path cannot stand in a directive that takes paths (ReadWritePaths=…)."""
    if not path.startswith("/"):
        return "it is not an absolute path"
    if found := _CONTROL_OR_BREAK.search(path):
        return _control(found[0])
    if found := re.search(r"[\"'\\]", path):
        return f"systemd's list of paths cannot hold `{found[0]}`"
    parts = path.split("/")
    if ".." in parts or "." in parts:
        return "it holds `.` or `..`"
    return _path_length(path)


def program_fault(program: str) -> str | None:
    """Why a text cannot be the program of a command line."""
    if not program:
        return "it is empty"
    if found := _CONTROL_OR_BREAK.search(program):
        return _control(found[0])
    if found := re.search(r"[\"'\\]", program):
        return f"systemd starts no program with `{found[0]}` in its path"
    if "/" in program and not program.startswith("/"):
        return "it is neither an absolute path nor the name of a program"
    if program[0] in _PREFIXES:
        return f"systemd reads a first `{program[0]}` as a flag"
    if program in (".", ".."):
        return "it is a directory"
    if program.endswith("/"):
        return "it ends with `/`"
    return _path_length(program)


def line_fault(words: Iterable[str]) -> str | None:
    """Why words together are too long for one line."""
    size = sum(len(word.encode()) + 1 for word in map(file_word, words))
    return f"it is longer than {LONGEST_LINE} bytes" if size > LONGEST_LINE else None


def file_text(text: str) -> str:
    """Text that stands unquoted up to the end of its line."""
    return text.replace("%", "%%")


def file_word(text: str) -> str:
    """One word of a line that systemd splits and unquotes, with C escapes."""
    if _BARE.fullmatch(text):
        return text
    return f'"{text.translate(_ESCAPES)}"'


def file_command(argv: Iterable[str], *, ignore_failure: bool = False) -> str:
    """A command line for ExecStart= and its like: `:` keeps systemd from expanding `$`."""
    return ("-:" if ignore_failure else ":") + " ".join(map(file_word, argv))


def _control(char: str) -> str:
    names = {"\n": "a line break", "\0": "a NUL character", "\t": "a tab"}
    kind = (
        "a control character" if not re.match(f"[{_NONE}]", char) else "a noncharacter of Unicode"
    )
    return f"it holds {names.get(char) or f'{kind} (U+{ord(char):04X})'}"


def _too_long(text: str, limit: int) -> str | None:
    if len(text) * 4 > limit and len(text.encode()) > limit:
        return f"it is longer than {limit} bytes"
    return None


def _path_length(path: str) -> str | None:
    if len(path.encode()) >= 4096:
        return "it is longer than 4095 bytes"
    if any(len(part.encode()) > 255 for part in path.split("/")):
        return "a part of it is longer than 255 bytes"
    return None

"""Regular expressions as RE2 and Go write them, read into a tree.

Look-around and back-references are refused: no matcher handles them in linear time. The rest is
Go's syntax (https://golang.org/s/re2syntax) without classes by Unicode name, quoting by Q and E,
and the flag U.
"""

from __future__ import annotations

from gxo.dataclass import dataclass
from gxo.template.fault import Failure

Ranges = tuple[tuple[int, int], ...]
"""Code points, each pair from first to last, sorted, apart from each other."""

_LAST = 0x10FFFF
_DEEPEST = 50
_MOST_REPEATS = 1_000
_MOST_FOLDED = 3_000
_HEX = frozenset("0123456789abcdefABCDEF")
_DIGIT: Ranges = ((48, 57),)
_WORD: Ranges = ((48, 57), (65, 90), (95, 95), (97, 122))
_SPACE: Ranges = ((9, 10), (12, 13), (32, 32))
_CLASSES = {"d": _DIGIT, "w": _WORD, "s": _SPACE}
_POSIX: dict[str, Ranges] = {
    "alnum": ((48, 57), (65, 90), (97, 122)),
    "alpha": ((65, 90), (97, 122)),
    "ascii": ((0, 127),),
    "blank": ((9, 9), (32, 32)),
    "cntrl": ((0, 31), (127, 127)),
    "digit": _DIGIT,
    "graph": ((33, 126),),
    "lower": ((97, 122),),
    "print": ((32, 126),),
    "punct": ((33, 47), (58, 64), (91, 96), (123, 126)),
    "space": ((9, 13), (32, 32)),
    "upper": ((65, 90),),
    "word": _WORD,
    "xdigit": ((48, 57), (65, 70), (97, 102)),
}
_CONTROL = {"a": 7, "f": 12, "n": 10, "r": 13, "t": 9, "v": 11}


@dataclass(frozen=True, slots=True)
class Chars:
    """One character out of the ranges."""

    ranges: Ranges


@dataclass(frozen=True, slots=True)
class Sequence:
    items: tuple[Tree, ...]


@dataclass(frozen=True, slots=True)
class Choice:
    """The first item that leads to a match."""

    items: tuple[Tree, ...]


@dataclass(frozen=True, slots=True)
class Repeat:
    item: Tree
    least: int
    most: int | None
    greedy: bool


@dataclass(frozen=True, slots=True)
class Group:
    number: int
    item: Tree


@dataclass(frozen=True, slots=True)
class Place:
    """A condition on where we are: one of `start end line-start line-end word no-word`."""

    kind: str


Tree = Chars | Sequence | Choice | Repeat | Group | Place


@dataclass(frozen=True, slots=True)
class Pattern:
    tree: Tree
    groups: int
    names: dict[str, int]


def parse(pattern: str) -> Pattern:
    """The tree of a pattern; Failure, blaming argument 0, where it is none."""
    reader = _Reader(pattern)
    tree = reader.choice(0)
    if reader.at < len(pattern):
        raise reader.wrong("`)` closes nothing")
    return Pattern(tree, reader.groups, reader.names)


def normal(ranges: list[tuple[int, int]]) -> Ranges:
    """The same characters as ranges in order, none touching another."""
    result: list[tuple[int, int]] = []
    for first, last in sorted(ranges):
        if result and first <= result[-1][1] + 1:
            result[-1] = result[-1][0], max(last, result[-1][1])
        else:
            result.append((first, last))
    return tuple(result)


def others(ranges: Ranges) -> Ranges:
    """All characters that are not in `ranges`."""
    result, at = [], 0
    for first, last in ranges:
        if at < first:
            result.append((at, first - 1))
        at = last + 1
    if at <= _LAST:
        result.append((at, _LAST))
    return tuple(result)


def _folded(ranges: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """With the other case of each character (of very wide ranges, of ASCII letters only)."""
    result = list(ranges)
    for first, last in ranges:
        stop = last if last - first < _MOST_FOLDED else min(last, 127)
        for code in range(first, stop + 1):
            both = (chr(code).lower(), chr(code).upper())
            result += [(ord(other), ord(other)) for other in both if len(other) == 1]
    return result


@dataclass(slots=True)
class _Flags:
    fold: bool = False
    lines: bool = False
    dotall: bool = False


class _Reader:
    def __init__(self, pattern: str) -> None:
        self.pattern = pattern
        self.at = 0
        self.groups = 0
        self.names: dict[str, int] = {}
        self.flags = _Flags()

    def wrong(self, reason: str, hint: str | None = None) -> Failure:
        where = f"at its character {self.at + 1}" if self.at < len(self.pattern) else "at its end"
        return Failure(f"the pattern is wrong {where}: {reason}", argument=0, hint=hint)

    def peek(self) -> str:
        return self.pattern[self.at : self.at + 1]

    def take(self, word: str) -> bool:
        if self.pattern.startswith(word, self.at):
            self.at += len(word)
            return True
        return False

    def choice(self, depth: int) -> Tree:
        if depth > _DEEPEST:
            raise self.wrong(f"more than {_DEEPEST} groups within each other")
        items = [self.sequence(depth)]
        while self.take("|"):
            items.append(self.sequence(depth))
        return items[0] if len(items) == 1 else Choice(tuple(items))

    def sequence(self, depth: int) -> Tree:
        items: list[Tree] = []
        while self.at < len(self.pattern) and self.peek() not in "|)":
            item = self.atom(depth)
            if item is not None:
                items.append(self.repeated(item))
        return items[0] if len(items) == 1 else Sequence(tuple(items))

    def repeated(self, item: Tree) -> Tree:
        count = self.count()
        if count is None:
            return item
        greedy = not self.take("?")
        start = self.at
        if self.count() is not None:
            self.at = start
            raise self.wrong("a repeat cannot be repeated", "put the first in `(?:…)`")
        return Repeat(item, count[0], count[1], greedy)

    def count(self) -> tuple[int, int | None] | None:
        for sign, bounds in (("*", (0, None)), ("+", (1, None)), ("?", (0, 1))):
            if self.take(sign):
                return bounds
        if self.peek() != "{":
            return None
        inner, closed, _ = self.pattern[self.at + 1 :].partition("}")
        first, comma, last = inner.partition(",")
        if not (closed and _is_count(first) and (last == "" or _is_count(last))):
            return None  # an ordinary brace
        least = int(first)
        most = (int(last) if last else None) if comma else least
        if max(least, most or 0) > _MOST_REPEATS:
            raise self.wrong(f"a count is more than {_MOST_REPEATS}")
        if most is not None and most < least:
            raise self.wrong("the counts are in the wrong order")
        self.at += len(inner) + 2
        return least, most

    def atom(self, depth: int) -> Tree | None:
        char = self.peek()
        if char == "(":
            return self.group(depth)
        if char == "[":
            return Chars(self.char_class())
        if char == "\\":
            return self.escape()
        if char in "*+?":
            raise self.wrong(f"`{char}` has nothing before it to repeat")
        self.at += 1
        if char == ".":
            return Chars(((0, _LAST),) if self.flags.dotall else others(((10, 10),)))
        if char == "^":
            return Place("line-start" if self.flags.lines else "start")
        if char == "$":
            return Place("line-end" if self.flags.lines else "end")
        return self.literal(ord(char))

    def literal(self, code: int) -> Chars:
        ranges = [(code, code)]
        return Chars(normal(_folded(ranges) if self.flags.fold else ranges))

    def group(self, depth: int) -> Tree | None:
        opener = self.at
        outer = _Flags(self.flags.fold, self.flags.lines, self.flags.dotall)
        number: int | None = None
        self.at += 1
        if self.take("?"):
            if self.take("P<") or (
                self.peek() == "<" and self.pattern[self.at + 1] not in "=!" and self.take("<")
            ):
                number = self.name()
            elif self.peek() in ("=", "!", "<"):
                self.at = opener
                raise self.wrong("looking ahead or behind is not supported")
            elif self.set_flags() == ")":
                return None
        else:
            self.groups += 1
            number = self.groups
        item = self.choice(depth + 1)
        if not self.take(")"):
            self.at = opener
            raise self.wrong("`(` is never closed")
        self.flags = outer
        return item if number is None else Group(number, item)

    def name(self) -> int:
        name, closed, _ = self.pattern[self.at :].partition(">")
        if not (closed and name.isidentifier()) or name in self.names:
            raise self.wrong("the group's name is not a new word in `<…>`")
        self.at += len(name) + 1
        self.groups += 1
        self.names[name] = self.groups
        return self.groups

    def set_flags(self) -> str:
        """Read `i`, `m`, `s` and what unsets them, up to the `:` or `)` that is returned."""
        on = True
        while True:
            char = self.peek()
            if char == "-" and on:
                on = False
            elif char == "i":
                self.flags.fold = on
            elif char == "m":
                self.flags.lines = on
            elif char == "s":
                self.flags.dotall = on
            elif char in (":", ")") and char:
                self.at += 1
                return char
            else:
                raise self.wrong("only the flags `i`, `m` and `s` may follow `(?`")
            self.at += 1

    def escape(self) -> Tree:
        char = self.pattern[self.at + 1 : self.at + 2]
        place = {"A": "start", "z": "end", "b": "word", "B": "no-word"}.get(char)
        if place:
            self.at += 2
            return Place(place)
        if char.lower() in _CLASSES and char:
            self.at += 2
            ranges = _CLASSES[char.lower()]
            return Chars(ranges if char.islower() else others(ranges))
        return self.literal(self.escaped())

    def escaped(self) -> int:
        """The character that an escape stands for."""
        char = self.pattern[self.at + 1 : self.at + 2]
        if not char:
            raise self.wrong("a single `\\` ends it")
        if char in _CONTROL:
            self.at += 2
            return _CONTROL[char]
        if char == "x":
            return self.hexadecimal()
        if char in "123456789":
            raise self.wrong("a back-reference is not supported")
        if char.isalnum():
            raise self.wrong(f"there is no escape `\\{char}`")
        self.at += 2
        return ord(char)

    def hexadecimal(self) -> int:
        rest = self.pattern[self.at + 2 :]
        if rest.startswith("{"):
            digits, _, _ = rest[1:].partition("}")
            size = len(digits) + 2
        else:
            digits, size = rest[:2], 2
        ok = 0 < len(digits) <= 6 and _HEX.issuperset(digits) and size <= len(rest)
        if not ok or (size == 2 and len(digits) < 2) or int(digits, 16) > _LAST:
            raise self.wrong("`\\x` takes two hexadecimal digits, or more as `\\x{…}`")
        self.at += 2 + size
        return int(digits, 16)

    def char_class(self) -> Ranges:
        opener = self.at
        self.at += 1
        negated = self.take("^")
        ranges: list[tuple[int, int]] = []
        while True:
            if self.at >= len(self.pattern):
                self.at = opener
                raise self.wrong("`[` is never closed")
            if self.peek() == "]" and (ranges or self.at > opener + 1 + negated):
                self.at += 1
                break
            ranges += self.class_item()
        found = normal(_folded(ranges) if self.flags.fold else ranges)
        return others(found) if negated else found

    def class_item(self) -> Ranges:
        if self.take("[:"):
            word, closed, _ = self.pattern[self.at :].partition(":]")
            negated = word.startswith("^")
            known = _POSIX.get(word.removeprefix("^"))
            if not closed or known is None:
                raise self.wrong("there is no such class of characters")
            self.at += len(word) + 2
            return others(known) if negated else known
        char = self.pattern[self.at + 1 : self.at + 2]
        if self.peek() == "\\" and char and char.lower() in _CLASSES:
            self.at += 2
            return _CLASSES[char] if char.islower() else others(_CLASSES[char.lower()])
        first = self.class_char()
        if self.peek() == "-" and self.pattern[self.at + 1 : self.at + 2] not in ("]", ""):
            self.at += 1
            last = self.class_char()
            if last < first:
                raise self.wrong("the ends of a range are in the wrong order")
            return ((first, last),)
        return ((first, first),)

    def class_char(self) -> int:
        if self.peek() == "\\":
            return self.escaped()
        self.at += 1
        return ord(self.pattern[self.at - 1])


def _is_count(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 5

"""Matching regular expressions in time that grows as text times pattern, whatever they are.

A backtracker that never tries one state at one place twice (as RE2's BitState), so that nothing is
exponential, and that counts what it tries, so that nothing is slow. Matches are leftmost, with
the first alternative preferred: what Go, Perl and Python find.
"""

import re
from functools import lru_cache

from gxo.dataclass import dataclass
from gxo.template.fault import Failure, TooMuch
from gxo.template.limits import Limits
from gxo.template.regex_syntax import (
    Chars,
    Choice,
    Group,
    Pattern,
    Place,
    Ranges,
    Repeat,
    Sequence,
    Tree,
    normal,
    parse,
)

_LARGEST = 10_000
_WORD = frozenset("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz")
_REFERENCE = re.compile(r"\$(?:\$|\{(\w*)\}|(\w+))?", re.ASCII)

# What an instruction does, the character it takes, and two numbers: where to go on (_SPLIT, _JUMP),
# the slot to save the place in (_SAVE), the condition (_PLACE).
_CHAR, _SPLIT, _JUMP, _SAVE, _PLACE, _MATCH = range(6)
_Instruction = tuple[int, re.Pattern[str], int, int]
_NONE = re.compile(r"(?!)")
_PLACES = ("start", "end", "line-start", "line-end", "word", "no-word")


@dataclass(frozen=True, slots=True)
class Program:
    code: tuple[_Instruction, ...]
    groups: int
    names: dict[str, int]
    first: re.Pattern[str] | None
    """One character that every match starts with; None where a match may start anywhere."""


def matches(limits: Limits, pattern: str, text: str) -> bool:
    """Whether the pattern is found anywhere in the text."""
    return _Search(program(limits, pattern), text, limits).next(0) is not None


def replace(limits: Limits, pattern: str, replacement: str, text: str) -> str:
    """Every match replaced; `$1`, `${name}` in the replacement stand for groups, `$$` for `$`."""
    compiled = program(limits, pattern)
    pieces = _pieces(replacement, compiled)
    search = _Search(compiled, text, limits)
    parts: list[str] = []
    at = kept = total = 0
    last = -1
    while at <= len(text):
        found = search.next(at)
        if found is None:
            break
        start, end = found[0], found[1]
        if end > start or start != last:  # as in Go, no empty match right behind a match
            parts.append(text[kept:start])
            new = [
                piece if isinstance(piece, str) else _group(text, found, piece) for piece in pieces
            ]
            parts += new
            total += len(parts[-1 - len(new)]) + sum(map(len, new))
            if total > limits.size:
                raise TooMuch("characters", limits.size)
            kept = last = end
        at = end if end > start else end + 1
    return "".join(parts) + text[kept:]


def program(limits: Limits, pattern: str) -> Program:
    """The compiled pattern; Failure where it is wrong, TooMuch where it is too big."""
    if len(pattern) > limits.pattern:
        raise TooMuch("characters in a regular expression", limits.pattern)
    return _program(pattern)


@lru_cache(maxsize=128)
def _program(pattern: str) -> Program:
    parsed = parse(pattern)
    if _size(parsed.tree) > _LARGEST:
        raise TooMuch("steps in a regular expression with its counts written out", _LARGEST)
    code: list[_Instruction] = []
    _emit(Group(0, parsed.tree), code)
    code.append((_MATCH, _NONE, 0, 0))
    return Program(tuple(code), parsed.groups, parsed.names, _first(parsed))


def _size(tree: Tree) -> int:
    match tree:
        case Sequence(items):
            return sum(map(_size, items))
        case Choice(items):
            return sum(2 + _size(item) for item in items)
        case Repeat(item, least, most, _):
            return (max(least, 1) if most is None else most) * (_size(item) + 1) + 2
        case Group(_, item):
            return 2 + _size(item)
        case _:
            return 1


def _emit(tree: Tree, code: list[_Instruction]) -> None:
    match tree:
        case Chars(ranges):
            code.append((_CHAR, _one_of(ranges), 0, 0))
        case Place(kind):
            code.append((_PLACE, _NONE, _PLACES.index(kind), 0))
        case Sequence(items):
            for item in items:
                _emit(item, code)
        case Group(number, item):
            code.append((_SAVE, _NONE, 2 * number, 0))
            _emit(item, code)
            code.append((_SAVE, _NONE, 2 * number + 1, 0))
        case Choice(items):
            _emit_choice(items, code)
        case Repeat(item, least, most, greedy):
            for _ in range(least):
                _emit(item, code)
            if most is None:
                _emit_loop(item, code, greedy=greedy)
            else:
                _emit_optional(item, code, most - least, greedy=greedy)


def _emit_choice(items: tuple[Tree, ...], code: list[_Instruction]) -> None:
    jumps = []
    for item in items[:-1]:
        split = len(code)
        code.append((_SPLIT, _NONE, 0, 0))
        _emit(item, code)
        jumps.append(len(code))
        code.append((_JUMP, _NONE, 0, 0))
        code[split] = _split(split + 1, len(code), greedy=True)
    _emit(items[-1], code)
    for jump in jumps:
        code[jump] = (_JUMP, _NONE, len(code), 0)


def _emit_loop(item: Tree, code: list[_Instruction], *, greedy: bool) -> None:
    split = len(code)
    code.append((_SPLIT, _NONE, 0, 0))
    _emit(item, code)
    code.append((_JUMP, _NONE, split, 0))
    code[split] = _split(split + 1, len(code), greedy=greedy)


def _emit_optional(item: Tree, code: list[_Instruction], count: int, *, greedy: bool) -> None:
    splits = []
    for _ in range(count):
        splits.append(len(code))
        code.append((_SPLIT, _NONE, 0, 0))
        _emit(item, code)
    for split in splits:
        code[split] = _split(split + 1, len(code), greedy=greedy)


def _split(inside: int, after: int, *, greedy: bool) -> _Instruction:
    return (_SPLIT, _NONE, inside, after) if greedy else (_SPLIT, _NONE, after, inside)


def _one_of(ranges: Ranges) -> re.Pattern[str]:
    """The characters as a class of Python's: one class alone cannot backtrack."""
    return re.compile(_class(ranges)) if ranges else _NONE


@lru_cache(maxsize=256)
def _class(ranges: Ranges) -> str:
    return "[" + "".join(f"{_escaped(first)}-{_escaped(last)}" for first, last in ranges) + "]"


def _escaped(code: int) -> str:
    return f"\\U{code:08x}"


def _first(pattern: Pattern) -> re.Pattern[str] | None:
    ranges = _starts(pattern.tree)
    return None if ranges is None else _one_of(normal(list(ranges)))


def _starts(tree: Tree) -> Ranges | None:
    """The characters that a match of it may start with; None where it may be empty."""
    match tree:
        case Chars(ranges):
            return ranges
        case Group(_, item):
            return _starts(item)
        case Repeat(item, least, _, _):
            return _starts(item) if least else None
        case Choice(items):
            found = [_starts(item) for item in items]
            if any(ranges is None for ranges in found):
                return None
            return tuple(pair for ranges in found if ranges for pair in ranges)
        case Sequence(items):
            # conditions take no character, so what follows them starts the match
            follow = [item for item in items if not isinstance(item, Place)]
            return _starts(follow[0]) if follow else None
        case _:
            return None


class _Search:
    """Searches of one program in one text, which together try no more than the limit."""

    def __init__(self, compiled: Program, text: str, limits: Limits) -> None:
        self.program = compiled
        self.text = text
        self.left = limits.search
        self.limit = limits.search

    def next(self, at: int) -> tuple[int, ...] | None:
        """The places of the next match from `at` on: start and end of it, then of each group."""
        tried: set[int] = set()
        first = self.program.first
        none = (-1,) * (2 * self.program.groups + 2)
        while at <= len(self.text):
            if first is not None:
                candidate = first.search(self.text, at)
                if candidate is None:
                    return None
                at = candidate.start()
            found = self._match(at, none, tried)
            if found is not None:
                return found
            at += 1
        return None

    def _match(self, at: int, saved: tuple[int, ...], tried: set[int]) -> tuple[int, ...] | None:
        code, text, left = self.program.code, self.text, self.left
        size, end = len(code), len(self.text)
        later: list[tuple[int, int, tuple[int, ...]]] = [(0, at, saved)]
        while later:
            pc, at, saved = later.pop()
            while True:
                left -= 1
                if left < 0:
                    raise TooMuch("steps of a regular expression", self.limit)
                op, chars, first, second = code[pc]
                if op == _CHAR:
                    if at == end or not chars.match(text, at):
                        break
                    pc += 1
                    at += 1
                elif op == _SPLIT:
                    state = at * size + pc
                    if state in tried:
                        break
                    tried.add(state)
                    later.append((second, at, saved))
                    pc = first
                elif op == _JUMP:
                    pc = first
                elif op == _SAVE:
                    saved = (*saved[:first], at, *saved[first + 1 :])
                    pc += 1
                elif op == _PLACE:
                    if not _holds(_PLACES[first], text, at):
                        break
                    pc += 1
                else:
                    self.left = left
                    return saved
        self.left = left
        return None


def _holds(place: str, text: str, at: int) -> bool:
    match place:
        case "start":
            return at == 0
        case "end":
            return at == len(text)
        case "line-start":
            return at == 0 or text[at - 1] == "\n"
        case "line-end":
            return at == len(text) or text[at] == "\n"
        case _:
            before = at > 0 and text[at - 1] in _WORD
            after = at < len(text) and text[at] in _WORD
            return (before != after) == (place == "word")


def _pieces(replacement: str, compiled: Program) -> list[str | int]:
    """Text and group numbers in turn."""
    pieces: list[str | int] = []
    at = 0
    for found in _REFERENCE.finditer(replacement):
        pieces.append(replacement[at : found.start()])
        at = found.end()
        name = found[1] if found[1] is not None else found[2]
        if found[0] == "$$":
            pieces.append("$")
        elif name is None:
            hint = "write `$$` for a dollar sign"
            raise Failure("a `$` has no group's name", argument=1, hint=hint)
        else:
            pieces.append(_number(name, compiled))
    pieces.append(replacement[at:])
    return pieces


def _number(name: str, compiled: Program) -> int:
    if name.isdigit() and len(name) < 5 and int(name) <= compiled.groups:
        return int(name)
    if name in compiled.names:
        return compiled.names[name]
    hint = None
    digits = re.match(r"[0-9]+", name)
    if digits:
        hint = f"write `${{{digits[0]}}}` where a letter or digit follows"
    raise Failure(f"the pattern has no group `{name}`", argument=1, hint=hint)


def _group(text: str, found: tuple[int, ...], number: int) -> str:
    start, end = found[2 * number], found[2 * number + 1]
    return text[start:end] if start >= 0 else ""

"""Running the LALR tables that lark builds, without loading lark: a parse costs no start-up time.

lark reads a grammar, checks it and computes the tables; they are plain data, kept as JSON. This
file is the automaton that follows them: a lexer that looks only for what the state accepts, shift,
reduce, and lark's rules for shaping trees (`_inlined`, `?single`, `[optional]`, filtered tokens).
"""

import re
from collections.abc import Iterator, Mapping

from gxo.dataclass import dataclass, field

END = "$END"


@dataclass(frozen=True, slots=True)
class Token:
    type: str
    text: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Node:
    """A rule that matched `text[start:end]`; None stands for an absent `[…]`."""

    rule: str
    children: tuple["Node | Token | None", ...]
    start: int
    end: int

    def nodes(self) -> Iterator["Node"]:
        """The children that are rules, in order."""
        return (child for child in self.children if isinstance(child, Node))

    def tokens(self) -> Iterator[Token]:
        """The children that are tokens, in order."""
        return (child for child in self.children if isinstance(child, Token))


class ParseError(Exception):
    """The text leaves the grammar at `start`; `expected` names the terminals that could go on.

    `found` is the terminal met there: END at the end of the text, None where no terminal matches.
    """

    def __init__(self, start: int, end: int, found: str | None, expected: frozenset[str]) -> None:
        super().__init__(f"unexpected {found} at {start}")
        self.start = start
        self.end = end
        self.found = found
        self.expected = expected


@dataclass(frozen=True, slots=True)
class Terminal:
    name: str
    pattern: str
    literal: bool
    priority: int
    width: int
    """The most characters it can match."""


@dataclass(frozen=True, slots=True)
class Rule:
    """`keep` and `inline` say for each symbol whether its value stays and whether it is unpacked;
    `absent` how many None stand before each symbol and, last, at the end.
    """

    name: str
    origin: str
    keep: tuple[bool, ...]
    inline: tuple[bool, ...]
    absent: tuple[int, ...]
    single: bool


@dataclass(frozen=True, slots=True)
class Tables:
    """`actions[state][symbol]`: the next state, or `~rule` to reduce."""

    terminals: tuple[Terminal, ...]
    ignored: tuple[str, ...]
    rules: tuple[Rule, ...]
    actions: tuple[Mapping[str, int], ...]
    starts: Mapping[str, int]
    ends: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class _Scanner:
    """One alternation over the terminals a state accepts, in lark's order of preference."""

    pattern: re.Pattern[str]
    keywords: Mapping[str, Mapping[str, str]]


@dataclass(slots=True)
class Parser:
    """A grammar ready to parse; scanners are compiled as states are met."""

    tables: Tables
    _scanners: dict[frozenset[str], _Scanner] = field(default_factory=dict)
    _by_state: dict[int, _Scanner] = field(default_factory=dict)

    def parse(self, text: str, start: str = "start") -> Node:
        """The tree of the whole text; ParseError where it leaves the grammar."""
        tables = self.tables
        states = [tables.starts[start]]
        values: list[Node | Token | None] = []
        last = tables.ends[start]
        at = 0
        while True:
            token = self._next(text, at, states[-1])
            at = token.end
            while True:
                action = tables.actions[states[-1]].get(token.type)
                if action is None:
                    raise self._unexpected(states[-1], token.start, token.end, token.type)
                if action >= 0:
                    states.append(action)
                    values.append(token)
                    break
                rule = tables.rules[~action]
                size = len(rule.keep)
                value = _shape(rule, values[len(values) - size :] if size else [], token.start)
                if size:
                    del states[-size:], values[-size:]
                values.append(value)
                states.append(tables.actions[states[-1]][rule.origin])
                if token.type == END and states[-1] == last:
                    return value if isinstance(value, Node) else _whole(start, value, at)

    def _next(self, text: str, at: int, state: int) -> Token:
        scanner = self._by_state.get(state) or self._scanner(state)
        while at < len(text):
            found = scanner.pattern.match(text, at)
            if found is None or found.lastgroup is None or found.end() == at:
                raise self._unexpected(state, at, *self._guess(text, at))
            kind = found.lastgroup
            if kind not in self.tables.ignored:
                kind = scanner.keywords.get(kind, {}).get(found[0], kind)
                return Token(kind, found[0], at, found.end())
            at = found.end()
        return Token(END, "", len(text), len(text))

    def _guess(self, text: str, at: int) -> tuple[int, str | None]:
        """Which terminal stands where none is accepted, and where it ends."""
        found = _compile(list(self.tables.terminals)).pattern.match(text, at)
        return (found.end(), found.lastgroup) if found and found[0] else (at + 1, None)

    def _unexpected(self, state: int, start: int, end: int, found: str | None) -> ParseError:
        names = {terminal.name for terminal in self.tables.terminals} | {END}
        accepted = names & self.tables.actions[state].keys()
        return ParseError(start, end, found, frozenset(accepted))

    def _scanner(self, state: int) -> _Scanner:
        accepted = frozenset(self.tables.actions[state]).union(self.tables.ignored)
        scanner = self._scanners.get(accepted)
        if scanner is None:
            wanted = [t for t in self.tables.terminals if t.name in accepted]
            scanner = self._scanners[accepted] = _compile(wanted)
        self._by_state[state] = scanner
        return scanner


def _compile(terminals: list[Terminal]) -> _Scanner:
    """A literal that a wider terminal would match whole is a keyword of that terminal."""
    keywords: dict[str, dict[str, str]] = {}
    for wide in terminals:
        if not wide.literal:
            keywords[wide.name] = {
                word.pattern: word.name
                for word in terminals
                if word.literal
                and word.priority == wide.priority
                and re.fullmatch(wide.pattern, word.pattern)
            }
    taken = {name for words in keywords.values() for name in words.values()}
    ordered = sorted(
        (terminal for terminal in terminals if terminal.name not in taken),
        key=lambda t: (-t.priority, -t.width, -len(t.pattern), t.name),
    )
    parts = (f"(?P<{t.name}>{re.escape(t.pattern) if t.literal else t.pattern})" for t in ordered)
    # without a terminal, match nothing: only the end of the text is accepted here
    return _Scanner(re.compile("|".join(parts) or "(?!)"), keywords)


def _shape(rule: Rule, values: list[Node | Token | None], at: int) -> Node | Token | None:
    """The tree of a matched rule, as lark shapes it; an empty one stands at `at`."""
    children: list[Node | Token | None] = []
    for value, keep, inline, absent in zip(
        values, rule.keep, rule.inline, rule.absent, strict=False
    ):
        children += [None] * absent
        if inline and isinstance(value, Node):
            children += value.children
        elif keep:
            children.append(value)
    children += [None] * rule.absent[-1]
    if rule.single and len(children) == 1:
        return children[0]
    placed = [value for value in values if value is not None]
    start, end = (placed[0].start, placed[-1].end) if placed else (at, at)
    return Node(rule.name, tuple(children), start, end)


def _whole(start: str, value: Token | None, end: int) -> Node:
    return Node(start, (value,), 0, end)

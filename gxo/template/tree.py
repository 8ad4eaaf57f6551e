"""The tree of a parsed template: frozen nodes, whose positions count from the template's start."""

from __future__ import annotations

from gxo.dataclass import dataclass, field
from gxo.source import Span, Text


@dataclass(frozen=True, slots=True)
class Node:
    """Part of a template: characters `start` to `end` of its text, both sides of it left out.

    Positions say where, not what: nodes that mean the same are equal wherever they stand.
    """

    start: int = field(compare=False)
    end: int = field(compare=False)


@dataclass(frozen=True, slots=True)
class Constant(Node):
    value: bool | int | float | str | None


@dataclass(frozen=True, slots=True)
class Path(Node):
    """`.a.b`, `$.a`, `$x.a`: keys followed from `base`, which is `.`, `$` or a variable's `$name`.

    The keys are the last characters of the node, each behind a dot. A key of digits alone counts
    the items of a list, or names an entry of a map.
    """

    base: str
    keys: tuple[str, ...]


def is_index(key: str) -> bool:
    """Whether a key of a path counts the items of a list."""
    return key.isascii() and key.isdigit() and len(key) < 10


@dataclass(frozen=True, slots=True)
class Chain(Node):
    """`(…).a.b`: keys followed from what an expression yields."""

    inner: Expr
    keys: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Call(Node):
    """A function of the table with its arguments, a piped value the last of them.

    Operators are calls too: `function` holds the function's name (`eq` for `==`), and the operator
    as written stands at `name_start` to `name_end`.
    """

    function: str
    arguments: tuple[Expr, ...]
    name_start: int = field(compare=False)
    name_end: int = field(compare=False)


Expr = Constant | Path | Chain | Call


@dataclass(frozen=True, slots=True)
class Plain(Node):
    """Text outside `{{ }}`, already trimmed."""

    text: str


@dataclass(frozen=True, slots=True)
class Output(Node):
    value: Expr


@dataclass(frozen=True, slots=True)
class Assign(Node):
    """`$x := …` makes a variable of the block it stands in, `$x = …` changes one."""

    variable: str
    value: Expr
    declares: bool


@dataclass(frozen=True, slots=True)
class Branch(Node):
    """The condition of an `if` or a `with`, perhaps kept in a variable, and what it governs."""

    condition: Expr
    variable: str | None
    body: tuple[Item, ...]


@dataclass(frozen=True, slots=True)
class If(Node):
    branches: tuple[Branch, ...]
    otherwise: tuple[Item, ...]


@dataclass(frozen=True, slots=True)
class With(Node):
    """As `If`, and in each body `.` is the value of its condition."""

    branches: tuple[Branch, ...]
    otherwise: tuple[Item, ...]


@dataclass(frozen=True, slots=True)
class Range(Node):
    key: str | None
    item: str | None
    over: Expr
    body: tuple[Item, ...]
    otherwise: tuple[Item, ...]


@dataclass(frozen=True, slots=True)
class Break(Node):
    pass


@dataclass(frozen=True, slots=True)
class Continue(Node):
    pass


Item = Plain | Output | Assign | If | With | Range | Break | Continue


@dataclass(frozen=True, slots=True)
class Template:
    """A string value that holds `{{ … }}`; `native` if it is exactly one, which keeps its type."""

    nodes: tuple[Item, ...]
    native: bool
    text: Text = field(compare=False)

    @property
    def span(self) -> Span:
        return self.text.span

    def part(self, start: int, end: int) -> Span:
        """The source range of characters `start` to `end` of the template."""
        return self.text.part(start, end)

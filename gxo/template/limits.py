"""How much one evaluation may use: templates are finite, and must not be slow or big either."""

from gxo.dataclass import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    steps: int = 1_000_000
    """Nodes evaluated, rounds of `range` among them; big arguments count as more."""
    size: int = 4 * 1024 * 1024
    """Characters of a text, and entries of a list or map with all that it holds."""
    depth: int = 100
    """Lists and maps within each other; the parser holds nested expressions and blocks to it."""
    pattern: int = 1_000
    """Characters of a regular expression, and its size once counted repeats are written out."""
    search: int = 2_000_000
    """Places that one use of a regular expression may try."""


DEFAULT = Limits()

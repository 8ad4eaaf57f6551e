"""Depth: how many lists and maps may lie within each other in data from outside."""

from __future__ import annotations

DEEPEST = 100
"""No deeper than templates can read."""


def shallow(value: object, deepest: int = DEEPEST) -> bool:
    """Whether it has no more than so many levels of lists and maps."""
    level = [value]
    for _ in range(deepest + 1):
        inner: list[object] = []
        for each in level:
            if isinstance(each, list):
                inner += each
            elif isinstance(each, dict):
                inner += each.values()
        if not inner:
            return True
        level = inner
    return False

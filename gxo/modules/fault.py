"""How a module fails."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class ModuleError(Exception):
    """It cannot do what it was asked: "cannot X: reason". `summary` is kept all the same."""

    def __init__(self, text: str, summary: dict[str, Any] | None = None) -> None:
        super().__init__(text)
        self.summary = summary


class SecurityError(ModuleError):
    """It was led out of where it may work."""

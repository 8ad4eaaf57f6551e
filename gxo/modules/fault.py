"""How a module fails."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class ModuleError(Exception):
    """It cannot do what it was asked: "cannot X: reason". `summary` is kept all the same.

    `shown` is data that the reason is about, perhaps cut; the runner masks secrets in it.
    """

    def __init__(
        self, text: str, summary: dict[str, Any] | None = None, *, shown: str | None = None
    ) -> None:
        super().__init__(text)
        self.summary = summary
        self.shown = shown


class SecurityError(ModuleError):
    """It was led out of where it may work."""

"""A module of problems, imported when there is one: a frozen dataclass costs 0.4 ms to define."""

from importlib import import_module
from typing import Any


class Lazy:
    """Stands for a module until one of its names is asked for.

    Under TYPE_CHECKING the same name is bound to the module itself, so that its types hold.
    """

    __slots__ = ("_module",)

    def __init__(self, module: str) -> None:
        self._module = module

    def __getattr__(self, name: str) -> Any:
        return getattr(import_module(self._module), name)

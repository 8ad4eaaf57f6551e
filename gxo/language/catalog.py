"""Catalog: the modules from outside the library that this host has, read as data when named."""

import os
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from gxo.config.read import ConfigError, load_config
from gxo.dataclass import dataclass
from gxo.diagnostic.base import Problem
from gxo.diagnostic.lazy import Lazy
from gxo.language.files import decode
from gxo.language.module_file import Described, read_module
from gxo.outside.manifest import digest
from gxo.outside.tree import DESCRIPTION, Tree, UnusableTree, read_file, read_tree
from gxo.source import Name, Source, Span
from gxo.spec.library import LIBRARY
from gxo.spec.outside import Outside

if TYPE_CHECKING:
    from gxo.diagnostic import modules as faults
else:
    faults = Lazy("gxo.diagnostic.modules")


@dataclass(frozen=True, slots=True)
class Entry:
    """A directory that is a module: what it says of itself, or what is wrong with that."""

    path: str
    described: Described | None
    problems: tuple[Problem, ...]


class Catalog:
    """The modules in the directories that a configuration names. `named` is its file, if any is."""

    def __init__(self, named: str = "") -> None:
        self._named = named
        self._known: dict[str, Outside] = {}
        self._there: Mapping[str, Sequence[Entry]] | None = None
        self._broken: list[Problem] = []

    def find(self, name: Name, problems: list[Problem]) -> Outside | None:
        """The module of that name; None where there is none that can be used, which is noted."""
        known = self._known.get(name.text)
        if known is not None:
            return known
        there = self._by_name()
        entries = there.get(name.text, ())
        if not entries:
            problems += self._broken  # it may be one of those
            names = (*LIBRARY, *sorted(there))
            problems.append(faults.UnknownModule(span=name.span, name=name.text, known=names))
            return None
        if len(entries) > 1:
            paths = tuple(entry.path for entry in entries)
            problems.append(faults.ModuleTwice(span=name.span, name=name.text, paths=paths))
            return None
        try:
            self._known[name.text] = take(entries[0].path)
        except UnusableTree as error:
            problems.append(
                faults.UnusableModule(
                    span=name.span, name=name.text, path=entries[0].path, reason=str(error)
                )
            )
        return self._known.get(name.text)

    def _by_name(self) -> Mapping[str, Sequence[Entry]]:
        if self._there is None:
            found: dict[str, list[Entry]] = defaultdict(list)
            for entry in self._entries():
                if entry.described is None:
                    self._broken += entry.problems
                else:
                    found[entry.described.spec.name].append(entry)
            self._there = found
        return self._there

    def _entries(self) -> tuple[Entry, ...]:
        try:
            return entries(load_config(self._named).modules.paths)
        except ConfigError as error:
            self._broken += error.problems
            return ()


def entries(places: Sequence[str]) -> tuple[Entry, ...]:
    """Each module in these directories, in their order; one that is reached twice is there once."""
    paths = dict.fromkeys(path for place in places for path in _modules(place))
    return tuple(_entry(path) for path in paths)


def take(path: str) -> Outside:
    """The module in that directory, whose bytes are now told by their digest.

    Raises UnusableTree, also where its `module.yaml` has a problem.
    """
    tree = read_tree(path)
    described = describe(path, tree)
    return Outside(spec=described.spec, path=path, digest=digest(tree), entry=described.entry.text)


def describe(path: str, tree: Tree) -> Described:
    """What a module that has been read says of itself; UnusableTree."""
    text = tree.file(DESCRIPTION)
    if text is None:
        raise UnusableTree(f"it has no {DESCRIPTION}")
    described, problems = _read(f"{path}/{DESCRIPTION}", text.data)
    if described is None:
        raise UnusableTree("; ".join(f"{p.span}: {p.message()}" for p in problems))
    entry = tree.file(described.entry.text)
    if entry is None:
        raise UnusableTree(f"its entry `{described.entry}` is not there")
    if not entry.executable and not entry.path.endswith(".py"):
        raise UnusableTree(
            f"its entry `{entry.path}` is not executable, and Python starts only what ends in `.py`"
        )
    return described


def _modules(place: str) -> Iterator[str]:
    """Directories that hold a `module.yaml`, by name; where nothing can be listed, none."""
    try:
        names = sorted(os.listdir(place))  # noqa: PTH208
    except OSError:
        return
    for name in names:
        path = os.path.realpath(os.path.join(place, name))  # noqa: PTH118
        if os.path.lexists(f"{path}/{DESCRIPTION}"):
            yield path


def _entry(path: str) -> Entry:
    """As much as is to be known of a module to find it: its own word, and nothing of its code."""
    file = f"{path}/{DESCRIPTION}"
    try:
        data = read_file(path, DESCRIPTION)
    except UnusableTree as error:
        where = Span(Source(file, ""), 0, 0)
        fault = faults.UnusableModule(span=where, name="", path=path, reason=str(error))
        return Entry(path, None, (fault,))
    return Entry(path, *_read(file, data))


def _read(file: str, data: bytes) -> tuple[Described | None, tuple[Problem, ...]]:
    problems: list[Problem] = []
    source = decode(file, data, problems)
    if source is None or problems:
        return None, tuple(problems)
    return read_module(source)

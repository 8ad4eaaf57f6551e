"""From sources to playbooks: every problem of all of them, in one go."""

import gc
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import PurePath
from typing import TYPE_CHECKING

from yaml import MappingNode, Node, ScalarNode

from gxo.diagnostic.base import Problem, Severity, has_errors
from gxo.diagnostic.lazy import Lazy
from gxo.language.checks import check_workloads
from gxo.language.damage import damaged
from gxo.language.document import compose
from gxo.language.keys import PLAYBOOK
from gxo.language.limits import NAME, UNIT_NAMES
from gxo.language.model import Playbook, Workload
from gxo.language.reader import NULLS, Find, Reader, none_outside, phrase
from gxo.language.section import first_line, read_keys
from gxo.source import Name, Source, Span

if TYPE_CHECKING:
    from gxo.diagnostic import graph as graph_faults
    from gxo.diagnostic import keys as key_faults
    from gxo.diagnostic import names as name_faults
    from gxo.diagnostic import yaml as yaml_faults
else:
    graph_faults = Lazy("gxo.diagnostic.graph")
    key_faults = Lazy("gxo.diagnostic.keys")
    name_faults = Lazy("gxo.diagnostic.names")
    yaml_faults = Lazy("gxo.diagnostic.yaml")

_NAME = re.compile(r"[A-Za-z0-9_-]+")


def parse_sources(
    sources: Iterable[Source], outside: Find = none_outside
) -> tuple[tuple[Playbook, ...], tuple[Problem, ...]]:
    """The playbooks as far as they can be read, and the problems of all.

    One with an error is marked as unsound: it is there for further checks alone.
    `outside` finds the modules that are not of the library.
    """
    playbooks: list[Playbook] = []
    problems: list[Problem] = []
    with _collector_at_rest():
        for source in sources:
            _parse(source, outside, playbooks, problems)
    named: dict[str, Name] = {}
    for playbook in playbooks:
        name = playbook.name
        first = named.setdefault(name.text, name)
        if first is not name:
            problems.append(
                graph_faults.PlaybookTwice(span=name.span, name=name.text, first=first.span)
            )
    return tuple(playbooks), tuple(problems)


@contextmanager
def _collector_at_rest() -> Iterator[None]:
    """Trees of nodes have no cycles: to look for some would take longer than to read them."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def _parse(
    source: Source, outside: Find, playbooks: list[Playbook], problems: list[Problem]
) -> None:
    found: list[Problem] = []
    roots = compose(source, found)
    composed = not has_errors(found)
    documents = [root for root in roots if not _is_empty(root)]
    if composed and not documents:
        found.append(yaml_faults.EmptyPlaybook(span=_beginning(source)))
    for number, root in enumerate(documents):
        before = len(found)
        playbook = _playbook(Reader(source, found, outside), root, second=number > 0)
        errors = [problem for problem in found[before:] if problem.severity is Severity.ERROR]
        if playbook is not None and errors:
            playbook = damaged(playbook, root, errors)
        if playbook is not None and composed:
            playbooks.append(playbook)
    problems += found


def _is_empty(root: Node) -> bool:
    return isinstance(root, ScalarNode) and not root.style and root.value in NULLS


def _beginning(source: Source) -> Span:
    """The first line that says anything, or the start."""
    stripped = source.text.lstrip()
    start = len(source.text) - len(stripped)
    return first_line(Span(source, start, len(source.text))) if stripped else Span(source, 0, 0)


def _playbook(reader: Reader, root: Node, *, second: bool) -> Playbook | None:
    if not isinstance(root, MappingNode):
        reader.problems.append(
            key_faults.NotAMap(span=first_line(reader.span(root)), got=phrase(root))
        )
        return None
    found = read_keys(reader, root, "playbook", PLAYBOOK)
    if found is None:
        return None
    span, at, values = found
    workloads: tuple[Workload, ...] = values["workloads"]
    check_workloads(reader, workloads)
    name = values.pop("name", None) if "name" in at else _stem(reader, root, second=second)
    if name is None:
        return None
    _check_unit_names(reader, name, workloads)
    return Playbook(span=span, at=at, source=reader.source, name=name, **values)


def _stem(reader: Reader, root: Node, *, second: bool) -> Name | None:
    """The name that a playbook without one has from its file; its place is the first key."""
    first = root.value[0][0] if root.value else root
    span = first_line(reader.span(first))
    stem = PurePath(reader.source.path).stem
    if not second and _NAME.fullmatch(stem) and len(stem) <= NAME:
        return Name(stem, span)
    reader.problems.append(name_faults.NoPlaybookName(span=span, stem=stem, second=second))
    return None


def _check_unit_names(reader: Reader, playbook: Name, workloads: tuple[Workload, ...]) -> None:
    used = _escaped_length(playbook.text)
    for workload in workloads:
        if used + _escaped_length(workload.name.text) > UNIT_NAMES:
            reader.problems.append(
                name_faults.NamesTooLong(
                    span=workload.name.span, playbook=playbook.text, workload=workload.name.text
                )
            )


def _escaped_length(name: str) -> int:
    """Characters of a name in a unit's name, where a hyphen takes four (systemd.unit(5))."""
    return len(name) + 3 * name.count("-")

"""Problems of all stages are told together, and none that only follows from another."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from yaml import CSafeLoader, MappingNode, Node, SequenceNode, compose

from gxo.cli.load import Loaded, given, load_to_read
from gxo.diagnostic import Severity
from gxo.units.target import Target

EXAMPLES = Path(__file__).parents[2] / "examples"
PLAYBOOKS = sorted(
    path for path in EXAMPLES.rglob("*.yaml") if "workloads:" in path.read_text(encoding="utf-8")
)
EVERY_STAGE = """\
name: site
vars: {port: 80, again: "{{ .again }}"}
workloads:
  - name: web
    lifecycle: {policy: supervise, restart: sometimes}
    process: {module: exec, params: {comand: /usr/bin/id, args: ["{{ .prot }}"]}}
    needs: [dbb]
  - name: db
    lifecycle: {policy: supervise}
    process: {module: exec, params: {command: /usr/bin/id}}
    security_context: {user: root}
"""


def loaded(path: Path, text: str) -> Loaded:
    path.write_text(text, encoding="utf-8")
    return load_to_read([str(path)], given([], [], []), Target(systemd=252))


def told(path: Path, text: str) -> list[str]:
    return [f"{p.code} {p.span.source.place(p.span.start)[0]}" for p in loaded(path, text).problems]


def test_every_stage_at_once(tmp_path: Path) -> None:
    """Keys, values, params, names, circles and units: whatever is wrong is told in the first go."""
    path = tmp_path / "site.yaml"
    assert told(path, EVERY_STAGE) == [
        "cycle 2",
        "unknown-value 5",
        "unknown-param 6",
        "unknown-reference 6",
        "unknown-workload 7",
    ]
    text = EVERY_STAGE.replace(', again: "{{ .again }}"', "")
    assert told(path, text)[-1] == "unsafe-text 11", "what is compiled is checked too"
    assert told(path, text.replace("policy: supervise,", "policy: supervise, x: 1,"))[-1] == (
        "unsafe-text 11"
    )


def test_an_unsound_playbook_has_no_plan(tmp_path: Path) -> None:
    """What was checked beside an error can never be applied."""
    found = loaded(tmp_path / "site.yaml", EVERY_STAGE.replace(', again: "{{ .again }}"', ""))
    assert found.failed
    assert (found.plans, found.units) == ((), ())
    assert [step.name.text for part in found.parts for step in part.steps] == ["db"]


@pytest.mark.parametrize("path", PLAYBOOKS, ids=lambda path: str(path.relative_to(EXAMPLES)))
def test_one_mistake_is_told_once(path: Path, tmp_path: Path) -> None:
    """Of any key misspelt, or value of a wrong type, in an example there is one error."""
    text = path.read_text(encoding="utf-8")
    copy = tmp_path / path.name
    before = {p.code for p in loaded(copy, text).problems if p.severity is Severity.ERROR}
    assert not before
    for key, value, around in pairs(compose(text, Loader=CSafeLoader)):
        start, end = key.start_mark.index, key.end_mark.index
        misspelt = f"{text[:start]}{key.value[:-1]}{text[end:]}"
        listed = f"{text[: value.start_mark.index]}[[]]{text[value.end_mark.index :]}"
        for changed in (misspelt, listed):
            found = loaded(copy, changed).problems
            errors = [p for p in found if p.severity is Severity.ERROR]
            inside = [p for p in errors if p.span.start in extent(around)]
            # a name that is now another is told where it is read
            assert len(errors) < 2 or not inside, changed


def extent(node: Node) -> range:
    return range(node.start_mark.index - 1, node.end_mark.index + 1)


def pairs(node: Node | None) -> Iterator[tuple[Node, Node, Node]]:
    """Each key of each map, with its value and the map itself."""
    if isinstance(node, SequenceNode):
        for item in node.value:
            yield from pairs(item)
    elif isinstance(node, MappingNode):
        for key, value in node.value:
            yield key, value, node
            yield from pairs(value)

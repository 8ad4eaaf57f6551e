"""The table of keys, and all that is made from it: reference, JSON Schema, examples, defaults."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from gxo.dataclass import MISSING, fields
from gxo.diagnostic import Problem, render
from gxo.language.document import compose
from gxo.language.frontend import parse_sources
from gxo.language.keys import SECTIONS
from gxo.language.model import LoopControl, Playbook, TaskPolicy, Workload
from gxo.language.params import read_param
from gxo.language.process import read_params
from gxo.language.reader import Reader
from gxo.language.reference import module_file_reference, modules_reference, playbook_reference
from gxo.language.schema import playbook_schema
from gxo.language.section import Key, Section
from gxo.language.values import read_value
from gxo.source import Name, Source, Span
from gxo.spec.library import LIBRARY
from gxo.spec.lifecycle import Backoff, EventDriven, Placed, Ready, Scheduled, StartLimit, Supervise
from gxo.spec.module import ModuleSpec, ParamType
from gxo.spec.policy import (
    ChannelPolicy,
    Namespaces,
    Network,
    Resources,
    Retry,
    RootFilesystem,
    Seccomp,
    SecurityContext,
)
from gxo.template.value import ListValue, Literal, MapValue, Value
from gxo.units.unsupported import NOT_IN_RUNS

TOP = Path(__file__).parent.parent.parent
GOLDEN = TOP / "tests" / "golden" / "language"
MODELS: dict[str, type[Placed]] = {
    "playbook": Playbook,
    "workload": Workload,
    "supervise": Supervise,
    "event_driven": EventDriven,
    "scheduled": Scheduled,
    "backoff": Backoff,
    "start_limit": StartLimit,
    "ready": Ready,
    "retry": Retry,
    "loop_control": LoopControl,
    "security_context": SecurityContext,
    "root_filesystem": RootFilesystem,
    "resources": Resources,
    "seccomp": Seccomp,
    "namespaces": Namespaces,
    "network": Network,
    "channel_policy": ChannelPolicy,
    "task_policy": TaskPolicy,
}
ROWS = [(section, key) for section in SECTIONS for key in section.keys]


def shown(problems: list[Problem]) -> str:
    return "".join(map(render, problems))


def node_of(text: str) -> tuple[Reader, yaml.Node]:
    """A value as it stands in a table, as the node a playbook would give."""
    problems: list[Problem] = []
    source = Source("table", f"x: {text}\n")
    (root,) = compose(source, problems)
    assert not problems, shown(problems)
    return Reader(source, problems), root.value[0][1]


@pytest.mark.parametrize("name", LIBRARY)
def test_what_is_not_carried_out_says_so(name: str) -> None:
    """A module that no run carries out is marked, and no other is."""
    marked = LIBRARY[name].doc.startswith("Not in this version: ")
    assert marked == (name in NOT_IN_RUNS)


@pytest.mark.parametrize(
    ("path", "made"),
    [
        ("playbook.md", playbook_reference),
        ("modules.md", modules_reference),
        ("module-yaml.md", module_file_reference),
        ("playbook.schema.json", lambda: json.dumps(playbook_schema(), indent=2) + "\n"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_reference_is_made_from_the_tables(
    path: str, made: Any, pytestconfig: pytest.Config
) -> None:
    """What stands in docs/reference is what the tables say."""
    file = TOP / "docs" / "reference" / path
    if pytestconfig.getoption("--accept"):
        file.write_text(made(), encoding="utf-8")
    assert file.read_text(encoding="utf-8") == made()


@pytest.mark.parametrize(
    ("section", "key"), ROWS, ids=lambda row: row.slug if isinstance(row, Section) else row.name
)
def test_examples_and_defaults_are_valid(section: Section, key: Key) -> None:
    """Each key's example and default can be written where the key stands."""
    for text in (key.example, key.default):
        if text is None or key.name == "policy":
            continue
        reader, node = node_of(text)
        assert key.kind.read(reader, node, key.name) is not None
        assert not reader.problems, f"{section.slug}.{key.name}: {shown(reader.problems)}"


@pytest.mark.parametrize(("slug", "model"), MODELS.items(), ids=MODELS)
def test_defaults_are_those_of_the_model(slug: str, model: type[Placed]) -> None:
    """A default that the reference states is the one an absent key has."""
    section = next(section for section in SECTIONS if section.slug == slug)
    declared = {entry.name: entry for entry in fields(model)}
    for key in section.keys:
        entry = declared.get(key.attribute)
        if entry is None or key.required:  # `cron` and `calendar` become one field
            continue
        default = None if entry.default is MISSING else entry.default
        if key.default is None:
            assert default in (None, ()), f"{slug}.{key.name}"
            continue
        reader, node = node_of(key.default)
        value = key.kind.read(reader, node, key.name)
        found = value.text if isinstance(value, Name) else value
        assert found == default, f"{slug}.{key.name}"


@pytest.mark.parametrize("spec", LIBRARY.values(), ids=lambda spec: spec.name)
def test_params_examples_and_defaults_are_valid(spec: ModuleSpec) -> None:
    """The same for the params of modules: each example passes where the others are as shown."""
    for param in spec.params:
        if param.type in (ParamType.STEPS, ParamType.FIELDS):
            continue
        for text in (param.example, param.default):
            if text is not None:
                reader, node = node_of(text)
                assert read_param(reader, node, param) is not None, param.name
                assert not reader.problems, shown(reader.problems)
    required = {param.name: param.example for param in spec.params if param.required}
    text = ", ".join(f"{name}: {example}" for name, example in required.items())
    reader, node = node_of("{" + text + "}")
    assert isinstance(node, yaml.MappingNode)
    assert read_params(reader, spec, node, Span(reader.source, 0, 1)) is not None
    assert not reader.problems, shown(reader.problems)


def plain(value: Value) -> Any:
    """A value as JSON would hold it."""
    match value:
        case Literal(data=data):
            return data
        case ListValue(items=items):
            return [plain(item) for item in items]
        case MapValue(entries=entries):
            return {name.text: plain(item) for name, item in entries}
        case _:
            return value.text.text


def documents(path: Path) -> Iterator[Any]:
    source = Source(path.name, path.read_text(encoding="utf-8"))
    for root in compose(source, []):
        found = plain(read_value(Reader(source, []), root, "playbook"))
        if found is not None:
            yield found


def schema() -> jsonschema.Draft202012Validator:
    made = playbook_schema()
    jsonschema.Draft202012Validator.check_schema(made)
    return jsonschema.Draft202012Validator(made)


@pytest.mark.parametrize(
    "path",
    [
        *sorted(path for path in GOLDEN.glob("*/*.y*ml") if not (path.parent / "stderr").exists()),
        *sorted(TOP.glob("examples/**/*.yaml")),
    ],
    ids=lambda path: path.parent.name,
)
def test_schema_takes_what_gxo_takes(path: Path) -> None:
    """Playbooks without a problem are valid by the JSON Schema."""
    for document in documents(path):
        assert [error.message for error in schema().iter_errors(document)] == []


@pytest.mark.parametrize(
    "case",
    [
        "choices",
        "lifecycle-keys",
        "lifecycle-without-policy",
        "missing-keys",
        "missing-workload-keys",
        "names",
        "params",
        "ranges",
        "unknown-keys",
        "wrong-booleans",
        "wrong-types",
    ],
)
def test_schema_refuses_what_one_key_shows(case: str) -> None:
    """What an editor can find by the JSON Schema, it finds."""
    path = GOLDEN / case / "input.yaml"
    assert all([*schema().iter_errors(document)] for document in documents(path))


def test_every_key_is_exercised() -> None:
    """The golden playbooks that gxo takes write every key and every param there is."""
    texts = [
        (GOLDEN / case / "input.yaml").read_text() for case in ("valid-whole", "valid-modules")
    ]
    playbooks, problems = parse_sources([Source("x", text) for text in texts])
    assert not problems
    assert len(playbooks) == 2
    whole = "\n".join(texts)
    names = {key.name for section in SECTIONS for key in section.keys}
    names |= {param.name for spec in LIBRARY.values() for param in spec.params}
    assert [name for name in sorted(names) if f"{name}:" not in whole] == []
    assert [name for name in LIBRARY if f"{name}\n" not in whole and f"{name}," not in whole] == []

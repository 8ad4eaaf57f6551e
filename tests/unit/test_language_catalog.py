"""Modules from outside the library as playbooks see them: their `module.yaml`, read as data."""

from pathlib import Path

import pytest
import yaml

from gxo.diagnostic import Problem, render
from gxo.language.catalog import Catalog, take
from gxo.language.frontend import parse_sources
from gxo.language.model import Process
from gxo.language.module_file import MODULE, PARAM, SUMMARY, read_module
from gxo.outside.tree import UnusableTree
from gxo.source import Source
from gxo.spec.lifecycle import Policy
from gxo.spec.module import TASK, ParamType
from gxo.template.evaluate import Scope
from gxo.template.tree import Template
from gxo.template.value import MapValue, Value
from gxo.units.params import read_params

HEAD = "name: acme:report\ndoc: Writes.\nentry: main.py\n"


def said(problems: tuple[Problem, ...] | list[Problem]) -> list[str]:
    return [f"{str(p.span).rpartition('/')[2]} {p.message()} ({p.hint()})" for p in problems]


def wrong(text: str) -> list[str]:
    """What is wrong with a `module.yaml`, as `line:column message (hint)`."""
    found, problems = read_module(Source("m", text))
    assert found is None
    return [line[2:] for line in said(problems)]


@pytest.fixture
def host(tmp_path: Path) -> Path:
    """A configuration that names a directory for modules."""
    (tmp_path / "config.yaml").write_text(f"modules: {{paths: [{tmp_path}/m, {tmp_path}/n]}}\n")
    return tmp_path


def put(host: Path, text: str = HEAD, place: str = "m/report") -> Path:
    path = host / place
    path.mkdir(parents=True)
    (path / "module.yaml").write_text(text)
    (path / "main.py").write_text("")
    return path


def parse(host: Path, params: str = "{}", module: str = "acme:report") -> list[str]:
    """What is wrong with a playbook that uses a module."""
    _, problems = playbook(host, params, module)
    return said(problems)


def playbook(
    host: Path, params: str, module: str, lifecycle: str = "run_once"
) -> tuple[Process | None, tuple[Problem, ...]]:
    text = (
        f"workloads:\n  - name: w\n    lifecycle: {{policy: {lifecycle}}}\n"
        f"    process: {{module: '{module}', params: {params}}}\n"
    )
    catalog = Catalog(str(host / "config.yaml"))
    books, problems = parse_sources([Source("p", text)], catalog.find)
    return (books[0].workloads[0].process if books else None), problems


def test_all_it_can_say() -> None:
    """Every type of param, with defaults that come out as the type's own data."""
    found, problems = read_module(
        Source(
            "m",
            HEAD + "lifecycles: [run_once]\nsummary: {lines: {type: int, doc: How many.}}\n"
            "params:\n"
            "  plain: {doc: a}\n"
            "  must: {doc: a, required: true, example: this}\n"
            '  quoted: {doc: a, default: "[x"}\n'
            "  empty: {doc: a, default: ''}\n"
            "  texts: {type: texts, doc: a, default: [a, 1]}\n"
            "  env: {type: environment, doc: a, default: [A=1]}\n"
            "  path: {type: path, doc: a, default: a/b}\n"
            "  mode: {type: mode, doc: a, default: 0640}\n"
            "  bool: {type: bool, doc: a, default: true}\n"
            "  int: {type: int, doc: a, default: 3, low: 1, high: 9}\n"
            "  number: {type: number, doc: a, default: 0.5}\n"
            "  duration: {type: duration, doc: a, default: 1m30s}\n"
            "  size: {type: size, doc: a, default: 2K}\n"
            "  address: {type: address, doc: a, default: '127.0.0.1:80'}\n"
            "  choice: {type: choice, doc: a, choices: [x, y], default: y}\n"
            "  list: {type: list, doc: a, default: [1, {a: null}]}\n"
            "  map: {type: map, doc: a, default: {a: [true]}}\n"
            "  any: {type: any, doc: a, default: 5}\n"
            "  words: {type: any, doc: a, default: five}\n"
            "  held: {type: condition, doc: a, default: false}\n",
        )
    )
    assert said(problems) == []
    assert found is not None
    assert (found.spec.name, found.entry.text) == ("acme:report", "main.py")
    assert found.spec.lifecycles == {Policy.RUN_ONCE}
    assert [(key.name, key.type) for key in found.spec.summary] == [("lines", "int")]
    given = next(p for p in found.spec.params if p.name == "must")
    assert (given.required, given.example) == (True, "this")
    span = found.name.span
    data, bad = read_params(found.spec, MapValue((), span), Scope(names={}), span)
    assert [problem.message() for problem in bad] == ["`must` must be text, not nil"]
    assert data == {
        "plain": None,
        "must": None,
        "quoted": "[x",
        "empty": "",
        "texts": ["a", "1"],
        "env": ["A=1"],
        "path": "a/b",
        "mode": 0o640,
        "bool": True,
        "int": 3,
        "number": 0.5,
        "duration": 90.0,
        "size": 2048,
        "address": "127.0.0.1:80",
        "choice": "y",
        "list": [1, {"a": None}],
        "map": {"a": [True]},
        "any": 5,
        "words": "five",
        "held": False,
    }


def test_every_problem_has_its_place() -> None:
    """All of them in one go, in the words of the language; a default is held to its type."""
    assert wrong(
        "name: Acme\n"
        "doc: [a]\n"
        "entry: ../main.py\n"
        "lifecycles: [supervise]\n"
        "code: x\n"
        "params:\n"
        "  a b: {doc: x}\n"
        "  c: {type: nmber, doc: x}\n"
        "  d: {type: int, doc: x, default: many}\n"
        "  e: {type: choice, doc: x}\n"
        "  f: {doc: x, low: 1}\n"
        "  g: {type: int, doc: x, low: 5, default: 4}\n"
        "  h: {}\n"
        '  i: {doc: x, default: "{{ .a }}"}\n'
    ) == [
        "1:7 `Acme` is not valid for `name`: it must be a namespace, `:` and a name, in lower-case"
        " letters, digits, `_` and `-` (None)",
        "2:6 `doc` takes text, not a list (None)",
        "3:8 `entry` takes a path beneath the module's directory, not the text `../main.py` (None)",
        "4:14 `lifecycles` cannot be `supervise`"
        " (it must be one of `run_once`, `event_driven`, `scheduled`)",
        "5:1 a module has no key `code`"
        " (its keys are `name`, `doc`, `entry`, `lifecycles`, `params`, `summary`)",
        "7:3 `a b` cannot name a param: a name is made of letters, digits and `_`, and does not"
        " begin with a digit (write `a_b`)",
        "8:13 `type` cannot be `nmber` (did you mean `number`?)",
        "9:35 `d` takes a whole number, not the text `many` (None)",
        "10:3 a param of type `choice` needs the key `choices` (for example choices: [a, b])",
        "11:20 `low` has no effect here: the type is `text` (None)",
        "12:43 `g` must be at least 5, not 4 (None)",
        "13:6 a param needs the key `doc` (for example doc: Where the report goes.)",
        "14:25 `default` cannot hold a template"
        " (templates are allowed in `params`, `when`, `loop` and `vars`)",
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "`module.yaml` has no value: it takes a map (give it one, or leave the key out)"),
        ("- a\n", "1:1 `module.yaml` takes a map, not a list (None)"),
        (HEAD.replace("acme", "http"), "1:7 `http:report` cannot be a module's name"),
        (HEAD.replace("acme", "gxo"), "1:7 `gxo:report` cannot be a module's name"),
        (HEAD + "---\na: 1\n", "5:1 a module is described by one document"),
        (HEAD + "params: {a: !!python/object:os.system {}}\n", "4:13 "),
        (HEAD + "params: &a {x: *a}\n", "4:"),
        (HEAD + "doc: \x1b[2J\n", "4:6 "),
        ("a: " + "[" * 5000 + "]" * 5000, "1:"),
        (HEAD.replace("main.py", "/bin/sh"), "3:8 `entry` takes a path beneath"),
        (HEAD.replace("main.py", "a//b"), "3:8 `entry` takes a path beneath"),
        (HEAD.replace("main.py", '"a\\nb"'), "3:8 "),
    ],
)
def test_hostile_and_broken_ones(text: str, expected: str) -> None:
    """Each is told with its place; nothing is run, built or followed for it."""
    assert any(line.startswith(expected) for line in wrong(text)), wrong(text)


def test_a_playbook_is_held_to_it(host: Path) -> None:
    """As to a spec of the library: types, names, what is missing, where it may stand."""
    put(
        host,
        HEAD + "lifecycles: [run_once]\nparams:\n"
        "  path: {type: path, doc: Where., required: true, example: out.txt}\n"
        "  style: {type: choice, doc: How., choices: [short, long]}\n",
    )
    assert parse(host, "{path: 'a', style: long}") == []
    assert parse(host, "{styl: long}") == [
        "p:4:47 `acme:report` has no param `styl` (did you mean `style`?)",
        "p:4:46 `acme:report` needs the param `path` (for example path: out.txt)",
    ]
    assert parse(host, "{path: a, style: tall}") == [
        "p:4:63 `style` cannot be `tall` (it must be one of `short`, `long`)"
    ]
    _, problems = playbook(host, "{path: a}", "acme:report", "supervise")
    assert said(problems) == [
        "p:3:25 `acme:report` cannot have the lifecycle `supervise` (it can have `run_once`)"
    ]
    process, _ = playbook(host, "{path: '{{ .a }}'}", "acme:report")
    assert process is not None
    value: Value | None = process.params.get("path")
    assert isinstance(value, Template)
    assert process.outside is not None
    assert process.outside.path == str(host / "m" / "report")
    assert process.spec.params[0].type is ParamType.PATH


def test_a_name_that_is_not_there(host: Path) -> None:
    """What is there is offered; what could not be read may be what was meant, and is told."""
    put(host)
    assert parse(host, module="acme:reprot") == [
        "p:4:23 there is no module `acme:reprot` (did you mean `acme:report`?)"
    ]
    put(host, "name: acme:other\n", "n/broken")
    assert parse(host) == []
    assert [line.partition(" (")[0] for line in parse(host, module="acme:other")] == [
        "module.yaml:1:1 a module needs the key `doc`",
        "module.yaml:1:1 a module needs the key `entry`",
        "p:4:23 there is no module `acme:other`",
    ]


def test_what_cannot_be_used(host: Path) -> None:
    """Two of one name, an entry that is not there or not executable, a link within."""
    first = put(host, HEAD.replace("main.py", "run"))
    assert "its entry `run` is not there" in parse(host)[0]
    (first / "run").write_text("#!/bin/sh\n")
    assert "its entry `run` is not executable" in parse(host)[0]
    (first / "run").chmod(0o755)
    assert parse(host) == []
    (first / "link").symlink_to("/etc/passwd")
    assert "`link`: a symbolic link" in parse(host)[0]
    with pytest.raises(UnusableTree):
        take(str(first))
    second = put(host, place="n/twin")
    (told,) = parse(host)
    assert "2 modules on this host are called `acme:report`" in told
    assert str(second) in told


def test_a_configuration_that_cannot_be_used(host: Path) -> None:
    """It is told where a module is named that only it could lead to, and nowhere else."""
    (host / "config.yaml").write_text("modules: {path: []}\n")
    assert parse(host, "{command: /bin/true}", "exec") == []
    assert "`modules` has no key `path`" in parse(host)[0]


def test_one_reached_twice_is_one(host: Path) -> None:
    """By a link to its directory, which may lead anywhere."""
    put(host, place="elsewhere/report")
    for place in ("m", "n"):
        (host / place).mkdir()
        (host / place / "report").symlink_to(host / "elsewhere" / "report")
    assert parse(host) == []


def test_a_pipeline_has_the_librarys_alone(host: Path) -> None:
    """Its steps work on records, which no module from outside does."""
    put(host)
    steps = "{steps: [{uses: 'acme:report'}]}"
    assert any("no module `acme:report`" in line for line in parse(host, steps, "stream:pipeline"))


def test_examples_and_defaults_hold() -> None:
    """What the table of `module.yaml` gives as an example is what it takes."""
    for key in MODULE.keys:
        for written in filter(None, (key.example, key.default)):
            base = yaml.safe_load(HEAD)
            text = yaml.safe_dump({**base, key.name: yaml.safe_load(written)})
            _, problems = read_module(Source("m", text))
            assert problems == (), "".join(map(render, problems))
    types = {"choices": "choice", "low": "int", "high": "int"}
    for section, place in ((PARAM, "params"), (SUMMARY, "summary")):
        for key in section.keys:
            kind = types.get(key.name, "text" if section is PARAM else "any")
            needs = ", choices: [x]" if key.name == "type" and "choice" in key.example else ""
            also = "" if key.name == "type" else f"type: {kind.replace('text', 'path')}, "
            doc = "" if key.name == "doc" else "doc: x, "
            line = f"{place}: {{a: {{{also}{doc}{key.name}: {key.example}{needs}}}}}\n"
            _, problems = read_module(Source("m", HEAD + line))
            assert problems == (), line + "".join(map(render, problems))


def test_default_lifecycles() -> None:
    """A module that names no lifecycles has all that end by themselves."""
    found, _ = read_module(Source("m", HEAD))
    assert found is not None
    assert found.spec.lifecycles == TASK

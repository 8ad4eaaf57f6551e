"""The configuration: what it may say, every problem with its place, and its reference page."""

from pathlib import Path

import pytest
import yaml

from gxo.config.model import Config, Credentials, Directory, Environment, Program
from gxo.config.read import ConfigError, load_config, read_config
from gxo.config.reference import markdown
from gxo.config.table import PROVIDERS, SECRETS, TOP
from gxo.source import Source

TOP_DIR = Path(__file__).parent.parent.parent


def problems(text: str) -> list[str]:
    """What is wrong with a text, as `line:column message (hint)`."""
    _, found = read_config(Source("c", text))
    return [f"{str(p.span)[2:]} {p.message()} ({p.hint()})" for p in found]


@pytest.mark.parametrize("text", ["", "# nothing\n", "{}\n", "secrets: {}\n", "---\n~\n"])
def test_what_is_not_said_is_the_default(text: str) -> None:
    """Credentials, the directory of gxo, the caller's environment, in this order."""
    assert read_config(Source("c", text)) == (Config(), ())
    assert Config().providers == (Credentials(), Directory(), Environment())


def test_all_it_can_say() -> None:
    """Each type of provider with all of its keys, in any order and number."""
    config, found = read_config(
        Source(
            "c",
            "secrets:\n"
            "  providers:\n"
            "    - {type: command, argv: [/bin/pass, 'show'], timeout: 1m30s}\n"
            "    - {type: environment, prefix: A_}\n"
            "    - type: directory\n"
            "      path: '/a'\n"
            "    - type: credentials\n"
            "    - {type: command, argv: [/x]}\n",
        )
    )
    assert found == ()
    assert config.providers == (
        Program(("/bin/pass", "show"), 90),
        Environment("A_"),
        Directory("/a"),
        Credentials(),
        Program(("/x",), 10),
    )


def test_every_problem_has_its_place() -> None:
    """All of them in one go, in the words of the language."""
    text = (
        "secret: {}\n"
        "secrets:\n"
        "  providers:\n"
        "    - {type: directry}\n"
        "    - {path: /x}\n"
        "    - {type: directory, path: x, prefix: A}\n"
        "    - {type: command, timeout: 10}\n"
        "    - {type: command, argv: [ls], timeout: 9m}\n"
        "    - {type: environment, prefix: }\n"
        "    - 5\n"
        "  providers: []\n"
    )
    assert problems(text) == [
        "1:1 the configuration has no key `secret` (did you mean `secrets`?)",
        "4:14 `type` cannot be `directry` (did you mean `directory`?)",
        "5:7 a provider needs the key `type` (for example type: directory)",
        "6:31 `path` takes an absolute path, not `x` (None)",
        "6:34 a provider of type `directory` has no key `prefix` (its keys are `path`)",
        "7:7 a provider of type `command` needs the key `argv`"
        " (for example argv: [/usr/bin/pass, show])",
        "7:32 `timeout` takes a duration such as `10s`, not a number (None)",
        "8:30 `argv` takes a list of texts, of which the first is the absolute path of a program,"
        " not `ls` (None)",
        "8:44 `timeout` must be 1ms to 5m, not 9m (None)",
        "9:27 `prefix` has no value: it takes letters, digits and `_`, not beginning with a digit"
        " (give it one, or leave the key out)",
        "10:7 `providers` takes maps with a `type`, not a number (None)",
        "11:3 the key `providers` appears twice in one map (None)",
    ]


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("secrets: [", "1:11"),
        ("a: &x 1\nb: *x\n", "1:4"),
        ("secrets: !!python/object:os.system {}\n", "1:10"),
        ("a: 1\n---\nb: 2\n", "2:1"),
        ("1: 2\n", "1:1"),
        ("[" * 30 + "]" * 30, "1:22"),
        ("- a\n", "1:1"),
        ("secrets: {providers: {}}\n", "1:22"),
        ("é: \x01\n", "1:1"),
    ],
)
def test_what_is_no_configuration(text: str, place: str) -> None:
    """Hostile or broken YAML is one problem with a place."""
    (said,) = problems(text)
    assert said.startswith(f"{place} ")


def test_the_file(tmp_path: Path) -> None:
    """One that was named must be there, be text, and not be large."""
    path = tmp_path / "config.yaml"
    for data in (None, b"\xff", b" " * (2 << 20), b"x: 1\n"):
        if data is not None:
            path.write_bytes(data)
        with pytest.raises(ConfigError, match=str(path)):
            load_config(str(path))
    path.write_bytes(b"\xef\xbb\xbfsecrets: {providers: []}\n")
    assert load_config(str(path)) == Config(())


def test_the_reference(pytestconfig: pytest.Config) -> None:
    """The page is made from the table; `--accept` rewrites it."""
    page = TOP_DIR / "docs" / "reference" / "config.md"
    if pytestconfig.getoption("--accept"):
        page.write_text(markdown())
    assert page.read_text() == markdown()


def test_examples_and_defaults_hold() -> None:
    """What the table gives as example and default is what the reader takes and does."""
    for key in (*TOP, *SECRETS):
        for written in (key.example, key.default):
            inner = f"{key.name}: {written}" if key in TOP else f"secrets: {{providers: {written}}}"
            assert problems(inner + "\n") == []
    for kind, (_, keys) in PROVIDERS.items():
        required = "".join(f", {k.name}: {k.example}" for k in keys if k.default is None)
        least = f"{{type: {kind}{required}}}"
        every = yaml.safe_load(least) | {
            key.name: yaml.safe_load(key.default) for key in keys if key.default is not None
        }
        texts = (least, yaml.safe_dump(every, default_flow_style=True).strip())
        made = [read_config(Source("c", f"secrets: {{providers: [{t}]}}")) for t in texts]
        assert made[0] == made[1]
        for key in keys:
            rest = "" if key.default is None else required
            assert (
                problems(
                    f"secrets: {{providers: [{{type: {kind}{rest}, {key.name}: {key.example}}}]}}"
                )
                == []
            )

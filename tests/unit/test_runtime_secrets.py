"""Secrets of a run, apart from systemd: their names, where they come from, what is made of them."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gxo.config.model import Directory, Environment, Program
from gxo.runtime.redact import MASK, Redactor
from gxo.runtime.scope import Scopes
from gxo.runtime.secrets import LONGEST, Secrets, check_name
from gxo.template.evaluate import evaluate
from gxo.template.fault import Failure
from gxo.template.value import Data
from tests.unit.test_plan_build import plan

PLAYBOOK = """\
vars: {{seen: in the open}}
workloads:
  - name: a
    lifecycle: {{policy: run_once}}
    process: {{module: exec, params: {{command: /bin/cat, stdin: '{text}'}}}}
"""
VALUE = 'Hun"ter2, é and more'


def used(text: str, value: str = VALUE) -> tuple[Data, Redactor]:
    """What a template makes of the secret `x`, and the redactor that has seen it."""
    redactor = Redactor()
    built = plan(PLAYBOOK.format(text=text))
    secrets = Secrets((Environment(""),), {"X": value}, redactor)
    scopes = Scopes(
        built,
        run="0123456789ab",
        workspace="/w",
        registered={},
        statuses={},
        secret=secrets,
        environment={},
        redactor=redactor,
    )
    params = evaluate(built.steps[0].action.params, scopes.now())
    assert isinstance(params, dict)
    return params["stdin"], redactor


@pytest.mark.parametrize(
    "call",
    [
        "secret `x`",
        "secret `x` | upper",
        "secret `x` | b64enc",
        "secret `x` | upper | b64enc | lower",
        "sha256 (secret `x`)",
        "urlquote (secret `x`)",
        "secret `x` | toJson",
        "secret `x` | quote",
        "secret `x` | replace `a` `b`",
        "slice (secret `x`) 0 8",
        "index (split `,` (secret `x`)) 1",
        "regexReplace `(.)e` `$1` (secret `x`)",
        "dict `k` (secret `x`) | toJson",
    ],
)
def test_what_is_made_of_a_secret_is_masked(call: str) -> None:
    """What template functions make of a secret is masked whole."""
    made, redactor = used("{{ " + call + " }}")
    assert isinstance(made, str)
    said = redactor.text(f"<{made}>")
    assert MASK in said
    assert said.replace(MASK, "") in ("<>", '<"">', '<{"k": ""}>')


@pytest.mark.parametrize(
    "text",
    [
        "{{ len (secret `x`) }}",
        "{{ ternary `production` `test` (contains `H` (secret `x`)) }}",
        "{{ .seen }} {{ upper .seen }} {{ secret `x` | default .seen | len }}",
        "{{ get (dict `user` `somebody` `password` (secret `x`)) `user` }}",
        "{{ dict `password` (secret `x`) | keys | first }}",
        "{{ slice (secret `x`) 0 2 }}",
    ],
)
def test_what_says_nothing_of_it_is_not_masked(text: str) -> None:
    """Sizes, truths, what stands beside it, and pieces so short that they stand everywhere."""
    made, redactor = used(text)
    assert redactor.text(str(made)) == str(made)


def test_the_parts_of_one_that_is_data() -> None:
    """The texts and numbers in it, whatever is done with them; its keys are none."""
    made, redactor = used(
        "{{ $d := fromJson (secret `x`) }}{{ $d.user }}:{{ $d.ports.0 }}:{{ $d.on }}",
        '{"user": "some\\u0062ody", "ports": [54321], "on": true}',
    )
    assert made == "somebody:54321:true"
    assert redactor.text(str(made)) == f"{MASK}:{MASK}:true"
    assert redactor.text("the user of ports") == "the user of ports"


def test_a_secret_holding_braces() -> None:
    """It is data: no template is found in it, and it is masked as it stands."""
    text = "{{ .seen }}{{ secret `y` }}{{"
    made, redactor = used("{{ secret `x` }} {{ print (secret `x`) .seen }}", text)
    assert made == f"{text} {text}in the open"
    assert redactor.text(made) == f"{MASK} {MASK}in the open"


@given(st.text(max_size=130))
def test_a_name_can_be_a_file_and_an_argument(name: str) -> None:
    """No name that is taken leads out of a directory, or is an option or more than one word."""
    try:
        check_name(name)
    except Failure:
        return
    assert (Path("/a") / name).resolve() == Path("/a") / name
    assert name[0] not in "-.~"
    assert not set(name) & set("/\0\n\t \"'$;&|<>*?")


@pytest.mark.parametrize(
    "name", ["", ".", "..", "a/b", "../a", "-n", "a..b", "a\n", "a\0", "x" * 129]
)
def test_names_that_are_none(name: str) -> None:
    """They are refused before any provider is asked."""
    with pytest.raises(Failure, match="that is not a valid name for a secret"):
        Secrets((Program(("/no/such",)),), {}, Redactor())(name)


def test_a_secret_is_read_once(tmp_path: Path) -> None:
    """A run uses one value, also where its provider has another by now."""
    tmp_path.chmod(0o700)
    file = tmp_path / "a"
    secrets = Secrets((Directory(str(tmp_path)),), {}, Redactor())
    for text in ("first\n\n", "second"):
        file.write_text(text)
        assert secrets("a") == "first\n"


def test_files_that_hold_no_secret(tmp_path: Path) -> None:
    """Directories, links, devices, too much, no text: an error, not a hang or a part of it."""
    tmp_path.chmod(0o700)
    (tmp_path / "directory").mkdir()
    (tmp_path / "link").symlink_to("/etc/passwd")
    (tmp_path / "large").write_bytes(b"a" * (LONGEST + 1))
    (tmp_path / "bytes").write_bytes(b"\xff\xfe")
    secrets = Secrets((Directory(str(tmp_path)), Environment("")), {"LINK": "x"}, Redactor())
    for name in ("directory", "link", "large", "bytes"):
        with pytest.raises(Failure, match=f"cannot read the secret `{name}`: "):
            secrets(name)

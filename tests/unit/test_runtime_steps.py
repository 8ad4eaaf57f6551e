"""A run's scope, its captured output and its retries, apart from systemd."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gxo.dataclass import replace
from gxo.runtime.attempt import Result
from gxo.runtime.capture import KEPT, LONGEST, Answer, Capture
from gxo.runtime.progress import Item, Progress, delay
from gxo.runtime.redact import MASK, Redactor
from gxo.runtime.scope import Scopes
from gxo.runtime.status import Status
from gxo.spec.policy import Retry
from gxo.template.evaluate import evaluate
from gxo.template.fault import Failure, Fault
from gxo.template.value import Data
from tests.unit.test_plan_build import plan
from tests.unit.units_plans import SPAN

PLAYBOOK = """\
inputs: {{who: {{type: string, default: you}}}}
vars: {vars}
workloads:
  - name: a
    loop: [1]
    lifecycle: {{policy: run_once}}
    process: {{module: exec, params: {{command: /bin/echo, args: ['{text}']}}}}
"""


def scopes(vars_: str, text: str, registered: dict[str, Data], statuses: dict[str, str]) -> Scopes:
    """The scopes of a run of one step."""

    def secret(name: str) -> str:
        raise Failure(f"there is no secret `{name}`")

    return Scopes(
        plan(PLAYBOOK.format(vars=vars_, text=text)),
        run="0123456789ab",
        workspace="/w",
        registered=registered,
        statuses=statuses,
        secret=secret,
        environment={"HOME": "/h"},
        redactor=Redactor(),
    )


def shown(vars_: str, text: str, **own: Data) -> Data:
    """What the one step's argument comes to."""
    built = plan(PLAYBOOK.format(vars=vars_, text=text))
    found = scopes(vars_, text, {"said": {"stdout": "x"}}, {"a": Status.RUNNING})
    params = evaluate(built.steps[0].action.params, found.now(**own))
    assert isinstance(params, dict)
    args = params["args"]
    assert isinstance(args, list)
    return args[0]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{{ .who }}", "you"),
        ("{{ .v }}", [1, "you"]),
        ('{{ env "HOME" }}', "/h"),
        ("{{ _gxo.run.id }}", "0123456789ab"),
        ("{{ _gxo.workspace.path }}", "/w"),
    ],
)
def test_what_a_step_reads(text: str, expected: Data) -> None:
    """Inputs, vars, the environment, and what gxo says of the run; values keep their types."""
    assert shown("{v: '{{ list 1 .who }}'}", text) == expected


def test_a_var_is_evaluated_once_in_a_run() -> None:
    """Every step reads the same, also of what changes by the moment."""
    found = scopes("{id: '{{ uuid }}'}", "{{ .id }}", {}, {})
    value = plan(PLAYBOOK.format(vars="{id: '{{ uuid }}'}", text="{{ .id }}")).steps[0]
    assert evaluate(value.action.params, found.now()) == evaluate(value.action.params, found.now())


def test_a_loop_variable_is_of_its_step_alone() -> None:
    """It hides nothing for the others, and may have any name."""
    assert scopes("{}", "x", {}, {}).now(self=3).names["self"] == 3
    assert shown("{}", "{{ .item }}", item=[1, 2]) == [1, 2]
    with pytest.raises(Fault):
        shown("{}", "{{ .item }}")


def test_an_environment_without_the_name() -> None:
    """The error says which, and there is no empty text."""
    with pytest.raises(Fault, match="the environment has no `NOPE`"):
        shown("{}", '{{ env "NOPE" }}')


@given(st.integers(1, 8), st.floats(1, 3), st.floats(0, 1))
def test_delays_grow_to_a_limit(attempts: int, factor: float, jitter: float) -> None:
    """By the factor from the first, never beyond the limit but for the jitter."""
    retry = Retry(
        span=SPAN, attempts=9, delay=100, max_delay=1000, backoff_factor=factor, jitter=jitter
    )
    plain = min(100 * factor ** (attempts - 1), 1000)
    found = delay(retry, attempts, random.Random(attempts))
    assert plain * (1 - jitter) - 1 <= found <= plain * (1 + jitter) + 1


@given(st.lists(st.binary(max_size=30), max_size=10))
def test_output_is_kept_and_told_line_by_line(chunks: list[bytes]) -> None:
    """However it comes in chunks: whole lines, and at the end what has no line break."""
    lines: list[str] = []
    capture = Capture(Redactor(), lines.append)
    for chunk in filter(None, chunks):
        capture.feed(chunk)
    capture.feed(b"")
    whole = b"".join(chunks)
    *ended, rest = whole.split(b"\n")
    expected = [*ended, rest] if rest else ended
    assert lines == [line.decode("utf-8", "replace") for line in expected]
    assert capture.text == whole.decode("utf-8", "replace").removesuffix("\n")
    assert not capture.cut


def test_long_output_is_cut_and_told_whole() -> None:
    """The summary keeps its beginning and says that it is cut; the lines have all."""
    lines: list[str] = []
    capture = Capture(Redactor(["secret"]), lines.append)
    for _ in range(40):
        capture.feed(b"x" * 50_000 + b"sec")
        capture.feed(b"ret\n")
    capture.feed(b"")
    assert (len(capture.text), capture.cut) == (KEPT, True)
    assert max(map(len, lines)) <= LONGEST
    assert "".join(lines) == ("x" * 50_000 + MASK) * 40


@pytest.mark.parametrize("end", [b"", b"\n"])
@pytest.mark.parametrize("size", [1, 3, 1000])
def test_the_last_line_of_a_worker_is_its_answer(size: int, end: bytes) -> None:
    """However it comes in chunks, whole or without its end; each whole line is told."""
    lines: list[str] = []
    answer = Answer(lines.append)
    data = b"one\ntwo\n{three}" + end
    for at in range(0, len(data), size):
        answer.feed(data[at : at + size])
    answer.feed(b"")
    assert answer.text == "{three}"
    assert lines == ["one", "two", *(["{three}"] if end else [])]


@pytest.mark.parametrize("ended", [Status.COMPLETED, Status.FAILED, Status.CANCELLED])
def test_a_loop_that_is_stopped_is_over_with_the_item_under_way(ended: Status) -> None:
    """However that item ends: one that ends well as its run is cancelled starts no other."""
    step = replace(plan(PLAYBOOK.format(vars="{}", text="x")).steps[0], parallel=1)
    items = [Item(number) for number in range(3)]
    progress = Progress(step, items, 0, looped=True, waiting=list(items))
    (first,) = progress.next()
    progress.stop()
    assert not progress.over
    progress.close(first, ended)
    assert progress.over
    assert list(progress.next()) == []


def test_last_words_are_few() -> None:
    """A line without end does not fill the terminal of who started the run."""
    text = "\n".join(["gone", *(["x" * 100_000] * 9), "end"])
    words = Result(ok=False, summary=None, stdout=text).last_words.split("\n")
    assert (len(words), words[-1]) == (10, "end")
    assert max(map(len, words)) < 1000

"""What a worker answers, as the run says it."""

import json
from typing import Any

import pytest

from gxo.runtime.attempt import Result
from gxo.runtime.redact import MASK, Redactor
from gxo.runtime.work import answered, flow_of

TOKEN = "eyJ" + "hbGci0iJIUzI1" * 40


def told(redactor: Redactor, **answer: Any) -> Result:
    """The end of a worker that has said this."""
    return answered(Result(ok=False, summary=None, answer=json.dumps(answer)), redactor)


@pytest.mark.parametrize("fatal", [False, True])
def test_a_secret_in_a_long_param_is_masked_before_it_is_cut(fatal: bool) -> None:
    """No beginning of it is told, nor one that a replaced character has made another."""
    redactor = Redactor([TOKEN, "tab\tbed"])
    url = f"http://h/{'x' * 100}/tab\tbed?token={TOKEN}&{'y' * 200}"
    failed: dict[str, Any] = {"cannot": "ask", "about": url, "error": f"no {TOKEN}"}
    result = told(redactor, **failed, summary=None, fatal=fatal)
    said = f"{redactor.text(result.detail)} {redactor.data(result.summary)}"
    assert TOKEN[:4] not in said
    assert "bed" not in said
    shown = f"http://h/{'x' * 100}/{MASK}?token={MASK}&{'y' * 200}"[:200]
    assert f"cannot ask {shown}…: no {MASK}" in said
    assert result.fatal == fatal


@pytest.mark.parametrize("end", [TOKEN[:1], TOKEN[:100], TOKEN[:-1], TOKEN])
def test_a_text_that_was_cut_ends_with_no_part_of_a_secret(end: str) -> None:
    """A secret at its end is left out, or masked where all of it is there."""
    redactor = Redactor([TOKEN])
    summary = {"body": f"{TOKEN} a {end}", "status": 200, "truncated": True}
    result = told(redactor, summary=summary)
    left = MASK if end == TOKEN else ""
    assert redactor.data(result.summary) == {**summary, "body": f"{MASK} a {left}"}


def test_a_whole_text_stays_whole() -> None:
    """A text that was not cut keeps its end, even one with which a secret begins."""
    summary = {"content": "a eyJ", "truncated": False}
    assert told(Redactor([TOKEN]), summary=summary).summary == summary


def test_half_a_character_is_replaced() -> None:
    """A server or a file's name may yield one; the state and the journal have no bytes for it."""
    found = told(Redactor(), summary={"json": {"\ud83d": ["a\udcff", 1]}, "truncated": False})
    assert found.summary == {"json": {"\ufffd": ["a\ufffd", 1]}, "truncated": False}


def answer_of(text: str) -> Result:
    """The end of a worker that has written this and exited with 0."""
    return answered(Result(ok=True, summary=None, answer=text), Redactor())


BIG = "its worker's answer is too big: more than"
SILENT = "its worker ended without an answer"
BOMBS = {
    "[" + "[]," * 2_200_000 + "[]]": f"{BIG} 4194304 characters and entries",
    "[" * 200 + "1" + "]" * 200: f"{BIG} 100 levels of lists and maps within each other",
    "[" * 1_000_000: SILENT,
    "1e999": SILENT,
    "NaN": SILENT,
    "9" * 5000: SILENT,
}


@pytest.mark.parametrize(
    ("value", "reason"),
    BOMBS.items(),
    ids=["many", "deep", "open", "infinite", "no-number", "digits"],
)
def test_an_answer_that_is_a_bomb(value: str, reason: str) -> None:
    """A module from outside is held to what templates can read and JSON can say, in little time."""
    found = answer_of(f'{{"summary": {{"a": {value}}}}}')
    assert (found.ok, found.summary, found.detail) == (False, None, reason)


def test_a_reason_that_would_drive_a_terminal_or_fill_it() -> None:
    """Of whatever a module says is wrong, one line is told, and not all of a long one."""
    hostile = "\x1b[2J\nok\u2028" + "x" * 9999
    said = json.dumps({"cannot": hostile, "about": hostile, "error": hostile})
    detail = answer_of(said).detail
    assert detail.isprintable()
    assert len(detail) < 3000


@pytest.mark.parametrize("count", ["1e999", "-1", str(1 << 63), '"1"', "1.5", "null"])
def test_a_flow_that_no_state_could_keep(count: str) -> None:
    """Counts too big for the state are dropped, and break nothing."""
    told = '{"progress": {"in": {"a": {"bytes": %s, "records": 1}}, "out": %s}}'
    ok = '{"bytes": 1, "records": null}'
    assert flow_of(told % (count, ok)) is None
    assert flow_of(told % ("2", ok)) is not None

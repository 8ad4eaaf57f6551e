"""data:format: text that others read, and what it cannot write."""

import csv
import io
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.flowing import Records, ask, summary
from tests.unit.formats import CELLS, RECORDS, formatted, parse


@given(RECORDS)
def test_json_and_ndjson_are_what_others_read(records: Records) -> None:
    """Python's reader gets the same records back, with numbers of any size."""
    assert json.loads(formatted(records, format="json")) == records
    text = formatted(records, format="ndjson")
    assert [json.loads(line) for line in text.split(b"\n")[:-1]] == records


@given(st.lists(st.fixed_dictionaries({"x": CELLS, "y": CELLS}), min_size=1, max_size=5))
def test_csv_is_what_its_reader_reads(records: Records) -> None:
    """Python's reader gets the same records back, by the header of the first record's keys."""
    text = formatted(records, format="csv").decode()
    assert list(csv.DictReader(io.StringIO(text, newline=""))) == records


def test_format_of_odd_values() -> None:
    """null, truths, lists; columns chosen; no records at all."""
    record = {"a": None, "b": True, "c": [1, {"d": "é"}], "e": 1.5}
    assert formatted([record], format="csv") == (
        'a,b,c,e\n,true,"[1,{""d"":""é""}]",1.5\n'.encode()
    )
    assert formatted([record], format="csv", columns=["e", "z"]) == b"e,z\n1.5,\n"
    assert formatted([], format="csv", columns=["e"]) == b"e\n"
    assert (
        formatted([record], format="logfmt") == 'b=true c="[1,{\\"d\\":\\"é\\"}]" e=1.5\n'.encode()
    )
    empty = {"json": b"[]\n", "ndjson": b"", "yaml": b"[]\n", "csv": b"", "text_lines": b""}
    for form, text in empty.items():
        assert formatted([], format=form) == text


def test_format_by_a_template() -> None:
    """One text for each record, on a line of its own."""
    found = summary(
        "data:format",
        format="template",
        template="{{ .index }}: {{ .record.a }}",
        items=[{"a": "x"}, {"a": "y\n"}],
    )
    assert found == {"text": "0: x\n1: y\n", "truncated": False, "count": 2}


@pytest.mark.parametrize(
    ("given_", "record", "reason"),
    [
        (
            {"format": "text_lines"},
            {"line": "a\nb"},
            "record 1 has no single line of text at `line`",
        ),
        ({"format": "logfmt"}, {"a b": 1}, "record 1 has a key that logfmt cannot hold"),
        (
            {"format": "xml"},
            {"a b": 1},
            "record 1 has a key that is not a valid name of an XML element",
        ),
        ({"format": "xml"}, {"a": "\0"}, "record 1 holds a control character"),
        ({"format": "xml", "element": "<"}, {}, "`element` is not a valid name of an XML element"),
        ({"format": "template"}, {}, "`format: template` needs `template`"),
        ({"format": "json", "template": "{{ .record }}"}, {}, "`template` goes with `format: t"),
        ({"format": "csv", "delimiter": '"'}, {}, "`delimiter` must be one character"),
    ],
)
def test_what_cannot_be_formatted(
    given_: dict[str, Any], record: dict[str, Any], reason: str
) -> None:
    """It says which record, and why."""
    assert ask("data:format", items=[record], **given_)["error"].startswith(reason)


def test_csv_loses_no_key() -> None:
    """A later record with a key that the header has not is an error."""
    answer = ask("data:format", format="csv", items=[{"a": 1}, {"a": 1, "b": 2}])
    assert answer["error"].startswith("record 2 has a key that the first record lacks")


def test_names_of_xml_in_other_alphabets() -> None:
    """What a reader of XML takes for a name can be written; a key that it does not is shown."""
    records = [{"größe": "1", "@ключ": "x", "名": "字"}]
    assert parse(formatted(records, format="xml"), [], format="xml") == records
    for key in ("²", "a b", "1a", "a>", "\N{GRINNING FACE}", "@²"):
        answer = ask("data:format", format="xml", items=[{key: 1}])
        assert answer["error"].startswith("record 1 has a key that is not a valid name of an XML ")
        assert answer["shown"] == key


def test_a_long_text_is_cut_in_the_summary() -> None:
    """A long text is cut between two characters, and the summary says so."""
    found = summary("data:format", format="text_lines", items=[{"line": "é" * 1000}] * 1000)
    assert found["truncated"]
    assert set(found["text"]) == {"é", "\n"}
    assert (1 << 20) - 1 <= len(found["text"].encode()) <= 1 << 20

"""data:parse: the same whatever the parts, against other readers, on bad input."""

import csv
import io
import json
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from gxo.modules.depth import DEEPEST
from gxo.modules.fault import ModuleError
from gxo.modules.flow import DOCUMENT, LONGEST, Batch, Decoder
from tests.unit.flowing import Records, ask, lines, node, parts, stream, summary
from tests.unit.formats import CELLS, DATA, NOWHERE, RECORDS, SIZES, TEXT, formatted, parse


def wrapped(value: Any) -> Any:
    return value if isinstance(value, dict) else {"value": value}


@given(st.lists(DATA, max_size=6) | DATA, SIZES, st.sampled_from([None, 1]))
@example([100000000.0, 2e10], [4, 9], None)
@example([1.5], [2, 1], None)
def test_json_is_one_document(document: Any, sizes: list[int], indent: int | None) -> None:
    """A list of any values, or one value, whatever the parts it comes in."""
    data = json.dumps(document, indent=indent, ensure_ascii=False).encode()
    expected = document if isinstance(document, list) else [document]
    assert parse(data, sizes, format="json") == list(map(wrapped, expected))


@given(RECORDS, SIZES)
def test_ndjson_is_a_document_a_line(records: Records, sizes: list[int]) -> None:
    """Empty lines are left out; other values than maps are wrapped."""
    data = b"\n" + lines([*records, 7]) + b"  \n"
    found = parse(data, sizes, format="ndjson")
    assert json.dumps(found[:-1]) == json.dumps(json.loads(json.dumps(found[:-1])))
    assert len(found) == len(records) + 1
    assert found[-1] == {"value": 7}


@given(st.lists(st.lists(CELLS, min_size=2, max_size=2), max_size=5), SIZES)
def test_csv_is_what_its_writer_wrote(rows: list[list[str]], sizes: list[int]) -> None:
    """Quotes, line breaks in cells, whatever the parts they come in."""
    out = io.StringIO(newline="")
    csv.writer(out).writerows([["x", "y"], *rows])
    expected = [
        dict(zip(("x", "y"), row, strict=True))
        for row in csv.reader(io.StringIO(out.getvalue(), newline=""))
    ][1:]
    assert parse(out.getvalue().encode(), sizes, format="csv") == expected


@given(TEXT.filter(str.strip), st.dictionaries(st.sampled_from("abc"), TEXT, min_size=1), SIZES)
def test_logfmt_is_read_as_written(first: str, more: dict[str, str], sizes: list[int]) -> None:
    """Values with blanks, quotes and backslashes come out as they were written."""
    record = {"first": first, **more}
    data = formatted([record], format="logfmt")
    assert parse(data, sizes, format="logfmt") == [record]


def test_logfmt_words() -> None:
    """Keys without a value, empty values and escapes are read as logfmt has them."""
    found = parse(b'at=1 ok  msg="a \\"b\\" \\q" e= \n\n', [], format="logfmt")
    assert found == [{"at": "1", "ok": True, "msg": 'a "b" q', "e": ""}]


@given(st.lists(TEXT, max_size=6), SIZES)
def test_text_lines_come_as_they_are(texts: list[str], sizes: list[int]) -> None:
    """Lines come as they are, and are written as they came."""
    texts = ["".join(text.splitlines()) for text in texts]
    data = "".join(f"{text}\n" for text in texts).encode()
    found = parse(data, sizes, format="text_lines")
    assert found == [{"line": text} for text in texts]
    assert formatted(found, format="text_lines") == data


@given(SIZES)
def test_regex_takes_named_groups(sizes: list[int]) -> None:
    """A group that takes no part is null; lines that do not match are an error, or counted."""
    data = b"ann: 1\nbob\n\nzo\xc3\xab: 22"
    made, found = node(
        "data:parse",
        {"format": "regex", "pattern": r"^(?P<who>\w*\S*?)(:\s(?P<n>\d+))?$", "unmatched": "skip"},
        1,
        NOWHERE,
    )
    for part in parts(data, sizes):
        made.feed(0, part)
    made.end(0)
    records = [record for batch in found for record in batch.records]
    assert records == [
        {"who": "ann", "n": "1"},
        {"who": "bob", "n": None},
        {"who": "", "n": None},
        {"who": "zoë", "n": "22"},
    ]


def test_lines_that_do_not_match() -> None:
    """They fail it, unless they are to be left out; then they are counted."""
    given_ = {"format": "regex", "pattern": "^(?P<a>x+)$", "text": "x\ny\nxx\n"}
    answer = ask("data:parse", **given_)
    assert answer["error"].startswith("line 2 does not match `pattern`")
    assert answer["shown"] == "y"
    found = summary("data:parse", **given_, unmatched="skip")
    assert found == {
        "items": [{"a": "x"}, {"a": "xx"}], "count": 2, "truncated": False, "skipped": 1,
    }  # fmt: skip


def test_no_pattern_takes_long() -> None:
    """What makes others go back and forth for years is done at once."""
    given_ = {"format": "regex", "pattern": "^(?P<a>(a+)+)$", "unmatched": "skip"}
    assert summary("data:parse", **given_, text="a" * 100_000 + "b")["skipped"] == 1


@given(st.lists(st.dictionaries(st.sampled_from("abc"), DATA, max_size=3), max_size=4), SIZES)
def test_yaml_documents(records: Records, sizes: list[int]) -> None:
    """Each a record, or a list of them, written by another; then by gxo itself."""
    records = json.loads(json.dumps(records))
    data = yaml.safe_dump_all(records, allow_unicode=True, explicit_start=True).encode()
    expected = [wrapped(record) for record in records]
    assert [_known(r) for r in parse(data, sizes, format="yaml")] == [_known(r) for r in expected]
    again = formatted(records, format="yaml")
    assert [_known(r) for r in parse(again, sizes, format="yaml")] == [_known(r) for r in expected]


def _known(record: Any) -> str:
    """As JSON, floats by their value, since YAML writes them in other ways."""
    return json.dumps(record, sort_keys=True)


ELEMENTS = st.recursive(
    st.text(st.sampled_from("ab <&>\"'é"), max_size=4).map(lambda t: t if t.strip() else "t"),
    lambda inner: st.dictionaries(
        st.sampled_from(["@x", "@y-z", "a", "b.c", "d"]),
        inner | st.lists(inner, min_size=2, max_size=3),
        min_size=1,
        max_size=3,
    ),
    max_leaves=6,
).filter(lambda element: isinstance(element, dict))


def _attributes_are_text(value: Any) -> Any:
    if isinstance(value, list):
        return [_attributes_are_text(item) for item in value]
    if isinstance(value, dict):
        return {
            key: 'v<&">' if key[0] == "@" else _attributes_are_text(item)
            for key, item in value.items()
        }
    return value


@given(st.lists(ELEMENTS.map(_attributes_are_text), max_size=3), SIZES)
def test_xml_is_read_as_written(records: Records, sizes: list[int]) -> None:
    """Attributes, elements, lists of them, text; another reader finds it well-formed."""
    data = formatted(records, format="xml")
    assert len(ET.fromstring(data.decode().partition("?>")[2])) == len(records)
    assert parse(data, sizes, format="xml") == records


def test_xml_records_anywhere() -> None:
    """An element by its name; text beside others; namespaces as written."""
    data = b'<a><x:b i="1">t<c/>u</x:b><d><x:b>only</x:b></d><x:b/></a>'
    assert parse(data, [], format="xml", element="x:b") == [
        {"@i": "1", "c": "", "#text": "tu"},
        {"#text": "only"},
        {},
    ]


BOMB = b'<!DOCTYPE a [<!ENTITY x "ha"><!ENTITY y "&x;&x;">]><a>&y;</a>'


@pytest.mark.parametrize(
    ("form", "data", "reason"),
    [
        ("json", b"", "line 1: the text is empty"),
        ("json", b"[1, ", "line 1: the text ends within the document"),
        ("json", b"[1,\n2", "line 2: the text ends within the document"),
        ("json", b"[1,\n2 3]", "line 2: a comma or the end of the list is missing"),
        ("json", b"[1,]", "line 1: it is not JSON: Expecting value"),
        ("json", b"{}\n{}", "line 2: there is more after the document: `format: ndjson`"),
        ("json", b"[NaN]", "line 1: it is not JSON: NaN is not a number"),
        ("json", b'["\xff"]', "the text is not UTF-8"),
        ("json", b"[" * 200_000, "line 1: a value has more than 100 levels"),
        ("json", b"[" * (DEEPEST + 3) + b"]" * (DEEPEST + 3), "line 1: a value has more than 100"),
        ("json", b'["' + b"x" * (LONGEST + 99), "line 1: it is not JSON: Unterminated string"),
        ("json", b'{"a":"' + b"x" * DOCUMENT + b'"}', "a document that is not a list is longer"),
        ("ndjson", b"{}\n{]", "line 2 is not JSON"),
        ("ndjson", b"[" * 102 + b"]" * 102, "line 1 has more than 100 levels"),
        ("ndjson", b"[" * 5000 + b"]" * 5000, "line 1 is not JSON"),
        ("ndjson", b"x" * (LONGEST + 99), "line 1 is longer than 4 MiB"),
        ("ndjson", b"\n{}\xff", "line 2 is not JSON"),
        ("csv", b"a,b\n1,2,3\n", "the row at line 2 has 3 columns, not 2"),
        ("csv", b'a,b\n"1,2\n3\n', "the row at line 2 is not CSV: a quote is not closed"),
        ("csv", b'a,b\n"1"x,2\n', "the row at line 2 is not CSV: "),
        ("csv", b"a,b\r1,2\r", "the row at line 1 is not CSV: a carriage return"),
        ("csv", b"a,a\n", "line 1 names two columns the same"),
        ("csv", b'a\n"' + b"x\n" * LONGEST, "the row at line 2 is not CSV: "),
        ("csv", b"a\n\xff\n", "line 2 is not UTF-8 text"),
        ("text_lines", b"a\nb\n\xff\n", "line 3 is not UTF-8 text"),
        ("logfmt", b'a=1\nb="2', "line 2 is not logfmt"),
        ("logfmt", b"=1", "line 1 is not logfmt"),
        ("yaml", b"a: 1\n---\nb: [", "in the document at line 2, the text is not YAML"),
        ("yaml", b"a: &x [*x]", "in the document at line 1, the YAML is refused"),
        ("yaml", b"a: !!python/object:os.system x", "in the document at line 1, the YAML is ref"),
        ("yaml", b"[" * 200 + b"]" * 200, "in the document at line 1, more than 99 levels"),
        ("xml", b"<a><b></a>", "line 1: it is not XML: mismatched tag"),
        ("xml", b"", "line 1: it is not XML: it ends before its outermost element does"),
        ("xml", b"<a>\n<b/>", "line 2: it is not XML: it ends before its outermost element does"),
        ("xml", b"<a>\n&x;</a>", "line 2: it is not XML: undefined entity"),
        ("xml", BOMB, "line 1: a document type is refused"),
        ("xml", b'<!DOCTYPE a SYSTEM "file:///etc/passwd"><a/>', "line 1: a document type is ref"),
        ("xml", b"<a>" * 101, "line 1: more than 100 elements are nested"),
        ("xml", b"<a><b>" + b"x" * (LONGEST + 99), "line 1: an element is longer than 4 MiB"),
        ("xml", b'<a b="' + b"x" * (LONGEST + (1 << 20)), "line 1: a tag is longer than 4 MiB"),
    ],
)  # fmt: skip
def test_what_cannot_be_parsed(form: str, data: bytes, reason: str) -> None:
    """It is an error that says where, in one part or in many, and no process dies of it."""
    for size in (len(data) or 1, 1 << 16, 7 if len(data) < 1000 else 1 << 18):
        with pytest.raises(ModuleError) as caught:
            parse(data, [size] * (len(data) // size), format=form)
        assert str(caught.value).startswith(reason)


WORDS = [
    "\\u0", "\\ud800", "true", "null", "NaN", "---", "...", "&a", "*a", "!!str", "<a>", "</a>",
    "<a/>", "<!--", "]]>", "<![CDATA[", "&lt;", "\ufeff", "\xe9", '""', "a=", 'a="',
]  # fmt: skip
HOSTILE = st.lists(
    st.sampled_from([*'{}[]",:;\n\r\\ab01.eE-+<>/=&!?#\t|-% ', "- ", *WORDS]), max_size=40
).map("".join).map(str.encode) | st.binary(max_size=60)


@pytest.mark.parametrize("form", ["json", "ndjson", "yaml", "csv", "xml", "text_lines", "logfmt"])
@given(data=HOSTILE, sizes=SIZES)
def test_any_text_is_parsed_or_refused(form: str, data: bytes, sizes: list[int]) -> None:
    """In parts as at once; whatever comes of it is JSON."""
    whole = outcome(data, [], form)
    assert outcome(data, sizes, form) == whole
    if whole is not None:
        assert len(Batch(whole).encoded().split(b"\n")) == len(whole) + 1


def outcome(data: bytes, sizes: list[int], form: str) -> Records | None:
    """The records, or None where it is refused."""
    try:
        return parse(data, sizes, format=form)
    except ModuleError:
        return None


@pytest.mark.parametrize(
    ("given_", "reason"),
    [
        ({"format": "regex"}, "`format: regex` needs `pattern`"),
        (
            {"format": "regex", "pattern": "("},
            "`pattern` is not a regular expression of RE2: missing",
        ),
        ({"format": "regex", "pattern": "a"}, "`pattern` has no named groups"),
        ({"format": "csv", "pattern": "a"}, "`pattern` goes with `format: regex`"),
        ({"format": "json", "columns": ["a"]}, "`columns` goes with `format: csv`"),
        ({"format": "csv", "delimiter": "ab"}, "`delimiter` must be one character"),
        ({"format": "csv", "columns": ["a", "a"]}, "`columns` names two columns the same"),
    ],
)
def test_params_that_do_not_fit(given_: dict[str, Any], reason: str) -> None:
    """They are refused whatever the text is."""
    assert ask("data:parse", text="", **given_)["error"].startswith(reason)


def test_csv_params_and_marks() -> None:
    """Another delimiter, columns of one's own, a byte order mark, empty lines."""
    data = "\ufeffa;b\n\n1;é\r\n".encode()
    assert parse(data, [], format="csv", delimiter=";") == [{"a": "1", "b": "é"}]
    assert parse(b"1,2", [], format="csv", columns=["x", "y"]) == [{"x": "1", "y": "2"}]


@pytest.mark.parametrize(
    ("data", "given_", "record"),
    [
        (b'{"a": 1}\n', {"format": "ndjson"}, {"a": 1}),
        (b"a\n", {"format": "text_lines"}, {"line": "a"}),
        (b"a=1", {"format": "logfmt"}, {"a": "1"}),
        (b"a", {"format": "regex", "pattern": "^(?P<a>.)$"}, {"a": "a"}),
        (b"a: 1\n", {"format": "yaml"}, {"a": 1}),
        (b'[{"a": 1}]', {"format": "json"}, {"a": 1}),
        (b"a\n1\n", {"format": "csv"}, {"a": "1"}),
        (b"<a><b>1</b></a>", {"format": "xml"}, {"#text": "1"}),
    ],
)
def test_a_byte_order_mark_is_no_text(data: bytes, given_: dict[str, Any], record: object) -> None:
    """At the beginning of any format, in one part or in many; elsewhere it is a character."""
    for size in (len(data) + 3, 1):
        marked = b"\xef\xbb\xbf" + data
        assert parse(marked, [size] * len(marked), **given_) == [record]
    again = parse(b"a\n\xef\xbb\xbfb\n", [], format="text_lines")
    assert again == [{"line": "a"}, {"line": "\ufeffb"}]


@given(RECORDS, SIZES)
@example([{"a": [2**64 + 1, -(2**63) - 1]}, {"a": 9223372036854775809}], [])
def test_ndjson_keeps_every_digit_of_whole_numbers(records: Records, sizes: list[int]) -> None:
    """Also beyond 64 bits, as the parser of JSON does, and as records of other modules."""
    text = "".join(f"{json.dumps(record)}\n" for record in records).encode()
    assert parse(text, sizes, format="ndjson") == records
    made, found = node("data:map", {"to": {"all": "{{ .record }}"}}, 1, NOWHERE)
    made.feed(0, Decoder().feed(text))
    made.end(0)
    assert [each["all"] for batch in found for each in batch.records] == records


def test_each_input_is_a_text_of_its_own(tmp_path: Path) -> None:
    """With a header of its own, and lines that no other input breaks."""
    inputs = [[b"a,b\n1", b",2\n"], [b"b,a\n3,", b"4\n"]]
    answer, out, counts = stream("data:parse", inputs, tmp_path, format="csv")
    assert sorted(map(json.loads, out.splitlines()), key=lambda r: r["a"]) == [
        {"a": "1", "b": "2"},
        {"b": "3", "a": "4"},
    ]
    assert answer["summary"] == {"items": [], "count": 2, "truncated": False, "skipped": 0}
    assert counts["out"] == {"bytes": len(out), "records": 2}


@pytest.mark.parametrize(
    ("form", "data", "shown"),
    [
        ("json", b"[1,\nx\n2]\n", "x"),
        ("csv", b'a\r\n"b"c\r\nd\r\n', '"b"c'),
        ("ndjson", b"x\n", "x"),
    ],
)
def test_the_line_that_is_wrong_is_shown(form: str, data: bytes, shown: str) -> None:
    """An error shows the wrong line alone, without its line break."""
    with pytest.raises(ModuleError) as caught:
        parse(data, [], format=form)
    assert caught.value.shown == shown

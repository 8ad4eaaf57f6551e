"""Places: every character of every scalar maps to the character of the source it came from."""

import re

import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st
from yaml import ScalarNode

from gxo.language.document import compose
from gxo.language.scalar import text_of
from gxo.source import Source, Text

WORDS = st.lists(st.text("ab{}.:'\"\\#é漢😀", min_size=1, max_size=6), min_size=1, max_size=6).map(
    " ".join
)
TEXTS = st.lists(st.one_of(WORDS, st.just("")), min_size=1, max_size=5).map("\n".join)
STYLES = st.sampled_from(["", "'", '"', "|", ">"])


def scalar(text: str) -> Text:
    """The value of the first key of a map."""
    source = Source("x.yaml", text)
    (root,) = compose(source, [])
    node = root.value[0][1]
    assert isinstance(node, ScalarNode)
    return text_of(source, node)


def letters(text: Text) -> list[tuple[str, str]]:
    """Each character that is no blank, with the source's text at its place."""
    return [
        (char, text.span.source.text[text.part(i, i + 1).start :][:10])
        for i, char in enumerate(text.text)
        if not char.isspace()
    ]


def same(char: str, written: str) -> bool:
    """Whether `written` begins with the character or with its escape."""
    if written.startswith(char):
        return True
    escape = re.match(r"\\(?:x..|u....|U........|.)", written)
    return escape is not None and yaml.safe_load(f'"{escape[0]}"') == char


@settings(max_examples=300, deadline=None)
@given(text=TEXTS, style=STYLES, width=st.sampled_from([8, 20, 80]), unicode=st.booleans())
@example(text="it's {{ .a }}", style="'", width=80, unicode=True)
@example(text="a\n\n b", style=">", width=8, unicode=True)
def test_every_character_has_its_place(text: str, style: str, width: int, unicode: bool) -> None:
    """Whatever style PyYAML's emitter chooses and wherever it folds, no place is off."""
    written = yaml.dump(
        {"k": text},
        default_style=style or None,
        width=width,
        allow_unicode=unicode,
        Dumper=yaml.SafeDumper,
    )
    found = scalar(written)
    assert found.text == text
    assert [(char, at) for char, at in letters(found) if not same(char, at)] == []


def test_verbatim_text_needs_no_map() -> None:
    """Text that stands in the source as it is carries no table of places."""
    for written in ("k: a b", "k: 'a b'", 'k: "a b"'):
        assert scalar(written).offsets is None


def test_blocks_of_all_kinds() -> None:
    """Literal and folded blocks: indented by hand, blank lines, CRLF, more indented lines."""
    for written in (
        "k: |2-\n    a\n   b\n\n  c\n",
        "k: >+\n\n  a\n  b\n\n\n    c\n  d\n\n",
        "k: | # {{\r\n  a\r\n\r\n  b\r\n",
        "k: >-\n  a {{\n  b\n   c\n  a\n",
        "k: >\n  a\tb\n\n\n  c d\n",
    ):
        found = scalar(written)
        assert [(char, at) for char, at in letters(found) if not same(char, at)] == []


def test_places_lie_within_the_source() -> None:
    """Also blanks and ends of values have places that can be shown."""
    for written in ("k: 'a\n  b'", 'k: "a\\\n  b\\n"', "k: |\n  a\n\n", "k: a\n  b\n\n  c"):
        found = scalar(written)
        for start in range(len(found.text) + 1):
            for end in range(start, len(found.text) + 1):
                span = found.part(start, end)
                assert 0 <= span.start <= span.end <= len(written)

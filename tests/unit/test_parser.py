"""Our automaton follows lark's tables as lark does; the cache holds nothing that others wrote."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lark import Lark, Token, Tree, UnexpectedInput

from gxo.data import data_dir
from gxo.language import cache
from gxo.language.lalr import Node, ParseError, Parser
from gxo.language.lalr import Token as OurToken
from gxo.language.parser import tables_of
from tests.unit.small import table

# every rule of shaping: inlining, a single child, placeholders, aliases, keywords, ignored and
# filtered tokens, empty rules, priorities, flags
SHAPES = r"""
start: statement*
?statement: "let" NAME "=" _value -> assign | call | nothing
call: NAME "(" [_value ("," _value)*] ")" [BANG]
_value: sum
?sum: sum "+" atom -> add | atom
?atom: NUMBER | NAME | "(" sum ")" | LOUD
!nothing: ";"
BANG: "!"
NAME: /[a-z]+/
LOUD.2: /x[a-z]*x/i
NUMBER: /[0-9]+/
%ignore /[ \n]+/
"""


def shape(node: Tree[Token] | Token | Node | OurToken | None) -> object:
    """A tree of either kind as plain tuples, tokens with their places."""
    match node:
        case None:
            return None
        case Token():
            return (node.type, str(node), node.start_pos, node.end_pos)
        case OurToken():
            return (node.type, node.text, node.start, node.end)
        case Tree():
            return (str(node.data), [shape(child) for child in node.children])
        case Node():
            return (node.rule, [shape(child) for child in node.children])


def agree(ours: Parser, theirs: Lark, text: str) -> None:
    """Both give the same tree, or fail at the same place."""
    try:
        expected: object = shape(theirs.parse(text))
    except UnexpectedInput as error:
        # lark counts the end of the text as -1, or as the place of the last token
        place = error.pos_in_stream
        expected = len(text) if error.__class__.__name__ == "UnexpectedEOF" else place
    try:
        found: object = shape(ours.parse(text))
    except ParseError as error:
        found = error.start
        if error.start == len(text):
            assert not isinstance(expected, tuple)
            return
    assert found == expected


def both(text: str) -> tuple[Parser, Lark]:
    theirs = Lark(text, parser="lalr", propagate_positions=True)
    return Parser(tables_of(theirs)), theirs


SHAPED = both(SHAPES)
GRAMMARS = {
    name: both((data_dir("grammar") / f"{name}.lark").read_text())
    for name in ("cron", "calendar", "quantity", "address")
}


@pytest.mark.parametrize("name", GRAMMARS)
def test_the_tables_hold_for_all_examples(name: str) -> None:
    """Each text of the tables of examples parses to lark's own tree, or fails where lark does."""
    names = ("duration", "size") if name == "quantity" else (name,)
    for each in names:
        for value, _ in table(each):
            agree(*GRAMMARS[name], value)


WORDS = ["let", "letter", "=", "(", ")", ",", ";", "+", "!", "xyx", "XyX", "12", "foo", " ", "\n"]


@given(st.lists(st.sampled_from(WORDS)).map("".join))
def test_every_rule_of_shaping_is_larks(text: str) -> None:
    """Random programs of a grammar with all that lark can do to a tree come out the same."""
    agree(*SHAPED, text)


@contextmanager
def cache_at(place: Path) -> Iterator[Path]:
    before = os.environ.get("GXO_CACHE")
    os.environ["GXO_CACHE"] = str(place)
    try:
        yield place
    finally:
        del os.environ["GXO_CACHE"]
        if before is not None:
            os.environ["GXO_CACHE"] = before


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Path]:
    with cache_at(tmp_path / "cache") as place:
        yield place


def test_what_is_written_is_read(place: Path) -> None:
    """A file comes back whole, from a directory and a file that only its owner may read."""
    assert cache.read("a") is None
    cache.write("a", b"\0content")
    assert cache.read("a") == b"\0content"
    assert place.stat().st_mode & 0o777 == 0o700
    assert (place / "a").stat().st_mode & 0o777 == 0o600
    assert [path.name for path in place.iterdir()] == ["a"]


def test_a_torn_file_is_not_read(place: Path) -> None:
    """Half a file, as a power loss leaves it, is as good as none."""
    cache.write("a", b"content" * 100)
    for size in (0, 10, 32, 100, 731):
        os.truncate(place / "a", size)
        assert cache.read("a") is None


@pytest.mark.parametrize("mode", [0o770, 0o707, 0o777])
def test_a_directory_that_others_can_write_is_not_used(place: Path, mode: int) -> None:
    """Neither read from nor written to: anyone could have planted a file."""
    cache.write("a", b"content")
    place.chmod(mode)
    assert cache.read("a") is None
    cache.write("b", b"content")
    assert not (place / "b").exists()


def test_a_file_that_others_can_write_is_not_read(place: Path) -> None:
    """Though it lies in a safe directory."""
    cache.write("a", b"content")
    (place / "a").chmod(0o666)
    assert cache.read("a") is None


def test_links_are_not_followed(place: Path, tmp_path: Path) -> None:
    """A link for the file or for the directory is no cache."""
    cache.write("a", b"content")
    (place / "b").symlink_to(place / "a")
    assert cache.read("b") is None
    place.rename(tmp_path / "elsewhere")
    place.symlink_to(tmp_path / "elsewhere")
    assert cache.read("a") is None


def test_somebody_elses_directory_is_not_used(tmp_path: Path) -> None:
    """As when sudo keeps the HOME of the caller: nothing there is trusted, and nothing is left."""
    place = tmp_path / "cache"
    with cache_at(place):
        cache.write("a", b"content")
    if os.geteuid() == 0:
        os.chown(place, 65534, 65534)
        os.chown(tmp_path, 65534, 65534)
    else:
        place = Path("/usr")
    for there in (place, place / "deeper"):
        with cache_at(there):
            cache.write("b", b"content")
            assert cache.read("a") is None
            assert cache.read("b") is None
    assert not (place / "b").exists()
    assert not (place / "deeper").exists()


def test_no_place_is_no_fault() -> None:
    """Where nothing can be kept, reading finds nothing and writing does nothing."""
    with cache_at(Path("/proc/nowhere/cache")):
        cache.write("a", b"content")
        assert cache.read("a") is None


def test_a_second_start_does_not_load_lark(place: Path) -> None:
    """The first parse computes the tables with lark; the next process reads them without it."""
    code = (
        "import sys; from gxo.language.parser import fast;"
        "print(fast('cron').parse('@daily').rule, 'lark' in sys.modules)"
    )
    for loaded in ("True", "False"):
        done = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True
        )
        assert done.stdout.split() == ["start", loaded]

"""Regular expressions: what they find is what Python finds, in time that cannot run away."""

import re
import time

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from gxo.template.fault import Failure, TooMuch
from gxo.template.limits import DEFAULT
from gxo.template.regex import matches, replace

FINDS = {
    ("abc", "xabcx"): True,
    ("^abc$", "abc"): True,
    ("^abc$", "abc\n"): False,
    ("(?m)^b$", "a\nb\nc"): True,
    ("^b$", "a\nb\nc"): False,
    ("a.c", "a\nc"): False,
    ("(?s)a.c", "a\nc"): True,
    ("(?i)ÄB", "xäbx"): True,
    ("(?i:a)B", "AB"): True,
    ("(?i:a)B", "Ab"): False,
    ("a(?i)b|c", "aC"): True,
    (r"\bcat\b", "a cat."): True,
    (r"\bcat\b", "concat"): False,
    (r"\Bcat", "concat"): True,
    (r"\d{2,3}$", "a12"): True,
    (r"^\d{2,3}$", "1234"): False,
    (r"^[[:alpha:]_]+$", "ab_"): True,
    (r"^[^[:alpha:]]$", "1"): True,
    (r"^[]a]$", "]"): True,
    (r"^[^]a]$", "b"): True,
    (r"^[a\-z]$", "-"): True,
    (r"^[a-]$", "-"): True,
    (r"^[\d.]+$", "1.2"): True,
    (r"^\x41\x{1F600}$", "A😀"): True,
    (r"a{,2}", "a{,2}"): True,
    (r"x{}", "x{}"): True,
    (r"^\Aab\z$", "ab"): True,
    (r"^(?:a|ab)(?:c|bcd)$", "abcd"): True,
    ("", ""): True,
    ("[^\\x00-\\x{10FFFF}]", "a"): False,
    (r"\w", "é"): False,
}


@pytest.mark.parametrize(("pattern", "text"), FINDS)
def test_what_is_found(pattern: str, text: str) -> None:
    """The syntax means what it means in Go."""
    assert matches(DEFAULT, pattern, text) is FINDS[pattern, text]


WRONG = {
    "(": "at its character 1: `(` is never closed",
    "a)": "at its character 2: `)` closes nothing",
    "[a": "at its character 1: `[` is never closed",
    "*": "at its character 1: `*` has nothing before it to repeat",
    "a**": "at its character 3: a repeat cannot be repeated",
    "a++": "at its character 3: a repeat cannot be repeated",
    "a{3,2}": "at its character 2: the counts are in the wrong order",
    "a{1001}": "at its character 2: a count is more than 1000",
    "(?=a)": "at its character 1: looking ahead or behind is not supported",
    "(?<!a)": "at its character 1: looking ahead or behind is not supported",
    r"(a)\1": "at its character 4: a back-reference is not supported",
    r"\q": r"at its character 1: there is no escape `\q`",
    "\\": "at its character 1: a single `\\` ends it",
    "[b-a]": "at its character 5: the ends of a range are in the wrong order",
    "[[:nope:]]": "at its character 4: there is no such class of characters",
    "(?x)a": "at its character 3: only the flags `i`, `m` and `s` may follow `(?`",
    "(?P<a>.)(?P<a>.)": ("at its character 13: the group's name is not a new word in `<…>`"),
    r"\x4": r"at its character 1: `\x` takes two hexadecimal digits, or more as `\x{…}`",
    "(" * 60: "at its character 52: more than 50 groups within each other",
}


@pytest.mark.parametrize("pattern", WRONG)
def test_what_is_wrong(pattern: str) -> None:
    """A pattern that is none says where and why."""
    with pytest.raises(Failure) as failure:
        matches(DEFAULT, pattern, "")
    assert failure.value.reason == f"the pattern is wrong {WRONG[pattern]}"


REPLACES = {
    ("(a)(b)?", "<$1|$2>", "ab a"): "<a|b> <a|>",
    ("(?P<year>\\d+)", "${year}x", "in 2024"): "in 2024x",
    ("b", "$$", "abc"): "a$c",
    ("", "-", "abc"): "-a-b-c-",
    ("x*", "-", "axc"): "-a-c-",
    ("a|ab", "X", "abab"): "XbXb",
    ("a+?", "X", "aaa"): "XXX",
    ("(?:)", "-", ""): "-",
}


@pytest.mark.parametrize(("pattern", "replacement", "text"), REPLACES)
def test_what_is_replaced(pattern: str, replacement: str, text: str) -> None:
    """Every match is replaced, empty ones as in Go."""
    assert replace(DEFAULT, pattern, replacement, text) == REPLACES[pattern, replacement, text]


def _group(inner: str) -> str:
    return f"(?:{inner})"


ATOMS = st.sampled_from(
    ["a", "b", "ab", ".", "[ab]", "[^a]", r"\d", "1", r"\w", "(a)", "^", "$", r"\b"]
)
SOLID = st.recursive(
    st.sampled_from(["a", "b", "ab", ".", "[ab]", "[^a]", r"\d", "1", r"\w", "(a)"]),
    lambda inner: st.one_of(
        st.lists(inner, min_size=1, max_size=3).map("".join),
        st.lists(inner, min_size=1, max_size=3).map("|".join).map(_group),
        inner.map(lambda item: _group(item) + "+"),
        inner.map(lambda item: _group(item) + "{1,2}"),
    ),
    max_leaves=6,
)
PATTERNS = st.lists(
    st.one_of(
        ATOMS,
        SOLID,
        st.tuples(
            SOLID, st.sampled_from(["*", "+", "?", "*?", "+?", "??", "{2}", "{0,2}", "{1,}"])
        ).map(lambda pair: _group(pair[0]) + pair[1]),
    ),
    max_size=4,
).map("".join) | st.tuples(SOLID, SOLID).map("|".join)


@settings(max_examples=500)
@given(PATTERNS, st.text("ab1 ", max_size=12))
@example("(?:a|ab)(?:c|bcd)?", "abcd")
@example("(?:a+b?)*?b", "aabab")
def test_agrees_with_python(pattern: str, text: str) -> None:
    """For what both know, the same places match (a text's end aside, `$` being its very end)."""
    expected = re.compile(pattern.replace("$", r"\Z"), re.ASCII)
    assert matches(DEFAULT, pattern, text) == bool(expected.search(text))
    first = expected.search(text)
    marked = replace(DEFAULT, f"(?s)({pattern})(.*)", "<$1>", text) if first else text
    ours = re.fullmatch(r"(?s)(.*?)<(.*)>", marked)
    if first and first.re.groups == 0 and ours:
        assert (ours[1], ours[2]) == (text[: first.start()], first[0])


EVIL = [
    ("(a+)+$", "a" * 5_000 + "b"),
    ("(a|a)*$", "a" * 5_000 + "b"),
    ("(a|aa)+$", "a" * 5_000 + "b"),
    ("(.*)(.*)(.*)(.*)(.*)$x", "a" * 5_000),
    ("(x+x+)+y", "x" * 5_000),
    ("(?:a?){200}a{200}", "a" * 200),
    (r"^(([a-z])+.)+[A-Z]([a-z])+$", "a" * 5_000),
    ("(.*a){20}", "a" * 5_000 + "b"),
    ("(a*)*b", "a" * 5_000),
]


@pytest.mark.parametrize(("pattern", "text"), EVIL, ids=[pattern for pattern, _ in EVIL])
def test_nothing_runs_away(pattern: str, text: str) -> None:
    """Patterns that take a backtracking matcher years end at once, matched or at the limit."""
    start = time.monotonic()
    try:
        matches(DEFAULT, pattern, text)
    except TooMuch as much:
        assert much.limit == DEFAULT.search
    assert time.monotonic() - start < 20

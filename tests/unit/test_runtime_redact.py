"""Redaction: no secret in what is said, and all else letter for letter."""

import json
import os
import random
import string
import subprocess
import sys
import urllib.parse
from base64 import b64encode, encodebytes, urlsafe_b64encode
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gxo.runtime import matcher
from gxo.runtime.forms import ENCODED, SHORTEST, encoded, plain
from gxo.runtime.matcher import Matcher, by_search
from gxo.runtime.redact import MASK, Redactor, Stream, fastest

SECRETS = st.lists(st.text("abcé\n", min_size=1, max_size=6), min_size=1, max_size=3)
CHUNKS = st.lists(st.text("abcé\n", max_size=8).map(str.encode), max_size=8)
LONGER = st.lists(st.text("aé '%\n", min_size=14, max_size=40), min_size=1, max_size=2)
MANY = 500 if os.environ.get("GXO_SOAK") else 60
_MASK = MASK.encode()


def reference(data: bytes, secrets: list[str]) -> bytes:
    """The slow plain way: mark each byte of each form at each place, one mask for what is joined
    by an overlap.
    """
    parts = {part for secret in secrets for part in plain(secret)}
    forms = {form for part in parts for form in encoded(part)} | parts
    places = sorted(
        (at, at + len(form))
        for form in (forms | {_MASK} if forms else forms)
        for at in range(len(data))
        if data[at : at + len(form)] == form
    )
    said, at = b"", 0
    for start, stop in places:
        if start >= at:
            said += data[at:start] + _MASK
            at = stop
        at = max(at, stop)
    return said + data[at:]


@given(SECRETS, CHUNKS)
def test_it_is_what_the_plain_way_masks(secrets: list[str], chunks: list[bytes]) -> None:
    """Byte for byte, in one piece and in these chunks, with either finder."""
    text = b"".join(chunks)
    assert Redactor(secrets).raw(text) == reference(text, secrets)
    stream = Stream(Redactor(secrets))
    assert b"".join([*map(stream.feed, chunks), stream.end()]) == reference(text, secrets)


@given(LONGER, st.data())
def test_forms_longer_than_a_head(secrets: list[str], data: st.DataObject) -> None:
    """Forms that share their beginnings, cut anywhere, among parts of themselves."""
    forms = sorted({form for s in secrets for part in plain(s) for form in (part, *encoded(part))})
    if not forms:
        return
    form = st.sampled_from(forms)
    part = form.flatmap(lambda f: st.integers(0, len(f)).map(lambda n: f[:n]))
    text = b"".join(data.draw(st.lists(st.one_of(form, part), max_size=5)))
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=6)))
    pieces = [text[a:b] for a, b in zip([0, *cuts], [*cuts, len(text)], strict=True)]
    expected = reference(text, secrets)
    for finder in (by_search, fastest):
        made = Matcher(forms, finder)
        stream = matcher.Stream(lambda made=made: made)  # type: ignore[misc]
        assert b"".join([*map(stream.feed, pieces), stream.end()]) == expected


@given(SECRETS, CHUNKS)
def test_a_stream_is_masked_across_its_chunks(secrets: list[str], chunks: list[bytes]) -> None:
    """However a text is cut into chunks, no secret comes out, and its end comes too."""
    stream = Stream(Redactor(secrets))
    said = b"".join([*(stream.feed(chunk) for chunk in chunks), stream.end()])
    left = said.replace(MASK.encode(), b"|")
    for secret in secrets:
        if len(secret.encode().strip()) >= SHORTEST:
            assert secret.encode() not in left


@given(SECRETS, CHUNKS)
@settings(deadline=None)
def test_where_a_stream_is_cut_does_not_matter(secrets: list[str], chunks: list[bytes]) -> None:
    """Cut at every offset, or into single bytes, what comes out is that of the whole text."""
    redactor, text = Redactor(secrets), b"".join(chunks)
    cuts = [[text[:at], text[at:]] for at in range(len(text) + 1)]
    cuts += [[text[at : at + 1] for at in range(len(text))], chunks]
    for pieces in cuts:
        stream = Stream(redactor)
        assert b"".join([*map(stream.feed, pieces), stream.end()]) == redactor.raw(text)


@given(SECRETS, CHUNKS)
def test_no_more_is_held_than_a_secret_has(secrets: list[str], chunks: list[bytes]) -> None:
    """Whenever a stream ends, what it had kept back is shorter than a form, or than the mask."""
    forms = [form for s in secrets for part in plain(s) for form in (part, *encoded(part))]
    longest = max(len(MASK), *map(len, forms), 0)
    for count in range(len(chunks) + 1):
        stream = Stream(Redactor(secrets))
        for chunk in chunks[:count]:
            stream.feed(chunk)
        assert len(stream.end().replace(MASK.encode(), b"")) < longest


@given(st.lists(st.text("[]_ADERTSCEK", min_size=2, max_size=8), min_size=1, max_size=3),
       st.text("[]_ADERTSCEK ", max_size=20))  # fmt: skip
def test_a_mask_is_never_masked(secrets: list[str], around: str) -> None:
    """Secrets that are part of the mask leave it whole, however often a text passes."""
    redactor = Redactor(secrets)
    assert redactor.text(MASK) == MASK
    once = redactor.text(f"{around} {MASK} {around}")
    assert len(redactor.text(once)) <= len(once)


@given(st.lists(st.binary(max_size=20), max_size=8))
def test_what_holds_no_secret_passes_unchanged(chunks: list[bytes]) -> None:
    """Data without a secret passes byte for byte, also where it is no text."""
    stream = Stream(Redactor(["a secret that is longer than any of the chunks here"]))
    said = b"".join([*(stream.feed(chunk) for chunk in chunks), stream.end()])
    assert said == b"".join(chunks)


def test_text_without_secrets_passes_unchanged() -> None:
    """A megabyte of base64, hexadecimal digits, escapes and words, though there are secrets."""
    chance = random.Random(5)
    secrets = [fresh(chance) for _ in range(20)] + ["hunter2", "aé%b9", "x", ""]
    noise = chance.randbytes(1 << 18)
    text = b64encode(noise) + noise.hex().encode() + noise + urllib.parse.quote(noise).encode()
    assert Redactor(secrets).raw(text) == text


def test_the_mask_is_exact() -> None:
    """One mask for one secret, whole or one of its lines, the longer of two that overlap."""
    redactor = Redactor(["hunter2", "hunter2-and-more", "line one\nline two\n"])
    assert redactor.text("a hunter2 b hunter2-and-more c") == f"a {MASK} b {MASK} c"
    assert redactor.text("x line two y") == f"x {MASK} y"
    assert redactor.data({"hunter2": ["hunter2", 5, None]}) == {MASK: [MASK, 5, None]}
    assert Redactor(["abc", "cde"]).text("xabcdex abcabc") == f"x{MASK}x {MASK}{MASK}"
    assert Redactor(["4711"]).data([4711, 47110, True, 0.5]) == [MASK, 47110, True, 0.5]


def test_nothing_is_held_that_is_clear() -> None:
    """A line is said at once where it cannot be the beginning of a secret."""
    stream = Stream(Redactor(["secret"]))
    assert stream.feed(b"progress: 5 %\n") == b"progress: 5 %\n"
    assert stream.feed(b"a sec") == b"a "
    assert stream.feed(b"ond") == b"second"


def test_secrets_too_short_to_mask() -> None:
    """An empty secret, blanks, or one of a single byte, does not mask everything."""
    redactor = Redactor(["", "a", "\n", "    ", "a\n", " a"])
    assert redactor.text("a banana    a\n") == "a banana    a\n"
    short = "a&b'"
    assert len(short) < ENCODED
    assert Redactor([short]).text(f"{short} {short.encode().hex()}") == f"{MASK} 61266227"


def fresh(chance: random.Random) -> str:
    """A secret of 5 to 60 letters, some of which every encoding writes in another way."""
    letters = string.ascii_letters + string.digits + string.punctuation + " é€𝄞"
    text = "".join(chance.choices(letters, k=chance.randint(ENCODED, 60))).strip()
    return text if len(text) >= ENCODED else fresh(chance)


AROUND = [(before, behind) for before in (b"", b"u:", b"a") for behind in (b"", b"\n", b"@host")]


def in_base64(secret: str) -> Iterator[bytes]:
    """Alone, and behind and before what programs put around it."""
    for encode in (b64encode, urlsafe_b64encode):
        for before, behind in AROUND:
            text = encode(before + secret.encode() + behind)
            yield from (text, text.rstrip(b"="))


ENCODINGS: dict[str, Callable[[str], Iterator[bytes]]] = {
    "as it is": lambda s: iter([s.encode()]),
    "base64": in_base64,
    "hex": lambda s: iter([s.encode().hex().encode(), s.encode().hex().upper().encode()]),
    "URL": lambda s: (
        form.encode()
        for quoted in (urllib.parse.quote(s), urllib.parse.quote(s, safe=""),
                       urllib.parse.quote_plus(s), "".join(f"%{b:02X}" for b in s.encode()))
        for form in (quoted, in_small(quoted))
    ),
    "JSON": lambda s: (
        json.dumps(s, ensure_ascii=ascii_only)[1:-1].encode() for ascii_only in (True, False)
    ),
    "a Python message": lambda s: iter([repr(s)[1:-1].encode(), repr(s.encode())[2:-1].encode()]),
    "a shell's trace": lambda s: iter([s.replace("'", "'\\''").encode()]),
    "a unit": lambda s: iter([s.replace("%", "%%").encode(),
                              s.replace("%", "%%").replace("$", "$$").encode()]),
}  # fmt: skip


def in_small(quoted: str) -> str:
    """Its escapes with small letters."""
    head, *rest = quoted.split("%")
    return "%".join([head, *(part[:2].lower() + part[2:] for part in rest)])


def left_of(kind: str, number: int) -> int:
    """Characters that may be left: in base64 those that what stands around has a part in."""
    if kind != "base64":
        return 0
    before, behind = AROUND[number // 2 % len(AROUND)]
    if not before and behind in (b"", b"\n"):
        return 0
    return len(b64encode(before)) + len(b64encode(behind)) + 2


@pytest.mark.parametrize("kind", ENCODINGS)
def test_secret_split_at_every_byte_offset(kind: str) -> None:
    """Random secrets in each encoding: in one piece, and cut at offsets, nothing of them is said.

    Five hundred secrets and every offset in a soak; else fewer, and some offsets of each.
    """
    chance = random.Random(kind)
    for _ in range(MANY):
        secret = fresh(chance)
        redactor = Redactor([secret, fresh(chance)])
        for number, written in enumerate(ENCODINGS[kind](secret)):
            left = redactor.raw(written).replace(_MASK, b"", 1)
            assert len(left) <= left_of(kind, number), (secret, written)
            offsets = range(len(written) + 1)
            for at in offsets if os.environ.get("GXO_SOAK") else chance.sample(offsets, 4):
                stream = Stream(redactor)
                said = stream.feed(written[:at]) + stream.feed(written[at:]) + stream.end()
                assert said == redactor.raw(written)


def test_base64_with_prefix() -> None:
    """Behind a user's name, as an Authorization header has it, at each alignment."""
    redactor = Redactor(["correct horse battery"])
    for user in ("", "u", "me", "bob", "alice"):
        header = b64encode(f"{user}:correct horse battery".encode())
        left = redactor.raw(b"Basic " + header)
        assert left.startswith(b"Basic " + header[: len(user) + 1]), left
        assert left.endswith(_MASK)


def test_base64_in_lines() -> None:
    """As base64(1) and Python break it, each line is masked."""
    secret = "".join(random.Random(1).choices(string.ascii_letters, k=200))
    text = encodebytes(secret.encode())
    assert Redactor([secret]).raw(text).replace(_MASK, b"").strip() == b""
    pem = b"\n".join(b64encode(secret.encode())[at : at + 64] for at in range(0, 267, 64))
    assert Redactor([secret]).raw(pem).replace(_MASK, b"").strip() == b""


def test_multi_line_secrets() -> None:
    """Each line as it is and encoded, and the whole as one where it stands whole."""
    key = "-----BEGIN KEY-----\nabcdefghij\r\nklmnopqrst\n-----END KEY-----"
    redactor = Redactor([key])
    assert redactor.text(f"<{key}>") == f"<{MASK}>"
    assert redactor.text(json.dumps(key)) == f'"{MASK}"'
    assert redactor.text("x klmnopqrst y") == f"x {MASK} y"
    assert redactor.text(b"klmnopqrst".hex()) == MASK


def test_a_trailing_newline() -> None:
    """A secret that ends in one is masked also where it stands without."""
    assert Redactor(["hunter2\n"]).text("hunter2 hunter2\n.") == f"{MASK} {MASK}."


def test_a_large_secret() -> None:
    """A hundred lines of a hundred letters each are masked, whole and each by itself."""
    chance = random.Random(3)
    lines = ["".join(chance.choices(string.ascii_letters, k=100)) for _ in range(100)]
    redactor = Redactor(["\n".join(lines)])
    assert redactor.text("<" + "\n".join(lines) + ">") == f"<{MASK}>"
    assert redactor.text("|".join(lines)) == "|".join([MASK] * 100)


def test_many_that_are_derived() -> None:
    """A thousand, as a loop makes them: each is masked, in a time that nobody notices."""
    redactor = Redactor(["the first one"])
    for number in range(1000):
        redactor.add(f"derived-{number:04d}", derived=True)
        assert redactor.text(f"derived-{number:04d}") == MASK
    assert redactor.text(b"derived-0001".hex()) == MASK
    redactor.add("the last one")
    assert redactor.text(b"the last one".hex()) == MASK


def test_percent_escaped() -> None:
    """As the lines of a unit have it, and its specifiers."""
    assert (
        Redactor(["50% of $HOME"]).text("Environment=A=50%% of $$HOME") == f"Environment=A={MASK}"
    )


def test_the_library_comes_with_the_first_secret() -> None:
    """Runs without secrets do not load what searches for them."""
    program = (
        "import sys; from gxo.runtime.redact import Redactor, Stream; r = Redactor();"
        " s = Stream(r); s.feed(b'a'), s.end(), r.text('a');"
        " assert {'ahocorasick_rs', 'gxo.runtime.forms'}.isdisjoint(sys.modules);"
        " r.add('secret'); r.text('a'); assert 'ahocorasick_rs' in sys.modules"
    )
    subprocess.run([sys.executable, "-I", "-c", program], check=True)


def test_the_matcher_travels_alone() -> None:
    """It runs in a Python that sees nothing of gxo, nor of what is installed beside it."""
    source = Path(matcher.__file__).read_text()
    program = (
        "exec(sys.stdin.read()); s = Stream(lambda m=Matcher([b'secret'], by_search): m);"
        " print((s.feed(b'a sec') + s.feed(b'ret') + s.end()).decode())"
    )
    argv = (sys.executable, "-I", "-S", "-c", f"import sys; {program}")
    done = subprocess.run(argv, input=source, text=True, capture_output=True, check=True)
    assert done.stdout == f"a {MASK}\n"


def test_a_secret_of_very_many_lines() -> None:
    """A bundle of certificates does not fill the memory: each line is masked, and all as base64."""
    lines = [f"line {number:04} of a bundle" for number in range(600)]
    bundle = "\n".join(lines)
    redactor = Redactor([bundle])
    assert len(redactor.forms) < 10_000
    assert set(redactor.text("\n".join(reversed(lines))).split("\n")) == {MASK}
    assert set(redactor.text(encodebytes(bundle.encode()).decode()).split()) == {MASK}

"""Redaction: no secret in what is said, and all else letter for letter."""

from hypothesis import given
from hypothesis import strategies as st

from gxo.runtime.redact import MASK, SHORTEST, Redactor, Stream

SECRETS = st.lists(st.text("abcé\n", min_size=1, max_size=6), min_size=1, max_size=3)
CHUNKS = st.lists(st.text("abcé\n", max_size=8).map(str.encode), max_size=8)


@given(SECRETS, CHUNKS)
def test_a_stream_is_masked_across_its_chunks(secrets: list[str], chunks: list[bytes]) -> None:
    """However a text is cut into chunks, no secret comes out, and its end comes too."""
    stream = Stream(Redactor(secrets))
    said = b"".join([*(stream.feed(chunk) for chunk in chunks), stream.end()])
    left = said.replace(MASK.encode(), b"|")
    for secret in secrets:
        if len(secret.encode()) >= SHORTEST:
            assert secret.encode() not in left


@given(SECRETS, CHUNKS)
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
    """Whenever a stream ends, what it had kept back is shorter than a secret, or than the mask."""
    longest = max(len(MASK), *(len(secret.encode()) for secret in secrets))
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
    """Byte for byte, also what is no text."""
    stream = Stream(Redactor(["a secret that is longer than any of the chunks here"]))
    said = b"".join([*(stream.feed(chunk) for chunk in chunks), stream.end()])
    assert said == b"".join(chunks)


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
    """An empty secret, or one of a single byte, does not mask everything."""
    assert Redactor(["", "a", "\n"]).text("a banana") == "a banana"

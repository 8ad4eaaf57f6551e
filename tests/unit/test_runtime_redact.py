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


def test_nothing_is_held_that_is_clear() -> None:
    """A line is said at once where it cannot be the beginning of a secret."""
    stream = Stream(Redactor(["secret"]))
    assert stream.feed(b"progress: 5 %\n") == b"progress: 5 %\n"
    assert stream.feed(b"a sec") == b"a "
    assert stream.feed(b"ond") == b"second"


def test_secrets_too_short_to_mask() -> None:
    """An empty secret, or one of a single byte, does not mask everything."""
    assert Redactor(["", "a", "\n"]).text("a banana") == "a banana"

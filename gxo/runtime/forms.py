"""Forms: what a secret looks like where it is said: itself, its lines, and each of them encoded."""

import json
from binascii import b2a_base64
from collections.abc import Iterator

SHORTEST = 2
"""Bytes, without blanks around them: to mask a shorter secret would mask everything."""
ENCODED = 5
"""Bytes: the encodings of a shorter secret occur in any text, and are not masked."""
_URL_SAFE = bytes.maketrans(b"+/", b"-_")
_SHORTEST_LINE = 6
# as base64(1) and MIME break lines, as PEM and OpenSSL do
_WIDTHS = (76, 64)
_ALWAYS = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-"
# what is left as it is: nothing more, paths, encodeURIComponent, encodeURI
_KEPT = tuple(_ALWAYS + more for more in (b"", b"~", b"/~", b"!'()*~", b";,/?:@&=+$!'()*~#"))
_GO = str.maketrans({"<": "\\u003c", ">": "\\u003e", "&": "\\u0026"})
_BARE = frozenset(_ALWAYS + b"/:=@%+,")


def plain(secret: str) -> frozenset[bytes]:
    """The secret, without the blanks around it, and each line of one that has several."""
    whole = secret.encode("utf-8", "surrogateescape")
    parts = (whole, whole.strip(), *(line.strip() for line in whole.splitlines()))
    return frozenset(part for part in parts if len(part.strip()) >= SHORTEST)


def encoded(part: bytes) -> Iterator[bytes]:
    """What programs make of a secret, or of a line of one, on its way into a text."""
    if len(part) >= ENCODED:
        yield from (part.hex().encode(), part.hex().upper().encode())
        yield from _base64(part)
        yield from _url(part)
        yield from _quoted(part)


def _base64(part: bytes) -> Iterator[bytes]:
    """At each of the three alignments, without a character that it shares with what is before it;
    followed by a line break, the end, or anything, which may share its last character.
    """
    for before in range(3):
        first, sure = -(-8 * before // 6), 8 * (before + len(part)) // 6
        for behind in (b"", b"\n"):
            whole = b2a_base64(bytes(before) + part + behind, newline=False)
            found = [whole[first:sure], whole[first:], whole[first:].rstrip(b"=")]
            if not before:
                found += _lines(whole)
            for text in found:
                yield from (text, text.translate(_URL_SAFE))


def _lines(text: bytes) -> Iterator[bytes]:
    for width in _WIDTHS:
        if len(text) > width:
            lines = (text[at : at + width] for at in range(0, len(text), width))
            yield from (line for line in lines if len(line) >= _SHORTEST_LINE)


def _url(part: bytes) -> Iterator[bytes]:
    for kept in (*_KEPT, b""):
        for escape in (b"%%%02X", b"%%%02x"):
            text = b"".join(bytes((byte,)) if byte in kept else escape % byte for byte in part)
            yield from (text, text.replace(b"%20", b"+"))


def _quoted(part: bytes) -> Iterator[bytes]:
    """As in JSON, in Python's messages, in a shell's trace, in the lines of a unit."""
    text = part.decode("utf-8", "surrogateescape")
    for ascii_only in (True, False):
        body = json.dumps(text, ensure_ascii=ascii_only)[1:-1]
        yield from map(_bytes, (body, body.replace("/", "\\/"), body.translate(_GO)))
    yield from map(_bytes, (repr(text)[1:-1], ascii(text)[1:-1]))
    yield repr(part)[2:-1].encode()
    yield from (part.replace(b"'", quote) for quote in (b"'\\''", b"'\"'\"'"))
    yield b"".join(bytes((b,)) if b in _BARE or b > 0x7F else b"\\%c" % b for b in part)
    percent = part.replace(b"%", b"%%")
    yield from (percent, part.replace(b"$", b"$$"), percent.replace(b"$", b"$$"))


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")

"""What a run's redactor is measured by: Python's own regular expressions over the same forms."""

import base64
import re
import time
from collections.abc import Callable, Iterator
from random import Random
from string import ascii_letters, digits

from timing import Result, call, compare

from gxo.runtime.forms import encoded
from gxo.runtime.redact import MASK, Redactor, Stream

_CHUNK = 1 << 16
_SIZE = 16 << 20
_OF_RE = 1 << 20
_FLOOR = 300e6
"""Bytes a second that the redactor has to pass."""


def redactor() -> Iterator[Result]:
    """Ten secrets in all their encodings, a log in which few lines hold one; seconds a MB."""
    chance = Random(1)
    secrets = ["".join(chance.choices(ascii_letters + digits + "-_/+=&%", k=32)) for _ in range(10)]
    forms = sorted({form for s in secrets for form in (s.encode(), *encoded(s.encode()))}, key=len)
    log = _log(chance, secrets, _SIZE)
    pattern = re.compile(b"|".join(map(re.escape, reversed(forms))))

    def ours() -> None:
        stream = Stream(made)
        for at in range(0, len(log), _CHUNK):
            stream.feed(log[at : at + _CHUNK])
        stream.end()

    def theirs() -> None:
        for at in range(0, _OF_RE, _CHUNK):
            pattern.sub(MASK.encode(), log[at : at + _CHUNK])

    made = Redactor(secrets)
    a_megabyte = _SIZE / 1e6
    took, other = call(ours), call(theirs)
    name = f"redactor: {len(forms)} forms of ten secrets, against re's |, a MB"
    yield compare(name, lambda: took() / a_megabyte, lambda: other() / (_OF_RE / 1e6), 0.1, pairs=5)
    seconds = min(_processor(ours) for _ in range(7))
    floor = _SIZE / _FLOOR
    speed = f"redactor: {_SIZE / seconds / 1e6:.0f} MB/s, against the 300 that it must pass"
    yield Result(speed, seconds, floor, seconds / floor, (seconds / floor,) * 2, 1.0)


def _processor(work: Callable[[], object]) -> float:
    """Seconds of the processor's own: how fast it is does not depend on who else is at work."""
    began = time.process_time()
    work()
    return time.process_time() - began


def _log(chance: Random, secrets: list[str], size: int) -> bytes:
    """Lines of a web server with digests and base64 in them; in one of 2,000 a secret."""
    lines: list[bytes] = []
    while size > 0:
        blob = base64.b64encode(chance.randbytes(24)).decode()
        line = (
            f"Jan 12 10:{chance.randint(10, 59)}:01 host app[{chance.randint(1, 9999)}]: GET"
            f" /api/v1/items/{chance.randint(1, 10**9)}?page=%2F{chance.randint(1, 99)} 200"
            f" {chance.random():.3f} id={chance.randbytes(8).hex()} cookie={blob}"
        )
        if chance.randrange(2000) == 0:
            line += f" token={chance.choice(secrets)}"
        lines.append(line.encode() + b"\n")
        size -= len(lines[-1])
    return b"".join(lines)[:_SIZE]

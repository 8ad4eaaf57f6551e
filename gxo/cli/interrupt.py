"""Interrupt: Ctrl-C, SIGTERM and SIGHUP, which all cancel a command in one and the same way."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_TOLD = b"cancelling: this ends when what was changed has been undone\n"


class Interrupt:
    """The signals that a command has got.

    They raise KeyboardInterrupt until `asked` is called. Who calls it has begun to change this host
    and must not be broken off anywhere: from then on it asks by itself whether it is to stop.
    """

    def __init__(self, told: bytes = _TOLD) -> None:
        self._told = told
        self._asked = False
        self._deferred = False

    def asked(self) -> bool:
        """Whether to stop; from the first call on the signals are only remembered."""
        self._deferred = True
        return self._asked

    def handle(self, _number: int, _frame: FrameType | None) -> None:
        """The handler of each signal."""
        self._asked = True
        if not self._deferred:
            raise KeyboardInterrupt
        # not by sys.stderr: it may be in the middle of a write; after a SIGHUP nobody reads it
        with suppress(OSError):
            os.write(2, self._told)


@contextmanager
def interrupts(told: bytes = _TOLD) -> Iterator[Interrupt]:
    """Catch the signals in this block, but not those that the caller ignores (`nohup`).

    `told` is written to stderr for one that is only remembered.
    """
    heard = Interrupt(told)
    before = {n: signal.getsignal(n) for n in _SIGNALS}
    for number, old in before.items():
        if old is not signal.SIG_IGN:
            signal.signal(number, heard.handle)
    try:
        yield heard
    finally:
        for number, old in before.items():
            signal.signal(number, old)

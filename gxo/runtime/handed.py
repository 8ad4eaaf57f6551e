"""Handed: what a step's unit gets by descriptor, through its standard input or output.

systemd 252 passes a unit no other descriptors than these. So one goes as the standard input itself;
more go in one message on a socket that is the standard input, which a shim or a worker takes.
"""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from gxo.dataclass import dataclass
from gxo.systemd.memory import sealed

MOST = 250
"""Descriptors in one message; the kernel takes three more (unix(7), SCM_RIGHTS)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Handed:
    """What a unit gets: `given` is read first, then come the streams, which stay the caller's.

    `answers`: the unit is a worker, whose answer is for the runner alone.
    """

    given: bytes | str | None = None
    inputs: tuple[int, ...] = ()
    output: int | None = None
    answers: bool = False

    @property
    def streams(self) -> bool:
        """Whether any stream begins or ends here."""
        return bool(self.inputs) or self.output is not None

    @contextmanager
    def stdin(self, answer: int | None) -> Iterator[int | None]:
        """The descriptor of the unit's standard input, None where it has none.

        `answer` is where a worker that has streams writes its answer.
        """
        given = None if self.given is None else sealed(self.given)
        output = self.output if self.answers else None
        parts = [part for part in (given, answer, *self.inputs, output) if part is not None]
        socket = _posted(parts) if len(parts) > 1 else None
        try:
            yield socket if socket is not None else next(iter(parts), None)
        finally:
            for own in (given, socket):
                if own is not None:
                    os.close(own)


def _posted(descriptors: Sequence[int]) -> int:
    """A socket from which the descriptors can be received in one message."""
    import socket

    ours, theirs = socket.socketpair()
    with ours:
        socket.send_fds(ours, [b"\0"], descriptors)
    return theirs.detach()

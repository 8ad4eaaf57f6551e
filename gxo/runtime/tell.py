"""Tell: whoever is attached to a run learns that there is news, and reads it from the state.

What happened is in the state before anybody is told (record.py). So the pipe to an attached process
carries no news, it only wakes: nobody need wait for a full one, and a process that was asleep for
an hour reads on where it was.
"""

import os
import select
from contextlib import suppress

from gxo.runtime.store import EventRow, Store, StreamRow

_CHUNK = 1 << 16


class Bell:
    """The runner's end of the pipe. Ringing never waits, and does nothing where nobody listens."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        os.set_blocking(descriptor, False)

    def ring(self, _event: EventRow) -> None:
        # full: it wakes all the same; broken: they went away
        with suppress(BlockingIOError, BrokenPipeError):
            os.write(self._descriptor, b"!")


class Listening:
    """The other end, of who is attached: `wait`, then take the `news`; once `wait` says that the
    runner is gone, take the last of it.

    A context manager; else `close` it. Methods raise StoreError.
    """

    def __init__(self, descriptor: int, store: Store, run: str) -> None:
        self._descriptor = descriptor
        self._store = store
        self._run = run
        self._last = 0

    def __enter__(self) -> "Listening":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        os.close(self._descriptor)

    def wait(self, seconds: float) -> bool:
        """Until there may be news, or the time is up; False once the runner is gone."""
        ready, _, _ = select.select([self._descriptor], [], [], seconds)
        return not ready or bool(os.read(self._descriptor, _CHUNK))

    def news(self) -> tuple[EventRow, ...]:
        """What happened since the last call, in its order."""
        found = self._store.events(self._run, self._last)
        self._last = found[-1].number if found else self._last
        return found

    def flows(self) -> tuple[StreamRow, ...]:
        """How far the streams of the run have come."""
        return self._store.streams(self._run)

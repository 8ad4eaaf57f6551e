"""Pipe: what one stream goes through. The kernel moves it; the runner only holds it open."""

import fcntl
import os
import select
import struct
import termios

_MOST = (1 << 31) + 1
"""More than any kernel takes; of a longer number it would see the last bits only."""


class PipeError(Exception):
    """A pipe that cannot be made; the text says why."""


class Pipe:
    """Both ends at first; `handed_over` once its consumer has its own.

    As long as the runner holds the writing end, the consumer sees no end of file. The runner is no
    reader, though: a producer's write fails when its consumer is gone.
    """

    def __init__(self, size: int | None) -> None:
        """Of so many bytes at least, else as the kernel makes them. Raises PipeError."""
        try:
            self.reader, self.writer = os.pipe2(os.O_CLOEXEC)
        except OSError as error:
            raise PipeError(f"cannot make a pipe: {error.strerror}") from None
        # whoever has it may open it again by /dev/stdin or /proc/self/fd, as any user; nobody else
        # can, for want of a name
        os.fchmod(self.reader, 0o666)
        if size is not None:
            try:
                fcntl.fcntl(self.writer, fcntl.F_SETPIPE_SZ, min(size, _MOST))
            except OSError as error:
                self.close()
                said = f"{error.strerror}; /proc/sys/fs/pipe-max-size says what this host allows"
                raise PipeError(f"cannot make a pipe of {size} bytes: {said}") from None

    def handed_over(self) -> None:
        """Its consumer has the reading end now: close ours."""
        os.close(self.reader)
        self.reader = -1

    @property
    def deserted(self) -> bool:
        """Nobody can read it any more."""
        poll = select.poll()
        poll.register(self.writer, 0)
        return any(found & select.POLLERR for _, found in poll.poll(0))

    def end(self) -> None:
        """Let the consumer see the end, behind what is in the pipe yet."""
        if self.reader < 0:  # to see what is left, without which nobody could
            self.reader = os.open(f"/proc/self/fd/{self.writer}", os.O_RDONLY | os.O_NONBLOCK)
        os.close(self.writer)
        self.writer = -1

    @property
    def unread(self) -> int:
        """Bytes that are in it."""
        (count,) = struct.unpack("i", fcntl.ioctl(self.reader, termios.FIONREAD, bytes(4)))
        return int(count)

    def close(self) -> None:
        """Let go of it; it may have been closed before."""
        for end in (self.reader, self.writer):
            if end >= 0:
                os.close(end)
        self.reader = self.writer = -1

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
    """A pipe between two units. The runner holds both ends until `handed_over`, then the writing
    end.

    So the consumer sees no end of file before the runner says so, while a producer's write fails as
    soon as its consumer is gone.
    """

    def __init__(self, size: int | None) -> None:
        """Make a pipe of at least `size` bytes, or of the kernel's own. Raises PipeError."""
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
        """Close the reading end, which the consumer has by now."""
        os.close(self.reader)
        self.reader = -1

    @property
    def deserted(self) -> bool:
        """Whether no process has the reading end open any more."""
        poll = select.poll()
        poll.register(self.writer, 0)
        return any(found & select.POLLERR for _, found in poll.poll(0))

    def end(self) -> None:
        """Let the consumer see the end of file, behind what is still in the pipe."""
        if self.reader < 0:  # to see what is left, without which nobody could
            self.reader = os.open(f"/proc/self/fd/{self.writer}", os.O_RDONLY | os.O_NONBLOCK)
        os.close(self.writer)
        self.writer = -1

    @property
    def unread(self) -> int:
        """How many bytes are in the pipe."""
        (count,) = struct.unpack("i", fcntl.ioctl(self.reader, termios.FIONREAD, bytes(4)))
        return int(count)

    def close(self) -> None:
        """Close what is open of it; it may have been closed before."""
        for end in (self.reader, self.writer):
            if end >= 0:
                os.close(end)
        self.reader = self.writer = -1

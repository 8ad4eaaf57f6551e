"""Carry: gives a program variables and a standard input that no unit tells of, and becomes it.

Its own standard input, of which the first reader took this text, holds: a line with the size of the
variables, these with a NUL between two; a line with the size of the names of the variables that say
where its streams are, and these; a line with the size of the program's standard input (-1: none),
and that; a line that is 1 where it writes a stream, so that a write nobody reads ends it, else 0.
Exit status 203: the program cannot be run, as systemd has it (systemd.exec(5)).
"""

import _signal  # type: ignore[import-not-found]  # `signal` takes as long as all else here
import os
import sys
from typing import BinaryIO

_DEFAULT_PATH = b"/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_CANNOT_RUN = 203


def main(given: BinaryIO, argv: list[bytes], streams: list[int]) -> int:
    """Become the program; returns only the exit status for where that cannot be.

    `streams` stay open in it, and the first is its standard input.
    """
    variables = _words(given)
    named = zip(_words(given), streams, strict=True)
    size = int(given.readline())
    data = given.read(size) if size >= 0 else None
    if given.readline() == b"1\n":
        _signal.signal(_signal.SIGPIPE, _signal.SIG_DFL)  # Python ignores it
    if streams:
        os.dup2(streams[0], 0)
    else:
        _put_stdin(data)
    own = _environment()
    search = own.get(b"PATH", _DEFAULT_PATH)
    environment = own | dict(map(_pair, variables))
    environment |= {name: b"/proc/self/fd/%d" % stream for name, stream in named}
    _signal.signal(_signal.SIGXFSZ, _signal.SIG_DFL)  # Python ignores it, systemd does not
    try:
        os.execve(_found(argv[0], search), argv, environment)  # noqa: S606 - that is its work
    except OSError as error:
        name = argv[0].decode(errors="replace")
        os.write(2, f"cannot run {name}: {error.strerror}\n".encode())
        return _CANNOT_RUN


def _words(given: BinaryIO) -> list[bytes]:
    return [word for word in given.read(int(given.readline())).split(b"\0") if word]


def _environment() -> dict[bytes, bytes]:
    """The variables that systemd gave; Python may have set LC_CTYPE among its own."""
    try:
        with open("/proc/self/environ", "rb") as file:
            return dict(_pair(variable) for variable in file.read().split(b"\0") if variable)
    except OSError:
        return dict(os.environb)


def _pair(variable: bytes) -> tuple[bytes, bytes]:
    name, _, value = variable.partition(b"=")
    return name, value


def _put_stdin(data: bytes | None) -> None:
    """Give the program a file of its own: the shim's could be read again from its beginning."""
    if data is None:
        source = os.open("/dev/null", os.O_RDONLY)
    else:
        source = os.memfd_create("stdin")
        with open(source, "wb", closefd=False) as file:
            file.write(data)
        os.lseek(source, 0, os.SEEK_SET)
    os.dup2(source, 0)
    os.close(source)


def _found(program: bytes, search: bytes) -> bytes:
    """The program's path as systemd finds it: in its own PATH, not in that of the playbook."""
    if b"/" in program:
        return program
    for place in search.split(b":"):
        path = place + b"/" + program
        if os.access(path, os.X_OK) and not os.path.isdir(path):
            return path
    return program


if __name__ == "__main__":
    # who loads this has taken them off a socket, where there are any
    streams = globals().get("streams", [])
    sys.exit(main(sys.stdin.buffer, [os.fsencode(word) for word in sys.argv[1:]], streams))

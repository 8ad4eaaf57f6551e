"""Redact: the guard of a service with secrets starts its program and masks them in its output.

The guard is the unit's main process. It is loaded from the unit's credential, which holds this text
and then: the text of the matcher, the list of what to mask, the list of the program's variables,
and its standard input. Each is a line with its size in bytes (-1: there is none) and the bytes
themselves; those of a list are such parts again.

The guard forwards signals to the program's process group, unless it is loaded with `forward` false
because systemd sends them to all processes. It ends as the program does; with status 203, as
systemd itself does (systemd.exec(5)), where the program cannot be run.
"""

import _signal  # type: ignore[import-not-found]  # `signal` takes as long as all else here
import io
import os
import select
import sys
from typing import Any, BinaryIO, NoReturn

_DEFAULT_PATH = b"/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_CANNOT_RUN = 203
_CHUNK = 1 << 16
_ROUNDS = 64
"""How many more reads after the program has ended: what it started may go on writing for ever."""
# never forwarded: the guard's own faults and job control, and what no process can catch
_OWN = {
    *(_signal.SIGKILL, _signal.SIGSTOP, _signal.SIGCHLD, _signal.SIGPIPE, _signal.SIGXFSZ),
    *(_signal.SIGSEGV, _signal.SIGBUS, _signal.SIGFPE, _signal.SIGILL),
    *(_signal.SIGTSTP, _signal.SIGTTIN, _signal.SIGTTOU, _signal.SIGCONT),
}
# a service that these end has not failed (systemd.service(5), SuccessExitStatus=)
_CLEAN = (_signal.SIGHUP, _signal.SIGINT, _signal.SIGTERM, _signal.SIGPIPE)


def main(given: BinaryIO, argv: list[bytes], *, forward: bool) -> NoReturn:
    """Start the program, mask what it writes until it ends, and end as it did."""
    forwarded = _signal.valid_signals() - _OWN
    # before all else: PID 1 of a namespace never gets one that it neither blocks nor catches
    _signal.pthread_sigmask(_signal.SIG_BLOCK, forwarded)
    matcher: dict[str, Any] = {}
    exec(_part(given) or b"", matcher)  # noqa: S102 - a file of gxo's own, for want of a place
    forms, variables, stdin = _list(given), _list(given), _part(given)
    masking = matcher["Matcher"](forms, matcher["by_search"])
    # one pipe where both are one file, so that what the program writes stays in order
    outputs = (1,) if os.path.sameopenfile(1, 2) else (1, 2)
    ends = {number: os.pipe() for number in outputs}
    told = _hear()
    early = () if forward else _signal.sigpending()
    child = os.fork()
    if child == 0:
        for number in (1, 2):
            os.dup2(ends.get(number, ends[1])[1], number)
        _become(argv, variables, stdin)
    _signal.pthread_sigmask(_signal.SIG_UNBLOCK, forwarded)
    for number in early:  # systemd has sent it to all there were
        os.kill(child, number)
    for _, writer in ends.values():
        os.close(writer)
    streams = {
        reader: (number, matcher["Stream"](lambda: masking)) for number, (reader, _) in ends.items()
    }
    status = _attend(streams, told, child, forward=forward)
    for number, stream in streams.values():
        _write(number, stream.end())
    _end(status)


def _attend(streams: dict[int, Any], told: int, child: int, *, forward: bool) -> int:
    """Pass on what the program writes, and the signals it is to get; its wait status."""
    poll = select.poll()
    for reader in (*streams, told):
        poll.register(reader, select.POLLIN)
    status, rounds = None, _ROUNDS
    while True:
        ready = [reader for reader, _ in poll.poll(None if status is None else 0)]
        if status is not None:
            rounds -= 1
            if not rounds or not any(reader in streams for reader in ready):
                return status
        for reader in ready:
            if reader == told:
                status = _heard(os.read(told, _CHUNK), child, status, forward=forward)
                continue
            number, stream = streams[reader]
            chunk = os.read(reader, _CHUNK)
            if not chunk:
                poll.unregister(reader)
            _write(number, stream.feed(chunk))


def _hear() -> int:
    """Catch every signal that can be; a pipe from which the number of each can be read."""
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    _signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    for number in (_signal.valid_signals() - _OWN) | {_signal.SIGCHLD}:
        _signal.signal(number, lambda *_: None)
    return reader


def _heard(numbers: bytes, child: int, status: int | None, *, forward: bool) -> int | None:
    """Pass signals on, and reap: as PID 1 also orphans. The program's wait status, if it ended."""
    for number in numbers:
        if forward and number != _signal.SIGCHLD and status is None:
            try:
                os.killpg(child, number)
            except ProcessLookupError:  # it has not called setsid(2) yet
                os.kill(child, number)
    while True:
        try:
            ended, how = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return status
        if ended == 0:
            return status
        if ended == child:
            status = how


def _become(argv: list[bytes], variables: list[bytes], stdin: bytes | None) -> NoReturn:
    """Become the program, in a session of its own as systemd gives each service one."""
    os.setsid()
    for number in _signal.valid_signals() - {_signal.SIGKILL, _signal.SIGSTOP, _signal.SIGPIPE}:
        _signal.signal(number, _signal.SIG_DFL)
    _signal.pthread_sigmask(_signal.SIG_SETMASK, ())
    _put_stdin(stdin)
    own = _environment()
    own.pop(b"CREDENTIALS_DIRECTORY", None)
    for name in (b"WATCHDOG_PID", b"LISTEN_PID"):
        if name in own:
            own[name] = b"%d" % os.getpid()
    environment = own | dict(map(_pair, variables))
    search = own.get(b"PATH", _DEFAULT_PATH)
    program = argv[0]
    places = [b""] if b"/" in program else [place + b"/" for place in search.split(b":")]
    why = FileNotFoundError(2, "No such file or directory")
    for place in places:
        try:
            os.execve(place + program, argv, environment)  # noqa: S606 - that is its work
        except FileNotFoundError:
            continue
        except OSError as error:
            why = error  # type: ignore[assignment]
    os.write(2, f"cannot run {program.decode(errors='replace')}: {why.strerror}\n".encode())
    os._exit(_CANNOT_RUN)


def _put_stdin(data: bytes | None) -> None:
    if data is None:
        source = os.open("/dev/null", os.O_RDONLY)
    else:
        source = os.memfd_create("stdin")
        with open(source, "wb", closefd=False) as file:
            file.write(data)
        os.lseek(source, 0, os.SEEK_SET)
    os.dup2(source, 0)
    os.close(source)


def _environment() -> dict[bytes, bytes]:
    """The variables that systemd gave; Python may have set LC_CTYPE among its own."""
    try:
        with open("/proc/self/environ", "rb") as file:
            return dict(_pair(variable) for variable in file.read().split(b"\0") if variable)
    except OSError:
        return dict(os.environb)


def _end(status: int) -> NoReturn:
    """End as the program did; PID 1 of a namespace, which cannot kill itself, by an exit status."""
    if not os.WIFSIGNALED(status):
        os._exit(os.waitstatus_to_exitcode(status))
    number = os.WTERMSIG(status)
    if number != _signal.SIGKILL:
        _signal.signal(number, _signal.SIG_DFL)
    os.kill(os.getpid(), number)
    os._exit(0 if number in _CLEAN else 128 + number)


def _write(descriptor: int, data: bytes) -> None:
    while data:
        try:
            data = data[os.write(descriptor, data) :]
        except OSError:  # nobody listens any more
            return


def _part(given: BinaryIO) -> bytes | None:
    size = int(given.readline())
    return given.read(size) if size >= 0 else None


def _list(given: BinaryIO) -> list[bytes]:
    inside = _part(given) or b""
    source, parts = io.BytesIO(inside), []
    while source.tell() < len(inside):
        parts.append(_part(source) or b"")
    return parts


def _pair(variable: bytes) -> tuple[bytes, bytes]:
    name, _, value = variable.partition(b"=")
    return name, value


if __name__ == "__main__":
    words = [os.fsencode(word) for word in sys.argv[1:]]
    main(globals()["given"], words, forward=globals().get("forward", True))

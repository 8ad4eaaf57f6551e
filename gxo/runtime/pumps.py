"""Pumps: one stream to several readers, each with its own rule for when it has no room.

A pump is a process of its own (gxo/shim/pump.py), so that no stream waits for the runner.
"""

import os
import pwd
import signal
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from gxo.data import package_dir
from gxo.dataclass import dataclass
from gxo.spec.policy import Overflow
from gxo.systemd.loop import Loop
from gxo.units.steps import USER

_CHUNK = 1 << 16


@dataclass(frozen=True, slots=True)
class Outlet:
    """A reader of the stream: the writer of its pipe, and what happens where that is full.

    `size` is how many bytes of lines are kept for it; None: as many as its pipe holds.
    """

    name: str
    descriptor: int
    overflow: Overflow
    size: int | None


@dataclass(frozen=True, slots=True)
class Passed:
    """What has gone into a reader's pipe; `dropped` lines have not. `records` None: not known."""

    bytes: int = 0
    records: int | None = None
    dropped: int = 0


@dataclass(frozen=True, slots=True)
class Counts:
    """What has been taken from the source, and what its readers got, by their names."""

    bytes: int
    records: int | None
    outlets: dict[str, Passed]


@dataclass(frozen=True, slots=True)
class End:
    """`ok`: every reader's pipe has all that it gets. Else `reason`; `culprit` is a reader."""

    ok: bool
    culprit: str | None
    reason: str
    counts: Counts


class Pump:
    """The caller must close its descriptors: otherwise neither end of file nor EPIPE gets through.

    `progress` is called a few times a second while there is something new, and `ended` once, also
    after `stop`; both within the loop's `run`. All outlets are closed by then.
    """

    def __init__(
        self,
        loop: Loop,
        source: int,
        outlets: tuple[Outlet, ...],
        progress: Callable[[Counts], None],
        ended: Callable[[End], None],
    ) -> None:
        self._outlets = outlets
        self._progress = progress
        self._ended = ended
        self._counts = Counts(0, None, {outlet.name: Passed() for outlet in outlets})
        self._unread = b""
        self._word = ""
        self._status: int | None = None
        self._reader, writer = os.pipe2(os.O_CLOEXEC)
        try:
            self.pid = _start(source, writer, outlets)
            self._process = _watched(self.pid)
        except BaseException:
            os.close(self._reader)
            raise
        finally:
            os.close(writer)
        os.set_blocking(self._reader, False)
        loop.watch(self._reader, self._hear)
        loop.watch(self._process, self._reap)

    def stop(self) -> None:
        """End it at once, whatever it still has."""
        if self._status is None:
            signal.pidfd_send_signal(self._process, signal.SIGKILL)

    def _hear(self) -> bool:
        chunk = os.read(self._reader, _CHUNK)
        *lines, self._unread = (self._unread + chunk).split(b"\n")
        counts = self._counts
        for line in lines:
            word, _, rest = line.decode().partition(" ")
            if word == "counts":
                self._counts = _counts(rest.split(), self._outlets)
            else:
                self._word = line.decode()
        if self._counts is not counts:
            self._progress(self._counts)
        if chunk:
            return True
        os.close(self._reader)
        self._reader = -1
        self._finish()
        return False

    def _reap(self) -> bool:
        """It has ended, and leaves no zombie."""
        _, self._status = os.waitpid(self.pid, 0)
        os.close(self._process)
        self._finish()
        return False

    def _finish(self) -> None:
        if self._reader < 0 and self._status is not None:
            culprit, reason = _why(self._word, self._outlets, self._status)
            self._ended(End(self._word == "ok", culprit, reason, self._counts))


def _start(source: int, report: int, outlets: Sequence[Outlet]) -> int:
    program = str(Path(package_dir()) / "shim" / "pump.py")
    words = [f"{o.descriptor}:{o.overflow}:{o.size or 0}" for o in outlets]
    # a descriptor put upon itself is one that the child keeps (posix_spawn_file_actions_adddup2(3))
    kept = [(os.POSIX_SPAWN_DUP2, o.descriptor, o.descriptor) for o in outlets]
    ends = [(os.POSIX_SPAWN_DUP2, source, 0), (os.POSIX_SPAWN_DUP2, report, 1)]
    argv = [sys.executable, "-I", "-S", "-B", program, _owner(), *words]
    return os.posix_spawn(sys.executable, argv, {}, file_actions=[*kept, *ends])


def _watched(pid: int) -> int:
    """A descriptor of a process, which is ended where there is none to be had."""
    try:
        return os.pidfd_open(pid)
    except OSError:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        raise


def _owner() -> str:
    """Whom it becomes: it needs no rights of its own."""
    try:
        user = pwd.getpwnam(USER)
    except KeyError:
        user = pwd.getpwnam("nobody")
    return f"{user.pw_uid}:{user.pw_gid}"


def _counts(words: list[str], outlets: Sequence[Outlet]) -> Counts:
    total, records, *each = words
    return Counts(
        int(total),
        _known(records),
        {o.name: _passed(word) for o, word in zip(outlets, each, strict=True)},
    )


def _passed(word: str) -> Passed:
    size, records, dropped = word.split(":")
    return Passed(int(size), _known(records), int(dropped))


def _known(word: str) -> int | None:
    return None if word == "-" else int(word)


def _why(word: str, outlets: Sequence[Outlet], status: int) -> tuple[str | None, str]:
    """Which reader has ended the stream, if one has, and the reason."""
    kind, _, rest = word.partition(" ")
    if kind == "ok":
        return None, ""
    if kind == "failed":
        return None, f"cannot {rest.removeprefix('to ')}"
    if kind in ("gone", "full"):
        name = outlets[int(rest)].name
        reason = {
            "gone": f"`{name}` ended before it had read all of it",
            "full": f"`{name}` reads too slowly: it has no room for more",
        }[kind]
        return name, reason
    code = os.waitstatus_to_exitcode(status)
    how = f"was killed by {signal.Signals(-code).name}" if code < 0 else f"exited with {code}"
    return None, f"the process that moves the stream {how}"

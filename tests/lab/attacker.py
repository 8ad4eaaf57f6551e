"""A workload that tries to get out: how it makes system calls, and tells what became of each try.

Python's own library alone, since it runs as files in a guest.
"""

import ctypes
import errno
import json
import mmap
import os
import subprocess
import sys
from collections.abc import Callable
from typing import Any, NamedTuple

LIBC = ctypes.CDLL(None, use_errno=True)
FACTS: dict[str, Any] = {}
# system calls that libc has no function for; those of x86-64 and arm64 differ before 424
_OLD = {
    "bpf": (321, 280),
    "clock_settime": (227, 112),
    "finit_module": (313, 273),
    "kexec_load": (246, 104),
    "keyctl": (250, 219),
    "open_by_handle_at": (304, 265),
    "userfaultfd": (323, 282),
    "pivot_root": (155, 41),
    "perf_event_open": (298, 241),
    "syslog": (103, 116),
}
_NEW = {"pidfd_open": 434, "pidfd_getfd": 438, "io_uring_setup": 425, "io_uring_enter": 426}


class Escape(NamedTuple):
    """`control` is who does it unconfined in the same lab; where nobody may, `without` says why."""

    name: str
    tries: str
    stopped: str
    control: str
    without: str
    act: Callable[[], object]


ESCAPES: list[Escape] = []


def escape(
    name: str, tries: str, stopped: str, *, control: str = "root", without: str = ""
) -> Callable[[Callable[[], object]], Callable[[], object]]:
    def add(act: Callable[[], object]) -> Callable[[], object]:
        ESCAPES.append(Escape(name, tries, stopped, "" if without else control, without, act))
        return act

    return add


def call(name: str, *arguments: Any, reached: int = 0) -> int:
    """A system call; the error `reached` shows that the kernel would have done it."""
    column = {"x86_64": 0, "aarch64": 1}[os.uname().machine]
    number = _NEW[name] if name in _NEW else _OLD[name][column]
    return checked(LIBC.syscall(number, *arguments), reached)


def checked(result: int, reached: int = 0) -> int:
    if result < 0 and ctypes.get_errno() != reached:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return result


def open_only(path: str, flags: int = os.O_RDONLY) -> None:
    os.close(os.open(path, flags | os.O_NONBLOCK))


def create_only(path: str) -> None:
    """A file that must not be there; taken away at once."""
    os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    os.unlink(path)


def output_of(*argv: str) -> str:
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    if done.returncode:
        raise OSError(errno.EPERM, (done.stderr.strip().splitlines() or ["it failed"])[-1])
    return done.stdout


def ring_open(path: bytes) -> None:
    """openat(2) by io_uring (io_uring(7)): one entry, submitted and waited for."""
    size = 120
    told = (ctypes.c_uint32 * (size // 4))()
    ring = call("io_uring_setup", 1, told)
    # offsets as io_uring_params has them: of the submission ring from 10, of the completion from 20
    submission, completion = told[10:20], told[20:30]
    entries = mmap.mmap(ring, 4096, offset=0x10000000)
    first = mmap.mmap(ring, max(submission[6] + 4 * told[0], completion[5] + 16 * told[1]))
    text = ctypes.create_string_buffer(path)
    entry = bytearray(64)
    entry[0] = 18  # IORING_OP_OPENAT
    entry[4:8] = (-100).to_bytes(4, "little", signed=True)
    entry[16:24] = ctypes.addressof(text).to_bytes(8, "little")
    entries[:64] = bytes(entry)
    first[submission[6] : submission[6] + 4] = bytes(4)
    first[submission[1] : submission[1] + 4] = (1).to_bytes(4, "little")
    call("io_uring_enter", ring, 1, 1, 1, 0, 0)
    found = first[completion[5] + 8 : completion[5] + 12]
    result = int.from_bytes(found, "little", signed=True)
    if result < 0:
        raise OSError(-result, os.strerror(-result))


def _told(attempt: Escape) -> str:
    """What became of it, in a child: what it changes of itself is gone then, and so is it."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            attempt.act()
            said = "reached"
        except OSError as error:
            said = f"stopped: {errno.errorcode.get(error.errno or 0, '')} {error.strerror}"
        except BaseException as error:  # noqa: BLE001 - a child must not go on as its parent
            said = f"failed: {error!r}"
        os.write(writer, said.encode())
        os._exit(0)
    os.close(writer)
    with open(reader, "rb") as file:
        said = file.read().decode()
    _, status = os.waitpid(child, 0)
    return said or f"stopped: signal {os.WTERMSIG(status)}"


def main() -> None:
    """Try them all."""
    FACTS.update(json.loads(sys.argv[1]))
    for attempt in ESCAPES:
        print(attempt.name, _told(attempt), flush=True)

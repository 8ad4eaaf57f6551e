"""Exit codes, and the one place where an exception becomes a message and a code."""

import io
import os
import sys
from collections.abc import Callable, Iterable
from contextlib import suppress
from enum import IntEnum

HELP = (
    "Exit codes: 0 done; 1 problems found, or failed; 2 `plan` found changes; 64 wrong usage; "
    "69 systemd cannot be reached; 75 another apply took too long; 77 not permitted; "
    "130 cancelled."
)


class Exit(IntEnum):
    DONE = 0
    FAILED = 1
    CHANGES = 2
    PAUSED = 3
    USAGE = 64
    UNREACHABLE = 69
    LOCKED = 75
    NOT_PERMITTED = 77
    CANCELLED = 130


class Failure(Exception):
    """A command's own "cannot X: reason"."""


class NotPermitted(Failure):
    """The caller may not do this."""


class Usage(Failure):
    """The command line cannot be carried out as it is written."""


def run(command: Callable[[], int], *, as_json: bool = False) -> int:
    """Call a command; an expected failure is one clear line on stderr, and its code.

    With `as_json` it is also the document of problems on stdout, where one is looked for.
    """
    # closed by the caller: nothing is read, what is said goes nowhere, and no other file that is
    # opened gets the number of one of them
    for stream, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, stream) is None:
            setattr(sys, stream, open(os.devnull, mode, encoding="utf-8"))  # noqa: PTH123, SIM115
    if isinstance(sys.stdout, io.TextIOWrapper):  # what others wrote need not be in its encoding
        sys.stdout.reconfigure(errors="backslashreplace")
    code, message = _outcome(command)
    if message:
        if as_json:
            _emit(message, code)
        fail(message)
    try:
        sys.stderr.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stderr.fileno())
    try:
        sys.stdout.flush()
    except OSError as error:
        # nothing more can be said there, also not by the interpreter when it ends
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if not code and not isinstance(error, BrokenPipeError):
            fail(f"cannot write the result: {error.strerror}")
        return code or Exit.FAILED
    return code


def _outcome(command: Callable[[], int]) -> tuple[int, str]:
    """The exit code, and the error that is not told yet."""
    try:
        return command(), ""
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else Exit.DONE, ""
    except KeyboardInterrupt:
        return Exit.CANCELLED, ""
    except BrokenPipeError:  # the reader of our output went away: nothing is left to say to it
        return Exit.FAILED, ""
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        return Exit.FAILED, _noted(f"cannot go on: {where}{error.strerror or error}", error)
    except Exception as error:
        expected = code_of(error)
        if expected is None:
            raise
        return expected, _noted(str(error), error)


def _noted(message: str, error: Exception) -> str:
    """The message with what was noted on the error's way: what it leaves behind, line by line."""
    return "\n".join((message, *getattr(error, "__notes__", ())))


def code_of(error: Exception) -> Exit | None:
    """The exit code of an error that a room raises on purpose; None for a bug of ours."""
    for kind in type(error).__mro__:
        code = _CODES.get(f"{kind.__module__}.{kind.__qualname__}")
        if code is not None:
            return code
    return None


# by name, so that the rooms are not loaded to say that nothing of theirs went wrong
_CODES = {
    "gxo.systemd.bus.Unreachable": Exit.UNREACHABLE,
    "gxo.systemd.bus.NotPermitted": Exit.NOT_PERMITTED,
    "gxo.systemd.bus.BusError": Exit.FAILED,
    "gxo.apply.lock.LockTimeout": Exit.LOCKED,
    "gxo.lab.spec.LabError": Exit.FAILED,
    "gxo.apply.setup.SetupError": Exit.FAILED,
    "gxo.apply.failure.Cancelled": Exit.CANCELLED,
    "gxo.apply.failure.ApplyError": Exit.FAILED,
    "gxo.apply.store.StoreError": Exit.FAILED,
    "gxo.runtime.store.StoreError": Exit.FAILED,
    "gxo.runtime.secrets.SecretError": Exit.FAILED,
    "gxo.runtime.workspace.WorkspaceError": Exit.FAILED,
    "gxo.systemd.journal_write.JournalError": Exit.FAILED,
    "gxo.cli.exits.Usage": Exit.USAGE,
    "gxo.cli.exits.NotPermitted": Exit.NOT_PERMITTED,
    "gxo.cli.exits.Failure": Exit.FAILED,
}


def failed(reasons: Iterable[str]) -> Exit:
    """Print what could not be done beside the rest, an error line each; the exit code."""
    code = Exit.DONE
    for reason in reasons:
        fail(reason)
        code = Exit.FAILED
    return code


def _emit(message: str, code: int) -> None:
    """The error as a problem without a place, on one line as in a stream."""
    from gxo.cli import output

    nowhere = dict.fromkeys(("file", "line", "column", "end_line", "end_column", "hint"))
    name = Exit(code).name.lower().replace("_", "-")
    problem = {"code": name, "severity": "error", "message": message, **nowhere}
    with suppress(OSError):  # told of in the end
        output.emit_line({"problems": [problem]})


def fail(message: str) -> None:
    """Print one error line."""
    from gxo.diagnostic.render import visible

    with suppress(OSError):  # what cannot be written of the result is told of in the end
        sys.stdout.flush()
    with suppress(OSError):
        sys.stderr.write("error: " + "\n".join(map(visible, message.splitlines())) + "\n")

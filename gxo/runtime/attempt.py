"""Attempt: one start of a step's unit, from its properties to how it ended."""

import os
import time
from collections.abc import Callable
from functools import partial

from gxo.dataclass import dataclass
from gxo.runtime.capture import Answer, Capture
from gxo.runtime.handed import Handed
from gxo.systemd.ending import describe
from gxo.systemd.jobs import Job, Jobs, Outcome
from gxo.systemd.manager import Manager
from gxo.template.value import Data
from gxo.units.model import Property

_CHUNK = 1 << 16
_WIDEST = 500
_PATIENCE = 1.0
"""Seconds after which, its job over, is asked whether any process of its unit is left."""
_STDIN = Property("StandardInputFileDescriptor", "h", 2)
_LAST_WORDS = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """How an attempt ended. `detail` says why it failed, `summary` is what `register` keeps, and
    `answer` is what a worker wrote for the runner.

    `fatal`: a path led out of where it may work, so it is not tried again, and nothing else starts.
    """

    ok: bool
    summary: Data
    stdout: str = ""
    stderr: str = ""
    answer: str = ""
    detail: str = ""
    cancelled: bool = False
    fatal: bool = False

    @property
    def last_words(self) -> str:
        """The last lines of its stderr, or of its stdout where that is empty. Long ones are cut:
        the journal has them whole.
        """
        lines = (self.stderr or self.stdout).split("\n")[-_LAST_WORDS:]
        return "\n".join(line if len(line) <= _WIDEST else f"{line[:_WIDEST]}…" for line in lines)


@dataclass(frozen=True, slots=True)
class Written:
    """Where the runner puts what a step writes; a worker answers, as a program does not."""

    out: Capture
    err: Capture
    answer: Answer

    def sinks(self, handed: Handed) -> dict[str, Answer | Capture]:
        """Who reads which pipe of the unit. A worker answers on its stdout, or on a pipe of its own
        where it has streams.
        """
        if handed.answers and not handed.streams:
            return {"stdout": self.answer, "stderr": self.err}
        if handed.answers:
            return {"stdout": self.out, "stderr": self.err, "answer": self.answer}
        if handed.output is not None:
            return {"stderr": self.err}
        return {"stdout": self.out, "stderr": self.err}


class Attempt:
    """It has ended when its job has and all its outputs are at their end, or when the last process
    of its unit has: a process of another unit may have been given an output, and hold it open.
    """

    def __init__(
        self,
        manager: Manager,
        jobs: Jobs,
        unit: str,
        properties: tuple[Property, ...],
        handed: Handed,
        written: Written,
        ended: Callable[["Attempt", Result], None],
    ) -> None:
        self.unit = unit
        self._manager = manager
        self._ended = ended
        self._outcome: Outcome | None = None
        self._written = written
        sinks = written.sinks(handed)
        self._reading: dict[int, tuple[Answer | Capture, Callable[[], None]]] = {}
        self._due = 0.0
        ends = {name: os.pipe2(os.O_CLOEXEC) for name in sinks}
        try:
            for name, sink in sinks.items():
                reader = ends[name][0]
                os.set_blocking(reader, False)
                drop = jobs.loop.watch(reader, partial(self._read, reader))
                self._reading[reader] = sink, drop
            writers = {name: writer for name, (_, writer) in ends.items()}
            out = writers.get("stdout", handed.output)
            assert out is not None, "what it writes goes somewhere"
            with handed.stdin(writers.get("answer")) as stdin:
                files = [out, writers["stderr"]]
                if stdin is not None:
                    files.append(stdin)
                    properties = (*properties, _STDIN)
                self.job: Job = jobs.start_transient(unit, properties, files=files)
        finally:
            for _, writer in ends.values():
                os.close(writer)

    def over(self, outcome: Outcome) -> None:
        """Its job has ended."""
        self._outcome = outcome
        self._due = time.monotonic() + _PATIENCE
        self._finish()

    def look(self) -> None:
        """End it where its job is over and no process of its unit is left to write."""
        if self._outcome is None or time.monotonic() < self._due:
            return
        self._due = time.monotonic() + _PATIENCE
        if self._manager.named(self.unit)[self.unit].active not in ("inactive", "failed"):
            return
        for reader, (_, drop) in tuple(self._reading.items()):
            drop()
            if self._read(reader):
                self._close(reader)

    def _read(self, reader: int) -> bool:
        try:
            chunk = os.read(reader, _CHUNK)
        except BlockingIOError:
            return True
        if not chunk:
            self._close(reader)
            return False
        self._reading[reader][0].feed(chunk)
        return True

    def _close(self, reader: int) -> None:
        """Its reading end has come to the end of the file."""
        sink, _ = self._reading.pop(reader)
        sink.feed(b"")
        os.close(reader)
        self._finish()

    def _finish(self) -> None:
        if self._outcome is not None and not self._reading:
            self._ended(self, self._result(self._outcome))

    def _result(self, outcome: Outcome) -> Result:
        out, err = self._written.out, self._written.err
        code, detail = (0, "") if outcome.ok else self._why(outcome)
        summary: Data = {
            "exit_code": code,
            "stdout": out.text,
            "stderr": err.text,
            "truncated": out.cut or err.cut,
        }
        return Result(
            ok=outcome.ok,
            summary=summary,
            stdout=out.text,
            stderr=err.text,
            answer=self._written.answer.text,
            detail=detail,
            cancelled=outcome.cancelled,
        )

    def _why(self, outcome: Outcome) -> tuple[int | None, str]:
        """The exit code and the reason of a failed start. systemd keeps the failed unit until it is
        read.
        """
        if outcome.error is not None:
            return None, f"systemd refused it: {outcome.error}"
        found = self._manager.result(self.unit)
        self._manager.reset_failed(self.unit)
        if outcome.cancelled:  # its runner stops, or has stopped
            return None, "it was cancelled"
        code = found.status if found.code == "exited" else 128 + found.status
        if found.result == "timeout":
            return code, "it did not end in time"
        return code, describe(found)

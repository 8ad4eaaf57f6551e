"""JUnit: a run as the XML that CI servers read: one suite, a case for each step or loop item."""

import os
import re
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from xml.etree import ElementTree

from gxo.cli.exits import Failure
from gxo.cli.statuses import name_of, steps_of
from gxo.dataclass import dataclass
from gxo.runtime.status import Status
from gxo.runtime.store import WHOLE, EventRow, RunRow, StepRow, Store

# what XML 1.0 cannot say, not even as a reference
_UNSAYABLE = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_ERRORS = (Status.CANCELLED, Status.PAUSED, Status.RUNNING)


@dataclass(frozen=True, slots=True)
class Case:
    """One step, one item of a loop, or the run itself; `words` are its last lines."""

    name: str
    status: Status
    seconds: float = 0.0
    detail: str = ""
    words: str = ""

    @property
    def outcome(self) -> str:
        """The name of the element that says how it ended; empty for a case that passed."""
        if self.status is Status.FAILED:
            return "failure"
        if self.status in _ERRORS:
            return "error"
        return "" if self.status is Status.COMPLETED else "skipped"


def report(store: Store, run: RunRow, file: Path) -> None:
    """Write the report of a run, the whole of it or none; raises Failure."""
    found = cases(run, steps_of(run), store.steps(run.id), store.events(run.id))
    _write(file, document(run, tuple(found)))


def check(file: Path) -> None:
    """Raise Failure where no report could be written there: better before the run than after it."""
    directory = file.absolute().parent
    if file.is_dir():
        raise Failure(f"cannot write {file}: it is a directory")
    if not directory.is_dir():
        raise Failure(f"cannot write {file}: there is no directory {directory}")


def cases(
    run: RunRow, steps: Sequence[str], rows: Sequence[StepRow], events: Sequence[EventRow]
) -> Iterator[Case]:
    """In the order of the plan. A loop counts as its items, and as itself where those do not say
    how it ended; a run that did not end well has a case that says so.
    """
    words = {(e.step, e.iteration): e.detail for e in events if e.event == "output"}
    by_step: dict[str, list[StepRow]] = {name: [] for name in steps}
    for row in sorted(rows, key=lambda row: row.iteration):
        by_step.setdefault(row.step, []).append(row)
    bad = False
    for name, found in by_step.items():
        items = {row.status for row in found if row.iteration != WHOLE}
        if not found:
            yield Case(name, Status.PENDING, detail="it never started")
        for row in found:
            if row.iteration == WHOLE and items and row.status in {*items, Status.COMPLETED}:
                continue
            case = _case(row, words.get((name, row.iteration), ""))
            bad = bad or case.outcome in ("failure", "error")
            yield case
    if run.status is not Status.COMPLETED and not bad:
        yield Case("run", run.status, detail=run.detail or f"the run is {run.status}")


def document(run: RunRow, found: Sequence[Case]) -> bytes:
    """The XML of it, in UTF-8."""
    outcomes = [case.outcome for case in found]
    counts = {
        "tests": str(len(found)),
        "failures": str(outcomes.count("failure")),
        "errors": str(outcomes.count("error")),
        "skipped": str(outcomes.count("skipped")),
        "time": _seconds(_between(run.started, run.ended)),
    }
    top = ElementTree.Element("testsuites", {"name": "gxo", **counts})
    begun = datetime.fromtimestamp((run.started or run.created) / 1e6, UTC)
    stamp = begun.strftime("%Y-%m-%dT%H:%M:%S")
    own = {"name": _sayable(run.playbook), "id": run.id, "timestamp": stamp, **counts}
    suite = ElementTree.SubElement(top, "testsuite", own)
    properties = ElementTree.SubElement(suite, "properties")
    for name, value in (("run", run.id), ("status", run.status.value)):
        ElementTree.SubElement(properties, "property", {"name": name, "value": value})
    for case in found:
        attributes = {
            "classname": _sayable(run.playbook),
            "name": _sayable(case.name),
            "time": _seconds(case.seconds),
        }
        element = ElementTree.SubElement(suite, "testcase", attributes)
        if case.outcome:
            about = {"message": _sayable(case.detail or case.status.lower())}
            if case.outcome != "skipped":
                about["type"] = case.status.value
            ElementTree.SubElement(element, case.outcome, about).text = _sayable(case.words)
    ElementTree.indent(top)
    data: bytes = ElementTree.tostring(top, encoding="utf-8", xml_declaration=True)
    return data + b"\n"


def _case(row: StepRow, words: str) -> Case:
    return Case(
        name_of(row.step, row.iteration),
        row.status,
        _between(row.started, row.ended),
        row.detail,
        words,
    )


def _between(started: int | None, ended: int | None) -> float:
    return (ended - started) / 1e6 if started and ended else 0.0


def _seconds(seconds: float) -> str:
    return f"{max(seconds, 0.0):.3f}"


def _sayable(text: str) -> str:
    return _UNSAYABLE.sub("\ufffd", text)


def _write(file: Path, data: bytes) -> None:
    """Through a temporary file next to it, with a new file's mode; to a pipe or device directly."""
    made = ""
    try:
        if file.exists() and not file.is_file():
            file.write_bytes(data)
            return
        descriptor, made = tempfile.mkstemp(dir=file.absolute().parent, prefix=f".{file.name}.")
        with os.fdopen(descriptor, "wb") as out:
            out.write(data)
            mask = os.umask(0)
            os.umask(mask)
            # by its descriptor: whoever owns the directory may have put another in its place
            os.fchmod(descriptor, 0o666 & ~mask)
        Path(made).replace(file)
    except OSError as error:
        if made:
            with suppress(OSError):
                Path(made).unlink()
        raise Failure(f"cannot write {file}: {error.strerror}") from None

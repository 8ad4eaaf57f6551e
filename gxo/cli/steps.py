"""Steps: those of one run for people: a table with last words, and what a single one yielded."""

import json
from collections.abc import Iterable, Iterator, Sequence

from gxo.cli.exits import Failure
from gxo.cli.statuses import colour_of, name_of, steps_of, took
from gxo.cli.table import Cell, Colour, paint, table
from gxo.diagnostic.base import did_you_mean
from gxo.diagnostic.render import visible
from gxo.runtime.status import Status
from gxo.runtime.store import EventRow, RunRow, StepRow
from gxo.template.value import Data

_HEADER = ("  STEP", "STATUS", "AFTER", "TOOK", "ATTEMPTS", "EXIT", "")


def overview(
    run: RunRow, steps: Sequence[StepRow], events: Iterable[EventRow], *, colour: bool
) -> str:
    """A row for each step and item, the last lines of those that failed below it.

    `AFTER` counts from the start of the run.
    """
    words = {(e.step, e.iteration): e.detail for e in events if e.event == "output"}
    rows = [_row(run, step) for step in steps]
    header, *lines = table(rows, header=_HEADER, colour=colour).splitlines() or [""]
    shown = [header] if rows else []
    for step, line in zip(steps, lines, strict=True):
        shown.append(line)
        if step.status is Status.FAILED:
            said = words.get((step.step, step.iteration), "").splitlines()
            shown += [paint(Cell(f"      {text}", Colour.DIM), colour=colour) for text in said]
    return "".join(f"{line}\n" for line in shown)


def detail(run: RunRow, step: StepRow) -> str:
    """One step or item: how it ended, and its summary, key by key."""
    _, _, after, lasted, attempts, *_ = (cell.text for cell in _row(run, step))
    times = [f"after {after}" if after else "", lasted, f"{attempts} attempts" if attempts else ""]
    head = ", ".join([f"{step.status}", *filter(None, times)])
    lines = [f"{name_of(step.step, step.iteration)}: {head}"]
    lines += [f"  {step.detail}"] if step.detail else []
    lines += _summary(step.summary, "  ")
    return "".join(f"{visible(line)}\n" for line in lines)


def _row(run: RunRow, step: StepRow) -> tuple[Cell, ...]:
    name = f"  {name_of(step.step, step.iteration)}"
    began = run.started or run.created
    after = took(step.started - began) if step.started is not None else ""
    lasted = took(step.ended - step.started) if step.started and step.ended else ""
    code = step.summary.get("exit_code") if isinstance(step.summary, dict) else None
    return (
        Cell(name),
        Cell(step.status, colour_of(step.status)),
        Cell(after),
        Cell(lasted),
        Cell(str(step.attempts) if step.attempts > 1 else ""),
        Cell(str(code) if code is not None else ""),
        Cell(step.detail),
    )


def _summary(value: Data, indent: str) -> Iterator[str]:
    """A map as `key: value` lines; a text of several lines as an indented block."""
    if isinstance(value, dict):
        for key, item in value.items():
            lines = item.split("\n") if isinstance(item, str) else [_plain(item)]
            if len(lines) == 1:
                yield f"{indent}{key}: {lines[0]}".rstrip()
            else:
                yield f"{indent}{key}:"
                yield from (f"{indent}    {line}".rstrip() for line in lines)
    elif isinstance(value, list):
        yield from (f"{indent}- {_plain(entry)}" for entry in value)
    elif value is not None:
        yield f"{indent}{_plain(value)}"


def _plain(value: Data) -> str:
    return json.dumps(value, ensure_ascii=False)


def with_pending(run: RunRow, rows: Sequence[StepRow]) -> tuple[StepRow, ...]:
    """The rows in the order of time, and behind them the steps that have none yet, as Pending."""
    known = {row.step for row in rows}
    left = [
        StepRow(step=name, status=Status.PENDING) for name in steps_of(run) if name not in known
    ]
    return (*in_order(rows), *left)


def in_order(rows: Iterable[StepRow]) -> list[StepRow]:
    """By the time when they started."""
    return sorted(rows, key=lambda row: (row.started or 0, row.step, row.iteration))


def pick(run: RunRow, rows: Iterable[StepRow], wanted: str) -> StepRow:
    """The row of a step, or of one item as `step[N]`; raises Failure."""
    found = {name_of(row.step, row.iteration): row for row in rows}
    if wanted not in found:
        hint = did_you_mean(wanted, found) or f"`gxo runs show {run.id}` lists them"
        raise Failure(f"cannot show `{wanted}`: run {run.id} has no such step; {hint}")
    return found[wanted]

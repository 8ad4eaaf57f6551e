"""`gxo runs`: the runs there were and are, and what became of their steps."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from gxo.cli import options, output
from gxo.cli.exits import Exit
from gxo.cli.prune import prune
from gxo.cli.rerun import rerun

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from gxo.runtime.store import EventRow, RunRow, StepRow, Store, StreamRow

_LISTED = 20
"""Artifacts shown; with --json all are."""

app = typer.Typer(invoke_without_command=True, rich_markup_mode=None)


@app.callback(epilog="Example: gxo runs --limit 5")
def runs(
    context: typer.Context,
    limit: Annotated[
        int, typer.Option("--limit", "-n", metavar="N", min=1, help="Show the newest N.")
    ] = 20,
    json: options.Json = False,
) -> int:
    """List runs, the newest first."""
    if context.invoked_subcommand is not None:
        return Exit.DONE
    from gxo.cli.found import mend
    from gxo.cli.root import need_root
    from gxo.cli.statuses import colour_of
    from gxo.cli.table import Cell, coloured, table
    from gxo.runtime.store import Store

    need_root("runs")
    with Store() as store:
        mend(store)
        found = store.runs(limit)
        if json:
            output.emit({"runs": [_document(store, run) for run in found]})
            return Exit.DONE
    if not found:
        output.note("no runs; `gxo run PLAYBOOK` starts one")
    rows = [
        (
            run.id,
            _whose(run),
            Cell(run.status, colour_of(run.status)),
            _moment(run.created),
            _took(run.started, run.ended),
        )
        for run in found
    ]
    header = ("RUN", "PLAYBOOK", "STATUS", "STARTED", "TOOK")
    output.say(table(rows, header=header, colour=coloured()).rstrip("\n"))
    return Exit.DONE


@app.command(epilog="Example: gxo runs show --json 0141d9b3e1dd")
def show(
    run: options.Run,
    step: Annotated[
        str | None,
        typer.Argument(
            metavar="[STEP]",
            help="Show what this step yielded; `STEP[N]` is item N of its loop.",
            show_default=False,
        ),
    ] = None,
    junit: options.JUnit = None,
    json: options.Json = False,
) -> int:
    """Show one run: its steps, how they ended, what they yielded."""
    from gxo.cli.found import find, mend
    from gxo.cli.root import need_root
    from gxo.cli.steps import detail, pick, with_pending
    from gxo.runtime.store import Store

    need_root("runs show")
    with Store() as store:
        mend(store)
        row = find(store, run)
        if junit is not None:
            from gxo.cli.junit import report

            report(store, row, junit)
        if json:
            output.emit(_document(store, row))
            return Exit.DONE
        steps = with_pending(row, store.steps(row.id))
        streams = store.streams(row.id)
        events = store.events(row.id)
    if step is not None:
        output.say(detail(row, pick(row, steps, step)).rstrip("\n"))
    else:
        _show(row, steps, streams, events)
    return Exit.DONE


def _show(
    row: "RunRow",
    steps: "Sequence[StepRow]",
    streams: "Sequence[StreamRow]",
    events: "Sequence[EventRow]",
) -> None:
    """The run in a line, its steps as a table, its streams, and the files that were kept."""
    from gxo.cli.steps import overview
    from gxo.cli.table import coloured, table
    from gxo.runtime.artifacts import PLACE, Artifacts

    lasted = f", {_took(row.started, row.ended)}" if row.ended else ""
    output.say(f"run {row.id} of {_whose(row)}: {row.status}, {_moment(row.created)}{lasted}")
    if row.detail:
        output.say(f"  {row.detail}")
    output.say(overview(row, steps, events, colour=coloured()).rstrip("\n"))
    if streams:
        output.say("streams:")
        output.say(table(_flowed(streams), colour=coloured()).rstrip("\n"))
    if kept := Artifacts().of(row.id):
        output.say(f"kept in {PLACE / row.id}:")
        files = [(f"  {item.path}", f"{item.size} bytes") for item in kept[:_LISTED]]
        output.say(table(files, colour=coloured()).rstrip("\n"))
        if len(kept) > _LISTED:
            output.say(f"  and {len(kept) - _LISTED} more")


app.command(epilog="Example: gxo runs rerun --from-failed 0141d9b3e1dd")(rerun)
app.command(epilog="Example: gxo runs prune --keep 200 --older-than 168h")(prune)


def _whose(run: "RunRow") -> str:
    """The playbook, or the workload of it whose instance the run is."""
    return f"{run.playbook}.{run.workload}" if run.workload else run.playbook


def _flowed(streams: "Iterable[StreamRow]") -> list[tuple[str, str, str]]:
    """Who gave whom how much, and how fast on the whole."""
    from gxo.cli.flows import Flows, amount, pace

    flows = Flows()
    flows.see(0, streams)
    return [
        (f"  {row.source} => {row.target}", amount(row), pace(flows.speed(edge)))
        for edge, row in flows.rows.items()
    ]


def _document(store: "Store", run: "RunRow") -> dict[str, object]:
    """A run as programs get it (docs/reference/json/run.schema.json)."""
    from gxo.cli.flows import document
    from gxo.cli.statuses import name_of
    from gxo.cli.steps import in_order
    from gxo.runtime.artifacts import Artifacts

    return {
        "id": run.id,
        "playbook": run.playbook,
        "workload": run.workload,
        "status": run.status.value,
        "started": _iso(run.started),
        "ended": _iso(run.ended),
        "detail": run.detail,
        "steps": {
            name_of(step.step, step.iteration): {
                "status": step.status.value,
                "started": _iso(step.started),
                "ended": _iso(step.ended),
                "attempts": step.attempts,
                "detail": step.detail,
                "summary": step.summary,
            }
            for step in in_order(store.steps(run.id))
        },
        "streams": [document(row) for row in store.streams(run.id)],
        "artifacts": [{"path": kept.path, "size": kept.size} for kept in Artifacts().of(run.id)],
    }


def _moment(time: int) -> str:
    return datetime.fromtimestamp(time / 1e6).strftime("%Y-%m-%d %H:%M:%S")


def _iso(time: int | None) -> str | None:
    if time is None:
        return None
    return datetime.fromtimestamp(time / 1e6, UTC).isoformat(timespec="microseconds")


def _took(started: int | None, ended: int | None) -> str:
    from gxo.cli.statuses import took

    return took(ended - started) if started and ended else ""

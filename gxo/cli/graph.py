"""`gxo graph`: a playbook's workloads and what each waits for, or how they stand in a run."""

import os
import re
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from gxo.cli import options, output
from gxo.cli.exits import Exit, Failure, Usage
from gxo.cli.load import given, host_target, load_to_read, or_fail
from gxo.dataclass import dataclass

if TYPE_CHECKING:
    from gxo.plan.draw import Mark
    from gxo.plan.model import Plan
    from gxo.runtime.store import StepRow, StreamRow

app = typer.Typer()

_RUN = re.compile(r"[0-9a-f]{1,12}")
_COLOURS = {
    "Pending": "#ffffff",
    "Running": "#a9d6f5",
    "Paused": "#ffe0a3",
    "Completed": "#b7e4c7",
    "Failed": "#f4a6a6",
    "Skipped": "#e0e0e0",
    "Cancelled": "#ffe0a3",
}


class Format(StrEnum):
    TEXT = "text"
    DOT = "dot"
    MERMAID = "mermaid"


@dataclass(frozen=True, slots=True)
class _Ran:
    """A run: the plan that it carried out, how its steps stand, what its streams have carried."""

    id: str
    plan: "Plan"
    steps: "dict[str, StepRow | None]"
    """By name, None while one is pending."""
    streams: "tuple[StreamRow, ...]"


@app.command(epilog="Example: gxo graph site.yaml --format dot | dot -Tsvg > site.svg")
def graph(
    paths: Annotated[
        list[str],
        typer.Argument(
            metavar="PATH…|RUN",
            help="Playbooks, or directories of them; `-` reads standard input. Or the id of a run,"
            " if no file has that name.",
            show_default=False,
        ),
    ],
    form: Annotated[
        Format,
        typer.Option("--format", "-f", metavar="text|dot|mermaid", help="How to draw it."),
    ] = Format.TEXT,
    inputs: options.Inputs = [],
    variables: options.Vars = [],
    vars_files: options.VarsFiles = [],
    json: options.Json = False,
) -> int:
    """Draw the order of a playbook's workloads, or of a run's steps.

    Of a run it also shows how each step stands, and what went through its streams.
    """
    from gxo.plan import draw

    if json and form is not Format.TEXT:
        raise Usage("`--json` is data and `--format` a drawing: give one of them")
    drawer = {Format.TEXT: draw.text, Format.DOT: draw.dot, Format.MERMAID: draw.mermaid}[form]
    if run := _run(paths):
        if inputs or variables or vars_files:
            raise Usage(f"`{run}` is a run, whose inputs and vars are what they were")
        ran = _of_run(run)
        if json:
            output.emit({"run": ran.id, "graphs": [_document(ran.plan, ran)]})
        else:
            from gxo.cli.flows import amounts

            output.say(drawer(ran.plan, _marks(ran), amounts(ran.streams)).rstrip("\n"))
        return Exit.DONE
    values = given(inputs, variables, vars_files)
    loaded = or_fail(load_to_read(paths, values, host_target(None)), as_json=json)
    if json:
        output.emit({"run": None, "graphs": [_document(plan) for plan in loaded.plans]})
        return Exit.DONE
    for plan in loaded.plans:
        output.say(drawer(plan).rstrip("\n"))
    return Exit.DONE


def _run(paths: list[str]) -> str:
    """The one path where it is the id of a run, or how one begins, and no file's name."""
    (path, *more) = paths
    return path if not more and _RUN.fullmatch(path) and not os.path.lexists(path) else ""


def _of_run(wanted: str) -> _Ran:
    from gxo.cli.found import find, mend
    from gxo.cli.root import need_root
    from gxo.cli.statuses import steps_in
    from gxo.plan.codec import UnreadablePlan, UnreadableRecord
    from gxo.runtime.store import Store
    from gxo.runtime.task import from_spec

    need_root("graph RUN")
    with Store() as store:
        mend(store)
        run = find(store, wanted)
        rows = store.steps(run.id)
        streams = store.streams(run.id)
    try:
        plan = from_spec(run.spec).plan
    except (UnreadablePlan, UnreadableRecord) as error:
        raise Failure(f"cannot draw run {run.id}: {error}") from None
    steps: dict[str, StepRow | None] = dict.fromkeys(steps_in(plan))
    steps |= {row.step: row for row in rows if row.iteration < 0}
    return _Ran(run.id, plan, steps, tuple(streams))


def _document(plan: "Plan", ran: _Ran | None = None) -> dict[str, object]:
    """A graph as in docs/reference/json/graph.schema.json."""
    from gxo.cli.flows import document
    from gxo.runtime.status import Status

    steps = ran.steps if ran else {}
    stand = {name: row.status if row else Status.PENDING for name, row in steps.items()}
    return {
        "playbook": plan.playbook.text,
        "workloads": [
            {
                "name": (name := step.name.text),
                "lifecycle": step.lifecycle.policy.value,
                "module": step.action.module.text,
                "status": stand[name].value if name in stand else None,
            }
            for step in plan.steps
        ],
        "edges": [
            {"source": edge.source, "target": edge.target, "kind": edge.kind.value}
            for edge in plan.edges
        ],
        "streams": [document(row) for row in ran.streams] if ran else [],
    }


def _marks(ran: _Ran) -> "dict[str, Mark]":
    from gxo.plan.draw import Mark
    from gxo.runtime.status import Status

    pending = Mark(Status.PENDING.value, _COLOURS[Status.PENDING])
    return {
        name: Mark(_stands(row), _COLOURS[row.status]) if row else pending
        for name, row in ran.steps.items()
    }


def _stands(row: "StepRow") -> str:
    from gxo.cli.statuses import took

    lasted = f" {took(row.ended - row.started)}" if row.started and row.ended else ""
    return f"{row.status}{lasted}"

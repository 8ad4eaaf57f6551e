"""`gxo logs`: the journal of what is applied, and of nothing that only claims to be."""

import re
import sys
from collections.abc import Callable, Iterable
from contextlib import closing
from datetime import UTC, datetime
from functools import partial
from itertools import chain
from typing import TYPE_CHECKING, Annotated

import typer

from gxo.cli import complete, options, output
from gxo.cli.exits import Exit, Failure, NotPermitted
from gxo.dataclass import dataclass

if TYPE_CHECKING:
    from gxo.systemd.journal import Entry, Query

app = typer.Typer()

_RUN = re.compile(r"[0-9a-f]{12}")
_BEGINNING = re.compile(r"[0-9a-f]{1,11}")
_RUNNER = re.compile(rf"gxo-run-(?P<run>{_RUN.pattern})\.service")
_STEP = re.compile(rf"gxorun-(?P<run>{_RUN.pattern})\.(?P<step>[^.]+)\..*")
_SHOWN = 100
_BEFORE = 10
"""Lines shown by default: of the past, and before what is followed."""


@app.command(epilog="Example: gxo logs -f site.web")
def logs(
    target: Annotated[
        str | None,
        typer.Argument(
            metavar="[PLAYBOOK[.WORKLOAD] | RUN]",
            autocompletion=complete.targets,
            help="Only lines of this playbook, workload or run; by default of all that is applied.",
            show_default=False,
        ),
    ] = None,
    step: Annotated[
        str | None,
        typer.Argument(
            metavar="[STEP]", help="Only lines of this step of the run.", show_default=False
        ),
    ] = None,
    follow: Annotated[
        bool,
        typer.Option(
            "--follow", "-f", help="Then show new lines as they come; of a run, until it ends."
        ),
    ] = False,
    lines: Annotated[
        int | None,
        typer.Option(
            "--lines",
            "-n",
            metavar="N",
            min=0,
            help="Show the last N lines; by default 100, with -f 10, of a run or with --since all.",
            show_default=False,
        ),
    ] = None,
    since: Annotated[
        str,
        typer.Option(
            metavar="TIME", help="Only lines since this time: `-1h`, `today`, `2026-01-31 12:00`."
        ),
    ] = "",
    json: options.Json = False,
) -> int:
    """Show the journal of applied workloads, or of a run.

    Their own lines, and systemd's about them. A line belongs to the unit that journald noted, not
    to the one that the line claims.
    """
    from gxo.systemd.journal import Journal

    target = _whole(target, step)
    wanted = query(target, step, since)
    bounded = bool(since) or (target is not None and is_run(target))
    if lines is None and (follow or not bounded):
        lines = _BEFORE if follow else _SHOWN
    journal = Journal()
    if not journal.readable():
        raise NotPermitted(
            "cannot read the journal: not permitted; run it with sudo, or as a member of the"
            " group systemd-journal"
        )
    show = _show_json if json else partial(_show, target=target, live=follow)
    if follow:
        if unknown := _unknown(target, step):
            output.note(f"{unknown}; this waits for its lines")
        over = _ended(target) if target and is_run(target) else None
        with closing(journal.follow(wanted, lines, over)) as entries:
            show(entries)
        return Exit.DONE
    found = journal.each(wanted) if lines is None else iter(journal.read(wanted, lines))
    first = next(found, None)
    if first is not None:
        show(chain((first,), found))
    elif unknown := _unknown(target, step):
        raise Failure(f"cannot show the lines of `{step or target}`: {unknown}")
    elif not json:
        output.note(f"no lines of {step or target or 'applied workloads'} in the journal")
    return Exit.DONE


def _whole(target: str | None, step: str | None) -> str | None:
    """The target; of a run, of whose id it is the beginning, the whole id.

    An applied playbook of that name comes first. Only root can read which runs there are.
    """
    import os

    if not target or not _BEGINNING.fullmatch(target) or os.geteuid() != 0:
        return target
    from gxo.apply.store import Store as Applied
    from gxo.cli.found import find
    from gxo.runtime.store import Store

    if not step and target in Applied().playbooks():
        return target
    with Store() as store:
        return find(store, target).id if step or store.named(target) else target


def _unknown(target: str | None, step: str | None) -> str:
    """Why a target has no lines: no such playbook or workload is applied, or a run has no such
    step.

    Empty where there is one, or where only root could tell.
    """
    import os

    from gxo.apply.store import Store
    from gxo.diagnostic.base import did_you_mean

    if not target or os.geteuid() != 0:
        return ""
    if is_run(target):
        return _no_step(target, step) if step else ""
    store = Store()
    revisions = [found for name in store.playbooks() if (found := store.current(name))]
    known = [revision.playbook for revision in revisions]
    known += [f"{item.playbook}.{part.workload}" for item in revisions for part in item.parts]
    if target in known:
        return ""
    hint = did_you_mean(target, known) or "`gxo status` lists what there is"
    return f"no {'workload' if '.' in target else 'playbook'} of that name is applied; {hint}"


def _no_step(run: str, step: str) -> str:
    """Why a run has no such step; empty where it has, or there is no such run."""
    from gxo.cli.steps import with_pending
    from gxo.diagnostic.base import did_you_mean
    from gxo.runtime.store import Store

    with Store() as store:
        row = store.run(run)
        known = {each.step for each in with_pending(row, store.steps(run))} if row else {step}
    if step in known:
        return ""
    hint = did_you_mean(step, known) or f"`gxo runs show {run}` lists them"
    return f"run {run} has no such step; {hint}"


def _ended(run: str) -> Callable[[], bool]:
    """A function that says whether a run is over, however it ended: its runner is gone."""
    from gxo.systemd.bus import Bus
    from gxo.systemd.manager import Manager

    manager = Manager(Bus.system())
    return lambda: not manager.result(f"gxo-run-{run}.service").found


def is_run(target: str) -> bool:
    """Whether it is written as the id of a run."""
    return _RUN.fullmatch(target) is not None


def query(target: str | None, step: str | None, since: str) -> "Query":
    """The lines of a playbook, of one workload of it, of a run or its step, or of all there is.

    A workload's are also those of its steps in runs.
    """
    from gxo.systemd.journal import Query
    from gxo.units.names import escape

    if target and is_run(target):
        if step:  # of the runner only what it says of the step
            fields = ("GXO_RUN", target), ("GXO_STEP", step)
            own = (f"gxorun-{target}.{escape(step)}.*",)
            return Query(units=own, fields=fields, of_runs=fields, since=since)
        units = (f"gxorun-{target}.*.*", f"gxo-run-{target}.service")
        return Query(units=units, fields=(("GXO_RUN", target),), since=since)
    if step:
        raise typer.BadParameter(f"`{target}` is not the id of a run, so it has no step `{step}`")
    playbook, dot, workload = (target or "").partition(".")
    if (target and not playbook) or (dot and not workload):
        raise typer.BadParameter(f"`{target}` is not PLAYBOOK[.WORKLOAD]")
    if not target:  # the turns of schedules are runs
        return Query(units=("gxo-*.*.*", "gxo-run-*.service"), since=since)
    return Query(
        units=(f"gxo-{escape(playbook)}.{escape(workload) or '*'}.*",),
        of_runs=(
            ("GXO_PLAYBOOK", playbook),
            *((("GXO_WORKLOAD", workload),) if workload else ()),
        ),
        since=since,
    )


def _show(entries: "Iterable[Entry]", *, target: str | None, live: bool) -> None:
    """Write entries as `journalctl` does; when `live`, each goes out as it comes."""
    from gxo.cli.table import Cell, Colour, coloured, paint

    colour = coloured()
    of_run = target is not None and is_run(target)
    for entry in entries:
        stamp = datetime.fromtimestamp(entry.time / 1e6).strftime("%b %d %H:%M:%S")
        tint = Colour.DIM if entry.from_systemd else Colour.NONE
        if entry.priority <= 4:
            tint = Colour.BAD if entry.priority <= 3 else Colour.DOUBTFUL
        label = paint(Cell(_label(entry, of_run=of_run), Colour.BOLD), colour=colour)
        for line in entry.message.split("\n"):
            output.say(f"{stamp} {label}: {paint(Cell(line, tint), colour=colour)}")
        if live:
            sys.stdout.flush()


def _show_json(entries: "Iterable[Entry]") -> None:
    for entry in entries:
        whose = _whose(entry)
        instant = datetime.fromtimestamp(entry.time / 1e6, UTC)
        output.emit_line(
            {
                "time": instant.isoformat(timespec="microseconds"),
                "playbook": whose.playbook,
                "workload": whose.workload,
                "run": whose.run,
                "unit": entry.unit,
                "invocation": entry.invocation or None,
                "priority": entry.priority,
                "identifier": entry.identifier,
                "pid": entry.pid,
                "systemd": entry.from_systemd,
                "message": entry.message,
            }
        )


@dataclass(frozen=True, slots=True)
class _Whose:
    """Who a line is of or about; `run` is empty for what is applied."""

    playbook: str
    workload: str
    run: str = ""


def _whose(entry: "Entry") -> _Whose:
    """Attribute a line by its unit, which cannot be forged; a runner says which step's line it
    writes.
    """
    from gxo.units.names import parse, unescape

    if found := _RUNNER.fullmatch(entry.unit):
        return _Whose(entry.playbook, entry.step, found["run"])
    if found := _STEP.fullmatch(entry.unit):
        return _Whose(entry.playbook, unescape(found["step"]), found["run"])
    name = parse(entry.unit)
    return _Whose(name.playbook, name.workload) if name else _Whose("", "")


def _label(entry: "Entry", *, of_run: bool) -> str:
    """What stands before a line; within one run the step's name is enough."""
    whose = _whose(entry)
    if not whose.workload:
        return entry.unit
    return whose.workload if of_run else f"{whose.playbook}.{whose.workload}"

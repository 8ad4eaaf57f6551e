"""`gxo logs`: the journal of what is applied, and of nothing that only claims to be."""

import sys
from collections.abc import Iterable
from contextlib import closing
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from gxo.cli import options, output
from gxo.cli.exits import Exit, Failure, NotPermitted

if TYPE_CHECKING:
    from gxo.systemd.journal import Entry, Query

app = typer.Typer()

_SHOWN = 100
_BEFORE = 10
"""Lines shown by default: of the past, and before what is followed."""


@app.command(epilog="Example: gxo logs -f site.web")
def logs(
    target: Annotated[
        str | None,
        typer.Argument(
            metavar="[PLAYBOOK[.WORKLOAD]]",
            help="Only of this; all by default.",
            show_default=False,
        ),
    ] = None,
    follow: Annotated[
        bool, typer.Option("--follow", "-f", help="Then go on with new lines as they come.")
    ] = False,
    lines: Annotated[
        int | None,
        typer.Option(
            "--lines",
            "-n",
            metavar="N",
            min=0,
            help="The last N lines; default 100, with -f 10, with --since all.",
            show_default=False,
        ),
    ] = None,
    since: Annotated[
        str,
        typer.Option(metavar="TIME", help="Not older: `-1h`, `today`, `2026-01-31 12:00`."),
    ] = "",
    json: options.Json = False,
) -> int:
    """Show the journal of applied workloads: their own lines, and systemd's about them.

    A line counts by the unit that journald itself notes, not by what it says of itself.
    """
    from gxo.systemd.journal import Journal

    wanted = query(target, since)
    if lines is None and not since:
        lines = _BEFORE if follow else _SHOWN
    journal = Journal()
    if not journal.readable():
        raise NotPermitted(
            "cannot read the journal: not permitted; run it with sudo, or as a member of the"
            " group systemd-journal"
        )
    if follow:
        if unknown := _unknown(target):
            output.note(f"{unknown}; this waits for its lines")
        with closing(journal.follow(wanted, lines)) as entries:
            _show_json(entries) if json else _show(entries, live=True)
        return Exit.DONE
    found = journal.read(wanted, lines)
    if not found and (unknown := _unknown(target)):
        raise Failure(f"cannot show the lines of `{target}`: {unknown}")
    _show_json(found) if json else _show(found, live=False)
    if not found and not json:
        output.note(f"no lines of {target or 'applied workloads'} in the journal")
    return Exit.DONE


def _unknown(target: str | None) -> str:
    """That no such playbook or workload is applied; empty where one is, or only root could say."""
    import os

    from gxo.apply.store import Store
    from gxo.diagnostic.base import did_you_mean

    if not target or os.geteuid() != 0:
        return ""
    store = Store()
    revisions = [found for name in store.playbooks() if (found := store.current(name))]
    known = [revision.playbook for revision in revisions]
    known += [f"{item.playbook}.{part.workload}" for item in revisions for part in item.parts]
    if target in known:
        return ""
    hint = did_you_mean(target, known) or "`gxo status` lists what there is"
    return f"no {'workload' if '.' in target else 'playbook'} of that name is applied; {hint}"


def query(target: str | None, since: str) -> "Query":
    """The lines of a playbook, of one workload of it, or of all that is applied."""
    from gxo.systemd.journal import Query
    from gxo.units.names import escape

    playbook, dot, workload = (target or "").partition(".")
    if (target and not playbook) or (dot and not workload):
        raise typer.BadParameter(f"`{target}` is not PLAYBOOK[.WORKLOAD]")
    first = escape(playbook) or "*"
    return Query(units=(f"gxo-{first}.{escape(workload) or '*'}.*",), since=since)


def _show(entries: "Iterable[Entry]", *, live: bool) -> None:
    """Lines as `journalctl` has them; when `live`, each goes out as it comes."""
    from gxo.cli.table import Cell, Colour, coloured, paint

    colour = coloured()
    for entry in entries:
        stamp = datetime.fromtimestamp(entry.time / 1e6).strftime("%b %d %H:%M:%S")
        tint = Colour.DIM if entry.from_systemd else Colour.NONE
        if entry.priority <= 4:
            tint = Colour.BAD if entry.priority <= 3 else Colour.DOUBTFUL
        label = paint(Cell(_label(entry), Colour.BOLD), colour=colour)
        for line in entry.message.split("\n"):
            output.say(f"{stamp} {label}: {paint(Cell(line, tint), colour=colour)}")
        if live:
            sys.stdout.flush()


def _show_json(entries: "Iterable[Entry]") -> None:
    from gxo.units.names import parse

    for entry in entries:
        name = parse(entry.unit)
        instant = datetime.fromtimestamp(entry.time / 1e6, UTC)
        output.emit_line(
            {
                "time": instant.isoformat(timespec="microseconds"),
                "playbook": name.playbook if name else "",
                "workload": name.workload if name else "",
                "unit": entry.unit,
                "invocation": entry.invocation or None,
                "priority": entry.priority,
                "identifier": entry.identifier,
                "pid": entry.pid,
                "systemd": entry.from_systemd,
                "message": entry.message,
            }
        )


def _label(entry: "Entry") -> str:
    from gxo.units.names import parse

    name = parse(entry.unit)
    return f"{name.playbook}.{name.workload}" if name else entry.unit

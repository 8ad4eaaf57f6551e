"""`gxo rollback`: apply a recorded revision again, or list those there are."""

import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from gxo.cli import exits, options, output
from gxo.cli.exits import Exit

if TYPE_CHECKING:
    from gxo.apply.history import History

app = typer.Typer()


@app.command(epilog="Example: gxo rollback site 3")
def rollback(
    playbook: options.Playbook,
    number: Annotated[
        int | None,
        typer.Argument(metavar="[N]", help="The revision; by default the last that differs."),
    ] = None,
    show: Annotated[
        bool, typer.Option("--list", help="List the revisions; change nothing.")
    ] = False,
    yes: options.Yes = False,
    lock_timeout: options.LockTimeout = 60.0,
    json: options.Json = False,
) -> int:
    """Go back to an earlier revision of a playbook.

    `run_once` workloads are neither undone nor run again. The last ten revisions are kept; `--list`
    shows when each was applied, what it changed and the file it came from.
    """
    from gxo.apply.operations import rollback as go_back
    from gxo.apply.result import Planned
    from gxo.cli import changes
    from gxo.cli.interrupt import interrupts
    from gxo.cli.root import need_root

    if show:
        if number is not None:
            raise typer.BadParameter("give a revision to go back to or `--list`, not both")
        return _list(playbook, as_json=json)
    need_root("roll back")

    def confirm(found: Planned) -> bool:
        if json:
            return True
        changes.show(found)
        sys.stdout.flush()
        return not changes.pending(found.changes) or changes.confirmed("apply this?", yes=yes)

    with interrupts() as heard:
        applied = go_back(
            playbook,
            number,
            listen=changes.silent if json else changes.progress,
            confirm=confirm,
            lock_timeout=lock_timeout,
            cancelled=heard.asked,
        )
    if applied is None:
        output.note("nothing was changed")
        return Exit.CANCELLED
    if json:
        output.emit(changes.applied_json(applied))
    else:
        output.say(f"applied: {playbook} {applied.revisions[playbook]}")
    return Exit.DONE


def _list(playbook: str, *, as_json: bool) -> int:
    from gxo.apply.history import history
    from gxo.cli.root import need_root

    need_root(f"list revisions of `{playbook}`")
    found = history(playbook)
    if as_json:
        output.emit({"playbook": playbook, "revisions": to_json(found)})
    else:
        output.say(render(found).rstrip("\n"))
    return exits.failed(found.damaged)


def to_json(found: "History") -> list[dict[str, object]]:
    """The revisions, the newest first; the instant is RFC 3339 in UTC."""
    return [
        {
            "number": entry.number,
            "applied": _instant(entry.applied).isoformat(timespec="seconds"),
            "current": entry.current,
            "source": entry.source or None,
            "workloads": dict(entry.workloads),
            "changed": list(entry.changed),
        }
        for entry in found.entries
    ]


def render(found: "History") -> str:
    """A table of the revisions, the newest first, in the host's own time."""
    from gxo.cli.table import coloured, table

    rows = [
        (
            f"{entry.number} (current)" if entry.current else str(entry.number),
            f"{_instant(entry.applied).astimezone():%Y-%m-%d %H:%M:%S %z}",
            ", ".join(entry.changed),
            entry.source,
        )
        for entry in found.entries
    ]
    return table(rows, header=("REVISION", "APPLIED", "CHANGED", "FROM"), colour=coloured())


def _instant(microseconds: int) -> datetime:
    return datetime.fromtimestamp(microseconds / 1e6, UTC)

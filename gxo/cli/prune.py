"""`gxo runs prune`: runs that have ended, forgotten."""

from typing import Annotated

import typer

from gxo.cli import options, output
from gxo.cli.exits import Exit, Usage


def prune(
    keep: Annotated[
        int | None,
        typer.Option("--keep", metavar="N", min=0, help="Keep the newest N.", show_default=False),
    ] = None,
    older_than: Annotated[
        str | None,
        typer.Option(
            "--older-than",
            metavar="DURATION",
            help="Only runs that ended longer ago than this: `168h`, `30m`.",
            show_default=False,
        ),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only list what would be forgotten.")
    ] = False,
    json: options.Json = False,
) -> int:
    """Forget runs that have ended, with their artifacts.

    Prints their ids. gxo itself keeps the newest 1000, and of one schedule no more than 100.
    """
    from gxo.cli.root import need_root
    from gxo.runtime import clock
    from gxo.runtime.artifacts import Artifacts
    from gxo.runtime.forget import beyond, forget, too_many
    from gxo.runtime.store import Store

    need_root("runs prune")
    before = None if older_than is None else clock.now() - _duration(older_than)
    with Store() as store:
        ended = store.ended()
        if keep is None and before is None:
            found = too_many(ended)
        else:
            found = beyond(ended, keep=keep or 0, before=before)
        runs = [run.id for run in found]
        if not dry_run:
            forget(store, Artifacts(), runs)
    if json:
        output.emit({"runs": runs, "dry_run": dry_run})
        return Exit.DONE
    for run in runs:
        output.say(run)
    done = "would be forgotten" if dry_run else "forgotten"
    output.note(f"{output.counted(len(runs), 'run')} {done}, {len(ended) - len(runs)} kept")
    return Exit.DONE


def _duration(text: str) -> int:
    """Microseconds, written as in a playbook."""
    from gxo.diagnostic.base import Problem
    from gxo.language.quantity import parse_duration
    from gxo.source import Source, Span, Text

    problems: list[Problem] = []
    span = Span(Source("--older-than", text), 0, len(text))
    found = parse_duration(Text(text, span, 0), problems)
    if found is None:
        raise Usage(f"`--older-than`: {problems[0].message()}")
    return found

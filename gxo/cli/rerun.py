"""`gxo runs rerun`: a run once more, or from where it failed."""

from typing import TYPE_CHECKING, Annotated

import typer

from gxo.cli import options
from gxo.cli.exits import Failure

if TYPE_CHECKING:
    from gxo.runtime.store import RunRow, StepRow, Store
    from gxo.runtime.task import Task


def rerun(
    run: options.Run,
    from_failed: Annotated[
        bool,
        typer.Option("--from-failed", help="Take over what completed, and run only the rest."),
    ] = False,
    detach: options.Detach = False,
    json: options.Json = False,
) -> int:
    """Run it again, with its playbook as it was then.

    This is a new run, and its workspace starts empty. With --from-failed, steps that completed or
    were skipped do not run again, unless they come after one that does. What they registered can
    still be read; the files that they made are gone.
    """
    from gxo.cli.attach import start
    from gxo.cli.found import find, tidy
    from gxo.cli.given import to_hand
    from gxo.cli.root import need_root
    from gxo.runtime.store import Store
    from gxo.systemd.bus import Bus
    from gxo.systemd.manager import Manager

    need_root("runs rerun")
    with Store() as store, Bus.system() as bus:
        manager = Manager(bus)
        tidy(store, manager)
        row = find(store, run)
        task = _task(row)
        handed = to_hand(task.plan, as_json=json)
        steps = _taken_over(store, row, task) if from_failed else ()
        return start(
            store,
            manager,
            task,
            handed,
            detach=detach,
            as_json=json,
            workload=row.workload,
            taken_over=steps,
        )


def _task(row: "RunRow") -> "Task":
    from gxo.plan.codec import UnreadablePlan, UnreadableRecord
    from gxo.runtime.task import from_spec

    if not row.status.terminal:
        raise Failure(f"cannot rerun run {row.id}: it has not ended yet ({row.status})")
    try:
        return from_spec(row.spec)
    except (UnreadablePlan, UnreadableRecord) as error:
        raise Failure(
            f"cannot rerun run {row.id}: {error}; another version of gxo ran it:"
            " `gxo run` its playbook"
        ) from None


def _taken_over(store: "Store", row: "RunRow", task: "Task") -> "tuple[StepRow, ...]":
    from gxo.runtime.rerun import taken_over
    from gxo.runtime.status import Status

    if row.status is Status.COMPLETED:
        raise Failure(
            f"cannot rerun run {row.id} from where it failed: it completed;"
            " without --from-failed all of it runs again"
        )
    return taken_over(task.plan, row.id, store.steps(row.id))

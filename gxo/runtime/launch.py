"""Launch: a run put into the state and its runner started; a pipe says when there is news."""

import json
import os
from collections.abc import Sequence

from gxo.data import own_command
from gxo.dataclass import asdict, dataclass
from gxo.runtime import clock
from gxo.runtime.given import Given
from gxo.runtime.names import RunNames
from gxo.runtime.record import Record
from gxo.runtime.redact import Redactor
from gxo.runtime.status import Status
from gxo.runtime.store import RunRow, StepRow, Store
from gxo.runtime.task import Task, new_run_id, to_spec
from gxo.runtime.workspace import Workspaces
from gxo.systemd.bus import SystemdError
from gxo.systemd.jobs import Jobs, raise_if_refused
from gxo.systemd.manager import Manager
from gxo.systemd.memory import sealed
from gxo.systemd.transient import mend
from gxo.units.credential import NO_DUMP
from gxo.units.directives import directive
from gxo.units.model import Command, Property, Unit, UnitType
from gxo.units.names import ROOT_SLICE
from gxo.units.properties import properties

_PATIENCE = 30.0
# a runner that exits in good order has cleaned up itself: no second Python for that
_IF_KILLED = ("/bin/sh", "-c", '[ "$EXIT_CODE $EXIT_STATUS" = "exited 0" ] || exec "$@"', "sh")


@dataclass(frozen=True, slots=True)
class Launched:
    """A run whose runner is starting; `events` is where it says that there is news, or None."""

    id: str
    names: RunNames
    events: int | None


def launch(
    store: Store,
    manager: Manager,
    task: Task,
    *,
    attached: bool,
    given: Given,
    workload: str = "",
    taken_over: Sequence[StepRow] = (),
) -> Launched:
    """Put a run into the state as Pending, with the workspace it will have, and start its runner.

    `workload` is the one whose instance it is; `taken_over` are the steps it does not run again.
    `given` reaches the runner by a descriptor, which nobody else can read. Raises TooManyRuns, and
    SystemdError where systemd refuses the runner: the run has Failed then.
    """
    run = _submit(store, task, workload, taken_over)
    names = RunNames(run=run, playbook=task.plan.playbook.text)
    handed = sealed(json.dumps(asdict(given)))
    reader, writer = os.pipe2(os.O_CLOEXEC) if attached else (None, None)
    files = [handed, *((writer,) if writer is not None else ())]
    try:
        with manager.jobs() as jobs:
            _start(manager, jobs, names, files)
    except SystemdError as error:
        Record(store, run, Redactor(), lambda _: None).run(
            Status.FAILED, detail=f"its runner did not start: {error}", workspace=None
        )
        if reader is not None:
            os.close(reader)
        raise
    finally:
        for descriptor in files:
            os.close(descriptor)
    return Launched(run, names, reader)


def _submit(store: Store, task: Task, workload: str, taken_over: Sequence[StepRow]) -> str:
    run = new_run_id()
    row = RunRow(
        id=run,
        playbook=task.plan.playbook.text,
        workload=workload,
        status=Status.PENDING,
        created=clock.now(),
        workspace=str(Workspaces().name()),
        spec=to_spec(task),
    )
    store.add(row, taken_over, most=task.plan.max_runs)
    return run


def _start(manager: Manager, jobs: Jobs, names: RunNames, files: Sequence[int]) -> None:
    unit = _unit(names)
    handed = ("StandardInputFileDescriptor", "StandardOutputFileDescriptor")[: len(files)]
    handles = tuple(Property(name, "h", number) for number, name in enumerate(handed))
    quiet = Property("LimitCORE", "t", NO_DUMP)  # it holds every secret of the run
    job = jobs.start_transient(unit.name, (*properties(unit), quiet, *handles), files=files)
    raise_if_refused(jobs.wait(_PATIENCE, job)[job])
    mend((unit,), manager.version)


def _unit(names: RunNames) -> Unit:
    """The runner: outside its steps' slice, so that it outlives them; stopped by SIGTERM."""
    settings = (
        directive("Description", f"gxo run {names.run} of {names.playbook}"),
        directive("IgnoreOnIsolate", True),
        directive("Type", "exec"),
        directive("Slice", ROOT_SLICE),
        directive("ExecStart", Command(_own("run", names))),
        directive("ExecStopPost", Command((*_IF_KILLED, *_own("clean", names)))),
        directive("CollectMode", "inactive-or-failed"),
        directive("KillMode", "mixed"),
        directive("TimeoutStopSec", 90_000_000),
        directive("StandardOutput", "null"),
        directive("StandardError", "journal"),
        directive("LogExtraFields", f"GXO_PLAYBOOK={names.playbook}"),
        directive("LogExtraFields", f"GXO_RUN={names.run}"),
        directive("SyslogIdentifier", "gxo-run"),
    )
    return Unit(
        name=names.runner,
        type=UnitType.SERVICE,
        playbook=names.playbook,
        workload="",
        directives=settings,
        digest="",
    )


def _own(verb: str, names: RunNames) -> tuple[str, ...]:
    return own_command(verb, names.run, module="gxo.runtime")

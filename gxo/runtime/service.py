"""Service: the runner as the command of `gxo-run-ID.service`, and what cleans up behind it."""

import grp
import json
import os
import pwd
import resource
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from gxo.plan.model import Plan
from gxo.plan.outside import outside
from gxo.runtime import clock
from gxo.runtime.attempts import Attempts
from gxo.runtime.door import Door
from gxo.runtime.given import Given
from gxo.runtime.order import Order
from gxo.runtime.record import Record
from gxo.runtime.redact import Redactor
from gxo.runtime.runner import Means, Runner
from gxo.runtime.scope import Scopes
from gxo.runtime.status import Status
from gxo.runtime.step_unit import RunNames
from gxo.runtime.store import Store, StoreError
from gxo.runtime.sweep import clear, end
from gxo.runtime.task import from_spec
from gxo.runtime.tell import Bell
from gxo.runtime.workspace import WorkspaceError, make
from gxo.systemd.bus import Bus, SystemdError
from gxo.systemd.journal_write import JournalError, JournalWriter
from gxo.systemd.manager import Manager
from gxo.template.fault import Failure
from gxo.template.value import Data
from gxo.units.steps import USER

if TYPE_CHECKING:
    from gxo.runtime.secrets import Secrets

_PATIENCE = 60.0
"""Seconds for what a step left running to be stopped."""
_PRIORITIES = {"security": 2, "warning": 4}
"""In the journal (syslog(3)); of all other streams it is that of information."""


def run(run_id: str) -> int:
    """Carry out a run that stands in the state as Pending; how it ended stands there too."""
    given = Given(**json.load(sys.stdin))
    redactor = Redactor()
    sys.excepthook = lambda _, error, __: _say(error, redactor)
    _allow_many_files()
    with (
        Store() as store,
        _last_words(store, run_id, redactor),
        Bus.system() as bus,
        JournalWriter() as journal,
    ):
        row = store.run(run_id)
        assert row is not None, f"there is no run {run_id}"
        task = from_spec(row.spec)
        record = Record(store, run_id, redactor, Bell(sys.stdout.fileno()).ring)
        manager = Manager(bus)
        assert row.workspace is not None, f"run {run_id} was run before"
        path = Path(row.workspace)
        make(path, _owner())
        names = RunNames(run=run_id, playbook=row.playbook)
        fields = {"GXO_PLAYBOOK": row.playbook, "GXO_RUN": run_id}
        before = {step.step: step for step in store.steps(run_id)}  # taken over from another run
        registered: dict[str, Data] = {
            step.register.text: before[step.name.text].summary
            for step in task.plan.steps
            if step.register is not None and step.name.text in before
        }
        order = Order(task.plan, {name: step.status for name, step in before.items()})

        def line(step: str, stream: str, text: str) -> None:
            own = {**fields, "GXO_WORKLOAD": step, "GXO_STEP": step, "GXO_STREAM": stream}
            own["SYSLOG_IDENTIFIER"] = f"{row.playbook}.{step}" if step else row.playbook
            with suppress(JournalError):  # a run does not end for want of a journal
                journal.write(text, own, _PRIORITIES.get(stream, 6))

        door = Door(path, (frame.user for frame in task.frames.values()))
        record.run(Status.RUNNING, started=clock.now())
        refused = _lay_out(task.plan, path, given, record, line)
        if refused:
            order.fail()
        for step in before.values():
            record.taken_over(step)
        with manager.jobs() as jobs:
            secret = _secrets(given, redactor)
            means = Means(
                manager=manager,
                names=names,
                attempts=Attempts(manager, jobs, redactor, names, str(path), door, line),
                record=record,
                redactor=redactor,
                scopes=Scopes(
                    task.plan,
                    run=run_id,
                    workspace=str(path),
                    registered=registered,
                    statuses=order.status,
                    secret=secret,
                    environment=given.environment,
                    redactor=redactor,
                ),
                order=order,
                secret=secret,
            )
            runner = Runner(task, means, registered)
            signal.signal(signal.SIGTERM, lambda *_: runner.cancel())
            status = runner.run()
            jobs.wait(_PATIENCE, jobs.stop(names.slice))
        lost = ""
        if task.plan.artifacts:
            from gxo.runtime.keeping import keep

            lost = keep(task.plan, run_id, path)
        said = "; ".join(filter(None, (refused, lost)))
        record.run(status, detail=said, ended=clock.now())
        clear(manager, row)
    return 0


def clean(run_id: str) -> int:
    """End what a runner has left that was killed: its steps, its workspace, its row.

    It is called as ExecStopPost=. A runner that ended by SIGTERM was not up yet when it was told to
    cancel the run.
    """
    status = Status.CANCELLED if os.environ.get("EXIT_STATUS") == "TERM" else Status.FAILED
    with Store() as store, Bus.system() as bus:
        row = store.run(run_id)
        assert row is not None, f"there is no run {run_id}"
        if os.environ.get("EXIT_CODE") == "exited":
            reason = f"its runner failed: `journalctl -u gxo-run-{run_id}` has why"
            end(store, Manager(bus), row, status, reason)
        else:
            end(store, Manager(bus), row, status)
    return 0


def _lay_out(
    plan: Plan, workspace: Path, given: Given, record: Record, line: Callable[[str, str, str], None]
) -> str:
    """Have the modules from outside the library ready; why not, where one of them may not run."""
    if not outside(plan):
        return ""
    from gxo.runtime.outside import Refused, lay_out

    try:
        warnings = lay_out(plan, str(workspace), given.config)
    except Refused as error:
        line("", "security", str(error))
        return str(error)
    for warning in warnings:
        record.warning(warning)
        line("", "warning", warning)
    return ""


@contextmanager
def _last_words(store: Store, run_id: str, redactor: Redactor) -> Iterator[None]:
    """Why the runner cannot go on, left in the state for `clean`, which ends the run."""
    try:
        yield
    except (StoreError, SystemdError, WorkspaceError) as error:
        with suppress(StoreError):
            row = store.run(run_id)
            if row is not None and not row.status.terminal:
                store.update(run_id, detail=redactor.text(f"its runner failed: {error}"))
        raise


def _secrets(given: Given, redactor: Redactor) -> Callable[[str], str]:
    """What `secret` calls: most runs never do, and load nothing for it."""
    made: list[Secrets] = []

    def secret(name: str) -> str:
        if not made:
            from gxo.config.read import ConfigError, load_config
            from gxo.runtime.secrets import Secrets

            try:
                providers = load_config(given.config).providers
            except ConfigError as error:
                raise Failure(f"the configuration cannot be used: {error}") from None
            made.append(Secrets(providers, given.secrets, redactor))
        return made[0](name)

    return secret


def _say(error: BaseException, redactor: Redactor) -> None:
    """What ended the runner, for its journal: a message may hold what it was about."""
    import traceback

    sys.stderr.write(redactor.text("".join(traceback.format_exception(error))))


def _allow_many_files() -> None:
    """As many as this host lets it have: each step that runs holds two open."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def _owner() -> tuple[int, int] | None:
    with suppress(KeyError):
        return pwd.getpwnam(USER).pw_uid, grp.getgrnam(USER).gr_gid
    return None

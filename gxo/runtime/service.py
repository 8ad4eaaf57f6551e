"""Service: the runner as the command of `gxo-run-ID.service`, and what cleans up behind it."""

import grp
import json
import os
import pwd
import resource
import signal
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from gxo.dataclass import dataclass
from gxo.plan.model import Plan
from gxo.plan.outside import outside
from gxo.runtime import clock
from gxo.runtime.attempts import Attempts
from gxo.runtime.door import Door
from gxo.runtime.given import Given
from gxo.runtime.means import Means
from gxo.runtime.names import RunNames
from gxo.runtime.order import Order
from gxo.runtime.record import Record
from gxo.runtime.redact import Redactor
from gxo.runtime.runner import Runner
from gxo.runtime.scope import Scopes
from gxo.runtime.status import Status
from gxo.runtime.store import EventRow, RunRow, StepRow, Store, StoreError
from gxo.runtime.sweep import clear, end
from gxo.runtime.task import Task, from_spec
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

Line = Callable[[str, str, str], None]
"""Writes to the journal what a step (empty for the run itself) told in a stream."""

_PATIENCE = 60.0
"""Seconds for what a step left running to be stopped."""
_PRIORITIES = {"security": 2, "failure": 3, "warning": 4}
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
        line = partial(_line, journal, row)
        bell = Bell(sys.stdout.fileno())

        def tell(event: EventRow) -> None:
            bell.ring(event)
            if noted := _noted(event):
                line(event.step, *noted)

        record = Record(store, run_id, redactor, tell)
        _Run(store, Manager(bus), line, given, redactor, record, row).carry_out()
    return 0


@dataclass(frozen=True, slots=True)
class _Run:
    """One run, with what its runner works with."""

    store: Store
    manager: Manager
    line: Line
    given: Given
    redactor: Redactor
    record: Record
    row: RunRow

    def carry_out(self) -> None:
        """Make the workspace, run the steps, keep the artifacts, and write down how it ended."""
        task = from_spec(self.row.spec)
        make(self.workspace, _owner())
        door = Door(self.workspace, (frame.user for frame in task.frames.values()))
        before = {step.step: step for step in self.store.steps(self.row.id)}
        order = Order(task.plan, {name: step.status for name, step in before.items()})
        self.record.run(Status.RUNNING, started=clock.now())
        refused = self._lay_out(task.plan)
        if refused:
            order.fail()
        for step in before.values():  # taken over from another run
            self.record.taken_over(step)
        with self.manager.jobs() as jobs:
            attempts = Attempts(
                manager=self.manager,
                jobs=jobs,
                redactor=self.redactor,
                names=self.names,
                workspace=str(self.workspace),
                door=door,
                line=self.line,
            )
            runner = self._runner(task, order, attempts, before)
            signal.signal(signal.SIGTERM, lambda *_: runner.cancel())
            status = runner.run()
            jobs.wait(_PATIENCE, jobs.stop(self.names.slice))
        said = "; ".join(filter(None, (refused, self._keep(task.plan))))
        self.record.run(status, detail=said, ended=clock.now())
        clear(self.manager, self.row)

    @property
    def names(self) -> RunNames:
        return RunNames(run=self.row.id, playbook=self.row.playbook)

    @property
    def workspace(self) -> Path:
        assert self.row.workspace is not None, f"run {self.row.id} was run before"
        return Path(self.row.workspace)

    def _runner(
        self, task: Task, order: Order, attempts: Attempts, before: Mapping[str, StepRow]
    ) -> Runner:
        registered: dict[str, Data] = {
            step.register.text: before[step.name.text].summary
            for step in task.plan.steps
            if step.register is not None and step.name.text in before
        }
        secret = _secrets(self.given, self.redactor)
        scopes = Scopes(
            task.plan,
            run=self.row.id,
            workspace=str(self.workspace),
            registered=registered,
            statuses=order.status,
            secret=secret,
            environment=self.given.environment,
            redactor=self.redactor,
        )
        means = Means(
            task=task,
            manager=self.manager,
            names=self.names,
            attempts=attempts,
            record=self.record,
            redactor=self.redactor,
            scopes=scopes,
            order=order,
            secret=secret,
        )
        return Runner(means, registered)

    def _lay_out(self, plan: Plan) -> str:
        """Copy the modules from outside the library; why one may not run, empty where all may."""
        if not outside(plan):
            return ""
        from gxo.runtime.outside import Refused, lay_out

        try:
            warnings = lay_out(plan, str(self.workspace), self.given.config)
        except Refused as error:
            self.line("", "security", str(error))
            return str(error)
        for warning in warnings:
            self.record.warning(warning)
        return ""

    def _keep(self, plan: Plan) -> str:
        """Keep the artifacts; in words, which could not be kept and why."""
        if not plan.artifacts:
            return ""
        from gxo.runtime.keeping import keep

        return keep(plan, self.row.id, self.workspace)


def _line(journal: JournalWriter, row: RunRow, step: str, stream: str, text: str) -> None:
    """A line for the journal, of a step or of the run itself."""
    fields = {
        "GXO_PLAYBOOK": row.playbook,
        "GXO_RUN": row.id,
        "GXO_WORKLOAD": step,
        "GXO_STEP": step,
        "GXO_STREAM": stream,
        "SYSLOG_IDENTIFIER": f"{row.playbook}.{step}" if step else row.playbook,
    }
    with suppress(JournalError):  # a run does not end for want of a journal
        journal.write(text, fields, _PRIORITIES.get(stream, 6))


def _noted(event: EventRow) -> tuple[str, str] | None:
    """What the journal says of an event, and in which stream; None for nothing.

    It tells why something failed. A breach of security is logged where it is seen.
    """
    if event.event == "warning":
        return "warning", event.detail
    if event.event == "retry":
        return "warning", f"retrying: {event.detail}"
    if event.status == Status.FAILED and not event.detail.startswith("security: "):
        if event.event == "step":
            return "failure", f"failed: {event.detail}"
        if event.event == "item":
            return "failure", f"item {event.iteration} failed: {event.detail}"
    return None


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
            reason = f"its runner failed: `journalctl -u gxo-run-{run_id}` says why"
            end(store, Manager(bus), row, status, reason)
        else:
            end(store, Manager(bus), row, status)
    return 0


@contextmanager
def _last_words(store: Store, run_id: str, redactor: Redactor) -> Iterator[None]:
    """Where the runner cannot go on, leave the reason in the state for `clean` to end the run."""
    try:
        yield
    except (StoreError, SystemdError, WorkspaceError) as error:
        with suppress(StoreError):
            row = store.run(run_id)
            if row is not None and not row.status.terminal:
                store.update(run_id, detail=redactor.text(f"its runner failed: {error}"))
        raise


def _secrets(given: Given, redactor: Redactor) -> Callable[[str], str]:
    """The function `secret`. It loads the providers at its first call: most runs never make one."""
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
    """Write what ended the runner to its journal, redacted: a message may quote data."""
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

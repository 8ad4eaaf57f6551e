"""Held: the supervised workloads of a run, up from when they may start until the run's end."""

import time
from collections.abc import Callable, Collection
from functools import partial
from pathlib import Path

from gxo.dataclass import dataclass
from gxo.plan.model import Plan, Step
from gxo.runtime.means import Means
from gxo.runtime.redact import Redactor
from gxo.runtime.status import Status
from gxo.runtime.step_unit import service_unit
from gxo.spec.lifecycle import SECOND, Ready, Supervise
from gxo.systemd.bus import PROPERTIES, TimedOut
from gxo.systemd.ending import describe
from gxo.systemd.jobs import Outcome
from gxo.systemd.manager import Manager, unit_path
from gxo.systemd.states import UnitResult
from gxo.systemd.transient import mend
from gxo.units.credential import credential, recipe
from gxo.units.model import Directive, Unit
from gxo.units.names import WorkloadNames
from gxo.units.properties import properties

_UP = ("active", "reloading", "refreshing")
_BEAT = 1.0
"""Seconds after which all are looked at again: a signal can be lost."""


class CannotHold(Exception):
    """A service that cannot be started on this host; the text says why."""


@dataclass(slots=True)
class _Service:
    """A service of the run. `due` is when it has settled, on the monotonic clock; None while it
    starts.
    """

    step: Step
    unit: str
    began: int
    made: Unit
    due: float | None = None
    up: bool = False
    stopping: bool = False


Ended = Callable[[Step, Status, int, str], None]
"""Told of a step, how it ended, when it began, and why it failed."""


class Held:
    """Keeps services up. `up` is called for each that is ready, `ended` for each that is over."""

    def __init__(self, means: Means, up: Callable[[Step], None], ended: Ended) -> None:
        self._plan = means.plan
        self._manager = means.manager
        self._attempts = means.attempts
        self._names = means.names
        self._order = means.order
        self._secret = means.secret
        self._redactor = means.redactor
        self._up = up
        self._ended = ended
        self._services: dict[str, _Service] = {}
        self._changed = self._cancelled = False
        self._looked = 0.0

    def start(self, step: Step, began: int) -> None:
        """Start a service. Raises CannotHold."""
        own = own_directives(self._manager, self._plan, step, self._names.run)
        self._hand_over(step, own)
        name = self._names.step(step.name.text, 0)
        made = service_unit(self._plan, self._names, name, step, own)
        service = _Service(step, name, began, made)
        jobs = self._attempts.jobs
        path = unit_path(service.unit)
        jobs.loop.subscribe(path, PROPERTIES, "PropertiesChanged", self._note)
        job = jobs.start_transient(service.unit, properties(made))
        self._services[service.unit] = service
        self._attempts.expect(job, partial(self._started, service))

    @property
    def unsettled(self) -> bool:
        """Whether any is starting or stopping."""
        return any(
            self._cancelled or not service.up or service.stopping
            for service in self._services.values()
        )

    @property
    def news(self) -> bool:
        """Whether `look` may find something."""
        return self._changed

    @property
    def wait(self) -> float:
        """Seconds until the next `look` is due."""
        now = time.monotonic()
        due = [s.due - now for s in self._services.values() if s.due is not None and not s.up]
        return _BEAT if self._cancelled else max(min(due, default=_BEAT), 0.0)

    def cancel(self) -> None:
        """Note that all units of the run are being stopped."""
        self._cancelled = self._changed = True

    def look(self) -> None:
        """Read the states of all services, and act on those that have changed."""
        known = [unit for unit, service in self._services.items() if service.due is not None]
        now = time.monotonic()
        due = self._changed or self.wait <= 0 or now - self._looked >= _BEAT
        self._changed = False  # what is only starting tells by the end of its job
        if not known or not due:
            return
        self._looked = now
        try:
            results = self._manager.results(known)
        except TimedOut:  # systemd executes itself again, or is busy: the next look will tell
            return
        for unit, found in results.items():
            service = self._services.get(unit)
            if service is not None and not service.stopping:
                self._judge(service, found)

    def release(self, wanted: Collection[str]) -> bool:
        """Stop those that are up, since nothing runs any more; whether there were any.

        `wanted` are kept as long as there are others: once those have ended, a step may start that
        needs them. Of steps that wait for the end of each other's services, one gets its own so.
        """
        up = [service for service in self._services.values() if service.up]
        ending = [service for service in up if service.step.name.text not in wanted] or up[:1]
        status = self._ends_as() if ending else Status.COMPLETED
        for service in ending:
            self._stop(service, status, "")
        return bool(ending)

    def _hand_over(self, step: Step, own: tuple[Directive, ...]) -> None:
        """Write the file that its unit loads its secrets from, if it has any. Raises CannotHold."""
        path = credential(own)
        if not path:
            return
        from gxo.runtime.handover import put
        from gxo.runtime.secrets import SecretError
        from gxo.runtime.service_secrets import handout

        names = WorkloadNames(self._plan.playbook.text, step.name.text, run=self._names.run)
        masked = Redactor()  # it is told what to mask, and so of no secret but its own

        def secret(name: str) -> str:
            found = self._secret(name)
            masked.add(found)
            return found

        try:
            at = f"/run/{names.workspace}"
            found = handout(recipe(own), at, secret, masked)
            put(Path(path), found.handed)
        except (OSError, SecretError) as error:
            raise CannotHold(f"cannot give it its secrets: {error}") from None
        finally:
            self._redactor.join(masked)

    def _note(self, _args: tuple[object, ...]) -> None:
        self._changed = True

    def _started(self, service: _Service, outcome: Outcome) -> None:
        ready = _ready(service.step)
        if outcome.ok:
            mend((service.made,), self._manager.version)
            service.due = time.monotonic() + ready.settle / SECOND
            self._changed = True
        elif outcome.error is not None:
            self._end(service, Status.FAILED, f"systemd refused it: {outcome.error}")
        else:
            found = self._manager.result(service.unit)
            said = describe(found) if found.found else "it ended"
            status = Status.CANCELLED if outcome.cancelled else Status.FAILED
            self._give_up(service, status, said)

    def _judge(self, service: _Service, found: UnitResult) -> None:
        settle = _ready(service.step).settle / SECOND
        is_up = found.active in _UP
        if self._cancelled:
            if not is_up and found.active not in ("activating", "deactivating"):
                self._end(service, Status.CANCELLED, "")
        elif service.up:
            if found.active == "failed":
                said = f"{describe(found)}, and it will not be started again"
                self._give_up(service, Status.FAILED, said)
            elif not found.found or found.active == "inactive":
                self._end(service, self._ends_as(), "")
        elif not is_up or found.restarts:
            said = describe(found) if found.found else "it ended"
            self._give_up(service, Status.FAILED, f"{said} within {settle:g} s of its start")
        elif service.due is not None and service.due <= time.monotonic():
            service.up = True
            self._up(service.step)

    def _ends_as(self) -> Status:
        """The status of a service that ended well. A runner that is being stopped gets its SIGTERM
        only after its units are gone, so its job is looked at.
        """
        runner = self._manager.named(self._names.runner)[self._names.runner]
        return Status.CANCELLED if runner.job == "stop" else Status.COMPLETED

    def _give_up(self, service: _Service, status: Status, detail: str) -> None:
        """Stop a service that has failed: systemd may be about to restart it."""
        service.up = True
        self._stop(service, status, detail)

    def _stop(self, service: _Service, status: Status, detail: str) -> None:
        """Stop a service, which ends with this status even if it had to be killed."""
        service.stopping = True
        self._order.down(service.step.name.text)
        job = self._attempts.jobs.stop(service.unit)
        self._attempts.expect(job, lambda _: self._end(service, status, detail))

    def _end(self, service: _Service, status: Status, detail: str) -> None:
        self._manager.reset_failed(service.unit)
        del self._services[service.unit]
        self._ended(service.step, status, service.began, detail)


def own_directives(manager: Manager, plan: Plan, step: Step, run: str) -> tuple[Directive, ...]:
    """The directives that `apply` would give it on this host. Raises CannotHold."""
    from gxo.systemd.host import host_of, unenforced
    from gxo.units.steps import supervised_in_run
    from gxo.units.target import Target

    host = host_of(manager)
    made, problems = supervised_in_run(
        plan, step, Target(systemd=host.systemd, gaps=unenforced(host)), run
    )
    if not made:
        raise CannotHold("; ".join(problem.message() for problem in problems))
    return made


def _ready(step: Step) -> Ready:
    assert isinstance(step.lifecycle, Supervise)
    return step.lifecycle.readiness

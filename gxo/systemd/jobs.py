"""Jobs: starting and stopping many units at once, and the result of each job.

systemd answers a start with the path of a job, and reports the job's result by the signal
JobRemoved (org.freedesktop.systemd1(5)). That may come before the answer with the path: so the
signal is subscribed to before the first call, and its results are kept by path.
"""

from collections.abc import Sequence
from enum import StrEnum

from gxo.dataclass import dataclass
from gxo.systemd.bus import MANAGER, MANAGER_PATH, Bus, SystemdError
from gxo.systemd.closing import Closing
from gxo.systemd.loop import Loop
from gxo.systemd.values import Variant, pack, pack_properties
from gxo.units.model import Property

Aux = Sequence[tuple[str, Sequence[Property]]]

AT_ONCE = 128
"""Things asked for and not over, of one caller. While there is a job systemd has a match on the bus
for who asked for it; dbus-daemon allows it 512, and before version 258 it takes one refused for the
loss of its bus: it closes the connection, and answers and signals under way are lost.
"""


class JobResult(StrEnum):
    """The result of a job, in systemd's words. REFUSED: no job was made; WAITING: it goes on."""

    DONE = "done"
    FAILED = "failed"
    CANCELED = "canceled"
    TIMEOUT = "timeout"
    DEPENDENCY = "dependency"
    SKIPPED = "skipped"
    INVALID = "invalid"
    ASSERT = "assert"
    UNSUPPORTED = "unsupported"
    COLLECTED = "collected"
    ONCE = "once"
    FROZEN = "frozen"
    CONCURRENCY = "concurrency"
    REFUSED = "refused"
    WAITING = "waiting"

    @classmethod
    def _missing_(cls, _value: object) -> "JobResult":
        return cls.FAILED


@dataclass(frozen=True, slots=True)
class Job:
    """A call that asks systemd for a job; `number` is unique within one Jobs."""

    number: int
    verb: str
    unit: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How a job ended; `error` says why systemd REFUSED it, else None."""

    job: Job
    result: JobResult
    error: SystemdError | None = None

    @property
    def ok(self) -> bool:
        """The unit is now as asked; a start that a condition made systemd skip counts."""
        return self.result in (JobResult.DONE, JobResult.SKIPPED)

    @property
    def cancelled(self) -> bool:
        """Another job took its place, or what it is bound to was stopped."""
        return self.result in (JobResult.CANCELED, JobResult.DEPENDENCY)


class Jobs(Closing):
    """A batch of jobs: ask for many, then wait. Calls are sent at once, answers come in `wait`.

    Use as a context manager. systemd takes the calls in the order of asking, so that a later unit
    may name an earlier one in its dependencies.
    """

    def __init__(self, bus: Bus) -> None:
        self.loop = Loop(bus)
        self._number = 0
        self._awaited: dict[str, list[Job]] = {}
        self._removed: dict[str, str] = {}
        self._open: set[Job] = set()
        self._ended: dict[Job, Outcome] = {}
        self._told: set[Job] = set()
        self.loop.subscribe(MANAGER_PATH, MANAGER, "JobRemoved", self._job_removed)
        self.loop.ask_for_signals()

    def close(self) -> None:
        self.loop.close()

    def start_transient(
        self,
        name: str,
        properties: Sequence[Property],
        aux: Aux = (),
        *,
        mode: str = "fail",
        files: Sequence[int] = (),
    ) -> Job:
        """Create and start a unit; `aux` are further units made with it (a timer's service).

        A property of type `h` is a number of `files`, which are copied.
        ValueError where a property's value does not fit its signature.
        """
        from gi.repository import GLib

        extra = [
            GLib.Variant.new_tuple(GLib.Variant.new_string(unit), pack_properties(own))
            for unit, own in aux
        ]
        args = GLib.Variant.new_tuple(
            GLib.Variant.new_string(name),
            GLib.Variant.new_string(mode),
            pack_properties(properties),
            GLib.Variant.new_array(GLib.VariantType("(sa(sv))"), extra),
        )
        return self._ask("start", name, "StartTransientUnit", args, files)

    def start(self, unit: str, *, mode: str = "replace") -> Job:
        """Start a unit that systemd knows; starting an active one ends at once as done."""
        return self._ask("start", unit, "StartUnit", pack("ss", (unit, mode)))

    def stop(self, unit: str, *, mode: str = "replace") -> Job:
        return self._ask("stop", unit, "StopUnit", pack("ss", (unit, mode)))

    def reload(self, unit: str, *, mode: str = "replace") -> Job:
        return self._ask("reload", unit, "ReloadUnit", pack("ss", (unit, mode)))

    def wait(self, timeout: float, *jobs: Job) -> dict[Job, Outcome]:
        """The outcomes of these jobs, or of all not returned before, in the order of the calls.

        A job that has not ended within `timeout` seconds is WAITING, and can be waited for again.
        Raises Unreachable where the connection ends first.
        """
        untold = (self._open | self._ended.keys()) - self._told
        wanted = sorted(jobs or untold, key=lambda job: job.number)
        self.loop.run(lambda: self._open.isdisjoint(wanted), timeout)
        self._told.update(self._ended.keys() & wanted)
        waiting = JobResult.WAITING
        return {job: self._ended.get(job, Outcome(job=job, result=waiting)) for job in wanted}

    @property
    def news(self) -> bool:
        """There is an outcome that was not returned yet."""
        return len(self._ended) > len(self._told)

    def ended(self, timeout: float) -> tuple[Outcome, ...]:
        """Wait for outcomes that were not returned before; none where `timeout` seconds bring none.

        Raises Unreachable where the connection ends first.
        """
        self.loop.run(lambda: self.news, timeout)
        fresh = tuple(outcome for job, outcome in self._ended.items() if job not in self._told)
        self._told.update(outcome.job for outcome in fresh)
        return fresh

    def _ask(
        self, verb: str, unit: str, method: str, args: Variant, files: Sequence[int] = ()
    ) -> Job:
        self._number += 1
        job = Job(self._number, verb, unit)
        self._open.add(job)

        def answered(answer: Variant | None, error: SystemdError | None) -> None:
            if answer is None:
                self._end(job, JobResult.REFUSED, error)
                return
            path = answer.get_child_value(0).get_string()
            if path in self._removed:
                self._end(job, JobResult(self._removed[path]))
            else:
                self._awaited.setdefault(path, []).append(job)
            if not self.loop.busy:
                self._removed.clear()

        self.loop.submit(MANAGER_PATH, MANAGER, method, args, answered, files=files)
        return job

    def _job_removed(self, args: tuple[int, str, str, str]) -> None:
        _, path, _, result = args
        if path in self._awaited:
            for job in self._awaited.pop(path):
                self._end(job, JobResult(result))
        # one job answers two calls for one unit where systemd merges them
        if self.loop.busy:
            self._removed[path] = result

    def _end(self, job: Job, result: JobResult, error: SystemdError | None = None) -> None:
        self._open.discard(job)
        self._ended[job] = Outcome(job=job, result=result, error=error)


def raise_if_refused(outcome: Outcome) -> Outcome:
    """The outcome itself; BusError and its kin where systemd refused the job."""
    if outcome.error is not None:
        raise outcome.error
    return outcome

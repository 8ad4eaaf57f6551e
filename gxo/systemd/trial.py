"""What this host really enforces: short services each try to break one limit.

That systemd accepts a directive proves nothing: on a host whose cgroup v2 tree lacks a controller,
or in a container without the right to mount, it starts the service all the same.
"""

import secrets
from collections.abc import Iterator, Sequence

from gxo.dataclass import dataclass
from gxo.systemd.jobs import JobResult, Outcome
from gxo.systemd.manager import Manager
from gxo.systemd.states import UnitResult
from gxo.units.model import Property

_TIMEOUT = 40.0
_BATCH = 8
# systemd's own steps before the program exit with 200 and more (systemd.exec(5))
_SETUP_FAILED = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """A service that succeeds only where its directives are not enforced.

    `control` are the properties of its control; `alone`: it measures time, and runs by itself.
    """

    name: str
    protects: str
    directives: tuple[str, ...]
    properties: tuple[Property, ...]
    argv: tuple[str, ...]
    control: tuple[Property, ...] = ()
    alone: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """`enforced` is None where it could not be tried; `reason` says why, or what was seen."""

    trial: Trial
    enforced: bool | None
    reason: str


def attempt(manager: Manager, tried: Sequence[Trial]) -> tuple[Verdict, ...]:
    """Run trials and judge each; all take a second or two. Raises BusError, Unreachable.

    Beside each runs a control, the same program without the directives: where that fails too, the
    trial proves nothing. Only root may start services. Nothing is left behind.
    """
    found: dict[Trial, Verdict] = {}
    for batch in _batches(tried):
        found |= _together(manager, batch)
    return tuple(found[trial] for trial in tried)


def _batches(tried: Sequence[Trial]) -> Iterator[Sequence[Trial]]:
    """Batches small enough for a slow machine; trials that measure time come alone."""
    patient = [trial for trial in tried if not trial.alone]
    yield from (patient[at : at + _BATCH] for at in range(0, len(patient), _BATCH))
    yield from ([trial] for trial in tried if trial.alone)


def _together(manager: Manager, tried: Sequence[Trial]) -> dict[Trial, Verdict]:
    """Run trials side by side, each with its control."""
    mark = f"gxo-doctor-{secrets.token_hex(4)}"
    with manager.jobs() as jobs:
        asked = {
            trial: (
                jobs.start_transient(
                    f"{mark}-{trial.name}.service", _service(trial, trial.properties)
                ),
                jobs.start_transient(
                    f"{mark}-{trial.name}-control.service", _service(trial, trial.control)
                ),
            )
            for trial in tried
        }
        outcomes = jobs.wait(_TIMEOUT)
        results = manager.results(job.unit for pair in asked.values() for job in pair)
        for unit in results:
            jobs.stop(unit)
        jobs.wait(_TIMEOUT)
    for unit in results:
        manager.reset_failed(unit)
    return {
        trial: _judge(trial, outcomes[job], results[job.unit], outcomes[control])
        for trial, (job, control) in asked.items()
    }


def _service(trial: Trial, more: tuple[Property, ...]) -> tuple[Property, ...]:
    return (
        Property("Description", "s", f"gxo doctor tries {trial.name}"),
        Property("Type", "s", "oneshot"),
        Property("TimeoutStartUSec", "t", 30_000_000),
        Property("RemainAfterExit", "b", True),
        Property("StandardOutput", "s", "null"),
        Property("StandardError", "s", "null"),
        *more,
        Property("ExecStart", "a(sasb)", ((trial.argv[0], trial.argv, False),)),
    )


def _judge(trial: Trial, outcome: Outcome, result: UnitResult, control: Outcome) -> Verdict:
    enforced: bool | None = None
    if outcome.ok:
        enforced, reason = False, "the service did what it must not do"
    elif outcome.error is not None:
        reason = f"systemd refuses it: {outcome.error}"
    elif outcome.result is not JobResult.FAILED:
        reason = f"the trial ended as {outcome.result}"
    elif result.code == "exited" and result.status >= _SETUP_FAILED:
        reason = f"systemd cannot set it up here (exit status {result.status})"
    elif not control.ok:
        reason = "the trial fails without the limit as well"
    else:
        enforced, reason = True, f"the service was stopped ({result.code} {result.status})"
    return Verdict(trial=trial, enforced=enforced, reason=reason)

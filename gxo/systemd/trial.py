"""What this host really enforces, found by trying: short services that break a limit each.

That systemd accepts a directive proves nothing: on a host whose cgroup v2 tree lacks a controller,
or in a container without the right to mount, it starts the service all the same.
"""

import secrets
import sys
from collections.abc import Sequence

from gxo.dataclass import dataclass
from gxo.systemd.jobs import JobResult, Outcome
from gxo.systemd.manager import Manager
from gxo.systemd.states import UnitResult
from gxo.units.model import Property

_TIMEOUT = 20.0
_MIB = 1 << 20
# systemd's own steps before the program exit with 200 and more (systemd.exec(5))
_SETUP_FAILED = 200
# sends a datagram to itself: refused with EPERM where the kernel filters by address
_SEND = "import socket; socket.socket(2, 2).sendto(b'', ('127.0.0.1', 9))"


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """A service that ends well only where its directives do nothing.

    `since` is the first systemd that has them.
    """

    name: str
    protects: str
    directives: tuple[str, ...]
    properties: tuple[Property, ...]
    argv: tuple[str, ...]
    since: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """`enforced` is None where it could not be tried; `reason` says why, or what was seen."""

    trial: Trial
    enforced: bool | None
    reason: str


def _shell(script: str) -> tuple[str, ...]:
    return ("/bin/sh", "-c", script)


def _same_namespace(kind: str) -> tuple[str, ...]:
    """Ends well in the namespace of PID 1; not even to be allowed to look counts as another."""
    return _shell(f'test "$(readlink /proc/self/ns/{kind})" = "$(readlink /proc/1/ns/{kind})"')


def trials() -> tuple[Trial, ...]:
    """All that is tried; none of it changes anything on the host, whatever is enforced."""
    return (
        Trial(
            name="memory-limit",
            protects="a workload cannot take more memory than its memory_max",
            directives=("MemoryMax",),
            properties=(
                Property("MemoryMax", "t", 16 * _MIB),
                Property("MemorySwapMax", "t", 0),
            ),
            # tail keeps a line until it ends, and this one does not
            argv=_shell("head -c 64M /dev/zero | tail >/dev/null"),
        ),
        Trial(
            name="task-limit",
            protects="a workload cannot start more processes than its tasks_max",
            directives=("TasksMax",),
            properties=(Property("TasksMax", "t", 4),),
            argv=_shell("for i in 1 2 3 4 5 6; do sleep 0.1 & done; wait"),
        ),
        Trial(
            name="read-only-system",
            protects="a workload writes nowhere but in its own directories",
            directives=("ProtectSystem", "ReadWritePaths", "TemporaryFileSystem"),
            properties=(Property("ProtectSystem", "s", "strict"),),
            argv=_shell("test -w /usr"),
        ),
        Trial(
            name="system-calls",
            protects="a workload is killed for system calls outside its profile",
            directives=("SystemCallFilter",),
            properties=(
                Property("SystemCallFilter", "(bas)", (False, ("uname",))),
                Property("NoNewPrivileges", "b", True),
            ),
            argv=("/bin/uname",),
        ),
        Trial(
            name="private-network",
            protects="a workload without network reaches none",
            directives=("PrivateNetwork",),
            properties=(Property("PrivateNetwork", "b", True),),
            argv=_same_namespace("net"),
        ),
        Trial(
            name="address-filter",
            protects="a workload talks only to the addresses it may",
            directives=("IPAddressAllow", "IPAddressDeny"),
            properties=(
                Property(
                    "IPAddressDeny", "a(iayu)", ((2, tuple(bytes(4)), 0), (10, tuple(bytes(16)), 0))
                ),
            ),
            argv=(sys.executable, "-I", "-S", "-c", _SEND),
        ),
        Trial(
            name="private-ipc",
            protects="a workload sees no one else's shared memory",
            directives=("PrivateIPC",),
            properties=(Property("PrivateIPC", "b", True),),
            argv=_same_namespace("ipc"),
        ),
        Trial(
            name="private-users",
            protects="a workload is root of nothing outside its own users",
            directives=("PrivateUsers",),
            properties=(Property("PrivateUsers", "b", True),),
            argv=_same_namespace("user"),
        ),
        Trial(
            name="private-processes",
            protects="a workload sees no process but its own",
            directives=("PrivatePIDs",),
            properties=(Property("PrivatePIDs", "s", "yes"),),
            # PID 1 of its own; systemd makes one dollar of two
            argv=_shell("test $$$$ -ne 1"),
            since=257,
        ),
    )


def attempt(manager: Manager, tried: Sequence[Trial]) -> tuple[Verdict, ...]:
    """Run all trials side by side, some 200 ms, and judge each. Raises BusError, Unreachable.

    Beside each runs a control, the same program without the directives: where that does not end
    well either, the trial says nothing. Only root may start services. Nothing is left behind.
    """
    version = manager.version
    mark = f"gxo-doctor-{secrets.token_hex(4)}"
    runnable = [trial for trial in tried if trial.since <= version]
    with manager.jobs() as jobs:
        asked = {
            trial: (
                jobs.start_transient(f"{mark}-{trial.name}.service", _service(trial, limited=True)),
                jobs.start_transient(f"{mark}-{trial.name}-control.service", _service(trial)),
            )
            for trial in runnable
        }
        outcomes = jobs.wait(_TIMEOUT)
        results = manager.results(job.unit for pair in asked.values() for job in pair)
        for unit in results:
            jobs.stop(unit)
        jobs.wait(_TIMEOUT)
    for unit in results:
        manager.reset_failed(unit)
    verdicts = []
    for trial in tried:
        if trial not in asked:
            reason = f"needs systemd {trial.since}, this is {version}"
            verdicts.append(Verdict(trial=trial, enforced=False, reason=reason))
            continue
        job, control = asked[trial]
        verdicts.append(_judge(trial, outcomes[job], results[job.unit], outcomes[control]))
    return tuple(verdicts)


def _service(trial: Trial, *, limited: bool = False) -> tuple[Property, ...]:
    return (
        Property("Description", "s", f"gxo doctor tries {trial.name}"),
        Property("Type", "s", "oneshot"),
        Property("TimeoutStartUSec", "t", 10_000_000),
        Property("RemainAfterExit", "b", True),
        Property("StandardOutput", "s", "null"),
        Property("StandardError", "s", "null"),
        *(trial.properties if limited else ()),
        Property("ExecStart", "a(sasb)", ((trial.argv[0], trial.argv, False),)),
    )


def _judge(trial: Trial, outcome: Outcome, result: UnitResult, control: Outcome) -> Verdict:
    enforced: bool | None = None
    if outcome.ok:
        enforced, reason = False, "the service did what it must not"
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

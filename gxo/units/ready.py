"""Ready: readiness that cannot come about as a playbook says, told before it is waited for."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from gxo.diagnostic.base import Problem
from gxo.diagnostic.lazy import Lazy
from gxo.plan.model import Step
from gxo.spec.lifecycle import Address, Backoff, ReadyKind, Restart, Supervise
from gxo.spec.policy import Profile
from gxo.units import scripts

if TYPE_CHECKING:
    from gxo.diagnostic import units as faults
else:
    faults = Lazy("gxo.diagnostic.units")

_FREE = 1024
"""From here on ports are anybody's (ip(7), unless a sysctl says otherwise)."""
_BIND = "CAP_NET_BIND_SERVICE"


def doubtful(step: Step) -> Iterator[Problem]:
    """What to warn of in how a service gets ready."""
    lifecycle = step.lifecycle
    if not isinstance(lifecycle, Supervise) or lifecycle.ready is None:
        return
    ready = lifecycle.ready
    if ready.when is ReadyKind.NOTIFY and lifecycle.restart is not Restart.NEVER:
        # systemd has one limit for both: the gap before a start, and the start
        backoff = lifecycle.backoff or Backoff(span=lifecycle.span)
        if ready.timeout < backoff.max and len(scripts.gaps(backoff)) > 1:
            yield faults.ReadyLater(span=ready.where("timeout"), longest=backoff.max)
    if isinstance(ready.when, Address) and ready.when.port < _FREE:
        context = step.security
        if context.profile is not Profile.HOST and _BIND not in context.capabilities:
            yield faults.LowPort(span=ready.where("when"), port=ready.when.port)

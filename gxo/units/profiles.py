"""Security profiles: the directives of `default`, `strict` and `host`, in full.

These lists are final: a changed one would change the digest of every unit that has it. What each
directive is for, and what was left out, stands in docs/reference/security-profiles.md.
"""

from errno import EPERM

from gxo.spec.policy import Profile
from gxo.units.directives import directive as d
from gxo.units.model import Directive

DEFAULT_FILTER = "@system-service"
"""What `default-minimal` stands for (systemd.exec(5), SystemCallFilter=)."""

_UNPRIVILEGED: tuple[Directive, ...] = (
    d("NoNewPrivileges", True),
    d("PrivateUsers", True),
    d("PrivateMounts", True),
    d("PrivateTmp", True),
    d("PrivateDevices", True),
    d("PrivateIPC", True),
    d("ProtectSystem", "strict"),
    d("ProtectHome", "yes"),
    d("ProtectProc", "invisible"),
    d("ProtectControlGroups", True),
    d("ProtectKernelModules", True),
    d("ProtectKernelLogs", True),
    d("ProtectClock", True),
    d("CapabilityBoundingSet", ()),
    d("RestrictNamespaces", ()),
    d("RestrictRealtime", True),
    d("RestrictSUIDSGID", True),
    d("LockPersonality", True),
    d("RestrictAddressFamilies", ("AF_UNIX", "AF_INET", "AF_INET6", "AF_NETLINK")),
    d("SystemCallArchitectures", ("native",)),
    d("SystemCallErrorNumber", EPERM),
    d("KeyringMode", "private"),
    d("UMask", 0o077),
)
_STRICT: tuple[Directive, ...] = (
    d("PrivateNetwork", True),
    d("ProtectKernelTunables", True),
    d("ProtectHostname", True),
    d("ProcSubset", "pid"),
    d("MemoryDenyWriteExecute", True),
)
_HOST: tuple[Directive, ...] = (
    d("RestrictRealtime", True),
    d("KeyringMode", "private"),
    d("UMask", 0o022),
)
_STRICT_FILTER = (d("SystemCallFilter", ("~@privileged", "@resources")),)

# PID 1 of a PID namespace gets no signal it has no handler for: most programs would not stop at
# SIGTERM, only at the SIGKILL after the stop timeout. So it is part of `strict` alone.
_PID_NAMESPACE_SINCE = 257


def profile(name: Profile, systemd: int, *, own_pids: bool) -> tuple[Directive, ...]:
    """The directives of a profile without its system call filter and its user.

    `own_pids`: systemd can give the workload's user a PID namespace.
    """
    if name is Profile.HOST:
        return _HOST
    if name is Profile.DEFAULT:
        return _UNPRIVILEGED
    if systemd < _PID_NAMESPACE_SINCE or not own_pids:
        return (*_UNPRIVILEGED, *_STRICT)
    return (*_UNPRIVILEGED, *_STRICT, d("PrivatePIDs", "yes"))


def filters(name: Profile) -> tuple[Directive, ...]:
    """The system call filter of a profile, before the playbook's own `allow` and `deny`."""
    if name is Profile.HOST:
        return ()
    base = (d("SystemCallFilter", (DEFAULT_FILTER,)),)
    return base if name is Profile.DEFAULT else (*base, *_STRICT_FILTER)

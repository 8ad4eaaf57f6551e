"""The launcher of PID namespaces before systemd 257: what it stands in front of, and refuses."""

from typing import Any

import pytest

from gxo.spec.lifecycle import RunOnce, Supervise
from gxo.spec.policy import (
    CallAction,
    CallProfile,
    CallRule,
    Namespaces,
    Profile,
    RootFilesystem,
    Seccomp,
    SecurityContext,
)
from gxo.units.build import compile_units
from gxo.units.files import render_file
from gxo.units.target import Target
from tests.unit.units_plans import SPAN, plan, step

OWN = Namespaces(span=SPAN, pid=True)
OLD = Target(systemd=252)
UNSHARE = "ExecStart=:/usr/bin/unshare --pid --fork --kill-child --mount-proc -- "


def compiled(*, reload: Any = None, params: Any = None, **keys: Any) -> tuple[str, list[str]]:
    """The unit's file on systemd 252, and all problems."""
    security = SecurityContext(span=SPAN, namespaces=OWN, **keys)
    lifecycle = Supervise(span=SPAN, reload=reload) if reload else RunOnce(span=SPAN)
    given = params or {"command": "/bin/x"}
    made, problems = compile_units(plan(step("a", lifecycle, security, **given)), OLD)
    return "".join(map(render_file, made)), [f"{p.severity}: {p.message()}" for p in problems]


def setpriv(*sets: str, kept: str = "-all") -> str:
    return "".join(["/usr/bin/setpriv ", *(f"--{name}={kept} " for name in sets), "-- "])


def starts(text: str) -> str:
    (line,) = (line for line in text.splitlines() if line.startswith("ExecStart="))
    return line


@pytest.mark.parametrize(
    ("keys", "front"),
    [
        ({}, setpriv("inh-caps", "ambient-caps", "bounding-set")),
        ({"profile": Profile.HOST}, ""),
        ({"profile": Profile.HOST, "user": "daemon"}, setpriv("inh-caps", "ambient-caps")),
        (
            {"capabilities": ("CAP_NET_RAW", "CAP_KILL")},
            setpriv("inh-caps", "ambient-caps", "bounding-set", kept="-all,+net_raw,+kill"),
        ),
    ],
)
def test_the_program_keeps_what_it_asked_for(keys: dict[str, Any], front: str) -> None:
    """All that the launcher has beside that is given up; root of the host has all as it is."""
    text, problems = compiled(**keys)
    assert problems == []
    assert starts(text) == f"{UNSHARE}{front}/bin/x"


def test_the_power_ends_within_the_workloads_users() -> None:
    """Only who asks for capabilities goes without a user namespace, as without the key."""
    lines = compiled()[0].splitlines()
    assert "PrivateUsers=yes" in lines
    assert "CapabilityBoundingSet=CAP_SETPCAP CAP_SYS_ADMIN" in lines
    assert "AmbientCapabilities=CAP_SETPCAP CAP_SYS_ADMIN" in lines
    assert "RestrictNamespaces=mnt pid" in lines
    filters = [line for line in lines if line.startswith("SystemCallFilter=")]
    assert filters == ["SystemCallFilter=@system-service", "SystemCallFilter=capset mount"]
    assert "ProtectKernelLogs=yes" not in lines  # its mount over /proc/kmsg would be in the way
    assert "PrivateUsers" not in compiled(capabilities=("CAP_KILL",))[0]


def test_the_kernels_log_stays_closed() -> None:
    """What a playbook allows does not open what ProtectKernelLogs= would have closed."""
    text, _ = compiled(seccomp=Seccomp(span=SPAN, allow=("syslog",)))
    filters = [line for line in text.splitlines() if line.startswith("SystemCallFilter=")]
    assert filters[-1] == "SystemCallFilter=~syslog"


def test_every_other_command_gives_them_up_too() -> None:
    """Those that wait, forget and reload, which root's variables would lead astray."""
    drop = setpriv("inh-caps", "ambient-caps", "bounding-set")
    params = {"command": "/bin/x", "environment": ["LD_PRELOAD=/x.so"]}
    text, problems = compiled(reload=("/bin/r",), params=params)
    assert problems == []
    lines = [line for line in text.splitlines() if line.startswith("Exec")]
    assert [line.partition("=")[0] for line in lines] == [
        *("ExecStartPre", "ExecStart", "ExecStop", "ExecReload")
    ]
    for line in lines:
        before, found, _ = line.partition(f"{drop}/usr/bin/env LD_PRELOAD=/x.so /bin/")
        assert found, line
        assert before.partition("=")[2] in (":", "-:", UNSHARE.partition("=")[2])
    assert "Environment=LD_PRELOAD" not in text


def test_a_program_with_an_equals_sign() -> None:
    """To env(1) it would be a variable: the shell starts it."""
    params = {"command": "/opt/a=b", "args": ["c"], "environment": ["V=1"]}
    text, _ = compiled(params=params)
    assert starts(text).endswith('/usr/bin/env V=1 /bin/sh -c "exec \\"$0\\" \\"$@\\"" /opt/a=b c')


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        (
            {"root_filesystem": RootFilesystem(span=SPAN, path="/srv/root")},
            "error: cannot use this root filesystem: the PID namespace, before systemd 257, is made"
            " by programs of the host",
        ),
        (
            {"capabilities": ("CAP_SYS_ADMIN",)},
            "error: cannot use this list of capabilities: CAP_SYS_ADMIN leads out of a PID"
            " namespace, before systemd 257",
        ),
        ({"seccomp": Seccomp(span=SPAN, deny=("@mount",))}, "mount"),
        ({"seccomp": Seccomp(span=SPAN, deny=("@process",))}, "prctl"),
        ({"seccomp": Seccomp(span=SPAN, deny=("capset",))}, "capset"),
        ({"profile": Profile.HOST, "seccomp": Seccomp(span=SPAN, allow=("read",))}, "capset"),
        ({"seccomp": Seccomp(span=SPAN, deny=("@swap",))}, ""),
        (
            {"profile": Profile.STRICT, "allow_degraded": ("ProcSubset",)},
            "error: cannot enforce ProtectKernelTunables=: a PID namespace, before systemd 257, has"
            " a /proc without it",
        ),
        ({"profile": Profile.STRICT, "allow_degraded": True}, ""),
    ],
)
def test_what_cannot_be_made_safe(keys: dict[str, Any], said: str) -> None:
    """It is an error, and not done halfway."""
    if said and not said.startswith("error"):
        said = (
            "error: cannot use this seccomp filter: a PID namespace, before systemd 257, is made by"
            f" calls of which it denies `{said}`"
        )
    errors = [text for text in compiled(**keys)[1] if text.startswith("error")]
    assert errors == ([said] if said else [])


def test_filters_out_of_files() -> None:
    """One that lets the launcher work is taken as it is; of another the first call is named."""
    calls = ("capset", "mount", "prctl", "unshare")

    def listed(default: CallAction, action: CallAction, *names: str) -> list[str]:
        rules = (CallRule(span=SPAN, names=names, action=action),)
        found = CallProfile(span=SPAN, default=default, rules=rules)
        return compiled(seccomp=Seccomp(span=SPAN, profile_path="/p.json", listed=found))[1]

    assert listed(CallAction.ERRNO, CallAction.ALLOW, *calls) == []
    assert "denies `unshare`" in listed(CallAction.ERRNO, CallAction.ALLOW, *calls[:-1])[0]
    assert listed(CallAction.ALLOW, CallAction.KILL, "reboot") == []
    assert "denies `mount`" in listed(CallAction.ALLOW, CallAction.KILL, "mount")[0]


def test_a_reload_by_signal_is_refused_as_on_257() -> None:
    """Its main process is none of the workload's."""
    assert compiled(reload="SIGHUP")[1] == [
        "error: cannot use this reload signal: nothing can signal into a PID namespace of its own"
    ]

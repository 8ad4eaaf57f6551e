"""The protections that `gxo doctor` tries, each by a service that does what a directive forbids.

None changes anything on the host, even where nothing is enforced: what would change something is
asked for in a way that the kernel refuses with another error.
"""

import os
import sys
from collections.abc import Sequence

from gxo.spec.host import CAPABILITIES
from gxo.systemd.trial import Trial
from gxo.units.launcher import SINCE, plain, started_with
from gxo.units.model import Property

_MIB = 1 << 20
_EPERM = 1
_NOBODY = Property("User", "s", "nobody")
# sends a datagram to itself: refused with EPERM where the kernel filters by address
_SEND = "import _socket; _socket.socket(2, 2).sendto(b'', ('127.0.0.1', 9))"
# a priority of 0 is invalid for this policy: the kernel says so where the call reaches it
_REALTIME = """import os
try: os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(0))
except OSError as error: raise SystemExit(error.errno != 22)"""
# getpid(2) by the 32-bit gate: mov eax, 20; int 0x80; ret
_FOREIGN = r"""import ctypes, mmap
m = mmap.mmap(-1, 4096, prot=7); m.write(b"\xb8\x14\0\0\0\xcd\x80\xc3")
ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(m)))()"""
# the session keyring: root's services without a private one share the user's, named _uid…
_KEYRING = """import ctypes, os
text = ctypes.create_string_buffer(99)
number = {"x86_64": 250}.get(os.uname().machine, 219)
ctypes.CDLL(None).syscall(number, 6, -3, text, 99)
raise SystemExit(b"_uid" not in text.value)"""
_PROCESSES = ("private-processes", "a workload sees no process but its own")
_WRITABLE_GROUPS = "/sys/fs/cgroup /sys/fs/cgroup/systemd /sys/fs/cgroup/unified"
_WRITABLE_SETTINGS = "/proc/sys/net/ipv4/ip_forward /proc/sys/kernel/pid_max"


def trials(systemd: int) -> tuple[Trial, ...]:
    """All trials for a systemd of that version, in the order of the report."""
    return (*_limits(), *_files(), *_network(), *_apart(systemd), *_rights(), *_calls())


def _limits() -> tuple[Trial, ...]:
    return (
        _trial(
            "memory-limit",
            "a workload cannot take more memory than its memory_max",
            # tail keeps a line until it ends, and this one does not
            _shell("head -c 32M /dev/zero | tail >/dev/null"),
            Property("MemoryMax", "t", 16 * _MIB),
            Property("MemorySwapMax", "t", 0),
            directives=("MemoryMax",),
        ),
        _trial(
            "task-limit",
            "a workload cannot start more processes than its tasks_max",
            _shell("for i in 1 2 3 4 5 6; do sleep 0.1 & done; wait"),
            Property("TasksMax", "t", 4),
        ),
        _trial(
            "cpu-limit",
            "a workload gets no more CPU time than its cpu_quota",
            # 40 ms of work, which takes two seconds at 2%, and a busy host gives in time
            (
                "/usr/bin/timeout",
                "1.2",
                *_python("import time\nwhile time.process_time() < 0.04: 0"),
            ),
            Property("CPUQuotaPerSecUSec", "t", 20_000),
            directives=("CPUQuota",),
            alone=True,
        ),
    )


def _files() -> tuple[Trial, ...]:
    return (
        _trial(
            "read-only-system",
            "a workload writes only in its own directories",
            _shell("test -w /usr"),
            Property("ProtectSystem", "s", "strict"),
            directives=("ProtectSystem", "ReadWritePaths"),
        ),
        _trial(
            "read-only-paths",
            "a workload cannot write in its read_only_paths",
            _shell("test -w /var"),
            Property("ReadOnlyPaths", "as", ("/var",)),
        ),
        _trial(
            "hidden-homes",
            "a workload sees no one's home",
            _shell("test -w /root"),
            Property("ProtectHome", "s", "yes"),
        ),
        _trial(
            "hidden-state",
            "a step of a run sees nothing of gxo's own, and no other run",
            _shell("test -e /etc/passwd"),
            Property("TemporaryFileSystem", "a(ss)", (("/etc", ""),)),
        ),
        _trial(
            "other-root",
            "a workload with a root_filesystem sees nothing else",
            _shell("test -e /etc/passwd"),
            Property("RootDirectory", "s", "/usr"),
        ),
        _trial(
            "private-tmp",
            "a workload has temporary files of its own",
            _same_file("/tmp"),  # noqa: S108 - looked at, not used
            Property("PrivateTmp", "b", True),
        ),
        _trial(
            "private-devices",
            "a workload reaches no device",
            _same_file("/dev"),
            Property("PrivateDevices", "b", True),
        ),
        _trial(
            "control-groups",
            "a workload cannot change control groups",
            _any_writable(_WRITABLE_GROUPS),
            Property("ProtectControlGroups", "b", True),
        ),
        _trial(
            "kernel-settings",
            "a workload cannot change settings of the kernel",
            _any_writable(_WRITABLE_SETTINGS),
            Property("ProtectKernelTunables", "b", True),
        ),
        _trial(
            "setuid-files",
            "a workload makes no set-uid file",
            _python("import os; os.fchmod(os.memfd_create('doctor'), 0o4755)"),
            Property("RestrictSUIDSGID", "b", True),
        ),
        _trial(
            "file-modes",
            "what a workload makes is closed to others",
            _shell("test $(umask) = 0022"),
            Property("UMask", "u", 0o077),
        ),
    )


def _network() -> tuple[Trial, ...]:
    everything = ((2, tuple(bytes(4)), 0), (10, tuple(bytes(16)), 0))
    return (
        _trial(
            "private-network",
            "a workload without network reaches none",
            _same_namespace("net"),
            Property("PrivateNetwork", "b", True),
        ),
        _trial(
            "address-filter",
            "a workload talks only to the addresses it may",
            _python(_SEND),
            Property("IPAddressDeny", "a(iayu)", everything),
            directives=("IPAddressAllow", "IPAddressDeny"),
        ),
        _trial(
            "socket-kinds",
            "a workload makes only the kinds of sockets it may",
            _python("import _socket; _socket.socket(2, 2)"),
            Property("RestrictAddressFamilies", "(bas)", (True, ("AF_UNIX",))),
        ),
    )


def _apart(systemd: int) -> tuple[Trial, ...]:
    return (
        _trial(
            "private-mounts",
            "a workload's mounts are its own",
            _same_namespace("mnt"),
            Property("PrivateMounts", "b", True),
        ),
        _trial(
            "private-ipc",
            "a workload sees no one else's shared memory",
            _same_namespace("ipc"),
            Property("PrivateIPC", "b", True),
        ),
        _trial(
            "private-users",
            "a workload is root of nothing outside its own users",
            _same_namespace("user"),
            Property("PrivateUsers", "b", True),
        ),
        _trial(
            "private-hostname",
            "a workload cannot name the host",
            _same_namespace("uts"),
            Property("ProtectHostname", "b", True),
        ),
        _processes() if systemd >= SINCE else _launched_processes(),
        _trial(
            "hidden-processes",
            "a workload sees no process of other users",
            _shell("test -e /proc/1/status"),
            Property("ProtectProc", "s", "invisible"),
            always=(_NOBODY,),
        ),
        _trial(
            "hidden-kernel",
            "a strict workload sees nothing in /proc but processes",
            _shell("test -e /proc/meminfo"),
            Property("ProcSubset", "s", "pid"),
        ),
        _trial(
            "private-keys",
            "a workload has kernel keys of its own",
            _python(_KEYRING),
            Property("KeyringMode", "s", "private"),
            control=(Property("KeyringMode", "s", "inherit"),),
        ),
    )


def _processes() -> Trial:
    return _trial(
        *_PROCESSES,
        # PID 1 of its own; systemd makes one dollar of two
        _shell("test $$$$ -ne 1"),
        Property("PrivatePIDs", "s", "yes"),
    )


def _launched_processes() -> Trial:
    """The trial of the launcher, which fails without its capabilities."""
    alone = _shell("set -- /proc/[0-9]*; test $$$$ = 1 -a $# = 1 && exit 77")
    held = sum(1 << CAPABILITIES.index(name) for name in started_with(()))
    return _trial(
        *_PROCESSES,
        (*_shell('"$@"; test $? -ne 77'), "sh", *plain().main, *alone),
        Property("PrivateUsers", "b", True),
        Property("CapabilityBoundingSet", "t", held),
        Property("AmbientCapabilities", "t", held),
        directives=("PrivatePIDs",),
        always=(_NOBODY,),
    )


def _rights() -> tuple[Trial, ...]:
    return (
        _trial(
            "own-user",
            "a workload runs as a user that nothing else runs as",
            _shell("test $(id -u) = 0"),
            Property("DynamicUser", "b", True),
            directives=("DynamicUser", "User"),
        ),
        _trial(
            "no-new-privileges",
            "a workload gains nothing by set-uid programs",
            _shell("grep -q '^NoNewPrivs:.0$' /proc/self/status"),
            Property("NoNewPrivileges", "b", True),
        ),
        _trial(
            "capabilities",
            "a workload has only the capabilities it asks for",
            _shell("! grep -q '^CapBnd:.0*$' /proc/self/status"),
            Property("CapabilityBoundingSet", "t", 0),
        ),
        _trial(
            "kernel-modules",
            "a workload loads no kernel module",
            _shell(f"{_capable(16)} || test -w /usr/lib/modules"),
            Property("ProtectKernelModules", "b", True),
        ),
        _trial(
            "kernel-log",
            "a workload does not read the kernel's log",
            _same_file("/proc/kmsg"),
            Property("ProtectKernelLogs", "b", True),
        ),
        _trial(
            "clock",
            "a workload does not set the clock",
            _shell(_capable(25)),
            Property("ProtectClock", "b", True),
        ),
    )


def _calls() -> tuple[Trial, ...]:
    no_uname = Property("SystemCallFilter", "(bas)", (False, ("uname",)))
    found = (
        _trial(
            "system-calls",
            "a workload makes no system call outside its profile",
            ("/bin/uname",),
            no_uname,
            Property("NoNewPrivileges", "b", True),
            directives=("SystemCallFilter",),
        ),
        _trial(
            "refused-calls",
            "a refused system call is an error, and does not kill the workload",
            _shell("uname; code=$?; test $code = 0 -o $code -gt 128"),
            no_uname,
            Property("SystemCallErrorNumber", "i", _EPERM),
            directives=("SystemCallErrorNumber",),
        ),
        _trial(
            "namespaces",
            "a workload makes no namespace",
            ("/usr/bin/unshare", "--uts", "true"),
            Property("RestrictNamespaces", "t", 0),
        ),
        _trial(
            "realtime",
            "a workload cannot take the CPUs for itself",
            _python(_REALTIME),
            Property("RestrictRealtime", "b", True),
        ),
        _trial(
            "personality",
            "a workload keeps its execution domain",
            ("/usr/bin/setarch", "-R", "true"),
            Property("LockPersonality", "b", True),
        ),
        _trial(
            "code-in-memory",
            "a strict workload does not run memory that it wrote",
            _python("import mmap; mmap.mmap(-1, 4096, prot=7)"),
            Property("MemoryDenyWriteExecute", "b", True),
        ),
    )
    if os.uname().machine != "x86_64":  # no other is tried: most have no second set of calls
        return found
    foreign = _trial(
        "foreign-calls",
        "a workload makes no system call of another architecture",
        _python(_FOREIGN),
        Property("SystemCallArchitectures", "as", ("native",)),
    )
    return (*found, foreign)


def _trial(
    name: str,
    protects: str,
    argv: tuple[str, ...],
    *properties: Property,
    directives: Sequence[str] = (),
    control: tuple[Property, ...] = (),
    always: tuple[Property, ...] = (),
    alone: bool = False,
) -> Trial:
    """A trial; its directives are named as its properties are, unless given."""
    return Trial(
        name=name,
        protects=protects,
        directives=tuple(directives) or tuple(entry.name for entry in properties),
        properties=(*always, *properties),
        control=(*always, *control),
        argv=argv,
        alone=alone,
    )


def _shell(script: str) -> tuple[str, ...]:
    return ("/bin/sh", "-c", script)


def _python(code: str) -> tuple[str, ...]:
    return (sys.executable, "-I", "-S", "-c", code)


def _same_namespace(kind: str) -> tuple[str, ...]:
    """Succeeds in the namespace of PID 1, and fails also where it may not look."""
    return _shell(f'test "$(readlink /proc/self/ns/{kind})" = "$(readlink /proc/1/ns/{kind})"')


def _same_file(path: str) -> tuple[str, ...]:
    """Succeeds where the path is the same file for PID 1."""
    return _shell(f"test {path} -ef /proc/1/root{path}")


def _any_writable(paths: str) -> tuple[str, ...]:
    return _shell(f"for each in {paths}; do test ! -w $each || exit 0; done; exit 1")


def _capable(number: int) -> str:
    """Succeeds where the bounding set has that capability."""
    bits = "$(sed -n 's/^CapBnd:.//p' /proc/self/status)"
    return f"test $((0x{bits} >> {number} & 1)) = 1"

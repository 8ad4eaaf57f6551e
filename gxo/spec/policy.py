"""Policies of a workload beside its lifecycle: retry, channels, state, security."""

from enum import StrEnum
from errno import EPERM
from typing import ClassVar

from gxo.dataclass import dataclass
from gxo.spec.lifecycle import SECOND, Placed


class Overflow(StrEnum):
    BLOCK = "block"
    DROP_NEW = "drop_new"
    DROP_OLDEST = "drop_oldest"
    ERROR = "error"


@dataclass(frozen=True, slots=True, kw_only=True)
class Retry(Placed):
    """`attempts` is the total, `jitter` a fraction of each delay.

    Delays grow by `backoff_factor` up to `max_delay`.
    """

    attempts: int = 1
    delay: int = SECOND
    max_delay: int | None = None
    backoff_factor: float = 1.0
    jitter: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelPolicy(Placed):
    """`buffer_size` in bytes is the pipe's size; None leaves the kernel's own."""

    buffer_size: int | None = None
    overflow_strategy: Overflow = Overflow.BLOCK


class Profile(StrEnum):
    DEFAULT = "default"
    STRICT = "strict"
    HOST = "host"


@dataclass(frozen=True, slots=True, kw_only=True)
class RootFilesystem(Placed):
    """A tree at `path`, or a file system in the file or device `image`: one of the two."""

    either: ClassVar = frozenset({"path", "image"})

    path: str | None = None
    image: str | None = None
    read_only: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Resources(Placed):
    """Limits of the cgroup: bytes, thousandths of a percent of one CPU, tasks, weight."""

    memory_max: int | None = None
    cpu_quota: int | None = None
    tasks_max: int | None = None
    io_weight: int | None = None


class CallAction(StrEnum):
    """What happens to a system call: the actions of libseccomp that systemd can express."""

    ALLOW = "SCMP_ACT_ALLOW"
    LOG = "SCMP_ACT_LOG"
    ERRNO = "SCMP_ACT_ERRNO"
    KILL = "SCMP_ACT_KILL_PROCESS"


@dataclass(frozen=True, slots=True, kw_only=True)
class CallRule(Placed):
    """What happens to these system calls; `errno` is for the action ERRNO."""

    names: tuple[str, ...]
    action: CallAction
    errno: int = EPERM


@dataclass(frozen=True, slots=True, kw_only=True)
class CallProfile(Placed):
    """The content of a seccomp profile's file; no call stands in two rules that differ.

    `default` and `errno` are for all other calls; `architectures` are in systemd's words.
    """

    default: CallAction
    errno: int = EPERM
    architectures: tuple[str, ...] = ("native",)
    rules: tuple[CallRule, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Seccomp(Placed):
    """`listed` is the content of the file at `profile_path`: read for plans, None in playbooks."""

    profile: str = "default-minimal"
    allow: tuple[str, ...] = ()
    deny: tuple[str, ...] = ()
    profile_path: str | None = None
    listed: CallProfile | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Namespaces(Placed):
    """None leaves the profile's own choice."""

    pid: bool | None = None
    mount: bool | None = None
    ipc: bool | None = None
    uts: bool | None = None
    user: bool | None = None
    net: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Network(Placed):
    allow: tuple[str, ...] = ()
    deny: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SecurityContext(Placed):
    """How a workload is isolated (docs/reference/security-profiles.md).

    `allow_degraded`: the directives that a host need not enforce; True: all of them.
    """

    profile: Profile = Profile.DEFAULT
    user: str | None = None
    root_filesystem: RootFilesystem | None = None
    resources: Resources | None = None
    seccomp: Seccomp | None = None
    namespaces: Namespaces | None = None
    capabilities: tuple[str, ...] = ()
    read_write_paths: tuple[str, ...] = ()
    read_only_paths: tuple[str, ...] = ()
    network: Network | None = None
    allow_degraded: bool | tuple[str, ...] = False

    def degradable(self, directive: str) -> bool:
        """Whether the workload may run on a host that does not enforce the directive."""
        allowed = self.allow_degraded
        return allowed if isinstance(allowed, bool) else directive in allowed

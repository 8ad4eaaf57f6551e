"""The table of keys, policies: retry, channels, state, security."""

from typing import TYPE_CHECKING

from gxo.diagnostic.lazy import Lazy
from gxo.language.hostkinds import (
    USER_NAME,
    AbsolutePath,
    Capability,
    Const,
    CpuQuota,
    Degradable,
    Network,
    SystemCall,
)
from gxo.language.kinds import Bool, Choice, Duration, Int, Named, Number, Size
from gxo.language.model import LoopControl, TaskPolicy
from gxo.language.reader import Reader
from gxo.language.section import Key, ListOf, Places, Section, Values, first_line
from gxo.source import Name, Span
from gxo.spec import policy
from gxo.template.value import Literal, MapValue

if TYPE_CHECKING:
    from gxo.diagnostic import keys as key_faults
else:
    key_faults = Lazy("gxo.diagnostic.keys")

_PATHS = ListOf(AbsolutePath(), "absolute paths", unique=True)
_CALLS = ListOf(SystemCall(), "system calls", unique=True)
_NETWORKS = ListOf(Network(), "networks", unique=True)


def _retry(reader: Reader, span: Span, at: Places, values: Values) -> policy.Retry:
    made = policy.Retry(span=span, at=at, **values)
    both = at.keys() & {"delay", "max_delay"} <= values.keys()  # else a default stands for one
    if both and made.max_delay is not None and made.max_delay < made.delay:
        reader.problems.append(
            key_faults.Disordered(
                span=made.where("max_delay"),
                key="max_delay",
                other="delay",
                first=made.where("delay"),
            )
        )
    return made


def _root_filesystem(
    reader: Reader, span: Span, at: Places, values: Values
) -> policy.RootFilesystem | None:
    if "path" in at and "image" in at:
        reader.problems.append(
            key_faults.KeysExclude(
                span=at["image"],
                section="`root_filesystem`",
                name="image",
                other="path",
                first=at["path"],
                advice="`path` is a directory, `image` a file with a file system in it",
            )
        )
        return None
    if "path" not in at and "image" not in at:
        reader.problems.append(
            key_faults.NeedsOneOf(
                span=first_line(span),
                section="`root_filesystem`",
                names=("path", "image"),
                example="path: /srv/roots/web",
            )
        )
        return None
    if "path" not in values and "image" not in values:  # which has been told
        return None
    return policy.RootFilesystem(span=span, at=at, **values)


def _state_policy(_: Reader, span: Span, at: Places, values: Values) -> MapValue:
    entries = tuple((Name(key, at[key]), Literal(word, at[key])) for key, word in values.items())
    return MapValue(entries, span)


def _loop_control(_: Reader, span: Span, at: Places, values: Values) -> LoopControl:
    name = values.pop("loop_var", None)
    if name is not None:
        values["loop_var"] = name.text
    return LoopControl(span=span, at=at, **values)


RETRY = Section(
    "retry",
    "`retry`",
    "Tries again after a failure, after growing delays.",
    (
        Key("attempts", Int(1, 1000), "How many attempts in all.", "3", default="1"),
        Key("delay", Duration(), "The delay before the second attempt.", "5s", default="1s"),
        Key("max_delay", Duration(), "The delay grows up to this.", "1m"),
        Key(
            "backoff_factor",
            Number(1, 100),
            "The delay is multiplied by this after each attempt.",
            "2",
            default="1",
        ),
        Key(
            "jitter",
            Number(0, 1),
            "Each delay is longer or shorter by up to this fraction, at random.",
            "0.1",
            default="0",
        ),
    ),
    build=_retry,
)

LOOP_CONTROL = Section(
    "loop_control",
    "`loop_control`",
    "How a loop runs.",
    (
        Key(
            "loop_var",
            Named("a loop variable", word=True),
            "The name under which templates in `params` read the item.",
            "host",
            default="item",
        ),
        Key("parallel", Int(1, 10_000), "How many items run at a time.", "4", default="1"),
    ),
    build=_loop_control,
)

CHANNEL_POLICY = Section(
    "channel_policy",
    "`channel_policy`",
    "How much a stream may hold, and what happens when it is full.",
    (
        Key(
            "buffer_size",
            Size(4096, "4K"),
            "Size of the pipe; without it, the kernel's default.",
            "256K",
        ),
        Key(
            "overflow_strategy",
            Choice(policy.Overflow),
            "What happens to a producer when the pipe is full.",
            "drop_oldest",
            default="block",
        ),
    ),
    model=policy.ChannelPolicy,
)

STATE_POLICY = Section(
    "state_policy",
    "`state_policy`",
    "Not in this version: how workloads see what others registered.",
    (
        Key(
            "access_mode",
            Const("deep_copy"),
            "Each workload works on a copy of its own.",
            "deep_copy",
            default="deep_copy",
        ),
    ),
    build=_state_policy,
)

TASK_POLICY = Section(
    "task_policy",
    "`task_policy`",
    "Defaults for all workloads that end by themselves.",
    (
        Key("retry", RETRY, "As for a workload.", "{attempts: 3}"),
        Key("timeout", Duration("1ms"), "As for a workload.", "10m"),
        Key("ignore_errors", Bool(), "As for a workload.", "true", default="false"),
        Key("skip_on_no_input", Bool(), "As for a workload.", "true", default="false"),
    ),
    model=TaskPolicy,
)

ROOT_FILESYSTEM = Section(
    "root_filesystem",
    "`root_filesystem`",
    "Another file system tree in place of the host's.",
    (
        Key("path", AbsolutePath(), "Its top directory.", "/srv/roots/web"),
        Key("image", AbsolutePath(), "A file that holds it, instead of `path`.", "/srv/web.raw"),
        Key("read_only", Bool(), "Whether it is read-only.", "false", default="true"),
    ),
    build=_root_filesystem,
)

RESOURCES = Section(
    "resources",
    "`resources`",
    "Limits of the workload's control group.",
    (
        Key("memory_max", Size(1 << 20, "1M"), "The most memory; beyond it, it is killed.", "512M"),
        Key("cpu_quota", CpuQuota(), "Share of CPUs; `150%` is one and a half.", "150%"),
        Key("tasks_max", Int(1, 4_194_304), "The most processes and threads.", "100"),
        Key("io_weight", Int(1, 10_000), "Share of disk time; 100 is the default.", "200"),
    ),
    model=policy.Resources,
)

SECCOMP = Section(
    "seccomp",
    "`seccomp`",
    "Which system calls it may make.",
    (
        Key(
            "profile",
            Const("default-minimal"),
            "The list to start from.",
            "default-minimal",
            default="default-minimal",
        ),
        Key("allow", _CALLS, "Further calls to allow.", "[ptrace]", default="[]"),
        Key(
            "deny",
            _CALLS,
            "Calls to deny; this overrides `allow`.",
            "['@network-io']",
            default="[]",
        ),
        Key(
            "profile_path",
            AbsolutePath(),
            "A list in the JSON form of OCI and libseccomp, in place of `profile`.",
            "/etc/gxo/seccomp.json",
        ),
    ),
    model=policy.Seccomp,
)

NAMESPACES = Section(
    "namespaces",
    "`namespaces`",
    "What it has of its own; the profile decides what is left out here.",
    (
        Key("pid", Bool(), "Processes: it sees no others.", "true"),
        Key("mount", Bool(), "Mounts.", "true"),
        Key("ipc", Bool(), "System V and POSIX objects.", "true"),
        Key("uts", Bool(), "The host name.", "true"),
        Key("user", Bool(), "User and group IDs.", "true"),
        Key("net", Bool(), "Network: it reaches nothing.", "true"),
    ),
    model=policy.Namespaces,
)

NETWORK = Section(
    "network",
    "`network`",
    "Which addresses it may talk to.",
    (
        Key("allow", _NETWORKS, "Addresses to allow.", "[localhost, 10.0.0.0/8]", default="[]"),
        Key("deny", _NETWORKS, "Addresses to deny; `allow` overrides it.", "[any]", default="[]"),
    ),
    model=policy.Network,
)

SECURITY_CONTEXT = Section(
    "security_context",
    "`security_context`",
    "How a workload is isolated.",
    (
        Key(
            "profile",
            Choice(policy.Profile),
            "`default` isolates, `strict` more so, `host` not at all.",
            "strict",
            default="default",
        ),
        Key(
            "user",
            USER_NAME,
            "The user it runs as; without it, an unprivileged one. Root needs the profile `host`.",
            "www-data",
        ),
        Key("root_filesystem", ROOT_FILESYSTEM, "Another tree.", "{path: /srv/roots/web}"),
        Key("resources", RESOURCES, "Limits.", "{memory_max: 512M}"),
        Key("seccomp", SECCOMP, "System calls.", "{allow: [ptrace]}"),
        Key("namespaces", NAMESPACES, "Namespaces.", "{net: true}"),
        Key(
            "capabilities",
            ListOf(Capability(), "capabilities", unique=True),
            "Those it keeps.",
            "[CAP_NET_BIND_SERVICE]",
            default="[]",
        ),
        Key("read_write_paths", _PATHS, "Paths of the host to write.", "[/var/www]", default="[]"),
        Key("read_only_paths", _PATHS, "Paths of the host to read.", "[/etc/ssl]", default="[]"),
        Key("network", NETWORK, "Addresses.", "{deny: [any]}"),
        Key(
            "allow_degraded",
            Degradable(),
            "Run even if this host cannot enforce everything, or not these directives.",
            "[IOWeight]",
            default="false",
        ),
    ),
    model=policy.SecurityContext,
)

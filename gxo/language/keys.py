"""The table of keys: from it come the typed reading, did-you-mean, JSON Schema and reference."""

from collections.abc import Mapping

from yaml import Node

from gxo.dataclass import replace
from gxo.diagnostic.base import has_errors
from gxo.language.checks import check_keys, check_streams
from gxo.language.conditions import Condition, Loop
from gxo.language.hostkinds import Const, InnerPath
from gxo.language.inputs import INPUT, Inputs
from gxo.language.kinds import Bool, Duration, Int, Named
from gxo.language.lifecycle_keys import (
    BACKOFF,
    EVENT_DRIVEN,
    LIFECYCLE,
    READY,
    RUN_ONCE,
    SCHEDULED,
    START_LIMIT,
    SUPERVISE,
)
from gxo.language.model import Playbook, Process, Workload
from gxo.language.pipeline import STEP
from gxo.language.playbookkinds import LiteralPaths, Vars, Workloads
from gxo.language.policy_keys import (
    CHANNEL_POLICY,
    LOOP_CONTROL,
    NAMESPACES,
    NETWORK,
    RESOURCES,
    RETRY,
    ROOT_FILESYSTEM,
    SECCOMP,
    SECURITY_CONTEXT,
    STATE_POLICY,
    TASK_POLICY,
)
from gxo.language.process import PROCESS
from gxo.language.reader import Reader
from gxo.language.section import Key, ListOf, Section, Values, read_keys
from gxo.source import Name, Span
from gxo.spec.lifecycle import RunOnce
from gxo.template.value import MapValue

_PROCESSES = ListOf(PROCESS, "processes")
_EXAMPLE_PROCESS = "{module: exec, params: {command: /usr/bin/id}}"


def _nearby(name: str) -> str | None:
    """Where a key belongs that somebody wrote at a workload's own level."""
    homes: Mapping[str, Section] = {
        "`process`": PROCESS,
        "`retry`": RETRY,
        "`loop_control`": LOOP_CONTROL,
        "`security_context`": SECURITY_CONTEXT,
        "`resources` of `security_context`": RESOURCES,
    }
    for policy, section in LIFECYCLE.sections.items():
        if name in section.by_name:
            return "`lifecycle`" if name == "policy" else f"`lifecycle` with `policy: {policy}`"
    for home, section in homes.items():
        if name in section.by_name:
            return home
    return PROCESS.elsewhere(name) if PROCESS.elsewhere else None


class _WorkloadSection(Section):
    """Built even where its lifecycle or process is wrong, so that the rest of it is checked."""

    __slots__ = ()

    def read(self, reader: Reader, node: Node, key: str) -> Workload | None:
        before = len(reader.problems)
        found = read_keys(reader, node, key, self)
        if found is None:
            return None
        span, at, values = found
        if values.keys() >= {"lifecycle", "process"}:
            made = Workload(span=span, at=at, **values)
            check_keys(reader, made)
        else:
            made = Workload(span=span, at=at, **{**_stand_ins(span), **values})
        if has_errors(reader.problems[before:]):
            return replace(made, sound=False)
        check_streams(reader, made)
        return made


def _stand_ins(span: Span) -> Values:
    """What is at odds with no other key."""
    process = Process(module=Name("exec", span), params=MapValue((), span), span=span)
    return {"lifecycle": RunOnce(span=span), "process": process}


WORKLOAD = _WorkloadSection(
    "workload",
    "a workload",
    "What to do, and how and when.",
    (
        Key(
            "name",
            Named("a workload"),
            "Letters, digits, `_` and `-`; unique in the playbook.",
            "web",
            required=True,
        ),
        Key("lifecycle", LIFECYCLE, "How and when.", "{policy: run_once}", required=True),
        Key("process", PROCESS, "What to do.", _EXAMPLE_PROCESS, required=True),
        Key(
            "register",
            Named("a registered value", word=True),
            "The name under which templates of other workloads read its summary.",
            "build",
        ),
        Key(
            "needs",
            ListOf(Named("a workload"), "names of workloads", unique=True),
            "Workloads that must have ended, or be up, before it starts.",
            "[database]",
            default="[]",
        ),
        Key(
            "stream_inputs",
            ListOf(Named("a workload"), "names of workloads", unique=True),
            "Workloads whose streams it reads, in this order.",
            "[producer]",
            default="[]",
        ),
        Key(
            "when",
            Condition(),
            "Whether it runs; if not, it is skipped, which satisfies what waits for it.",
            "'{{ eq .stage \"production\" }}'",
        ),
        Key(
            "loop",
            Loop(),
            "Runs once for each item of a list, or each entry of a map.",
            "[a, b]",
        ),
        Key("loop_control", LOOP_CONTROL, "How the loop runs.", "{parallel: 4}"),
        Key("retry", RETRY, "Tries again after a failure.", "{attempts: 3, delay: 5s}"),
        Key("timeout", Duration("1ms"), "How long one attempt may take.", "30s"),
        Key(
            "ignore_errors",
            Bool(),
            "If it fails, branches that do not depend on it go on.",
            "true",
            default="false",
        ),
        Key(
            "skip_on_no_input",
            Bool(),
            "If every workload whose stream it reads was skipped, it is skipped too, instead of"
            " reading nothing.",
            "true",
            default="false",
        ),
        Key(
            "on_failure",
            _PROCESSES,
            "Processes that run if it fails, to undo what it did.",
            f"[{_EXAMPLE_PROCESS}]",
            default="[]",
        ),
        Key("security_context", SECURITY_CONTEXT, "How it is isolated.", "{profile: strict}"),
        Key("state_policy", STATE_POLICY, "How it sees state.", "{access_mode: deep_copy}"),
        Key("channel_policy", CHANNEL_POLICY, "Its streams.", "{buffer_size: 1M}"),
    ),
    model=Workload,
    built_from=frozenset({"name"}),
    elsewhere=_nearby,
)

PLAYBOOK = Section(
    "playbook",
    "a playbook",
    "A list of workloads, with what they share.",
    (
        Key(
            "schemaVersion",
            Const("v1.0.0"),
            "The version of this language.",
            "v1.0.0",
            default="v1.0.0",
            attribute="schema_version",
        ),
        Key(
            "name",
            Named("a playbook"),
            "Without it, the stem of the file's name.",
            "site",
        ),
        Key(
            "vars",
            Vars(),
            "Values that templates read; they may be templates themselves.",
            "{domain: example.org}",
        ),
        Key(
            "inputs",
            Inputs(),
            "Values given from outside.",
            "{stage: {type: string, default: test}}",
        ),
        Key("max_runs", Int(1, 1_000_000), "How many runs may be under way at a time.", "1"),
        Key(
            "on_success",
            _PROCESSES,
            "Processes that run when a run has completed, to notify.",
            f"[{_EXAMPLE_PROCESS}]",
            default="[]",
        ),
        Key(
            "on_failure",
            _PROCESSES,
            "The same when a run has failed.",
            f"[{_EXAMPLE_PROCESS}]",
            default="[]",
        ),
        Key(
            "on_paused",
            _PROCESSES,
            "Not in this version: the same when a run waits for a signal, to bring its token to"
            " people.",
            f"[{_EXAMPLE_PROCESS}]",
            default="[]",
        ),
        Key(
            "artifacts",
            LiteralPaths(InnerPath(), "paths", unique=True),
            "Paths in the workspace that are kept when it is removed.",
            "[dist/site.tar.gz]",
            default="[]",
        ),
        Key(
            "security_context",
            SECURITY_CONTEXT,
            "For all workloads that do not say otherwise, key by key.",
            "{profile: default}",
        ),
        Key("channel_policy", CHANNEL_POLICY, "The same for streams.", "{buffer_size: 1M}"),
        Key("state_policy", STATE_POLICY, "The same for state.", "{access_mode: deep_copy}"),
        Key("task_policy", TASK_POLICY, "The same for attempts and time.", "{timeout: 10m}"),
        Key(
            "workloads",
            Workloads(WORKLOAD, "workloads"),
            "What there is to do.",
            "[{name: web, lifecycle: {policy: run_once}, process: {module: exec, params: "
            "{command: /usr/bin/id}}}]",
            required=True,
        ),
    ),
    model=Playbook,
    elsewhere=lambda name: "a workload" if name in WORKLOAD.by_name else None,
)

SECTIONS: tuple[Section, ...] = (
    PLAYBOOK,
    WORKLOAD,
    PROCESS,
    RUN_ONCE,
    SUPERVISE,
    EVENT_DRIVEN,
    SCHEDULED,
    BACKOFF,
    START_LIMIT,
    READY,
    RETRY,
    LOOP_CONTROL,
    SECURITY_CONTEXT,
    ROOT_FILESYSTEM,
    RESOURCES,
    SECCOMP,
    NAMESPACES,
    NETWORK,
    CHANNEL_POLICY,
    STATE_POLICY,
    TASK_POLICY,
    INPUT,
    STEP,
)
"""Every section, in the order of the reference."""

"""Modules that steer a run, and the one that does nothing."""

from gxo.spec.module import TASK, ModuleSpec, Param, ParamType, Stream, SummaryKey

_REACHES = "The token reaches people by `on_paused`; it is in no log and in no state."

CONTROL = (
    ModuleSpec(
        name="control:identity",
        doc="Yields what it is given, as a named value that other workloads can read.",
        params=(
            Param(
                name="value",
                type=ParamType.ANY,
                doc="What to yield.",
                example='"{{ .version }}"',
                required=True,
            ),
        ),
        lifecycles=TASK,
        summary=(SummaryKey("value", "any", "What was given."),),
    ),
    ModuleSpec(
        name="control:assert",
        doc="Fails if a condition does not hold.",
        params=(
            Param(
                name="that",
                type=ParamType.CONDITION,
                doc="What must hold.",
                example="'{{ eq .build.exit_code 0 }}'",
                required=True,
            ),
            Param(
                name="message",
                type=ParamType.TEXT,
                doc="What to say if it does not.",
                example="the build is broken",
            ),
        ),
        lifecycles=TASK,
        summary=(SummaryKey("held", "bool", "True: else the workload has failed."),),
    ),
    ModuleSpec(
        name="control:barrier",
        doc=(
            "Does nothing itself: what needs it starts after all that it needs. It reads its input "
            "streams to their ends and passes nothing on."
        ),
        params=(),
        lifecycles=TASK,
        summary=(
            SummaryKey("count", "int", "How many lines came."),
            SummaryKey("bytes", "int", "How many bytes came."),
        ),
        stream_in=Stream.BYTES,
        operator=True,
    ),
    ModuleSpec(
        name="control:wait_for_signal",
        doc=(
            "Not in this version: pauses the run until somebody resumes it with a token. A paused "
            f"run holds no process and survives a reboot. {_REACHES}"
        ),
        params=(
            Param(
                name="message",
                type=ParamType.TEXT,
                doc="The question, shown to those who may resume.",
                example="Deploy to production?",
            ),
            Param(
                name="timeout",
                type=ParamType.DURATION,
                doc="How long to wait; without it, for ever.",
                example="24h",
            ),
            Param(
                name="on_timeout",
                type=ParamType.CHOICE,
                doc="What happens to the workload when the time is up.",
                example="skip",
                default="fail",
                choices=("fail", "skip", "continue"),
            ),
            Param(
                name="approvers",
                type=ParamType.TEXTS,
                doc="Who may resume: user names, or subjects of client certificates.",
                example="[alice, bob]",
            ),
            Param(
                name="quorum",
                type=ParamType.INT,
                doc="How many different approvers are needed.",
                example="2",
                default="1",
                low=1,
                high=100,
            ),
            Param(
                name="inputs",
                type=ParamType.FIELDS,
                doc="What the payload must hold, declared as the inputs of a playbook are.",
                example="{approved: {type: bool}}",
            ),
        ),
        lifecycles=TASK,
        summary=(
            SummaryKey("resume_payload", "map", "What was given, also at `_gxo.resume_payload`."),
            SummaryKey("resumed_by", "list", "Who resumed it."),
            SummaryKey("timed_out", "bool", "Whether nobody did."),
        ),
    ),
    ModuleSpec(
        name="passthrough",
        doc="Passes its input streams on unchanged, one after the other.",
        params=(),
        lifecycles=TASK,
        summary=(SummaryKey("bytes", "int", "How many went through."),),
        stream_in=Stream.BYTES,
        stream_out=Stream.BYTES,
        operator=True,
    ),
)

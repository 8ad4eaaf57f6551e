"""What no single key of a workload shows: keys that do not fit each other, or the module."""

from typing import TYPE_CHECKING

from gxo.diagnostic.lazy import Lazy
from gxo.language.model import Workload
from gxo.language.pipeline import fed_once
from gxo.language.reader import Reader
from gxo.language.section import first_line
from gxo.source import Name
from gxo.spec.lifecycle import Policy
from gxo.spec.module import Stream
from gxo.template.value import ListValue, Literal, MapValue, Value

if TYPE_CHECKING:
    from gxo.diagnostic import keys as key_faults
    from gxo.diagnostic import modules as module_faults
else:
    key_faults = Lazy("gxo.diagnostic.keys")
    module_faults = Lazy("gxo.diagnostic.modules")

# A service has no end that these could speak of.
_ENDING = {
    "register": "a supervised service yields no summary",
    "loop": "a supervised service runs once",
    "loop_control": "a supervised service runs once",
    "retry": "a supervised service is restarted",
    "timeout": "a supervised service runs on",
    "ignore_errors": "a supervised service is restarted",
}
_ADVICE = {
    "retry": "use `restart` and `backoff` of its `lifecycle`",
    "timeout": "use `ready.timeout`, `stop_timeout` or `watchdog` of its `lifecycle`",
    "ignore_errors": "use `restart` and `start_limit` of its `lifecycle`",
}


def check_keys(reader: Reader, workload: Workload) -> None:
    """Keys of a workload that do not fit each other, or its lifecycle."""
    spec = workload.process.spec
    policy = workload.lifecycle.policy
    if policy not in spec.lifecycles:
        reader.problems.append(
            module_faults.WrongLifecycle(
                span=workload.lifecycle.where("policy"),
                module=spec.name,
                policy=str(policy),
                supported=tuple(str(known) for known in Policy if known in spec.lifecycles),
            )
        )
    if policy is Policy.SUPERVISE:
        for key in _ENDING.keys() & workload.at.keys():
            reader.problems.append(
                key_faults.KeyHasNoEffect(
                    span=first_line(workload.at[key]),
                    name=key,
                    reason=_ENDING[key],
                    advice=_ADVICE.get(key),
                )
            )
    if "loop_control" in workload.at and "loop" not in workload.at:
        reader.problems.append(
            key_faults.KeyHasNoEffect(
                span=first_line(workload.at["loop_control"]),
                name="loop_control",
                reason="the workload has no `loop`",
            )
        )
    if "skip_on_no_input" in workload.at and not workload.stream_inputs:
        reader.problems.append(
            key_faults.KeyHasNoEffect(
                span=first_line(workload.at["skip_on_no_input"]),
                name="skip_on_no_input",
                reason="the workload has no `stream_inputs`",
            )
        )


def check_streams(reader: Reader, workload: Workload) -> None:
    """Streams and the params that stand in for them, of a workload without an error."""
    spec = workload.process.spec
    streams = workload.stream_inputs
    if streams and spec.stream_in is Stream.NONE:
        reader.problems.append(
            module_faults.TakesNoStream(span=workload.where("stream_inputs"), module=spec.name)
        )
    if spec.name == "stream:pipeline":
        _check_first(reader, workload.process.params.get("steps"), fed=bool(streams))
    stand_in = spec.stands_in or ("stdin" if spec.name == "exec" and streams else None)
    if stand_in is None:
        return
    given = workload.process.params.get(stand_in)
    if streams and given is not None:
        reader.problems.append(
            module_faults.StreamOrParam(
                span=given.span, module=spec.name, param=stand_in, both=True
            )
        )
    elif not streams and given is None:
        reader.problems.append(
            module_faults.StreamOrParam(
                span=workload.process.module.span,
                module=spec.name,
                param=stand_in,
                both=False,
            )
        )


def _check_first(reader: Reader, steps: Value | None, *, fed: bool) -> None:
    """The first step of a pipeline has the workload's streams."""
    first = steps.items[0] if isinstance(steps, ListValue) and steps.items else None
    if isinstance(first, MapValue):
        uses, params = first.get("uses"), first.get("with")
        if isinstance(uses, Literal) and isinstance(params, MapValue):
            fed_once(reader, Name(str(uses.data), uses.span), params, fed=fed)


def check_workloads(reader: Reader, workloads: tuple[Workload, ...]) -> None:
    """Streams from modules that give none; names that lead nowhere are the plan's business."""
    named = {workload.name.text: workload for workload in workloads}
    for workload in workloads:
        for producer in workload.stream_inputs:
            source = named.get(producer.text)
            if source is not None:
                _check_producer(reader, producer, source)


def _check_producer(reader: Reader, name: Name, source: Workload) -> None:
    module = source.process.module
    if source.process.spec.stream_out is Stream.NONE:
        reader.problems.append(
            module_faults.GivesNoStream(
                span=name.span, workload=name.text, module=module.text, defined=module.span
            )
        )

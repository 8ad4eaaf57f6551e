"""Plans made by hand for the tests of the units room: no text is parsed."""

from typing import Any

from gxo.plan.model import Action, Edge, Plan, Step
from gxo.source import Name, Source, Span
from gxo.spec.lifecycle import Lifecycle, RunOnce, Supervise
from gxo.spec.policy import ChannelPolicy, SecurityContext
from gxo.template.value import ListValue, Literal, MapValue, Value

SPAN = Span(Source("test.yaml", "x\n"), 0, 1)


def name(text: str) -> Name:
    return Name(text, SPAN)


def value(data: object) -> Value:
    """Plain data as a playbook's value."""
    if isinstance(data, list):
        return ListValue(tuple(map(value, data)), SPAN)
    if isinstance(data, dict):
        return MapValue(tuple((name(key), value(item)) for key, item in data.items()), SPAN)
    assert data is None or isinstance(data, str | bool | int | float)
    return Literal(data, SPAN)


def step(
    workload: str,
    lifecycle: Lifecycle | None = None,
    security: SecurityContext | None = None,
    timeout: int | None = None,
    **params: Any,
) -> Step:
    """A workload that runs `exec` with `params`; supervised unless said otherwise."""
    mapped = value(params)
    assert isinstance(mapped, MapValue)
    return Step(
        name=name(workload),
        lifecycle=lifecycle or Supervise(span=SPAN),
        action=Action(module=name("exec"), params=mapped),
        security=security or SecurityContext(span=SPAN),
        channel=ChannelPolicy(span=SPAN),
        span=SPAN,
        timeout=timeout,
    )


def once(workload: str, **params: Any) -> Step:
    return step(workload, RunOnce(span=SPAN), **params)


def plan(*steps: Step, edges: tuple[Edge, ...] = (), playbook: str = "site") -> Plan:
    return Plan(playbook=name(playbook), steps=steps, edges=edges)

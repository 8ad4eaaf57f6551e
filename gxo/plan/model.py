"""Plan: what the rest of gxo works on. Pure data, versioned; knows nothing of YAML or systemd."""

from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum

from gxo.dataclass import dataclass, field
from gxo.source import Name, Span
from gxo.spec.lifecycle import Lifecycle
from gxo.spec.outside import Outside
from gxo.spec.policy import ChannelPolicy, Retry, SecurityContext
from gxo.template.value import Data, MapValue, Value

VERSION = 1


class EdgeKind(StrEnum):
    """Why one step waits for another."""

    STATE = "state"
    STREAM = "stream"
    STATUS = "status"
    NEEDS = "needs"
    EVENT = "event"
    """From the source of an event_driven workload: both ends run at once, as with a stream."""


@dataclass(frozen=True, slots=True)
class Edge:
    """`target` waits for `source`; `span` is where the playbook says so."""

    source: str
    target: str
    kind: EdgeKind
    span: Span = field(compare=False)
    channel: ChannelPolicy | None = None
    """A stream's policy, where the playbook has one."""


def edges_into(edges: Iterable[Edge]) -> Mapping[str, Sequence[Edge]]:
    """The edges by the step that waits, each in the order given."""
    into: dict[str, list[Edge]] = {}
    for edge in edges:
        into.setdefault(edge.target, []).append(edge)
    return into


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """A module and its params, ready to be evaluated.

    `outside` is set for a module that is not in the library.
    """

    module: Name
    params: MapValue
    outside: Outside | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One workload, with every policy resolved (the nearest has won)."""

    name: Name
    lifecycle: Lifecycle
    action: Action
    security: SecurityContext
    channel: ChannelPolicy
    span: Span = field(compare=False)
    register: Name | None = None
    stream_inputs: tuple[Name, ...] = ()
    when: Value | None = None
    loop: Value | None = None
    loop_var: str = "item"
    parallel: int = 1
    retry: Retry | None = None
    timeout: int | None = None
    ignore_errors: bool = False
    skip_on_no_input: bool = False
    on_failure: tuple[Action, ...] = ()
    state_policy: MapValue | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A playbook's steps, in an order in which each comes after all it waits for."""

    playbook: Name
    steps: tuple[Step, ...]
    edges: tuple[Edge, ...]
    vars: MapValue | None = None
    inputs: tuple[tuple[str, Data], ...] = ()
    """Declared inputs with their values: given, else default."""
    max_runs: int | None = None
    on_success: tuple[Action, ...] = ()
    on_failure: tuple[Action, ...] = ()
    on_paused: tuple[Action, ...] = ()
    artifacts: tuple[Value, ...] = ()
    security: SecurityContext | None = None
    """The playbook's own context, under which its notifications run."""
    version: int = VERSION

    def step(self, name: str) -> Step:
        """The step of that name; KeyError where there is none."""
        for step in self.steps:
            if step.name.text == name:
                return step
        raise KeyError(name)

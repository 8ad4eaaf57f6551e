"""A playbook with every key checked, its names not yet resolved."""

from bisect import bisect_right
from enum import StrEnum

from gxo.dataclass import dataclass
from gxo.source import Name, Source, Span
from gxo.spec.library import LIBRARY
from gxo.spec.lifecycle import Lifecycle, Placed
from gxo.spec.module import ModuleSpec
from gxo.spec.outside import Outside
from gxo.spec.policy import ChannelPolicy, Retry, SecurityContext
from gxo.template.value import MapValue, Value


@dataclass(frozen=True, slots=True, kw_only=True)
class Process:
    """What a workload does: a module by name, and its params, typed by its spec.

    `outside` is the module where it is none of the library.
    """

    module: Name
    params: MapValue
    span: Span
    outside: Outside | None = None

    @property
    def spec(self) -> ModuleSpec:
        return LIBRARY[self.module.text] if self.outside is None else self.outside.spec


@dataclass(frozen=True, slots=True, kw_only=True)
class LoopControl(Placed):
    loop_var: str = "item"
    parallel: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Workload(Placed):
    name: Name
    lifecycle: Lifecycle
    process: Process
    register: Name | None = None
    needs: tuple[Name, ...] = ()
    stream_inputs: tuple[Name, ...] = ()
    when: Value | None = None
    loop: Value | None = None
    loop_control: LoopControl | None = None
    retry: Retry | None = None
    timeout: int | None = None
    """Microseconds, per attempt."""
    ignore_errors: bool = False
    skip_on_no_input: bool = False
    on_failure: tuple[Process, ...] = ()
    security_context: SecurityContext | None = None
    channel_policy: ChannelPolicy | None = None
    state_policy: MapValue | None = None
    sound: bool = True
    """False where it has an error: it is checked on, with stand-ins for a lifecycle or process
    that cannot be read, and never planned."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskPolicy(Placed):
    """Defaults for workloads that end by themselves; a workload's own key wins."""

    retry: Retry | None = None
    timeout: int | None = None
    ignore_errors: bool = False
    skip_on_no_input: bool = False


class InputType(StrEnum):
    """What an input holds: JSON's types, in the words of templates' own functions."""

    STRING = "string"
    INT = "int"
    FLOAT = "float"
    BOOL = "bool"
    LIST = "list"
    MAP = "map"


@dataclass(frozen=True, slots=True, kw_only=True)
class Input(Placed):
    """A declared input of a playbook; without a default it must be given."""

    name: Name
    type: InputType
    default: Value | None = None
    description: str = ""
    required: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Playbook(Placed):
    source: Source
    name: Name
    schema_version: str = "v1.0.0"
    vars: MapValue | None = None
    inputs: tuple[Input, ...] = ()
    max_runs: int | None = None
    on_success: tuple[Process, ...] = ()
    on_failure: tuple[Process, ...] = ()
    on_paused: tuple[Process, ...] = ()
    artifacts: tuple[Value, ...] = ()
    security_context: SecurityContext | None = None
    channel_policy: ChannelPolicy | None = None
    state_policy: MapValue | None = None
    task_policy: TaskPolicy | None = None
    workloads: tuple[Workload, ...] = ()
    sound: bool = True
    """False where it has an error: it is checked on, and never planned."""
    names_known: bool = True
    """Whether no error hides a name that templates may read."""

    def workload_at(self, span: Span) -> Workload | None:
        """The workload in whose text a place lies."""
        number = bisect_right(self.workloads, span.start, key=lambda item: item.span.start) - 1
        found = self.workloads[number] if number >= 0 else None
        return found if found is not None and span.within(found.span) else None

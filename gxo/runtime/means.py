"""Means: what a run is carried out with, made once and shared by its runner's parts."""

from collections.abc import Callable

from gxo.dataclass import dataclass
from gxo.plan.model import Plan, Step
from gxo.runtime.attempts import Attempts
from gxo.runtime.names import RunNames
from gxo.runtime.order import Order
from gxo.runtime.record import Record
from gxo.runtime.redact import Redactor
from gxo.runtime.scope import Scopes
from gxo.runtime.start import Doing
from gxo.runtime.task import Task
from gxo.systemd.manager import Manager


@dataclass(frozen=True, slots=True, kw_only=True)
class Means:
    """The task, and what carries it out. `secret` is what the template function calls."""

    task: Task
    manager: Manager
    names: RunNames
    attempts: Attempts
    record: Record
    redactor: Redactor
    scopes: Scopes
    order: Order
    secret: Callable[[str], str]

    @property
    def plan(self) -> Plan:
        return self.task.plan

    def doing(self, step: Step) -> Doing:
        """A step's own action, as `Attempts` takes it."""
        name = step.name.text
        return Doing(step=name, action=step.action, frame=self.task.frames[name], span=step.span)

"""Streams: the groups of a run that are under way, from their conditions to the last byte read."""

from math import inf

from gxo.dataclass import replace
from gxo.plan.model import Step
from gxo.plan.streams import Group, fed_twice
from gxo.runtime.group import who_runs
from gxo.runtime.joint import CannotJoin, Ended, Joint
from gxo.runtime.means import Means
from gxo.runtime.progress import BadLoop, Progress, begin
from gxo.runtime.start import Start
from gxo.runtime.tally import Tallies
from gxo.template.fault import Fault

_BEAT = 0.25
_SOON = 0.05
"""Seconds between two looks at what is left in a pipe: nothing tells when it is empty."""


class Streams:
    """The groups under way; `ended` is called with how each member of one has ended."""

    def __init__(self, means: Means, ended: Ended) -> None:
        self._means = means
        self._tallies = Tallies(means.names, means.record.flow)
        self._ended = ended
        self._cancelled = False
        self._under_way: list[Joint] = []

    def __len__(self) -> int:
        """Groups under way; a step whose stream is not read yet may be all that is left of one."""
        return len(self._under_way)

    def join(self, group: Group, now: int) -> Joint:
        """All that the members of a group need to start, but those skipped. Raises CannotJoin."""
        found: dict[str, Progress] = {}
        steps = {
            step.name.text: step
            for step in self._means.plan.steps
            if step.name.text in group.members
        }
        for name, step in steps.items():
            try:
                progress = begin(step, self._means.scopes, now)
            except (Fault, BadLoop) as error:
                raise CannotJoin(name, error) from None
            if progress is not None:
                found[name] = progress
        needs = [name for name, step in steps.items() if step.skip_on_no_input]
        runs = who_runs(group, found, needs)
        edges = tuple(edge for edge in group.edges if edge.target in runs)
        members = {name: found[name] for name in runs}
        joint = Joint(
            self._means.attempts, self._tallies, members, edges, self._means.record.warning
        )
        joint.set_up(self._ready)
        return joint

    def start(self, joint: Joint) -> None:
        """Start the members of a group."""
        self._under_way.append(joint)
        joint.start(self._ended)
        self._forget()

    def cancel(self) -> None:
        """Note that all units are being stopped: how they end says nothing of their streams."""
        for joint in self._under_way:
            joint.cancelled = True

    @property
    def wait(self) -> float:
        """Seconds until the next look is due."""
        if not self._under_way:
            return inf
        return _SOON if any(joint.settling for joint in self._under_way) else _BEAT

    def look(self) -> None:
        """Report the streams that have been read to their ends by now."""
        for joint in self._under_way:
            joint.look()
        self._forget()

    def _forget(self) -> None:
        self._under_way = [joint for joint in self._under_way if not joint.over]

    def _ready(self, step: Step, inputs: tuple[str, ...], readers: tuple[str, ...]) -> Start:
        from gxo.runtime.work import StreamEnds

        spool = step.action.module.text != "exec" and bool(
            fed_twice(step.name.text, self._means.plan.edges)
        )
        doing = replace(self._means.doing(step), ends=StreamEnds(inputs, bool(readers), spool))
        return self._means.attempts.ready(doing, self._means.scopes.now())

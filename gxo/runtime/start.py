"""Start: a step's action, its templates evaluated, so that only systemd can refuse it any more."""

from gxo.dataclass import dataclass, replace
from gxo.plan.model import Action
from gxo.runtime.command import command_of
from gxo.source import Span
from gxo.template.evaluate import Scope
from gxo.units.model import Directive
from gxo.units.steps import Frame

TYPE_CHECKING = False
if TYPE_CHECKING:
    from gxo.runtime.work import StreamEnds


@dataclass(frozen=True, slots=True, kw_only=True)
class Doing:
    """One thing to do: an action, in the name of a step; `ends` are those of its streams."""

    step: str
    action: Action
    frame: Frame
    span: Span
    ends: "StreamEnds | None" = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """`given` is what its unit has by descriptor; `works`: it is a worker of gxo's own, which needs
    `libraries`.
    """

    doing: Doing
    command: tuple[Directive, ...]
    given: bytes | str | None = None
    works: bool = False
    libraries: tuple[str, ...] = ()


def start_of(doing: Doing, scope: Scope, workspace: str) -> Start:
    """How it is started. Raises Fault, BadParams."""
    if doing.action.module.text == "exec":
        inputs = doing.ends.inputs if doing.ends else ()
        writes = doing.ends is not None and doing.ends.output
        found = command_of(doing.action, scope, doing.span, doing.frame, inputs, writes=writes)
        return Start(doing=doing, command=found.settings, given=found.given)
    from gxo.runtime.work import NO_ENDS, work_of

    ends = doing.ends or NO_ENDS
    work = work_of(doing.action, scope, doing.span, doing.frame, workspace, ends)
    return Start(
        doing=replace(doing, frame=work.frame),
        command=work.command,
        given=work.request,
        works=True,
        libraries=work.libraries,
    )

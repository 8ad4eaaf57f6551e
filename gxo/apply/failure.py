"""How an apply fails: exceptions whose text is shown to the user."""

from collections.abc import Sequence

from gxo.apply.commit import Failure
from gxo.dataclass import dataclass

# what is noted on an error that leaves a host between the old and the new
CUT_OFF = "what was to change is changed in part: `gxo plan` shows the rest, `gxo apply` mends it"
UNRECORDED = "all is changed, but not recorded: a boot would undo it; `gxo apply` records it"


class ApplyError(Exception):
    """What was asked for could not be done: "cannot X: reason", with a hint where there is one."""

    def __init__(self, text: str, hint: str | None = None) -> None:
        super().__init__(f"{text}; {hint}" if hint else text)


@dataclass(frozen=True, slots=True)
class Report:
    """One failure with the last lines that its unit wrote to the journal."""

    failure: Failure
    lines: tuple[str, ...] = ()

    def __str__(self) -> str:
        change = self.failure.change
        verb = {"run": "run", "stop": "stop"}.get(change.action.value, "start")
        said = "".join(f"\n    {line}" for line in self.lines)
        quoted = f"\n  its last lines in the journal:{said}" if said else ""
        return f"cannot {verb} {change.quoted} ({change.unit}): {self.failure.reason}{quoted}"


class ActivationFailed(ApplyError):
    """Changes failed. `left` says what could not be undone; None where nothing was to be undone.

    `steps` are the run_once workloads that were begun, which nothing undoes; those `running` have
    not ended.
    """

    def __init__(
        self,
        reports: Sequence[Report],
        left: Sequence[str] | None = None,
        steps: Sequence[str] = (),
        running: Sequence[str] = (),
    ) -> None:
        self.reports = tuple(reports)
        self.left = tuple(left or ())
        lines = [str(report) for report in reports]
        if self.left:
            lines.append("not everything could be taken back: " + "; ".join(self.left))
        elif left is not None:
            lines.append("what had changed is back to what ran before")
        if steps and left is not None:
            ran = ", ".join(f"`{name}`" for name in steps if name not in running)
            run = ", ".join(f"`{name}`" for name in running)
            lines += [f"what steps have done is not undone: {ran} ran"] if ran else []
            lines += [f"steps under way are not ended: {run}; the next apply waits"] if run else []
        super().__init__("\n".join(lines))


class Cancelled(ActivationFailed):
    """The user cancelled the changes, and they were undone."""

    def __str__(self) -> str:
        return f"cancelled before all was done\n{super().__str__()}"

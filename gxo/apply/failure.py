"""How an apply fails: exceptions whose text is shown to the user."""

from collections.abc import Sequence

from gxo.apply.commit import Failure
from gxo.dataclass import dataclass


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

    `steps` are the run_once workloads that were begun, which nothing undoes.
    """

    def __init__(
        self,
        reports: Sequence[Report],
        left: Sequence[str] | None = None,
        steps: Sequence[str] = (),
    ) -> None:
        self.reports = tuple(reports)
        self.left = tuple(left or ())
        lines = [str(report) for report in reports]
        if self.left:
            lines.append("not everything could be taken back: " + "; ".join(self.left))
        elif left is not None:
            lines.append("what had changed is back to what ran before")
        if steps and left is not None:
            names = ", ".join(f"`{name}`" for name in steps)
            lines.append(f"what steps have done is not undone: {names} ran")
        super().__init__("\n".join(lines))


class Cancelled(ActivationFailed):
    """The user cancelled the changes, and they were undone."""

    def __str__(self) -> str:
        return f"cancelled before all was done\n{super().__str__()}"

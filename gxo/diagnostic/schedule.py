"""What can be wrong with when a workload runs: cron, calendar expressions, time zones."""

from typing import ClassVar

from gxo.dataclass import dataclass
from gxo.diagnostic.base import Problem, Severity
from gxo.source import Span

_ORDER = "the fields are: minute hour day-of-month month day-of-week"


@dataclass(frozen=True, slots=True, kw_only=True)
class CronFields(Problem):
    code: ClassVar[str] = "cron-fields"

    found: int

    def message(self) -> str:
        return f"a cron expression has five fields, this has {self.found or 'none'}"

    def hint(self) -> str:
        if self.found > 5:
            return f"{_ORDER}; for seconds or years use `calendar`, systemd's own form"
        return f"{_ORDER}; `*` stands for any"


@dataclass(frozen=True, slots=True, kw_only=True)
class CronGap(Problem):
    """Nothing stands where a value should: `where` is `after` or `before` the text `beside` it."""

    code: ClassVar[str] = "cron-syntax"

    where: str
    beside: str

    def message(self) -> str:
        place = f"{self.where} `{self.beside}`"
        return f"cannot read the cron expression: a value is missing {place}"


@dataclass(frozen=True, slots=True, kw_only=True)
class CronUnexpected(Problem):
    code: ClassVar[str] = "cron-syntax"

    text: str

    def message(self) -> str:
        return f"cannot read the cron expression: unexpected `{self.text}`"


@dataclass(frozen=True, slots=True, kw_only=True)
class CronValue(Problem):
    """`low` and `high` bound the field called `field`; `advice` is a likelier spelling."""

    code: ClassVar[str] = "cron-value"

    field: str
    text: str
    low: int
    high: int
    named: bool
    advice: str | None = None

    def message(self) -> str:
        names = ", or a name" if self.named else ""
        numbers = f"it is a number from {self.low} to {self.high}"
        return f"the {self.field} cannot be `{self.text}`: {numbers}{names}"

    def hint(self) -> str | None:
        return self.advice


@dataclass(frozen=True, slots=True, kw_only=True)
class CronBackwards(Problem):
    code: ClassVar[str] = "cron-range"

    text: str
    instead: str

    def message(self) -> str:
        return f"the range `{self.text}` runs backwards"

    def hint(self) -> str:
        return f"write `{self.instead}`"


@dataclass(frozen=True, slots=True, kw_only=True)
class CronStep(Problem):
    """A step that is no positive number, or that follows neither `*` nor a range."""

    code: ClassVar[str] = "cron-step"

    text: str
    instead: str | None = None

    def message(self) -> str:
        if self.instead:
            return f"`{self.text}` has a step, but neither `*` nor a range to step through"
        return f"`{self.text}` is not a step: a step is a whole number from 1"

    def hint(self) -> str | None:
        return f"write `{self.instead}`" if self.instead else None


@dataclass(frozen=True, slots=True, kw_only=True)
class CronLongStep(Problem):
    code: ClassVar[str] = "cron-long-step"
    severity: ClassVar[Severity] = Severity.WARNING

    step: int
    field: str
    first: int

    def message(self) -> str:
        left = f"only {self.field} {self.first} is left"
        return f"a step of {self.step} is longer than the range: {left}"

    def hint(self) -> str:
        return f"write `{self.first}` if that is meant; cron cannot count beyond one field"


@dataclass(frozen=True, slots=True, kw_only=True)
class CronExtension(Problem):
    """What other schedulers added to cron."""

    code: ClassVar[str] = "cron-extension"

    text: str
    advice: str

    def message(self) -> str:
        return f"`{self.text}` is not part of cron"

    def hint(self) -> str:
        return self.advice


@dataclass(frozen=True, slots=True, kw_only=True)
class CronNickname(Problem):
    code: ClassVar[str] = "cron-nickname"

    text: str
    advice: str | None

    def message(self) -> str:
        return f"`{self.text}` is not a schedule"

    def hint(self) -> str | None:
        return self.advice


@dataclass(frozen=True, slots=True, kw_only=True)
class NeverOccurs(Problem):
    code: ClassVar[str] = "schedule-never"

    def message(self) -> str:
        return "no year has such a date"

    def hint(self) -> str:
        return "February has 29 days at most; April, June, September and November have 30"


@dataclass(frozen=True, slots=True, kw_only=True)
class CalendarSyntax(Problem):
    """`text` is what does not belong there; empty at the end of the expression."""

    code: ClassVar[str] = "calendar-syntax"

    text: str
    advice: str | None = None

    def message(self) -> str:
        if not self.text:
            return "cannot read the calendar expression: it ends too early"
        return f"cannot read the calendar expression: unexpected `{self.text}`"

    def hint(self) -> str:
        return (
            self.advice or "the form is `Mon..Fri 2030-12-31 23:59:59 Europe/Berlin`, any part `*`"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class CalendarValue(Problem):
    code: ClassVar[str] = "calendar-value"

    part: str
    text: str
    low: int
    high: int

    def message(self) -> str:
        numbers = f"it is a number from {self.low} to {self.high}"
        return f"the {self.part} cannot be `{self.text}`: {numbers}"


@dataclass(frozen=True, slots=True, kw_only=True)
class CalendarRange(Problem):
    """A range that runs backwards, or a step that leads nowhere; systemd refuses it."""

    code: ClassVar[str] = "calendar-range"

    text: str
    part: str

    def message(self) -> str:
        return f"`{self.text}` does not reach another {self.part}"

    def hint(self) -> str:
        return "a range runs upwards, and a step must fit in at least once"


@dataclass(frozen=True, slots=True, kw_only=True)
class CalendarSkips(Problem):
    """An open step whose continuation systemd (252 to 257) takes into the next hour of the day."""

    code: ClassVar[str] = "calendar-skips"
    severity: ClassVar[Severity] = Severity.WARNING

    text: str
    instead: str
    part: str

    def message(self) -> str:
        when = "after midnight" if self.part == "minute" else "of an hour"
        return f"systemd misses the first {self.part} of `{self.text}` {when}"

    def hint(self) -> str:
        return f"give the step an end: `{self.instead}`"


@dataclass(frozen=True, slots=True, kw_only=True)
class CalendarLong(Problem):
    code: ClassVar[str] = "calendar-long"

    most: int

    def message(self) -> str:
        return f"systemd takes at most {self.most} values in one part of a calendar expression"


@dataclass(frozen=True, slots=True, kw_only=True)
class UnknownTimezone(Problem):
    code: ClassVar[str] = "unknown-timezone"

    name: str
    advice: str | None = None

    def message(self) -> str:
        return f"`{self.name}` is not a time zone"

    def hint(self) -> str:
        return (
            self.advice
            or "write `UTC` or a name such as `Europe/Berlin` (timedatectl list-timezones)"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class UncheckedTimezone(Problem):
    code: ClassVar[str] = "unchecked-timezone"
    severity: ClassVar[Severity] = Severity.WARNING

    name: str

    def message(self) -> str:
        return f"cannot check the time zone `{self.name}`: this host has no time zone data"

    def hint(self) -> str:
        return "install Debian's tzdata; systemd refuses zones it does not know"


@dataclass(frozen=True, slots=True, kw_only=True)
class TimezoneTwice(Problem):
    code: ClassVar[str] = "timezone-twice"

    inside: str
    beside: str
    other: Span

    def message(self) -> str:
        return f"the calendar expression says `{self.inside}`, `timezone` says `{self.beside}`"

    def hint(self) -> str:
        return "keep one of them"

    def related(self) -> tuple[tuple[Span, str], ...]:
        return ((self.other, "and here"),)


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockChange(Problem):
    """`time` (HH:MM) is one the schedule names and the zone skips or repeats on `day`."""

    code: ClassVar[str] = "clock-change"
    severity: ClassVar[Severity] = Severity.WARNING

    zone: str
    skipped: str | None
    repeated: str | None

    def message(self) -> str:
        parts = []
        if self.skipped:
            parts.append(f"{self.skipped} does not exist when the clocks go forward")
        if self.repeated:
            parts.append(f"{self.repeated} comes twice when they go back")
        if not self.skipped:
            parts = [f"{self.repeated} comes twice when the clocks go back"]
        return f"in {self.zone}, " + " and ".join(parts)

    def hint(self) -> str:
        fate = []
        if self.skipped:
            fate.append("systemd leaves out a time that does not exist")
        if self.repeated:
            fate.append("runs once at a time that comes twice")
        return " and ".join(fate) + "; choose another hour, or `timezone: UTC`"

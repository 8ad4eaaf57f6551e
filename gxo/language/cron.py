"""Cron expressions: five fields as in crontab(5), or one @name; converted to OnCalendar=.

Where cron implementations differ we follow Vixie's: if one of the two day fields
starts with `*`, both must match, else either. What is left out of crontab(5) is refused by name.
"""

import re
from collections.abc import Callable
from datetime import date
from functools import lru_cache, partial
from typing import TYPE_CHECKING

from gxo.dataclass import dataclass
from gxo.diagnostic import Problem
from gxo.diagnostic.base import did_you_mean
from gxo.diagnostic.lazy import Lazy
from gxo.language.finding import Finding, place
from gxo.language.lalr import END, Node, ParseError, Token
from gxo.language.parser import fast
from gxo.source import Text

_LONGEST_MONTH = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_WEEKDAYS = ("Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat")


@dataclass(frozen=True, slots=True)
class _Field:
    name: str
    low: int
    high: int
    names: tuple[str, ...] = ()
    """In order, the first one standing for `low`."""


_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DAYS = tuple(name.lower() for name in _WEEKDAYS)
_FIELDS = (
    _Field("minute", 0, 59),
    _Field("hour", 0, 23),
    _Field("day of the month", 1, 31),
    _Field("month", 1, 12, _MONTHS),
    _Field("day of the week", 0, 7, _DAYS),
)

if TYPE_CHECKING:
    from gxo.diagnostic import schedule as faults
else:
    faults = Lazy("gxo.diagnostic.schedule")
_NICKNAMES = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Cron:
    """The values each field allows, ascending; Sunday is 0. `both`: both day fields must match."""

    minutes: tuple[int, ...]
    hours: tuple[int, ...]
    days: tuple[int, ...]
    months: tuple[int, ...]
    weekdays: tuple[int, ...]
    both: bool

    def calendar(self, timezone: str | None) -> tuple[str, ...]:
        """OnCalendar= expressions (systemd.time(7)) for the same instants, in that time zone.

        Two of them where either day field may match: a timer with several elapses at the next of
        them all, so that a day which matches both still runs once.
        """
        time = f"{_chain(self.hours, 0, 23)}:{_chain(self.minutes, 0, 59)}:00"
        month = _chain(self.months, 1, 12)
        dates = f"*-{month}-{_chain(self.days, 1, 31)}"
        weekdays = f"{_weekdays(self.weekdays)} " if len(self.weekdays) < 7 else ""
        zone = f" {timezone}" if timezone else ""
        if self.both:
            return (f"{weekdays}{dates} {time}{zone}",)
        if not weekdays or len(self.days) == 31:
            return (f"*-{month}-* {time}{zone}",)
        return (f"{dates} {time}{zone}", f"{weekdays}*-{month}-* {time}{zone}")

    def on(self, day: date) -> bool:
        """Whether it runs on that day at all."""
        by_date = day.day in self.days
        by_weekday = day.isoweekday() % 7 in self.weekdays
        matches = by_date and by_weekday if self.both else by_date or by_weekday
        return day.month in self.months and matches


def parse_cron(text: Text, problems: list[Problem]) -> Cron | None:
    """The schedule, or None with what is wrong with it added to `problems`."""
    cron, findings = _read(text.text)
    place(text, findings, problems)
    return cron


@lru_cache(maxsize=4096)
def _read(text: str) -> tuple[Cron | None, tuple[Finding, ...]]:
    try:
        tree = fast("cron").parse(text)
    except ParseError as error:
        return None, (_broken(text, error),)
    nickname = next((token for token in tree.tokens() if token.type == "NICKNAME"), None)
    if nickname is not None:
        known = _NICKNAMES.get(nickname.text.lower())
        return _read(known) if known else (None, (_nickname(nickname),))
    fields = tuple(tree.nodes())
    count = len(fields)
    if count != len(_FIELDS):
        start, end = (fields[5].start, fields[-1].end) if count > 5 else (0, len(text))
        return None, (Finding(start, end, partial(faults.CronFields, found=count)),)
    reader = _Reader(text, [], [])
    minutes, hours, days, months, weekdays = (
        reader.field(node, field) for node, field in zip(fields, _FIELDS, strict=True)
    )
    if not reader.errors and not _occurs(days, months):
        reader.errors.append(Finding(fields[2].start, fields[3].end, faults.NeverOccurs))
    if reader.errors:
        return None, (*reader.errors, *reader.warnings)
    cron = Cron(
        minutes=minutes,
        hours=hours,
        days=days,
        months=months,
        weekdays=tuple(sorted({day % 7 for day in weekdays})),
        both="*" in (text[fields[2].start], text[fields[4].start]),
    )
    return cron, tuple(reader.warnings)


@dataclass(frozen=True, slots=True)
class _Reader:
    """Turns the fields of one expression into values, noting all that is wrong with them."""

    text: str
    errors: list[Finding]
    warnings: list[Finding]

    def field(self, node: Node, field: _Field) -> tuple[int, ...]:
        return tuple(sorted({value for item in node.nodes() for value in self._item(item, field)}))

    def _item(self, item: Node, field: _Field) -> range:
        values = list(item.tokens())
        step = self._step(next(item.nodes(), None))
        bounds = [self._value(token, field) for token in values]
        if step is None or None in bounds:
            return range(0)
        numbers = [number for number in bounds if number is not None]
        if len(values) == 1:
            if values[0].type == "STAR":
                return self._stepped(item, field, field.low, field.high, step)
            if step:
                self._stepped_value(item, field, numbers[0], step)
            return range(numbers[0], numbers[0] + 1)
        star = next((token for token in values if token.type == "STAR"), None)
        if star is not None:
            self._error(star, partial(faults.CronUnexpected, text="*"))
            return range(0)
        first, last = numbers
        if first > last:
            self._backwards(values, field, first, last)
            return range(0)
        return self._stepped(item, field, first, last, step)

    def _stepped(self, item: Node, field: _Field, first: int, last: int, step: int) -> range:
        if step > last - first and step > 1:
            name = field.name
            wrong = partial(faults.CronLongStep, step=step, field=name, first=first)
            place = next(item.nodes())
            self.warnings.append(Finding(place.start, place.end, wrong))
        return range(first, last + 1, step or 1)

    def _stepped_value(self, item: Node, field: _Field, first: int, step: int) -> None:
        top = 6 if field.high == 7 else field.high
        instead = f"{first}-{top}/{step}"
        self._error(item, partial(faults.CronStep, text=self._of(item), instead=instead))

    def _backwards(self, values: list[Token], field: _Field, first: int, last: int) -> None:
        top = 6 if field.high == 7 else field.high
        if field.high == 7 and last == 0:
            instead = f"{first}-7"
        else:
            pairs = ((first, top), (field.low, last))
            instead = ",".join(str(a) if a == b else f"{a}-{b}" for a, b in pairs)
        start, end = values[0].start, values[1].end
        wrong = partial(faults.CronBackwards, text=self.text[start:end], instead=instead)
        self.errors.append(Finding(start, end, wrong))

    def _step(self, node: Node | None) -> int | None:
        """0 where there is none, None where it is wrong."""
        if node is None:
            return 0
        text = self._of(node)
        if _is_number(text) and int(text) > 0:
            return int(text)
        self._error(node, partial(faults.CronStep, text=text))
        return None

    def _value(self, token: Token, field: _Field) -> int | None:
        if token.type == "STAR":
            return field.low
        text = token.text.lower()
        if text in field.names:
            return field.low + field.names.index(text)
        if _is_number(text) and field.low <= int(text) <= field.high:
            return int(text)
        self._error(token, _wrong_value(token.text, field))
        return None

    def _of(self, part: Node | Token) -> str:
        return self.text[part.start : part.end]

    def _error(self, part: Node | Token, problem: Callable[..., Problem]) -> None:
        self.errors.append(Finding(part.start, part.end, problem))


def _is_number(text: str) -> bool:
    """Short enough that int() is cheap, and plain: int() takes far more than digits."""
    return text.isascii() and text.isdigit() and len(text) <= 9


def _occurs(days: tuple[int, ...], months: tuple[int, ...]) -> bool:
    return any(days[0] <= _LONGEST_MONTH[month - 1] for month in months)


def _wrong_value(text: str, field: _Field) -> Callable[..., Problem]:
    advice = _extension(text, field)
    if advice:
        return partial(faults.CronExtension, text=text, advice=advice)
    return partial(
        faults.CronValue,
        field=field.name,
        text=text,
        low=field.low,
        high=field.high,
        named=bool(field.names),
        advice=_likelier(text, field),
    )


def _likelier(text: str, field: _Field) -> str | None:
    other = next((other for other in _FIELDS if text.lower() in other.names), None)
    if other is not None:
        return f"`{text}` is a {other.name}, which goes in field {_FIELDS.index(other) + 1}"
    if text.lower()[:3] in field.names and text.isalpha():
        return f"names have three letters: `{text.lower()[:3]}`"
    return did_you_mean(text, field.names)


def _extension(text: str, field: _Field) -> str | None:
    """What to write for things that Quartz, Jenkins, cronie and others put into a field."""
    day, upper = field.name == "day of the month", text.upper()
    if text == "?":
        return "write `*`"
    if "#" in text:
        weekday, _, nth = text.partition("#")
        name = _weekday_name(weekday)
        if name and nth in ("1", "2", "3", "4", "5"):
            first = 7 * int(nth) - 6
            days = f"{first}..{min(first + 6, 31)}"
            return f"use `calendar: {name} *-*-{days}` and a time"
        return "use `calendar` with a weekday and a range of days, such as `Fri *-*-15..21 04:00`"
    if day and re.fullmatch("L", upper):
        return "use `calendar: *-*~01` and a time: `~` counts from the end of the month"
    if field.high == 7 and re.fullmatch("[0-7A-Z]*L", upper) and upper not in ("", "L"):
        name = _weekday_name(text[:-1])
        if name:
            return f"use `calendar: {name} *-*~07/1` and a time: the last seven days have one"
    if field.high == 7 and upper == "L":
        return "write `6` or `sat`"
    if day and re.fullmatch("L?[0-9]*W", upper):
        return "systemd has no nearest weekday: run on the days around and let the command decide"
    if re.fullmatch(r"H(\(.*\))?", upper) or "~" in text:
        return "write a fixed value; `jitter` spreads the load"
    return None


def _weekday_name(text: str) -> str | None:
    if text.lower() in _DAYS:
        return _WEEKDAYS[_DAYS.index(text.lower())]
    return _WEEKDAYS[int(text) % 7] if text in tuple("01234567") else None


def _nickname(token: Token) -> Finding:
    name = token.text.lower()
    if name == "@reboot":
        advice: str | None = "what runs at each boot is a `supervise` workload; gxo brings it back"
    elif name.startswith("@every"):
        advice = "write `*/5 * * * *` for every five minutes"
    else:
        advice = did_you_mean(name, _NICKNAMES)
    return Finding(
        token.start, token.end, partial(faults.CronNickname, text=token.text, advice=advice)
    )


def _broken(text: str, error: ParseError) -> Finding:
    before, found = text[: error.start].rstrip(), text[error.start : error.end]
    if "ATOM" in error.expected and error.found in (END, "_SPACE"):
        if before.endswith(("-", "/", ",")):
            wrong = partial(faults.CronGap, where="after", beside=before.split()[-1])
            return Finding(len(before) - 1, len(before), wrong)
        return Finding(0, len(text), partial(faults.CronFields, found=0))
    if "ATOM" in error.expected and error.found in ("COMMA", "MINUS", "SLASH"):
        wrong = partial(faults.CronGap, where="before", beside=found)
        if before and before == text[: error.start]:
            wrong = partial(faults.CronGap, where="after", beside=before.split()[-1])
        return Finding(error.start, error.end, wrong)
    return Finding(error.start, error.end, partial(faults.CronUnexpected, text=found))


def _chain(values: tuple[int, ...], low: int, high: int) -> str:
    """The values as systemd writes them: `*`, `00..55/5`, `01..04,09`.

    A step always has its end: after 23:56 systemd (252 to 257) takes `*:00/28` to minute 84, which
    is 00:24, and so misses midnight.
    """
    if len(values) == high - low + 1:
        return "*"
    step = values[1] - values[0] if len(values) > 2 else 0
    if step > 1 and values == tuple(range(values[0], values[-1] + 1, step)):
        return f"{values[0]:02}..{values[-1]:02}/{step}"
    return _runs(values, [f"{value:02}" for value in range(high + 1)])


def _weekdays(values: tuple[int, ...]) -> str:
    """`Mon..Fri`, `Sat,Sun`: the week begins on Monday, as systemd has it."""
    names = [*_WEEKDAYS[1:], _WEEKDAYS[0]]
    return _runs(tuple(sorted((day - 1) % 7 for day in values)), names)


def _runs(values: tuple[int, ...], names: list[str]) -> str:
    parts: list[str] = []
    at = 0
    while at < len(values):
        end = at
        while end + 1 < len(values) and values[end + 1] == values[end] + 1:
            end += 1
        first, last = names[values[at]], names[values[end]]
        if end - at < 2:
            parts += [names[value] for value in values[at : end + 1]]
        else:
            parts.append(f"{first}..{last}")
        at = end + 1
    return ",".join(parts)

"""Calendar expressions in systemd's own form (systemd.time(7)), checked without a systemd."""

from collections.abc import Callable
from datetime import date
from functools import lru_cache, partial
from typing import TYPE_CHECKING

from gxo.dataclass import dataclass, replace
from gxo.diagnostic import Problem
from gxo.diagnostic.base import did_you_mean
from gxo.diagnostic.lazy import Lazy
from gxo.language.finding import Finding, place
from gxo.language.lalr import Node, ParseError, Token
from gxo.language.parser import fast
from gxo.source import Text

if TYPE_CHECKING:
    from gxo.diagnostic import schedule as faults
else:
    faults = Lazy("gxo.diagnostic.schedule")

_WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_SHORTHANDS = {
    "minutely": "*-*-* *:*:00",
    "hourly": "*-*-* *:00:00",
    "daily": "*-*-* 00:00:00",
    "weekly": "Mon *-*-* 00:00:00",
    "monthly": "*-*-01 00:00:00",
    "quarterly": "*-01,04,07,10-01 00:00:00",
    "semiannually": "*-01,07-01 00:00:00",
    "semi-annually": "*-01,07-01 00:00:00",
    "biannually": "*-01,07-01 00:00:00",
    "bi-annually": "*-01,07-01 00:00:00",
    "annually": "*-01-01 00:00:00",
    "yearly": "*-01-01 00:00:00",
}
_ORDER = {"weekdays": 0, "date": 1, "time": 2, "TIMESTAMP": 1}
_LONGEST_MONTH = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
# systemd's own limits (calendarspec.c)
_MOST_VALUES = 240
_LAST_TIMESTAMP = 7258118399
_MICRO = 1_000_000


@dataclass(frozen=True, slots=True)
class _Part:
    """One part of a date or a time; seconds are counted in microseconds."""

    name: str
    low: int
    high: int
    unit: int = 1


_YEAR, _MONTH, _DAY = _Part("year", 1970, 2199), _Part("month", 1, 12), _Part("day", 1, 31)
_LAST_DAY = _Part("day before the end of the month", 1, 28)
_HOUR, _MINUTE = _Part("hour", 0, 23), _Part("minute", 0, 59)
_SECOND = _Part("second", 0, 60 * _MICRO - 1, _MICRO)


@dataclass(frozen=True, slots=True, kw_only=True)
class Calendar:
    """`text` is the expression without its zone. The rest says when it can elapse; Monday is 0.

    With `from_end`, days count from the end of the month, the last one being 1. Years are left out.
    """

    text: str
    zone: str | None = None
    zone_at: tuple[int, int] | None = None
    weekdays: frozenset[int]
    months: tuple[int, ...]
    days: tuple[int, ...]
    from_end: bool
    hours: tuple[int, ...]
    minutes: tuple[int, ...]

    def on(self, day: date) -> bool:
        """Whether it can elapse on that day of some year."""
        length = (date(day.year + day.month // 12, day.month % 12 + 1, 1) - day).days + day.day - 1
        number = length - day.day + 1 if self.from_end else day.day
        return day.month in self.months and number in self.days and day.weekday() in self.weekdays


def read_calendar(text: Text, problems: list[Problem]) -> Calendar | None:
    """The expression, or None with what is wrong with it added to `problems`."""
    calendar, findings = _read(text.text)
    place(text, findings, problems)
    return calendar


@lru_cache(maxsize=1024)
def _read(text: str) -> tuple[Calendar | None, tuple[Finding, ...]]:
    try:
        tree = fast("calendar").parse(text)
    except ParseError as error:
        found = text[error.start : error.end]
        wrong = partial(faults.CalendarSyntax, text=found, advice=_advice(text, error))
        return None, (Finding(error.start, error.end, wrong),)
    reader = _Reader(text, [], [])
    calendar = reader.calendar([word for word in tree.children if word is not None])
    if reader.errors:
        return None, (*reader.errors, *reader.warnings)
    return calendar, tuple(reader.warnings)


@dataclass(frozen=True, slots=True)
class _Reader:
    """Turns the words of one expression into a Calendar, noting all that is wrong with them."""

    text: str
    errors: list[Finding]
    warnings: list[Finding]

    def calendar(self, words: list[Node | Token]) -> Calendar | None:
        zone = words.pop() if _kind(words[-1]) == "WORD" and len(words) > 1 else None
        self._check_order(words)
        if self.errors:
            return None
        kept = " ".join(self._of(word) for word in words)
        if _kind(words[0]) == "SHORTHAND":
            meant, _ = _read(_SHORTHANDS[kept.lower()])
            assert meant is not None
        else:
            meant = self._meant({_kind(word): word for word in words})
        at = (zone.start, zone.end) if zone else None
        return replace(meant, text=kept, zone=self._of(zone) if zone else None, zone_at=at)

    def _check_order(self, words: list[Node | Token]) -> None:
        """Weekdays, a date, a time, each once; a timestamp for the last two; or one shorthand."""
        rank = -1
        for word in words:
            kind = _kind(word)
            if kind == "WORD" or (kind == "SHORTHAND" and len(words) > 1):
                self._unexpected(word)
            elif kind in _ORDER:
                if _ORDER[kind] <= rank:
                    self._unexpected(word)
                rank = 2 if kind == "TIMESTAMP" else _ORDER[kind]

    def _meant(self, words: dict[str, Node | Token]) -> Calendar:
        weekdays = frozenset(range(7))
        months, days, from_end = tuple(range(1, 13)), tuple(range(1, 32)), False
        hours: tuple[int, ...] = (0,)
        minutes: tuple[int, ...] = (0,)
        match words.get("weekdays"):
            case Node() as node:
                weekdays = self._weekdays(node)
        match words.get("date"):
            case Node() as node:
                months, days, from_end = self._date(node)
        match words.get("time"):
            case Node() as node:
                hours, minutes = self._time(node)
        match words.get("TIMESTAMP"):
            case Token() as token:
                self._check_timestamp(token)
                days = ()
        return Calendar(
            text=self.text,
            weekdays=weekdays,
            months=months,
            days=days,
            from_end=from_end,
            hours=hours,
            minutes=minutes,
        )

    def _weekdays(self, node: Node) -> frozenset[int]:
        days: set[int] = set()
        for child in node.children:
            if isinstance(child, Token):
                days.add(_weekday(child))
            elif child is not None:
                first, last = (_weekday(token) for token in child.tokens())
                if first > last:
                    self._no_range(child, "weekday")
                days.update(range(first, last + 1))
        return frozenset(days)

    def _date(self, node: Node) -> tuple[tuple[int, ...], tuple[int, ...], bool]:
        *years, month, day = node.nodes()
        signs = list(node.tokens())
        from_end = signs[-1].type == "TILDE"
        if years and signs[0].type == "TILDE":
            self._unexpected(signs[0])
        for year in years:
            self._chain(year, _YEAR)
        months, days = self._chain(month, _MONTH), self._chain(day, _LAST_DAY if from_end else _DAY)
        if (
            not from_end
            and months
            and days
            and days[0] > max(_LONGEST_MONTH[each - 1] for each in months)
        ):
            self.errors.append(Finding(month.start, day.end, faults.NeverOccurs))
        return months, days, from_end

    def _time(self, node: Node) -> tuple[tuple[int, ...], tuple[int, ...]]:
        hour, minute, *seconds = node.nodes()
        hours, minutes = self._chain(hour, _HOUR), self._chain(minute, _MINUTE)
        if {0, 23} <= set(hours):
            self._check_open(minute, _MINUTE)
        for second in seconds:
            self._chain(second, _SECOND)
            if {0, 59} <= set(minutes) and any((hour + 1) % 24 in hours for hour in hours):
                self._check_open(second, _SECOND)
        return hours, minutes

    def _chain(self, node: Node, part: _Part) -> tuple[int, ...]:
        """The values of one part, ascending; none for seconds, of which there may be millions."""
        items = list(node.nodes())
        if not items:
            high = 31 if part is _LAST_DAY else part.high
            return tuple(range(part.low, high + 1)) if part is not _SECOND else ()
        if len(items) > _MOST_VALUES:
            self._error(node, partial(faults.CalendarLong, most=_MOST_VALUES))
            return ()
        ranges = [self._item(item, part) for item in items]
        if part is _LAST_DAY:
            self._check_last_days(items)
        return tuple(sorted(set().union(*ranges))) if part is not _SECOND else ()

    def _check_last_days(self, items: list[Node]) -> None:
        """Of several days before the end, systemd (252 to 257) bounds each next by three less."""
        if self.errors:
            return
        by_value = {}
        for item in items:
            tokens = [child for child in item.children if not isinstance(child, Node)]
            by_value[tuple(int(token.text) if token else -1 for token in tokens)] = tokens[:2]
        for index, value in enumerate(sorted(by_value)):
            bound = replace(_LAST_DAY, high=_LAST_DAY.high - 3 * index)
            for token in by_value[value]:
                self._number(token, bound)

    def _item(self, item: Node, part: _Part) -> range:
        written = [child for child in item.children if not isinstance(child, Node)]
        first, last, step = (self._number(token, part) for token in written)
        if any(
            token and value is None
            for token, value in zip(written, (first, last, step), strict=True)
        ):
            return range(0)
        assert first is not None
        if not self._reaches(part, first, last, step):
            self._no_range(item, part.name)
            return range(0)
        if part is _LAST_DAY:
            # `~07/1` steps from the seventh last day towards the last
            return range(last or first, (first if last else 1 if step else first) - 1, -(step or 1))
        stop = last if last is not None else part.high if step else first
        return range(first, stop + 1, step or part.unit)

    def _reaches(self, part: _Part, first: int, last: int | None, step: int | None) -> bool:
        """Whether systemd takes it: a range runs upwards, an open step fits in at least once."""
        if last is not None:
            least = _MICRO if part is _SECOND and step is None else 0
            return first + least <= last
        if part is _LAST_DAY:
            return first - (step or 0) >= 1
        return first + (step or 0) <= part.high

    def _check_open(self, chain: Node, part: _Part) -> None:
        """Warn of steps without an end that systemd counts on into the next day, past its first."""
        for item in chain.nodes() if not self.errors else ():
            values = self._item(item, part)
            open_end = isinstance(item.children[2], Token) and item.children[1] is None
            if open_end and values and values[-1] + values.step - (part.high + 1) > values[0]:
                start, _, step = self._of(item).partition("/")
                instead = f"{start}..{values[-1] // part.unit}/{step}"
                wrong = partial(
                    faults.CalendarSkips, text=self._of(item), instead=instead, part=part.name
                )
                self.warnings.append(Finding(item.start, item.end, wrong))

    def _number(self, token: Token | None, part: _Part) -> int | None:
        """The value; None where there is none, or it is wrong."""
        if token is None:
            return None
        whole, point, fraction = token.text.partition(".")
        if len(whole.lstrip("0")) > 9 or (point and part.unit == 1):
            self._no_value(token, part)
            return None
        value = int(whole) * part.unit + _microseconds(fraction)
        if self.text[token.start - 1 : token.start] == "/":
            if not value:
                self._no_value(token, _Part(f"step of a {part.name}", 1, part.high, part.unit))
            return value or None
        if part is _YEAR and value < 100:
            value += 2000 if value < 70 else 1900
        if part.low <= value <= part.high:
            return value
        self._no_value(token, part)
        return None

    def _no_value(self, token: Token, part: _Part) -> None:
        high = part.high // part.unit
        wrong = partial(
            faults.CalendarValue, part=part.name, text=token.text, low=part.low, high=high
        )
        self._error(token, wrong)

    def _no_range(self, node: Node, part: str) -> None:
        self._error(node, partial(faults.CalendarRange, text=self._of(node), part=part))

    def _check_timestamp(self, token: Token) -> None:
        digits = token.text[1:]
        if len(digits) > 12 or int(digits) > _LAST_TIMESTAMP:
            part = _Part("timestamp", 0, _LAST_TIMESTAMP)
            self._no_value(replace(token, text=digits), part)

    def _unexpected(self, word: Node | Token) -> None:
        text = self._of(word)
        self._error(word, partial(faults.CalendarSyntax, text=text, advice=_word_advice(text)))

    def _of(self, part: Node | Token) -> str:
        return self.text[part.start : part.end]

    def _error(self, part: Node | Token, problem: Callable[..., Problem]) -> None:
        self.errors.append(Finding(part.start, part.end, problem))


def _kind(word: Node | Token) -> str:
    return word.rule if isinstance(word, Node) else word.type


def _weekday(token: Token) -> int:
    return _WEEKDAYS.index(token.text[:3].lower())


def _microseconds(fraction: str) -> int:
    """Digits behind the point, rounded as systemd rounds them."""
    return int(fraction[:6].ljust(6, "0")) + (fraction[6:7] >= "5")


def _advice(text: str, error: ParseError) -> str | None:
    found = text[error.start : error.end]
    if found == "/" and text[: error.start].endswith("*"):
        return "systemd steps from a number: `00/5` for every fifth, from 0"
    if len(text.split()) >= 5 and ":" not in text:
        return "this looks like cron: write it as `cron`"
    return _word_advice(found) if found.isalpha() else None


def _word_advice(word: str) -> str | None:
    if word.lower() in _SHORTHANDS:
        return f"`{word}` must stand alone, or before a time zone"
    if word.lower()[:3] in _WEEKDAYS and len(word) == 3:
        return "weekdays come first"
    return did_you_mean(word, (*(name.title() for name in _WEEKDAYS), *_SHORTHANDS))

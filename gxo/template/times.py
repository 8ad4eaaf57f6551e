"""Functions on times and durations: RFC 3339 text, Go's layouts and Go's durations."""

import re
from datetime import UTC, datetime, timedelta, timezone

from gxo.template.data import Number, kind
from gxo.template.fault import Failure
from gxo.template.numbers import to_float
from gxo.template.value import Data

_TIME = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)(?:[Tt ](\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?([Zz]|[-+]\d\d:\d\d)?)?",
    re.ASCII,
)
_LAYOUT = re.compile(
    r"2006|06|January|Jan|Monday|Mon|MST|Z07:00|Z0700|-07:00|-0700|-07|002|01|02|_2|03|04|05"
    r"|15|PM|pm|[.,]0+(?!\d)|[.,]9+(?!\d)|1|2|3|4|5"
)
_UNITS = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 1e-3, "us": 1e-6, "µs": 1e-6, "ns": 1e-9}
_DURATION = re.compile(r"([0-9]+(?:\.[0-9]*)?|\.[0-9]+)(h|ms|m|s|us|µs|ns)")
_LONGEST = 10**12
"""Seconds; some 30,000 years."""
_MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September",
    "October", "November", "December",
)  # fmt: skip
_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


def date(layout: str, time: Data) -> str:
    """A time in Go's layout, in its own zone, which is UTC where it names none."""
    if re.search(r"%[A-Za-z]", layout):
        raise Failure(
            "the layout is written with `%`",
            argument=0,
            hint="write the reference time 2006-01-02 15:04:05 in your form, as in Go",
        )
    moment = _moment(time)
    return _LAYOUT.sub(lambda found: _field(found[0], moment), layout)


def _moment(time: Data) -> datetime:
    try:
        if isinstance(time, int | float) and not isinstance(time, bool):
            return datetime.fromtimestamp(time, UTC)
        if isinstance(time, str):
            found = _TIME.fullmatch(time.strip())
            if found:
                return _parsed(found)
    except (ValueError, OverflowError, OSError):
        raise Failure("there is no such time", argument=1) from None
    what = "the text is not a time" if isinstance(time, str) else f"{kind(time)} is not a time"
    hint = "a time is as `now` gives it, 2006-01-02T15:04:05Z, or seconds since 1970"
    raise Failure(what, argument=1, hint=hint)


def _parsed(found: re.Match[str]) -> datetime:
    year, month, day, hour, minute, second = (int(part or 0) for part in found.groups()[:6])
    micros = int((found[7] or "").ljust(6, "0")[:6])
    zone = found[8]
    tz = UTC
    if zone and zone not in "Zz":
        offset = timedelta(hours=int(zone[1:3]), minutes=int(zone[4:6]))
        tz = timezone(-offset if zone[0] == "-" else offset)
    return datetime(year, month, day, hour, minute, second, micros, tz)


def _field(word: str, moment: datetime) -> str:
    if word[0] in ".,":
        digits = f"{moment.microsecond:06d}000"[: len(word) - 1]
        digits = digits.ljust(len(word) - 1, "0")
        if word[1] == "9":
            digits = digits.rstrip("0")
            return word[0] + digits if digits else ""
        return word[0] + digits
    hour = moment.hour % 12 or 12
    plain = {
        "2006": f"{moment.year:04d}",
        "06": f"{moment.year % 100:02d}",
        "January": _MONTHS[moment.month - 1],
        "Jan": _MONTHS[moment.month - 1][:3],
        "Monday": _DAYS[moment.weekday()],
        "Mon": _DAYS[moment.weekday()][:3],
        "002": f"{moment.timetuple().tm_yday:03d}",
        "01": f"{moment.month:02d}",
        "1": str(moment.month),
        "02": f"{moment.day:02d}",
        "_2": f"{moment.day:2d}",
        "2": str(moment.day),
        "15": f"{moment.hour:02d}",
        "03": f"{hour:02d}",
        "3": str(hour),
        "04": f"{moment.minute:02d}",
        "4": str(moment.minute),
        "05": f"{moment.second:02d}",
        "5": str(moment.second),
        "PM": "AM" if moment.hour < 12 else "PM",
        "pm": "am" if moment.hour < 12 else "pm",
    }
    return plain[word] if word in plain else _zone(word, moment)


def _zone(word: str, moment: datetime) -> str:
    seconds = int((moment.utcoffset() or timedelta()).total_seconds())
    if seconds == 0 and word[0] in "ZM":
        return "UTC" if word == "MST" else "Z"
    minutes = abs(seconds) // 60
    sign = "-" if seconds < 0 else "+"
    separator = ":" if ":" in word or word == "MST" else ""
    rest = "" if word == "-07" else f"{separator}{minutes % 60:02d}"
    return f"{sign}{minutes // 60:02d}{rest}"


def duration(value: Data) -> Data:
    """Seconds as Go writes a duration (`1h30m0s`); a text with units the other way, as seconds."""
    if isinstance(value, str) and re.search("[a-zµ]", value):
        return _seconds(value)
    seconds = to_float(value)
    if abs(seconds) > _LONGEST:
        raise Failure("the duration is too long", argument=0)
    return _written(seconds)


def _seconds(text: str) -> Number:
    total = 0.0
    at = 1 if text[:1] in ("-", "+") else 0
    sign = -1 if text[:1] == "-" else 1
    while at < len(text):
        part = _DURATION.match(text, at)
        if not part or len(part[1]) > 20:
            raise Failure(
                "the text is not a duration",
                argument=0,
                hint="a duration is like `1h30m` or `500ms`",
            )
        total += float(part[1]) * _UNITS[part[2]]
        at = part.end()
    total = round(sign * total, 9)
    if abs(total) > _LONGEST:
        raise Failure("the duration is too long", argument=0)
    return int(total) if total == int(total) else total


def _written(seconds: float) -> str:
    nanos = round(abs(seconds) * 1e9)
    sign = "-" if seconds < 0 and nanos else ""
    if nanos == 0:
        return "0s"
    for size, unit in ((1_000, "ns"), (1_000_000, "µs"), (1_000_000_000, "ms")):
        if nanos < size:
            return f"{sign}{_decimal(nanos, size // 1_000)}{unit}"
    minutes, rest = divmod(nanos, 60 * 10**9)
    hours, minutes = divmod(minutes, 60)
    text = f"{_decimal(rest, 10**9)}s"
    if hours or minutes:
        text = f"{minutes}m{text}"
    return sign + (f"{hours}h{text}" if hours else text)


def _decimal(nanos: int, unit: int) -> str:
    whole, rest = divmod(nanos, unit)
    digits = f"{rest:0{len(str(unit)) - 1}d}".rstrip("0") if rest else ""
    return f"{whole}.{digits}" if digits else str(whole)

"""When a scheduled workload runs: its `cron` or `calendar`, in its `timezone`, as OnCalendar=."""

from typing import TYPE_CHECKING

from gxo.diagnostic import Problem
from gxo.diagnostic.lazy import Lazy
from gxo.language.calendar import read_calendar
from gxo.language.cron import parse_cron
from gxo.language.timezone import check_timezone, dst_warning
from gxo.source import Text

if TYPE_CHECKING:
    from gxo.diagnostic import schedule as faults
else:
    faults = Lazy("gxo.diagnostic.schedule")


def schedule_cron(
    text: Text, timezone: Text | None, problems: list[Problem]
) -> tuple[str, ...] | None:
    """OnCalendar= expressions of a cron expression; None with what is wrong added to `problems`.

    A time that the zone's clocks skip or repeat adds a warning.
    """
    cron = parse_cron(text, problems)
    zone = check_timezone(timezone, problems) if timezone else None
    if cron is None or (timezone and zone is None):
        return None
    if zone:
        dst_warning(cron, zone, text, problems)
    return cron.calendar(zone)


def parse_calendar(
    text: Text, problems: list[Problem], timezone: Text | None = None
) -> tuple[str, ...] | None:
    """The same of an expression in systemd's own form, which may end in a zone itself."""
    calendar = read_calendar(text, problems)
    beside = check_timezone(timezone, problems) if timezone else None
    if calendar is None or (timezone and beside is None):
        return None
    inside = None
    if calendar.zone is not None and calendar.zone_at is not None:
        at = _part(text, *calendar.zone_at)
        inside = _zone(at, problems)
        if inside is None:
            return None
        if timezone and beside and beside != inside:
            other = timezone.span
            problems.append(
                faults.TimezoneTwice(span=at.span, inside=inside, beside=beside, other=other)
            )
            return None
    zone = inside or beside
    if zone:
        dst_warning(calendar, zone, text, problems)
    return (f"{calendar.text} {zone}" if zone else calendar.text,)


def _zone(text: Text, problems: list[Problem]) -> str | None:
    """Within an expression systemd takes UTC in any case."""
    return "UTC" if text.text.upper() == "UTC" else check_timezone(text, problems)


def _part(text: Text, start: int, end: int) -> Text:
    offsets = None if text.offsets is None else text.offsets[start : end + 1]
    return Text(text.text[start:end], text.part(start, end), text.start + start, offsets)

"""The table of keys, lifecycles: when a process runs, and how it is kept running."""

from typing import TYPE_CHECKING

from yaml import Node

from gxo.diagnostic.lazy import Lazy
from gxo.language.hostkinds import Rate, ReadyWhen, Reload
from gxo.language.kinds import Bool, Choice, Duration, Int, Kind, Named, Schema, line
from gxo.language.reader import Reader
from gxo.language.section import Key, Places, Section, Values, Variants, first_line
from gxo.source import Span, Text
from gxo.spec import lifecycle

if TYPE_CHECKING:
    from gxo.diagnostic import keys as key_faults
else:
    key_faults = Lazy("gxo.diagnostic.keys")

_POLICY = Key(
    "policy",
    Choice(lifecycle.Policy),
    "Which of the four lifecycles it is.",
    "run_once",
    required=True,
)


class Written(Kind):
    """Text whose meaning needs another key beside it."""

    __slots__ = ("takes",)

    def __init__(self, takes: str) -> None:
        self.takes = takes

    def read(self, reader: Reader, node: Node, key: str) -> Text | None:
        found = line(reader, node, key, self.takes)
        return None if found is None else reader.text(found)

    def schema(self) -> Schema:
        return {"type": "string"}


def _elsewhere(name: str) -> str | None:
    homes = [
        f"`{policy}`" for policy, section in LIFECYCLE.sections.items() if name in section.by_name
    ]
    if homes:
        return " and ".join(homes)
    return "`backoff` of `supervise`" if name in BACKOFF.by_name else None


def _backoff(reader: Reader, span: Span, at: Places, values: Values) -> lifecycle.Backoff:
    made = lifecycle.Backoff(span=span, at=at, **values)
    if not at.keys() & {"initial", "max"} <= values.keys():
        return made  # a default stands for what was told to be wrong
    if made.max < made.initial and "max" in at:
        first = made.where("initial")
        reader.problems.append(
            key_faults.Disordered(span=at["max"], key="max", other="initial", first=first)
        )
    elif made.max < made.initial:
        reader.problems.append(
            key_faults.OutOfRange(
                span=at["initial"],
                key="initial",
                value=at.written("initial"),
                low=None,
                high="`max`, which is 60s",
            )
        )
    return made


def _run_once(_: Reader, span: Span, at: Places, values: Values) -> lifecycle.RunOnce:
    del values["policy"]  # the type says it, here and below
    return lifecycle.RunOnce(span=span, at=at, **values)


def _event_driven(_: Reader, span: Span, at: Places, values: Values) -> lifecycle.EventDriven:
    del values["policy"]
    return lifecycle.EventDriven(span=span, at=at, **values)


def _supervise(reader: Reader, span: Span, at: Places, values: Values) -> lifecycle.Supervise:
    del values["policy"]
    made = lifecycle.Supervise(span=span, at=at, **values)
    if made.restart is lifecycle.Restart.NEVER:
        for key in ("backoff", "start_limit"):
            if key in at:
                reader.problems.append(
                    key_faults.KeyHasNoEffect(
                        span=first_line(at[key]),
                        name=key,
                        reason="with `restart: never` nothing is started again",
                    )
                )
    return made


def _scheduled(
    reader: Reader, span: Span, at: Places, values: Values
) -> lifecycle.Scheduled | None:
    del values["policy"]
    cron: Text | None = values.pop("cron", None)
    calendar: Text | None = values.pop("calendar", None)
    zone: Text | None = values.pop("timezone", None)
    if "cron" in at and "calendar" in at:
        reader.problems.append(
            key_faults.KeysExclude(
                span=at["calendar"],
                section="`scheduled`",
                name="calendar",
                other="cron",
                first=at["cron"],
                advice="`cron` has five fields, `calendar` is systemd's own form",
            )
        )
        return None
    if "cron" not in at and "calendar" not in at:
        reader.problems.append(
            key_faults.NeedsOneOf(
                span=first_line(span),
                section="`scheduled`",
                names=("cron", "calendar"),
                example='cron: "0 3 * * *"',
            )
        )
        return None
    from gxo.language.schedule import parse_calendar, schedule_cron

    times = None
    if cron is not None:
        times = schedule_cron(cron, zone, reader.problems)
        at = at.also("calendar", "cron")
    elif calendar is not None:
        times = parse_calendar(calendar, reader.problems, zone)
    if times is None:
        return None
    return lifecycle.Scheduled(
        span=span, at=at, calendar=times, timezone=zone.text if zone else None, **values
    )


BACKOFF = Section(
    "backoff",
    "`backoff`",
    "Gaps between restarts: they grow, and start over after a healthy run.",
    (
        Key("initial", Duration("1ms"), "The first gap.", "500ms", default="1s"),
        Key("max", Duration("1ms"), "The longest gap.", "2m", default="60s"),
        Key("steps", Int(1, 100), "How many restarts until the longest gap.", "8", default="6"),
    ),
    build=_backoff,
)

START_LIMIT = Section(
    "start_limit",
    "`start_limit`",
    "After too many starts within a time the service stays failed.",
    (
        Key(
            "burst",
            Int(1, 1_000_000),
            "How many starts are allowed within `interval`.",
            "3",
            default="5",
        ),
        Key(
            "interval", Duration("1ms"), "The time in which they are counted.", "1m", default="10s"
        ),
    ),
    model=lifecycle.StartLimit,
)

READY = Section(
    "ready",
    "`ready`",
    "When the service counts as up.",
    (
        Key(
            "when",
            ReadyWhen(),
            "`exec`: the program runs; `notify`: it says so itself (sd_notify(3)); an address: "
            "it accepts a TCP connection there.",
            '"127.0.0.1:8080"',
            default="exec",
        ),
        Key("settle", Duration(), "How long it must then stay up.", "5s", default="2s"),
        Key("timeout", Duration("1ms"), "How long it may take.", "30s", default="90s"),
    ),
    model=lifecycle.Ready,
)

_WORKSPACE = Key(
    "workspace",
    Choice(lifecycle.WorkspaceMode),
    "`none` runs a plain `exec` as the service itself, without a run and its directory.",
    "none",
    default="private",
)

RUN_ONCE = Section(
    "run_once",
    "`run_once`",
    "Runs once in each run.",
    (_POLICY,),
    build=_run_once,
    elsewhere=_elsewhere,
)

SUPERVISE = Section(
    "supervise",
    "`supervise`",
    "Keeps the process running, as a service.",
    (
        _POLICY,
        Key(
            "restart",
            Choice(lifecycle.Restart),
            "When to start it again.",
            "always",
            default="on_failure",
        ),
        Key("backoff", BACKOFF, "Gaps between restarts.", "{initial: 1s, max: 1m}"),
        Key("start_limit", START_LIMIT, "When to give up.", "{burst: 5, interval: 1m}"),
        Key("ready", READY, "When it counts as up.", '{when: "127.0.0.1:8080"}'),
        Key(
            "stop_timeout",
            Duration("1ms"),
            "From SIGTERM to SIGKILL when it is stopped.",
            "10s",
            default="90s",
        ),
        Key(
            "watchdog",
            Duration("1ms"),
            "Restart it if it has not reported for this long that it is alive (sd_notify(3)).",
            "30s",
        ),
        Key(
            "reload",
            Reload(),
            "What makes it read its configuration again.",
            "SIGHUP",
        ),
    ),
    build=_supervise,
    elsewhere=_elsewhere,
)

EVENT_DRIVEN = Section(
    "event_driven",
    "`event_driven`",
    "Not in this version: runs anew for each event of a source.",
    (
        _POLICY,
        Key(
            "source",
            Named("a workload"),
            "The workload whose events start it.",
            "listener",
            required=True,
        ),
        Key("max_instances", Int(1, 1_000_000), "How many may run at a time.", "64"),
        Key("rate_limit", Rate(), "How many may start per second, minute or hour.", "100/s"),
        Key("timeout", Duration("1ms"), "How long one may take.", "30s"),
        _WORKSPACE,
    ),
    build=_event_driven,
    elsewhere=_elsewhere,
)

SCHEDULED = Section(
    "scheduled",
    "`scheduled`",
    "Runs at given times.",
    (
        _POLICY,
        Key(
            "cron",
            Written("a cron expression such as `0 3 * * *`"),
            "Five fields as in crontab(5), or `@daily` and the like. If both day fields are "
            "restricted, a day that matches either counts.",
            '"0 3 * * Mon-Fri"',
        ),
        Key(
            "calendar",
            Written("a calendar expression such as `Mon..Fri 03:00`"),
            "In place of `cron`: systemd.time(7)'s own form.",
            '"Mon..Fri 03:00"',
        ),
        Key(
            "timezone",
            Written("a time zone such as `Europe/Berlin`"),
            "The time zone; without it, the host's.",
            "Europe/Berlin",
        ),
        Key(
            "jitter",
            Duration(),
            "Each run starts up to this much later, at random.",
            "5m",
            default="0s",
        ),
        Key(
            "catch_up",
            Bool(),
            "Runs after a boot what was missed while the host was down.",
            "true",
            default="false",
        ),
        Key(
            "overlap",
            Choice(lifecycle.Overlap),
            "What to do when the previous run is still under way.",
            "allow",
            default="skip",
        ),
        _WORKSPACE,
    ),
    build=_scheduled,
    elsewhere=_elsewhere,
)

LIFECYCLE = Variants(
    "lifecycle",
    "`lifecycle`",
    "policy",
    "a map such as {policy: run_once}",
    {
        "run_once": RUN_ONCE,
        "supervise": SUPERVISE,
        "event_driven": EVENT_DRIVEN,
        "scheduled": SCHEDULED,
    },
)

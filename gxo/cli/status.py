"""`gxo status`: what is applied on this host, how it fares, and what is not as applied."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from gxo.cli import complete, exits, options, output
from gxo.cli.exits import Failure
from gxo.dataclass import dataclass, field

if TYPE_CHECKING:
    from gxo.apply.status import UnitStatus, WorkloadStatus
    from gxo.systemd.states import UnitResult, UnitState

app = typer.Typer()


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """All that is shown: the workloads, and by unit what systemd adds to them.

    `damaged` says of playbooks, by name, why their records cannot be read.

    `under_way` is the apply, in words, that changes this host meanwhile.

    `strays` are loaded units of gxo that no applied playbook has: of an earlier revision whose job
    still runs, or of a playbook whose record is lost.
    """

    workloads: "tuple[WorkloadStatus, ...]"
    results: "Mapping[str, UnitResult]"
    exposure: Mapping[str, float]
    strays: "tuple[UnitState, ...]"
    damaged: Mapping[str, str] = field(default_factory=dict)
    under_way: str = ""


@dataclass(frozen=True, slots=True)
class LastRun:
    """How something that ends by itself ended last; microseconds since 1970, 0 for unknown."""

    ok: bool
    ended: int
    detail: str


@app.command(epilog="Example: gxo status site.web")
def status(
    target: Annotated[
        str | None,
        typer.Argument(
            metavar="[PLAYBOOK[.WORKLOAD]]",
            autocompletion=complete.targets,
            help="Only this one; all by default.",
            show_default=False,
        ),
    ] = None,
    json: options.Json = False,
) -> int:
    """Show what is applied: states, next runs, exposure, drift.

    Exposure is the rating of `systemd-analyze security`, from 0 to 10: less is better.
    """
    from gxo.cli.root import need_root

    need_root("show the status")
    report = gather(target)
    if json:
        output.emit(to_json(report))
    else:
        output.say(render(report, now=datetime.now(UTC)).rstrip("\n"))
    return exits.failed(report.damaged.values())


def gather(target: str | None) -> Report:
    """Read it all. Raises Failure for a target that is not applied, SystemdError."""
    from gxo.apply.status import status as applied
    from gxo.systemd import exposure
    from gxo.systemd.bus import Bus
    from gxo.systemd.manager import Manager
    from gxo.units.files import render_file
    from gxo.units.names import parse

    playbook, _, workload = (target or "").partition(".")

    def wanted(of: str, part: str) -> bool:
        return playbook in ("", of) and workload in ("", part)

    found_all = applied()
    known = found_all.workloads
    damaged = {n: why for n, why in found_all.damaged.items() if playbook in ("", n)}
    shown = tuple(found for found in known if wanted(found.playbook, found.workload))
    if target and not shown and not damaged:
        raise _not_applied(target, known, found_all.under_way)
    ours = {unit.name for found in known for unit in found.units}
    with Bus.system() as bus:
        strays = tuple(
            unit
            for unit in Manager(bus).units("gxo-*.*")
            if unit.found
            and unit.name not in ours
            and (name := parse(unit.name))
            and name.playbook not in found_all.damaged
            and wanted(name.playbook, name.workload)
        )
    # what starts a run is gxo itself: rated is what the run's step is isolated by
    steps = {found.step.name: render_file(found.step) for found in shown if found.step}
    results = {
        unit.name: result
        for found in shown
        for unit in found.units
        if unit.name.endswith(".service") and (result := found_all.results.get(unit.name))
    }
    return Report(
        workloads=shown,
        results=results,
        exposure={
            **exposure.of_units(results.keys() - steps.keys()),
            **exposure.of_texts(steps),
        },
        strays=strays,
        damaged=damaged,
        under_way=found_all.under_way,
    )


def to_json(report: Report) -> dict[str, object]:
    """As in docs/reference/json/status.schema.json; instants are in UTC, null for never."""
    return {
        "workloads": [
            {
                "playbook": found.playbook,
                "workload": found.workload,
                "lifecycle": found.lifecycle,
                "state": state(found),
                "units": [_unit_json(unit, report.results.get(unit.name)) for unit in found.units],
                "digest": found.digest,
                "revision": found.revision,
                "drift": [*found.drift, *found.slice_drift],
                "exposure": _exposure(found, report),
                "source": found.source or None,
                "orphaned": found.orphaned,
                "interrupted": found.interrupted,
                "last_run": {
                    "ok": last.ok,
                    "ended": _instant(last.ended),
                    "detail": last.detail,
                }
                if (last := last_run(found, report.results))
                else None,
                "last_trigger": _instant(found.last_trigger),
                "next_elapse": _instant(found.next_elapse),
            }
            for found in report.workloads
        ],
        "strays": [
            {"name": unit.name, "active": unit.active, "sub": unit.sub} for unit in report.strays
        ],
        "under_way": report.under_way or None,
        "damaged": [{"playbook": n, "reason": why} for n, why in report.damaged.items()],
    }


def state(found: "WorkloadStatus") -> str:
    """One word for how a workload fares, whatever its lifecycle."""
    if found.lifecycle == "run_once":
        if found.last is None:
            return "not run"
        return "completed" if found.last.ok else "failed"
    main = found.units[0]
    if found.lifecycle == "scheduled" and main.active == "active":
        return "running" if any(_runs(unit) for unit in found.units[1:]) else "waiting"
    if main.sub.startswith("auto-restart"):
        return "restarting"
    return {"active": "running", "inactive": "stopped"}.get(main.active, main.active)


def render(report: Report, *, now: datetime) -> str:
    """A table of the workloads, what is wrong under each, then what to do about the rest."""
    from gxo.cli.table import Cell, Colour, coloured, paint, table

    if not report.workloads and not report.strays and not report.damaged:
        return f"nothing is applied; {report.under_way or '`gxo apply PATH` does'}\n"
    colours = {
        **dict.fromkeys(("running", "completed", "waiting"), Colour.GOOD),
        **dict.fromkeys(("failed", "stopped", "not run"), Colour.BAD),
    }
    colour = coloured()
    header = ("WORKLOAD", "LIFECYCLE", "STATE", "SINCE", "NEXT", "RESTARTS", "EXPOSURE")
    rows: list[tuple[Cell | str, ...]] = [
        (
            f"{found.playbook}.{found.workload}",
            found.lifecycle,
            Cell(
                state(found),
                Colour.BAD
                if _failed(found, report)
                else colours.get(state(found), Colour.DOUBTFUL),
            ),
            _since(found, report, now),
            _until(found.next_elapse, now),
            _restarts(found, report),
            "" if (score := _exposure(found, report)) is None else f"{score:.1f}",
        )
        for found in report.workloads
    ]
    lines = table(rows, header=header, colour=colour).splitlines()
    text = "".join(line + "\n" for line in lines[:1])
    for found, line in zip(report.workloads, lines[1:], strict=True):
        text += line + "\n"
        for said in _wrong(found, report):
            text += "  " + paint(Cell(said, Colour.DOUBTFUL), colour=colour) + "\n"
    return text + "".join(paint(Cell(said), colour=colour) + "\n" for said in _advice(report))


def last_run(found: "WorkloadStatus", results: "Mapping[str, UnitResult]") -> "LastRun | None":
    """How a step, or the job of a schedule, ended last; None for a service and before the first."""
    from gxo.apply.why import describe_turn

    if found.last:
        return LastRun(found.last.ok, found.last.ended, found.last.detail)
    job = results.get(found.units[-1].name) if found.lifecycle == "scheduled" else None
    if job is None or not (job.ended or job.result != "success"):
        return None
    ok = job.result == "success"
    return LastRun(ok, job.ended, "" if ok else describe_turn(job, runs=found.step is not None))


def _wrong(found: "WorkloadStatus", report: Report) -> tuple[str, ...]:
    """What is not as it should be with one workload, a line each."""
    from gxo.apply.drift import DOWN
    from gxo.systemd.ending import describe

    last = last_run(found, report.results)
    failed = (last.detail or "it failed",) if last and not last.ok else ()
    ended = tuple(
        f"{unit.name}: {describe(result) if result else unit.result}"
        for unit in found.units
        if unit.result != "success"
        for result in (report.results.get(unit.name),)
    )
    told = failed and found.lifecycle == "scheduled"
    # that it does not run stands in the column
    known = DOWN if state(found) in ("stopped", "failed") else ()
    return (
        *(f"last run failed: {detail}" for detail in failed),
        *(() if told else ended),
        *(line for line in found.drift if line not in known),
    )


def _failed(found: "WorkloadStatus", report: Report) -> bool:
    last = last_run(found, report.results)
    return state(found) == "failed" or bool(last and not last.ok)


def _advice(report: Report) -> Iterable[str]:
    from gxo.units.names import parse

    for label in [f"{w.playbook}.{w.workload}" for w in report.workloads if _failed(w, report)]:
        yield f"failed: {label}; `gxo logs {label}` shows what it said"
    for playbook, source in sorted(
        {(w.playbook, w.source) for w in report.workloads if w.orphaned}
    ):
        yield f"orphaned: {playbook}, whose file {source} is gone; `gxo remove {playbook}` stops it"
    for said in sorted({line for w in report.workloads for line in w.slice_drift}):
        yield f"drifted: {said}"
    for playbook in sorted({w.playbook for w in report.workloads if w.interrupted}):
        yield f"interrupted: the last apply of {playbook} did not end; the next one mends it"
    if report.under_way:
        yield f"under way: {report.under_way}"
    applied = {w.playbook for w in report.workloads}
    for unit in report.strays:
        name = parse(unit.name)
        assert name is not None, "gather takes no others"
        if name.playbook in applied:
            yield f"left over: {unit.name} ({unit.sub}) is of an earlier revision"
        elif not report.under_way:  # whose first apply has not ended yet
            yield f"unknown: {unit.name} ({unit.sub}); `gxo remove {name.playbook}` stops it"


def _not_applied(target: str, known: "Iterable[WorkloadStatus]", under_way: str) -> Failure:
    from gxo.diagnostic.base import did_you_mean

    names = {name for w in known for name in (w.playbook, f"{w.playbook}.{w.workload}")}
    kind = "workload" if "." in target else "playbook"
    hint = under_way or did_you_mean(target, names) or "`gxo status` lists what there is"
    return Failure(f"cannot show `{target}`: no {kind} of that name is applied; {hint}")


def _unit_json(unit: "UnitStatus", result: "UnitResult | None") -> dict[str, object]:
    return {
        "name": unit.name,
        "active": unit.active,
        "sub": unit.sub,
        "result": unit.result,
        "pid": unit.pid,
        "restarts": result.restarts if result else 0,
        "since": _instant(result.since if result else 0),
    }


def _exposure(found: "WorkloadStatus", report: Report) -> float | None:
    """Of the most exposed service; None where none is loaded."""
    scores = [report.exposure[unit.name] for unit in found.units if unit.name in report.exposure]
    return max(scores, default=None)


def _runs(unit: "UnitStatus") -> bool:
    return unit.active in ("active", "activating", "reloading", "deactivating")


def _since(found: "WorkloadStatus", report: Report, now: datetime) -> str:
    """How long it has been so, or when it ran last."""
    if found.last:
        return _ago(found.last.ended, now)
    if found.lifecycle == "scheduled":
        return _ago(found.last_trigger, now)
    result = report.results.get(found.units[0].name)
    return _ago(result.since if result and result.active == "active" else 0, now)


def _restarts(found: "WorkloadStatus", report: Report) -> str:
    count = sum(r.restarts for u in found.units if (r := report.results.get(u.name)))
    return str(count) if count else ""


def _instant(microseconds: int) -> str | None:
    """RFC 3339; None for systemd's two ways to say never."""
    if not 0 < microseconds < _NEVER:
        return None
    return datetime.fromtimestamp(microseconds / 1e6, UTC).isoformat(timespec="seconds")


_NEVER = (1 << 63) - 1
_UNITS = ((86400 * 365, "y"), (86400, "d"), (3600, "h"), (60, "min"), (1, "s"))


def _ago(microseconds: int, now: datetime) -> str:
    if not 0 < microseconds < _NEVER:
        return ""
    return f"{_span(now.timestamp() - microseconds / 1e6)} ago"


def _until(microseconds: int, now: datetime) -> str:
    if not 0 < microseconds < _NEVER:
        return ""
    return f"in {_span(microseconds / 1e6 - now.timestamp())}"


def _span(seconds: float) -> str:
    """A duration in its two largest units."""
    left = max(0, round(seconds))
    parts: list[str] = []
    for size, name in _UNITS:
        if left >= size and len(parts) < 2:
            parts.append(f"{left // size} {name}")
            left %= size
    return " ".join(parts) or "0 s"

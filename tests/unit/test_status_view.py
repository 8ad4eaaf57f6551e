"""How `gxo status` words what it found: states, times, what is wrong, what to do."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from gxo.apply.record import Outcome
from gxo.apply.status import UnitStatus, WorkloadStatus
from gxo.cli.status import Report, render, state, to_json
from gxo.dataclass import replace
from gxo.systemd.states import UnitResult, UnitState

NOW = datetime(2026, 1, 31, 12, 0, tzinfo=UTC)
TIMER, SERVICE = "gxo-site.backup.0123456789ab.timer", "gxo-site.backup.0123456789ab.service"


def ago(**span: int) -> int:
    """Microseconds since 1970, of an instant that long before NOW."""
    return int((NOW - timedelta(**span)).timestamp() * 1_000_000)


def unit(name: str, active: str = "active", sub: str = "running", **more: Any) -> UnitStatus:
    """A unit as systemd has it."""
    return UnitStatus(name=name, active=active, sub=sub, **{"result": "success", "pid": 7, **more})


def workload(lifecycle: str, *units: UnitStatus, **more: Any) -> WorkloadStatus:
    """A workload of `site` that is as applied."""
    plain = WorkloadStatus(
        playbook="site",
        workload="web",
        lifecycle=lifecycle,
        units=units,
        digest="d",
        revision=3,
        drift=(),
        source="/srv/site.yaml",
        orphaned=False,
        interrupted=False,
    )
    return replace(plain, **more)


def report(*workloads: WorkloadStatus, **more: Any) -> Report:
    """A report with nothing beside the workloads."""
    return Report(**{"workloads": workloads, "results": {}, "exposure": {}, "strays": (), **more})


def failed(name: str) -> UnitResult:
    """A unit whose program exited with status 3."""
    return UnitResult(
        name=name,
        load="loaded",
        active="failed",
        sub="failed",
        result="exit-code",
        code="exited",
        status=3,
    )


@pytest.mark.parametrize(
    ("found", "word"),
    [
        (workload("supervise", unit("w")), "running"),
        (workload("supervise", unit("w", "activating", "start-pre")), "activating"),
        (workload("supervise", unit("w", "activating", "auto-restart")), "restarting"),
        (workload("supervise", unit("w", "activating", "auto-restart-queued")), "restarting"),
        (workload("supervise", unit("w", "failed", "failed")), "failed"),
        (workload("supervise", unit("w", "inactive", "dead")), "stopped"),
        (workload("scheduled", unit(TIMER), unit(SERVICE, "inactive", "dead")), "waiting"),
        (workload("scheduled", unit(TIMER), unit(SERVICE, "activating", "start")), "running"),
        (workload("scheduled", unit(TIMER, "inactive", "dead"), unit(SERVICE)), "stopped"),
        (workload("run_once", unit("w", "inactive", "dead")), "not run"),
        (workload("run_once", unit("w"), last=Outcome(digest="d", ok=True, ended=1)), "completed"),
        (workload("run_once", unit("w"), last=Outcome(digest="d", ok=False, ended=1)), "failed"),
    ],
)
def test_state(found: WorkloadStatus, word: str) -> None:
    """One word says how a workload of each lifecycle fares."""
    assert state(found) == word


def test_the_whole_table() -> None:
    """Times, restarts and exposure stand in columns, what is wrong below, what to do at the end."""
    web = workload("supervise", unit("gxo-site.web.service"), drift=("TasksMax: 5 -> 9",))
    backup = workload(
        "scheduled",
        unit(TIMER, sub="waiting"),
        unit(SERVICE, "failed", "failed", result="exit-code"),
        workload="backup",
        last_trigger=ago(days=1),
        next_elapse=ago(hours=-16, minutes=-5),
    )
    setup = workload(
        "run_once",
        unit("gxo-old.setup.service", "inactive", "dead"),
        playbook="old",
        workload="setup",
        source="/gone.yaml",
        orphaned=True,
        interrupted=True,
        last=Outcome(digest="d", ok=False, ended=ago(seconds=90), detail="exit code 3"),
    )
    lost = UnitState(
        name=r"gxo-x\x2dy.z.service",
        load="loaded",
        active="active",
        sub="running",
        job="",
    )
    web_result = UnitResult(
        name="gxo-site.web.service",
        load="loaded",
        active="active",
        sub="running",
        restarts=2,
        since=ago(days=400, hours=1),
    )
    backup_result = replace(failed(SERVICE), ended=ago(days=1))
    shown = report(
        web,
        backup,
        setup,
        results={"gxo-site.web.service": web_result, SERVICE: backup_result},
        exposure={"gxo-site.web.service": 1.5},
        strays=(replace(lost, name="gxo-site.job.0123456789ab.service"), lost),
    )
    assert render(shown, now=NOW) == (
        "WORKLOAD     LIFECYCLE  STATE    SINCE           NEXT           RESTARTS  EXPOSURE\n"
        "site.web     supervise  running  1 y 35 d ago                   2         1.5\n"
        "  TasksMax: 5 -> 9\n"
        "site.backup  scheduled  waiting  1 d ago         in 16 h 5 min\n"
        "  last run failed: it exited with status 3\n"
        "old.setup    run_once   failed   1 min 30 s ago\n"
        "  last run failed: exit code 3\n"
        "failed: site.backup; `gxo logs site.backup` shows what it said\n"
        "failed: old.setup; `gxo logs old.setup` shows what it said\n"
        "orphaned: old, whose file /gone.yaml is gone; `gxo remove old` stops it\n"
        "interrupted: the last apply of old did not end; the next one mends it\n"
        "left over: gxo-site.job.0123456789ab.service (running) is of an earlier revision\n"
        "unknown: gxo-x\\x2dy.z.service (running); `gxo remove x-y` stops it\n"
    )


def test_never_is_null() -> None:
    """Instants that systemd has not, 0 or all ones, are null in JSON."""
    never = workload("scheduled", unit(TIMER), last_trigger=0, next_elapse=(1 << 64) - 1)
    document: Any = to_json(report(never))
    found = document["workloads"][0]
    assert (found["last_trigger"], found["next_elapse"]) == (None, None)


def test_nothing_applied() -> None:
    """A host without playbooks is told how to begin."""
    assert render(report(), now=NOW) == "nothing is applied; `gxo apply PATH` does\n"


def test_what_is_down_is_told_once() -> None:
    """Below a service that failed stands how it ended; the column tells already that it is down."""
    name = "gxo-site.web.service"
    dead = workload(
        "supervise",
        unit(name, "failed", "failed", result="exit-code"),
        drift=("failed (failed)", "TasksMax: 5 -> 9"),
    )
    stopped = workload("supervise", unit(name, "inactive", "dead"), drift=("not loaded",))
    assert render(report(dead, results={name: failed(name)}), now=NOW).splitlines()[2:-1] == [
        "  gxo-site.web.service: it exited with status 3",
        "  TasksMax: 5 -> 9",
    ]
    assert len(render(report(stopped), now=NOW).splitlines()) == 2

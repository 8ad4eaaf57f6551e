"""Back-off on a live systemd: gaps grow, start anew after health, and spare a start by hand."""

import time
from itertools import pairwise

import pytest

from gxo.spec.lifecycle import Address, Backoff, Lifecycle, Ready, Restart, Supervise
from gxo.spec.policy import Namespaces, Profile, SecurityContext
from gxo.systemd.jobs import JobResult
from gxo.units.build import Target, compile_units
from gxo.units.model import Unit
from gxo.units.properties import properties
from gxo.units.scripts import HEALTHY
from tests.lab.applying import until
from tests.lab.units_live import Live
from tests.unit.units_plans import SPAN, plan, step

MS = 1_000
QUICK = Backoff(span=SPAN, initial=200 * MS, max=3_200 * MS, steps=5)
# what a restart may cost on a machine that runs other tests beside: two sandboxes and a shell
SLACK = 2.5


def unit(live: Live, name: str, lifecycle: Lifecycle, script: str, **keys: object) -> Unit:
    security = SecurityContext(span=SPAN, **keys)  # type: ignore[arg-type]
    made, problems = compile_units(
        plan(step(name, lifecycle, security, command=script, shell=True), playbook="restarts"),
        Target(systemd=live.machine.version),
    )
    assert problems == ()
    return made[0]


def starts(live: Live, unit: Unit) -> list[float]:
    """When the service began, seconds of the guest's uptime, as it says itself."""
    said = live.machine.journal(f"_SYSTEMD_UNIT={unit.name}")
    return [float(line.split()[1]) for line in said.splitlines() if line.startswith("began ")]


BEGIN = "read -r up _ </proc/uptime; echo began $up; "


def gaps(live: Live, unit: Unit, count: int, timeout: float) -> list[float]:
    """The first gaps between starts, waited for."""
    deadline = time.monotonic() + timeout
    while len(found := starts(live, unit)) <= count and time.monotonic() < deadline:
        time.sleep(0.3)
    return [later - earlier for earlier, later in pairwise(found)][:count]


def test_gaps_grow_and_stay(live: Live) -> None:
    """A crash loop's gaps double from 0.2 to 3.2 s and stay there; a stop in between is at once."""
    looping = unit(live, "loop", Supervise(span=SPAN, backoff=QUICK), BEGIN + "exit 3")
    live.start(looping)
    try:
        found = gaps(live, looping, 6, 40)
        wanted = [0.2, 0.4, 0.8, 1.6, 3.2, 3.2]
        assert len(found) == 6
        for gap, want in zip(found, wanted, strict=True):
            assert want - 0.05 <= gap <= want + SLACK, found
        assert found[5] - found[0] > 1, found
        # systemd's own count goes on, so that `NRestarts` still tells of a crash loop
        assert live.manager.result(looping.name).restarts >= 6
        began = time.monotonic()
        live.manager.stop(looping.name)
        assert time.monotonic() - began < 1
    finally:
        live.remove(looping.name)


@pytest.mark.parametrize("user", [None, "daemon", "nobody"])
def test_gaps_grow_under_strict(live: Live, user: str | None) -> None:
    """A strict service starts, whoever its user is, and its gaps grow as any other's."""
    # strict hides /proc/uptime, so the service tells the time by the clock
    looping = unit(
        live,
        f"strict-{user}",
        Supervise(span=SPAN, backoff=QUICK),
        "echo began $(date +%s.%N); exit 3",
        profile=Profile.STRICT,
        user=user,
    )
    live.start(looping)
    try:
        found = gaps(live, looping, 4, 30)
        assert len(found) == 4, live.machine.journal("-u", looping.name)
        for gap, want in zip(found, [0.2, 0.4, 0.8, 1.6], strict=True):
            assert want - 0.05 <= gap <= want + SLACK, found
    finally:
        live.remove(looping.name)


def test_health_starts_anew(live: Live) -> None:
    """After a run of ten healthy seconds the gaps are the first ones again."""
    count = "n=$(cat n 2>/dev/null || echo 0); echo $((n + 1)) >n; "
    script = BEGIN + count + "[ $n != 4 ] || sleep 11; exit 1"
    looping = unit(live, "health", Supervise(span=SPAN, backoff=QUICK), script)
    live.start(looping)
    try:
        found = gaps(live, looping, 6, 60)
        assert all(
            gap >= want - 0.05 for gap, want in zip(found, [0.2, 0.4, 0.8, 1.6], strict=False)
        )
        assert HEALTHY / 1e6 + 1 < found[4] < 11.2 + SLACK
        # the second gap; it would be the last, 3.2 s, had the run not counted as healthy
        assert found[5] < 2.9, found
    finally:
        live.remove(looping.name)


def test_a_start_by_hand_does_not_wait(live: Live) -> None:
    """`systemctl restart` of a service that crashed a moment ago starts it at once, from zero."""
    script = BEGIN + "[ -e crashed ] && exec sleep 1000; n=$(cat n || echo 0); echo $((n + 1)) >n; "
    script += "[ $n -lt 4 ] || touch crashed; exit 1"
    looping = unit(live, "hand", Supervise(span=SPAN, backoff=QUICK), script)
    live.start(looping)
    try:
        assert len(gaps(live, looping, 5, 40)) == 5
        assert until(lambda: live.manager.result(looping.name).sub == "running")
        began = time.monotonic()
        live.machine.run("systemctl", "restart", looping.name, check=True)
        assert time.monotonic() - began < 3  # the next gap would have been 3.2 s
    finally:
        live.remove(looping.name)


def test_restart_policies(live: Live) -> None:
    """`always` restarts a clean exit, `on_failure` does not, `never` not even a crash."""
    short = Backoff(span=SPAN, initial=100 * MS, max=100 * MS)
    always = Supervise(span=SPAN, restart=Restart.ALWAYS, backoff=short)
    cases = {
        "always": unit(live, "always", always, BEGIN),
        "clean": unit(live, "clean", Supervise(span=SPAN, backoff=short), BEGIN),
        "never": unit(live, "never", Supervise(span=SPAN, restart=Restart.NEVER), BEGIN + "exit 1"),
    }
    live.start(*cases.values())
    try:
        assert len(gaps(live, cases["always"], 3, 20)) == 3
        assert len(starts(live, cases["clean"])) == 1
        assert len(starts(live, cases["never"])) == 1
    finally:
        live.remove(*(case.name for case in cases.values()))


@pytest.mark.parametrize("own_pids", [False, True])
def test_ready_by_tcp(live: Live, own_pids: bool) -> None:
    """A start job ends when the port takes a connection, not before; or soon after a crash."""
    ready = Ready(span=SPAN, when=Address("127.0.0.1", 7117))
    lifecycle = Supervise(span=SPAN, ready=ready, restart=Restart.NEVER)
    serve = (
        "sleep 1.5; exec python3 -c 'import socket, signal, sys; "
        "signal.signal(signal.SIGTERM, lambda *_: sys.exit(0)); "
        's = socket.create_server(("127.0.0.1", 7117)); signal.pause()\''
    )
    keys = {"namespaces": Namespaces(span=SPAN, pid=True), "user": "daemon"} if own_pids else {}
    serving = unit(live, "serving", lifecycle, serve, **keys)
    dying = unit(live, "dying", lifecycle, "sleep 0.5; exit 7", **keys)
    try:
        began = time.monotonic()
        outcome = live.manager.start_transient(serving.name, properties(serving), timeout=30)
        assert outcome.result is JobResult.DONE
        assert 1.4 < time.monotonic() - began < 6
        live.manager.stop(serving.name)
        began = time.monotonic()
        outcome = live.manager.start_transient(dying.name, properties(dying), timeout=30)
        assert outcome.result is JobResult.FAILED
        assert time.monotonic() - began < 5
        assert live.manager.result(dying.name).status == 7
    finally:
        live.remove(serving.name, dying.name)


def test_never_ready(live: Live) -> None:
    """A port that takes no connection in time fails the start, and the journal says so."""
    ready = Ready(span=SPAN, when=Address("", 7118), timeout=1_000_000)
    deaf = unit(live, "deaf", Supervise(span=SPAN, ready=ready, restart=Restart.NEVER), "sleep 99")
    try:
        outcome = live.manager.start_transient(deaf.name, properties(deaf), timeout=30)
        assert outcome.result is JobResult.FAILED
        assert "no TCP connection to port 7118 within 1 s" in live.machine.journal("-u", deaf.name)
    finally:
        live.remove(deaf.name)


def test_reload_by_signal(live: Live) -> None:
    """`reload: SIGUSR1` reaches the service, and it goes on running."""
    script = "trap 'echo heard' USR1; echo up; while :; do sleep 0.1; done"
    listening = unit(live, "signal", Supervise(span=SPAN, reload="SIGUSR1"), script)
    live.start(listening)
    try:
        deadline = time.monotonic() + 10
        while "up" not in live.machine.journal("-u", listening.name):
            assert time.monotonic() < deadline
        before = live.manager.result(listening.name).pid
        live.manager.reload(listening.name)
        while "heard" not in live.machine.journal("-u", listening.name):
            assert time.monotonic() < deadline
        assert live.manager.result(listening.name).pid == before
    finally:
        live.remove(listening.name)

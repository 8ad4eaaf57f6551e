"""PID namespaces on a live systemd: made by systemd from 257 on, before that by a launcher."""

import json
import signal
from collections.abc import Iterator
from secrets import token_hex
from typing import Any

import pytest

from gxo.spec.lifecycle import SECOND, Ready, ReadyKind, Restart, Supervise
from gxo.spec.policy import Namespaces, Profile
from gxo.systemd.jobs import JobResult
from gxo.units.model import Unit
from tests.lab.applying import Site, site, until
from tests.lab.machine import Machine
from tests.lab.running import run
from tests.lab.test_units_security import compiled, context, job, result, said, started
from tests.lab.units_live import Live
from tests.unit.units_plans import SPAN, step

OWN = Namespaces(span=SPAN, pid=True)
MOUNT = (
    "import ctypes; mount = ctypes.CDLL(None).mount;"
    " print(*(mount(b'none', at, b'tmpfs', 0, None) or 'mounts' for at in (b'/tmp', b'/proc')))"
)


@pytest.fixture
def here(machine: Machine) -> Iterator[Site]:
    with site(machine, "alone") as found:
        machine.run("install", "-d", "-m", "0700", "/etc/gxo/secrets", check=True)
        yield found
    machine.run("rm", "-rf", "/etc/gxo/secrets", check=True)


def fixed(live: Live) -> dict[str, Any]:
    """The user that systemd 257 wants named for a PID namespace."""
    return {"user": "daemon"} if live.machine.version >= 257 else {}


def held(live: Live, name: str, script: str, **lifecycle: Any) -> Unit:
    """A supervised line of shell in a PID namespace."""
    cycle = Supervise(span=SPAN, restart=Restart.NEVER, **lifecycle)
    own = context(namespaces=OWN, **fixed(live))
    (unit,) = compiled(live, step(name, cycle, own, command=script, shell=True))
    return unit


def test_it_sees_and_reaches_only_itself(live: Live) -> None:
    """Another process of its own user is in reach of a workload, but not of one with the key."""
    keys: dict[str, Any] = {"user": "daemon"}
    (other,) = compiled(
        live, step("other", None, context(**keys), command="/bin/sleep", args=["1000"])
    )
    assert started(live, other).result is JobResult.DONE
    try:
        pid = live.manager.result(other.name).pid
        look = (
            f"[ -e /proc/{pid} ] && echo sees; kill -0 {pid} 2>/dev/null && echo reaches;"
            " set -- /proc/[0-9]*; echo $# $1"
        )
        assert result(live, "among", look, **keys)[0] == "reaches"
        assert result(live, "alone", look, namespaces=OWN, **keys) == ["1 /proc/1"]
        host = {**keys, "profile": Profile.HOST}
        assert result(live, "among-host", look, **host)[:2] == ["sees", "reaches"]
        assert result(live, "alone-host", look, namespaces=OWN, **host) == ["1 /proc/1"]
    finally:
        live.remove(other.name)


def test_nothing_is_left_of_what_made_it(live: Live) -> None:
    """No capability, no way to new privileges, no namespace and no mount; root has them all."""
    look = (
        "grep -hE '^(Cap|NoNewPrivs)' /proc/self/status | tr -d '\\n\\t'; echo;"
        " for kind in U m p i n u C; do unshare -$kind true 2>/dev/null && echo makes $kind; done;"
        f' python3 -c "{MOUNT}"'
    )
    none = "".join(f"Cap{kind}:{'0' * 16}" for kind in ("Inh", "Prm", "Eff", "Bnd", "Amb"))
    closed = [f"{none}NoNewPrivs:1", "-1 -1"]
    assert result(live, "closed", look, namespaces=OWN, **fixed(live)) == closed
    wanted: dict[str, Any] = {"capabilities": ("CAP_KILL",), "user": "daemon"}
    some = result(live, "some", look, namespaces=OWN, **wanted)
    assert some == [closed[0].replace("0" * 16, f"{1 << 5:016x}"), closed[1]]
    apart = Namespaces(span=SPAN, mount=True)
    free = result(live, "free", look, profile=Profile.HOST, namespaces=apart)
    assert {"makes U", "makes m", "makes p", "mounts mounts"} <= set(free)


def test_the_launcher_reads_no_variable_of_a_playbook(live: Live) -> None:
    """What the loader is told is told to the program alone; so are all others, as they stand."""
    given = ["LD_PRELOAD=/nowhere.so", "A=x  'y' $B %n", "PATH=/usr/bin"]
    (unit,) = compiled(
        live,
        step(
            "told",
            job("x", "").lifecycle,
            context(namespaces=OWN, **fixed(live)),
            command="/bin/sh",
            args=["-c", 'echo "$A"; echo "$PATH"; echo "$RUNTIME_DIRECTORY"; exec cat'],
            environment=given,
            stdin="in\n",
        ),
    )
    try:
        assert started(live, unit).result is JobResult.DONE
        lines = said(live, unit)
    finally:
        live.remove(unit.name)
    assert sum("/nowhere.so" in line for line in lines) == 2  # by the shell, and by cat
    place = "/run/gxo/workspaces/sandbox.told"
    assert [line for line in lines if "/nowhere.so" not in line] == [
        "x  'y' $B %n",
        "/usr/bin",
        place,
        "in",
    ]


def test_how_it_ends(live: Live) -> None:
    """A program's exit status and the signal of a crash are the unit's; so is an end by SIGTERM."""
    (failing,) = compiled(live, job("ends", "exit 7", namespaces=OWN, **fixed(live)))
    crash = "exec python3 -c 'import ctypes; ctypes.string_at(0)'"
    (crashing,) = compiled(live, job("crashes", crash, namespaces=OWN, **fixed(live)))
    stopping = held(live, "stops", "trap 'exit 5' TERM; echo up; while :; do sleep 0.1; done")
    try:
        assert started(live, failing).result is JobResult.FAILED
        assert live.manager.result(failing.name).status == 7
        assert started(live, crashing).result is JobResult.FAILED
        assert live.manager.result(crashing.name).status == signal.SIGSEGV
        assert started(live, stopping).result is JobResult.DONE
        assert until(lambda: "up" in said(live, stopping), 20)
        live.manager.stop(stopping.name)
        assert live.manager.result(stopping.name).status == 5
    finally:
        live.remove(failing.name, crashing.name, stopping.name)


def test_it_goes_with_its_main_process(live: Live) -> None:
    """Whoever kills the unit's main process has killed the workload."""
    script = "sleep 1000 & echo $$ up; while :; do sleep 1; done"
    unit = held(live, "goes", script)
    try:
        assert started(live, unit).result is JobResult.DONE
        assert until(lambda: "1 up" in said(live, unit), 20)
        live.machine.run("kill", "-KILL", str(live.manager.result(unit.name).pid), check=True)
        assert until(lambda: live.manager.result(unit.name).result == "signal", 20)
        group = live.machine.show(unit.name, "ControlGroup")["ControlGroup"]
        assert group == ""
    finally:
        live.remove(unit.name)


def test_what_made_it_is_out_of_reach(live: Live) -> None:
    """A launcher's capabilities are not for its user's other processes, which read all others."""
    keys: dict[str, Any] = {"profile": Profile.HOST, "user": "daemon"}
    sleep: dict[str, Any] = {"command": "/bin/sleep", "args": ["1000"]}
    quick = Supervise(span=SPAN, stop_timeout=SECOND)
    plain, own = compiled(
        live,
        step("plain", quick, context(**keys), **sleep),
        step("own", quick, context(namespaces=OWN, **keys), **sleep),
    )
    try:
        read = []
        for unit in (plain, own):
            assert started(live, unit).result is JobResult.DONE
            memory = f"/proc/{live.manager.result(unit.name).pid}/maps"
            read.append(live.machine.run("head", "-1", memory, user="daemon").returncode == 0)
        assert read == [True, live.machine.version >= 257]
    finally:
        live.remove(plain.name, own.name)


def test_it_tells_systemd(live: Live) -> None:
    """It says that it is ready and alive, as the process that its variables name."""
    script = (
        "exec python3 -c 'import os, socket, time; s = socket.socket(1, 2);"
        ' told = lambda text: s.sendto(text, os.environ["NOTIFY_SOCKET"]);'
        ' print("pid", os.environ["WATCHDOG_PID"], os.getpid(), flush=True); told(b"READY=1")\n'
        'while True: told(b"WATCHDOG=1"); time.sleep(0.2)\''
    )
    unit = held(
        live,
        "tells",
        script,
        ready=Ready(span=SPAN, when=ReadyKind.NOTIFY),
        watchdog=5 * SECOND,
        stop_timeout=SECOND,
    )
    try:
        assert started(live, unit).result is JobResult.DONE
        if live.machine.version < 257:
            assert said(live, unit) == ["pid 1 1"]
        fed = "WatchdogTimestampMonotonic"
        before = live.machine.show(unit.name, fed)
        assert until(lambda: live.machine.show(unit.name, fed) != before, 20)
    finally:
        live.remove(unit.name)


def test_steps_of_a_run(machine: Machine) -> None:
    """Programs, gxo's own modules, streams and a secret in the environment: all work, alone."""
    value = f"hush-{token_hex(8)}"
    machine.gxo("setup", check=True)
    machine.run("install", "-d", "-m", "0700", "/etc/gxo/secrets", check=True)
    machine.write("/etc/gxo/secrets/token", value, 0o600)
    own = "security_context: {namespaces: {pid: true}}, lifecycle: {policy: run_once}"
    shells = {
        "exec": ("echo $$ $LOW >seen", {"environment": ["LOW=y"]}, ""),
        "secret": ('printf %s "$T" >got', {"environment": ["T={{ secret `token` }}"]}, ""),
        "reads": ("cat >streamed", {}, "stream_inputs: [writes], "),
    }
    workloads = "".join(
        f"  - {{name: {name}, {more}{own}, process: {{module: exec,"
        f" params: {json.dumps({'command': line, 'shell': True, **params})}}}}}\n"
        for name, (line, params, more) in shells.items()
    )
    workloads += (
        f"  - {{name: writes, {own}, process: {{module: exec,"
        " params: {command: seq, args: ['3']}}}\n"
        f"  - {{name: looks, needs: [exec, secret, reads], {own}, process: {{module:"
        " 'filesystem:read', params: {path: seen}}}\n"
        f"  - {{name: says, needs: [looks], {own}, process: {{module: exec, params: {{shell: true,"
        " command: 'cat seen streamed; wc -c <got'}}}\n"
    )
    try:
        ran = run(machine, workloads, name="alone")
        assert (ran.code, ran.status) == (0, "Completed"), (ran.stderr, ran.events)
        lines = machine.journal("GXO_PLAYBOOK=alone", "GXO_STEP=says").split("\n")
        assert "1 y" in lines
        assert str(len(value)) in lines
        assert lines.index("1") < lines.index("3")
    finally:
        machine.run("rm", "-rf", "/etc/gxo/secrets", check=True)


def test_a_guarded_service(here: Site) -> None:
    """A service with a secret has it, is masked, is told once to stop, and has time to."""
    value = f"hush-{token_hex(8)}"
    machine = here.machine
    machine.write("/etc/gxo/secrets/token", value, 0o600)
    heard = "trap 'echo heard' TERM; echo has $T; while :; do sleep 0.1; n=$((n+1));"
    script = f'{heard} [ -z "$stop" ] || [ $n -lt 5 ] || exit 0; done'
    script = script.replace("echo heard'", "echo heard; stop=1; n=0'")
    user = "user: daemon, " if machine.version >= 257 else ""
    params = json.dumps(
        {"command": script, "shell": True, "environment": ["T={{ secret `token` }}"]}
    )
    here.write(
        "  - {name: quiet, lifecycle: {policy: supervise, ready: {settle: 300ms}},"
        f" security_context: {{{user}namespaces: {{pid: true}}}},"
        f" process: {{module: exec, params: {params}}}}}\n"
    )
    here.apply()
    unit = here.unit("quiet")
    assert until(lambda: "has [REDACTED_SECRET]\n" in machine.journal("-u", unit), 20)
    machine.run("systemctl", "stop", unit, check=True)
    journal = machine.journal("-u", unit)
    assert journal.count("heard\n") == 1, journal
    assert value not in journal
    assert machine.show(unit, "Result") == {"Result": "success"}

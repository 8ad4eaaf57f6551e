"""The sandbox on a live systemd: what the default profile keeps in, and what it lets work."""

import time
from typing import Any

from gxo.diagnostic import has_errors
from gxo.spec.lifecycle import Address, Ready, Restart, RunOnce, Supervise
from gxo.spec.policy import Namespaces, Profile, Resources, SecurityContext
from gxo.systemd.jobs import JobResult, Outcome
from gxo.units.build import Target, compile_units
from gxo.units.files import render_file
from gxo.units.model import Unit
from gxo.units.properties import properties
from tests.lab.units_live import Live
from tests.unit.units_plans import SPAN, plan, step


def compiled(live: Live, *steps: Any) -> tuple[Unit, ...]:
    made, problems = compile_units(
        plan(*steps, playbook="sandbox"), Target(systemd=live.machine.version)
    )
    assert not has_errors(problems)
    return made


def started(live: Live, unit: Unit) -> Outcome:
    return live.manager.start_transient(unit.name, properties(unit), timeout=60)


def context(**keys: Any) -> SecurityContext:
    return SecurityContext(span=SPAN, **keys)


def said(live: Live, unit: Unit) -> list[str]:
    return live.machine.journal(f"_SYSTEMD_UNIT={unit.name}").splitlines()


def job(name: str, script: str, **keys: Any) -> Any:
    return step(name, RunOnce(span=SPAN), context(**keys), command=script, shell=True)


def result(live: Live, name: str, script: str, **keys: Any) -> list[str]:
    """The lines that a one-off job prints; it must succeed."""
    (unit,) = compiled(live, job(name, script, **keys))
    try:
        outcome = started(live, unit)
        lines = said(live, unit)
        assert outcome.result is JobResult.DONE, lines
        return lines
    finally:
        live.remove(unit.name)


def exposure(live: Live, unit: Unit) -> float:
    path = live.machine.write(f"/run/exposure/{unit.name}", render_file(unit))
    done = live.machine.run(
        "systemd-analyze", "security", "--no-pager", "--offline=yes", path, check=True
    )
    return float(done.stdout.rpartition(": ")[2].split()[0])


def test_exposure(live: Live) -> None:
    """Systemd rates a default service at 1.5, strict below 1; `host` is as open as it says."""
    sleep: Any = {"command": "/bin/sleep", "args": ["1000"]}
    default, strict, host = compiled(
        live,
        step("default", **sleep),
        step("strict", None, context(profile=Profile.STRICT), **sleep),
        step("host", None, context(profile=Profile.HOST), **sleep),
    )
    assert exposure(live, default) <= 1.5
    assert exposure(live, strict) <= 1.0
    assert exposure(live, host) >= 8


def test_services_are_apart(live: Live) -> None:
    """A default service reaches neither the files nor the processes of another, nor does nobody."""
    keep = (
        "echo precious >kept; echo precious >$STATE_DIRECTORY/kept; chmod 777 . kept; "
        "echo up; exec sleep 1000"
    )
    (owner,) = compiled(live, step("owner", command=keep, shell=True))
    started(live, owner)
    try:
        deadline = time.monotonic() + 10
        while "up" not in said(live, owner):
            assert time.monotonic() < deadline
        pid = live.manager.result(owner.name).pid
        places = ("/run/gxo/workspaces/sandbox.owner", "/var/lib/gxo/state/sandbox.owner")
        for place in places:
            assert live.machine.read(f"{place}/kept") == "precious\n"
            assert live.machine.run("cat", f"{place}/kept", user="nobody").returncode != 0
        attempts = "; ".join(
            f"{attempt} && echo reached: '{attempt}'"
            for attempt in (
                *(f"cat {place}/kept" for place in places),
                *(f"ls {place}/" for place in places),
                *(f"touch {place}/new" for place in places),
                f"ls /proc/{pid}",
                f"kill -0 {pid}",
                "touch /var/lib/gxo/new",
                "touch /run/gxo/new",
                "touch /etc/new",
                "touch /home/new",
                "ls /root",
                "cat /etc/shadow",
                "hostname other",
                "echo 1 >/proc/sys/kernel/sysrq",
                "mkdir /sys/fs/cgroup/new",
                "unshare -U true",
                "mount -t tmpfs none /tmp",
                "su -c true",
            )
        )
        assert [
            line
            for line in result(live, "thief", f"({attempts}; true) 2>/dev/null")
            if line.startswith("reached")
        ] == []
    finally:
        live.remove(owner.name)


def test_what_a_service_may(live: Live) -> None:
    """It is a user of its own, writes in workspace, state and /tmp, and may map code it wrote."""
    lines = result(
        live,
        "able",
        "id -u; pwd; touch a $STATE_DIRECTORY/b /tmp/c /var/tmp/d && echo writes; "
        "echo $RUNTIME_DIRECTORY; "
        "python3 -c 'import mmap; mmap.mmap(-1, 4096, prot=7); print(\"maps\")'",
    )
    assert int(lines[0]) >= 61184
    assert lines[1:] == [
        "/run/gxo/workspaces/sandbox.able",
        "writes",
        "/run/gxo/workspaces/sandbox.able",
        "maps",
    ]
    assert not live.machine.exists("/run/gxo/workspaces/sandbox.able")
    assert live.machine.exists("/var/lib/gxo/state/sandbox.able/b")


def test_capabilities_and_users(live: Live) -> None:
    """A capability asked for is there for an unprivileged process; a user is the one named."""
    show = "id -un; grep CapEff /proc/self/status | tail -c 17"
    assert result(live, "plain", show, user="daemon") == ["daemon", "0" * 16]
    capable = result(live, "capable", show, user="daemon", capabilities=("CAP_NET_BIND_SERVICE",))
    assert capable == ["daemon", f"{1 << 10:016x}"]
    serve = 'python3 -c \'import socket; socket.create_server(("", 81)); print("bound")\''
    assert result(live, "bind", serve, capabilities=("CAP_NET_BIND_SERVICE",)) == ["bound"]
    assert result(live, "host", show, profile=Profile.HOST)[0] == "root"


def test_namespaces(live: Live) -> None:
    """`net` leaves nothing but loopback; `pid` makes the workload its own PID 1."""
    own_net = Namespaces(span=SPAN, net=True)
    links = "tail -n +3 /proc/net/dev | cut -d: -f1 | tr -d ' '"
    assert result(live, "net", links, namespaces=own_net) == ["lo"]
    own_pids = Namespaces(span=SPAN, pid=True)
    assert result(live, "pid", "echo $$", namespaces=own_pids, user="daemon") == ["1"]
    assert result(live, "root", "echo $$", namespaces=own_pids, profile=Profile.HOST) == ["1"]
    if live.machine.version >= 257:
        assert result(live, "own", "echo $$", profile=Profile.STRICT, user="daemon") == ["1"]


def test_limits(live: Live) -> None:
    """A workload that takes more memory than it may is killed."""
    limits = Resources(span=SPAN, memory_max=50 << 20)
    (unit,) = compiled(
        live, job("greedy", "exec python3 -c 'x = b\"x\" * (200 << 20)'", resources=limits)
    )
    try:
        assert started(live, unit).result is JobResult.FAILED
        assert live.manager.result(unit.name).result in ("signal", "oom-kill")
    finally:
        live.remove(unit.name)


def test_hostile_text_is_inert(live: Live) -> None:
    """Text that would be a directive, a command or a loader's setting is only ever text."""
    machine = live.machine
    evil = "x\nExecStartPre=/bin/touch /run/pwned\n[Service]\nUser=root\n"
    machine.write("/srv/evil.sh", "id -u >>/var/lib/gxo/state/sandbox.hostile/uids\n", 0o755)
    ready = Ready(span=SPAN, when=Address("127.0.0.1", 7120))
    server = "import socket,time; s=socket.create_server(('127.0.0.1',7120)); time.sleep(1e6)"
    args = [evil, "$(touch /run/pwned)", "`touch /run/pwned`", "%i", "; reboot"]
    (unit,) = compiled(
        live,
        step(
            "hostile",
            Supervise(span=SPAN, ready=ready, restart=Restart.ALWAYS),
            command="/usr/bin/python3",
            args=[
                "-c",
                server,
                evil,
                "$(touch /run/pwned)",
                "`touch /run/pwned`",
                "%i",
                "; reboot",
            ],
            environment=[f"A={evil}", "BASH_ENV=/srv/evil.sh", "ENV=/srv/evil.sh"],
            stdin=evil,
        ),
    )
    try:
        assert started(live, unit).result is JobResult.DONE
        live.rewrite(unit)
        live.manager.daemon_reload()
        machine.run("systemctl", "restart", unit.name, check=True)
        assert not machine.exists("/run/pwned")
        pid = live.manager.result(unit.name).pid
        told = machine.run("cat", f"/proc/{pid}/cmdline").stdout.rstrip("\0").split("\0")
        assert told == ["/usr/bin/python3", "-c", server, *args]
        uids = set(machine.read("/var/lib/gxo/state/sandbox.hostile/uids").split())
        assert uids and "0" not in uids
    finally:
        live.remove(unit.name)


def test_real_servers(live: Live) -> None:
    """Nginx and redis from Debian serve under the default profile."""
    machine = live.machine
    machine.write(
        "/etc/gxo-test/nginx.conf",
        "pid nginx.pid; daemon off; events {}\n"
        "http { access_log off; server { listen 127.0.0.1:7121; return 200 'it works'; }\n"
        + "".join(
            f"{kind}_temp_path {kind};\n"
            for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        )
        + "}\n",
    )

    def at(port: int) -> Supervise:
        ready = Ready(span=SPAN, when=Address("127.0.0.1", port))
        return Supervise(span=SPAN, ready=ready, restart=Restart.NEVER)

    workspace = "/run/gxo/workspaces/sandbox.nginx"
    nginx, redis = compiled(
        live,
        step(
            "nginx",
            at(7121),
            command="/usr/sbin/nginx",
            args=["-e", "stderr", "-p", workspace, "-c", "/etc/gxo-test/nginx.conf"],
        ),
        step(
            "redis",
            at(7122),
            command="redis-server",
            args=["--port", "7122", "--dir", "/var/lib/gxo/state/sandbox.redis"],
        ),
    )
    try:
        for unit in (nginx, redis):
            assert started(live, unit).result is JobResult.DONE, said(live, unit)
        fetch = "from urllib.request import urlopen; print(urlopen('http://127.0.0.1:7121').read())"
        assert machine.run("python3", "-c", fetch).stdout == "b'it works'\n"
        redis_cli = ("redis-cli", "-p", "7122")
        assert machine.run(*redis_cli, "set", "key", "value").stdout == "OK\n"
        assert machine.run(*redis_cli, "save").stdout == "OK\n"
        assert machine.exists("/var/lib/gxo/state/sandbox.redis/dump.rdb")
    finally:
        live.remove(nginx.name, redis.name)

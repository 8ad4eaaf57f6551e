"""Secrets of applied services: the program has them, nobody else, and what it says is masked."""

import json
from base64 import b64encode
from collections.abc import Iterator
from secrets import token_hex
from typing import Any

import pytest

from tests.lab.applying import Site, site, until
from tests.lab.machine import Machine

MASK = "[REDACTED_SECRET]"
GIVEN = "/run/gxo/credentials"


@pytest.fixture
def here(machine: Machine) -> Iterator[Site]:
    with site(machine, "guarded") as found:
        machine.run("install", "-d", "-m", "0700", "/etc/gxo/secrets", check=True)
        yield found
    machine.run("rm", "-rf", "/etc/gxo/secrets", "/srv/out", check=True)


def secret(machine: Machine, name: str, value: str) -> None:
    machine.write(f"/etc/gxo/secrets/{name}", value, 0o600)


def fresh(kind: str) -> str:
    return f"{kind}-{token_hex(12)}-zZ"


def service(name: str, script: str, lifecycle: str = "", **params: object) -> str:
    """A supervised line of shell with these params."""
    given = {"command": script, "shell": True, **params}
    cycle = f"policy: supervise, stop_timeout: 20s{lifecycle}"
    if "ready" not in cycle:
        cycle += ", ready: {settle: 300ms}"
    return (
        f"  - {{name: {name}, lifecycle: {{{cycle}}},"
        f" process: {{module: exec, params: {json.dumps(given)}}}}}\n"
    )


ENV = ["PLAIN=seen", "TOKEN={{ secret `token` }}"]


def said(here: Site, workload: str) -> str:
    return here.machine.journal("-u", here.unit(workload))


def test_it_reaches_the_program_and_nobody_else(here: Site) -> None:
    """As a variable and on standard input; masked in the journal however it is written, also where
    journald splits: after 48 KiB and at a NUL; in no property, file or command line; also after a
    crash, from the same file.
    """
    machine = here.machine
    value, line = fresh("quiet"), fresh("line")
    secret(machine, "token", value)
    secret(machine, "line", line)
    half = len(value) // 2
    script = (
        'read -r in; echo "got ${#TOKEN} ${#in} $PLAIN ${CREDENTIALS_DIRECTORY-none}";'
        ' echo "out $TOKEN in $in" ; echo "err $TOKEN" >&2;'
        f' a=$(printf %.{half}s "$TOKEN"); printf "split %s" "$a"; sleep 0.1;'
        ' printf "%s\\n" "${TOKEN#"$a"}"; printf %s "me:$TOKEN" | base64 -w0; echo;'
        ' head -c 49140 /dev/zero | tr "\\0" x; echo "$TOKEN"; printf "nul\\0%s\\0\\n" "$TOKEN";'
        " echo up; exec sleep 1000"
    )
    here.write(service("quiet", script, environment=ENV, stdin="{{ secret `line` }}\n"))
    here.apply()
    assert until(lambda: said(here, "quiet").count("up") == 1, 30)
    unit = here.unit("quiet")
    machine.run("systemctl", "kill", "-s", "KILL", unit, check=True)
    assert until(lambda: said(here, "quiet").count("up") == 2, 30), said(here, "quiet")
    journal = said(here, "quiet")
    assert journal.count(f"got {len(value)} {len(line)} seen none\n") == 2, journal
    for told in (f"out {MASK} in {MASK}\n", f"err {MASK}\n", f"split {MASK}\n"):
        assert journal.count(told) == 2, journal
    assert machine.show(unit, "LimitCORE") == {"LimitCORE": "1"}
    stat = machine.run("stat", "-f", "-c", "%T", GIVEN, check=True).stdout.strip()
    assert stat == "ramfs"
    # journald would cut the one behind 49,140 letters after its twelfth
    hidden = (value, line, value[:12], value[12:], b64encode(value.encode()).decode()[:20])
    assert [part for part in hidden if part in everywhere(machine, unit)] == []
    assert machine.run("ls", GIVEN, user="nobody").returncode != 0
    record = "".join(machine.run("sh", "-c", "cat /var/lib/gxo/applied/guarded/*").stdout)
    assert GIVEN in record
    here.gxo("remove", "--yes", "guarded")
    assert machine.run("ls", "-A", GIVEN, check=True).stdout == ""


def everywhere(machine: Machine, unit: str) -> str:
    """What a user without rights reads of a unit that runs, and what root finds on disk."""
    show = machine.run("systemctl", "show", "--all", unit, user="nobody").stdout
    assert f"Id={unit}" in show
    argv = machine.run("sh", "-c", "cat /proc/[0-9]*/cmdline | tr '\\0' ' '").stdout
    files = machine.run(
        "sh", "-c", f"cat /run/systemd/transient/* $(find /var/lib/gxo /run/gxo -path {GIVEN}"
        " -prune -o -type f -print) 2>/dev/null",
    ).stdout  # fmt: skip
    journal = machine.run("journalctl", "--output=export", "--no-pager").stdout
    return show + argv + files + journal


def test_it_ends_and_is_told_as_without_a_secret(here: Site) -> None:
    """Statuses, signals and reloads are the program's; SIGTERM reaches it once."""
    machine = here.machine
    secret(machine, "token", fresh("t"))
    stubborn = (
        "trap 'echo term; sleep 0.2; echo bye; exit 0' TERM; trap 'echo hup' HUP;"
        " echo up; while :; do sleep 0.05; done"
    )
    with_: dict[str, Any] = {"environment": ENV}
    never = ", restart: never, ready: {settle: 0s}"
    here.write(
        service("stops", stubborn, ", reload: SIGHUP", **with_)
        + service("seven", "sleep 0.3; exit 7", never, **with_)
        + service("killed", "sleep 0.3; kill -9 $$", never, **with_)
        + service("none", "exec /no/such", never, **with_)
        + service("strict", stubborn, **with_).replace(
            "lifecycle:", "security_context: {profile: strict}, lifecycle:"
        )
    )
    here.apply()
    assert until(lambda: "up" in said(here, "stops"), 30)
    assert here.gxo("reload", "guarded.stops").returncode == 0
    assert until(lambda: "hup" in said(here, "stops"), 30)
    ends = {"seven": "7", "killed": "9", "none": "127"}
    for name, status in ends.items():
        assert until(lambda n=name: ended(here, n), 30), name  # type: ignore[misc]
        assert machine.show(here.unit(name), "ExecMainStatus") == {"ExecMainStatus": status}
    for name in ("stops", "strict"):
        assert until(lambda n=name: "up" in said(here, n), 30), name  # type: ignore[misc]
        done = here.gxo("stop", f"guarded.{name}")
        assert done.returncode == 0, done.stderr
        assert said(here, name).splitlines().count("term") == 1
        assert "bye" in said(here, name)
        assert machine.show(here.unit(name), "Result") == {"Result": "success"}


def ended(here: Site, workload: str) -> bool:
    return here.machine.show(here.unit(workload), "ActiveState") == {"ActiveState": "failed"}


def test_it_tells_that_it_is_ready_and_alive(here: Site) -> None:
    """By sd_notify from the program itself, for which the watchdog is."""
    secret(here.machine, "token", fresh("t"))
    program = (
        "import os,socket,time\n"
        "s=socket.socket(socket.AF_UNIX,socket.SOCK_DGRAM);a=os.environ['NOTIFY_SOCKET']\n"
        "a='\\0'+a[1:] if a[0]=='@' else a\n"
        "assert os.environ['WATCHDOG_PID']==str(os.getpid())\n"
        "s.sendto(b'READY=1',a)\n"
        "for n in range(10): s.sendto(b'WATCHDOG=1',a); time.sleep(0.1)\n"
        "print('now it hangs',flush=True); time.sleep(1000)\n"
    )
    cycle = ", watchdog: 1s, ready: {when: notify, timeout: 20s, settle: 0s}"
    here.write(
        service("alive", "exec python3 -c \"$PROGRAM\"", cycle,
                environment=[*ENV, f"PROGRAM={program}"])
    )  # fmt: skip
    here.apply()
    restarted = ("NRestarts",)
    assert until(
        lambda: here.machine.show(here.unit("alive"), *restarted) != {"NRestarts": "0"}, 30
    ), said(here, "alive")
    assert "now it hangs" in said(here, "alive")


def test_a_step_that_apply_runs_once(here: Site) -> None:
    """It has them too, fails as it does, and runs again when one has changed."""
    machine = here.machine
    secret(machine, "token", "first-secret")
    line = 'echo "step has $TOKEN, $(cat | wc -c)"; test "${TOKEN%%-*}" != bad'
    step = service("once", line, environment=ENV, stdin="{{ secret `token` }}").replace(
        "policy: supervise, stop_timeout: 20s, ready: {settle: 300ms}", "policy: run_once"
    )
    here.write(step)
    here.apply()
    assert here.plan() == {}
    secret(machine, "token", "bad-secret")
    assert here.plan() == {"once": ("run", "one of its secrets has changed")}
    error = here.fail()
    assert f"step has {MASK}, 10" in error
    assert "bad-secret" not in error
    assert said(here, "once").count(f"step has {MASK}, 1") == 2


def test_a_changed_secret_restarts_what_uses_it(here: Site) -> None:
    """And nothing else; `plan` says why; one with which it cannot live is taken back."""
    machine = here.machine
    first, second, bad = fresh("a"), fresh("b"), fresh("bad")
    secret(machine, "token", first)
    check = 'case $TOKEN in bad*) exit 1;; esac; echo "is ${TOKEN%%-*}"; exec sleep 1000'
    here.write(service("uses", check, environment=ENV) + service("other", "exec sleep 1000"))
    here.apply()
    uses, other = here.pid("uses"), here.pid("other")
    assert here.plan() == {}
    assert "2 unchanged" in here.apply().stdout
    secret(machine, "token", second)
    told = [here.gxo("plan", here.path), here.gxo("plan", "--json", here.path)]
    assert here.plan() == {"uses": ("restart", "one of its secrets has changed")}
    told.append(here.apply())
    assert not [each for each in told if first in each.stdout or second in each.stdout]
    assert (here.pid("uses") != uses, here.pid("other")) == (True, other)
    assert until(lambda: "is b\n" in said(here, "uses"), 30)
    secret(machine, "token", bad)
    error = here.fail()
    assert "back to what ran before" in error
    assert bad not in error
    assert until(lambda: said(here, "uses").count("is b\n") == 2, 30)
    secret(machine, "token", second)
    uses = here.pid("uses")
    done = here.gxo("rollback", "--yes", "guarded")
    assert (done.returncode, here.pid("uses")) == (0, uses), done.stderr
    machine.run("rm", "/etc/gxo/secrets/token", check=True)
    error = here.fail()
    assert "cannot give `guarded.uses` its secrets: " in error
    assert "there is no secret `token`" in error
    assert here.pid("other") == other


def test_after_a_boot_the_providers_are_asked_again(here: Site) -> None:
    """What lay in memory is gone; without a provider that has the secret it is said."""
    machine = here.machine
    secret(machine, "token", "before the boot")
    here.write(service("back", 'echo "${#TOKEN}"; exec sleep 1000', environment=ENV))
    here.apply()
    for value, code in (("after it", 0), ("", 1)):
        machine.run("systemctl", "stop", here.unit("back"), check=True)
        machine.run("sh", "-c", f"rm -f {GIVEN}/*", check=True)
        secret(machine, "token", value) if value else machine.run(
            "rm", "/etc/gxo/secrets/token", check=True
        )
        done = machine.gxo("restore")
        assert done.returncode == code, done.stderr
        if value:
            assert until(lambda: "8\n" in said(here, "back"), 30)
    assert "there is no secret `token`" in done.stderr

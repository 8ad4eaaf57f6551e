"""The two renderings of a unit are one: systemd reads the same out of both, and at each reload."""

from typing import Any

from gxo.spec.lifecycle import (
    SECOND,
    Address,
    Backoff,
    Ready,
    ReadyKind,
    Restart,
    RunOnce,
    Scheduled,
    StartLimit,
    Supervise,
    WorkspaceMode,
)
from gxo.spec.policy import (
    CallAction,
    CallProfile,
    CallRule,
    Namespaces,
    Network,
    Profile,
    Resources,
    RootFilesystem,
    Seccomp,
    SecurityContext,
)
from gxo.units.build import Target, compile_units
from gxo.units.files import render_file
from gxo.units.model import Unit
from gxo.units.properties import misread_after_reload
from tests.lab.machine import Machine
from tests.lab.units_live import Live, renamed
from tests.unit.units_plans import SPAN, plan, step

_HOSTILE = ["$HOME ${A} $$", "100%n %%", "a \"b\" 'c'", "back\\slash\\", "", ";", "a;b", "é☃ x"]


def _context(**keys: Any) -> SecurityContext:
    return SecurityContext(span=SPAN, **keys)


def _listed() -> dict[str, Seccomp]:
    """Filters out of files: one that allows, one that denies, one that logs."""

    def rule(action: CallAction, *names: str, errno: int = 1) -> CallRule:
        return CallRule(span=SPAN, names=names, action=action, errno=errno)

    allows = (rule(CallAction.ALLOW, "read", "execve"), rule(CallAction.LOG, "write"))
    denies = (
        rule(CallAction.ERRNO, "ptrace", "bpf", errno=3999),
        rule(CallAction.KILL, "mount"),
        rule(CallAction.ALLOW, "read"),
    )
    architectures = ("x86-64", "x86")
    profiles = {
        "allows": CallProfile(span=SPAN, default=CallAction.ERRNO, errno=38, rules=allows),
        "kills": CallProfile(span=SPAN, default=CallAction.KILL, rules=allows),
        "denies": CallProfile(
            span=SPAN, default=CallAction.ALLOW, architectures=architectures, rules=denies
        ),
        "logs": CallProfile(span=SPAN, default=CallAction.LOG, rules=denies),
    }
    return {
        name: Seccomp(span=SPAN, profile_path="/p.json", listed=listed)
        for name, listed in profiles.items()
    }


def _everything(version: int) -> tuple[Unit, ...]:
    """Units that between them have every directive gxo emits."""
    sleep: Any = {"command": "/bin/sleep", "args": ["1000"]}
    limits = Resources(
        span=SPAN, memory_max=100 << 20, cpu_quota=25_500, tasks_max=50, io_weight=200
    )
    steps = (
        step("plain", **sleep),
        step(
            "full",
            Supervise(
                span=SPAN,
                restart=Restart.ALWAYS,
                backoff=Backoff(span=SPAN, initial=250_000, max=5 * SECOND, steps=4),
                start_limit=StartLimit(span=SPAN, burst=7, interval=90 * SECOND),
                ready=Ready(span=SPAN, when=Address("::1", 1), timeout=1),
                stop_timeout=1_500_000,
                watchdog=30 * SECOND,
                reload="SIGUSR1",
            ),
            _context(
                user="daemon",
                resources=limits,
                seccomp=Seccomp(span=SPAN, allow=("@mount", "bpf"), deny=("@chown",)),
                capabilities=("CAP_NET_BIND_SERVICE", "CAP_KILL"),
                read_write_paths=("/srv", "/var/with blank/50%"),
                read_only_paths=("/etc",),
                network=Network(span=SPAN, allow=("localhost", "10.0.0.0/8"), deny=("any",)),
            ),
            command="/bin/sleep",
            args=_HOSTILE,
            environment=["A=x y", "B=%n $y \"q\" 'r' \\x41 \\ ;", "C=é☃", "D=", "E=new\nline\t"],
        ),
        step(
            "spaces",
            Supervise(
                span=SPAN,
                restart=Restart.NEVER,
                ready=Ready(span=SPAN, when=ReadyKind.NOTIFY),
                reload=("/bin/true", "$x", "%n"),
            ),
            _context(
                namespaces=Namespaces(
                    span=SPAN, pid=True, uts=True, net=True, user=False, ipc=False
                ),
                user="daemon",
            ),
            command="/bin/false",
        ),
        step("strict", None, _context(profile=Profile.STRICT), **sleep),
        step("host", None, _context(profile=Profile.HOST), **sleep),
        step(
            "host-filter",
            None,
            _context(profile=Profile.HOST, seccomp=Seccomp(span=SPAN, deny=("@reboot", "@swap"))),
            **sleep,
        ),
        *(
            step(name, None, _context(seccomp=seccomp), **sleep)
            for name, seccomp in _listed().items()
        ),
        step(
            "rooted",
            None,
            _context(profile=Profile.HOST, root_filesystem=RootFilesystem(span=SPAN, path="/")),
            **sleep,
        ),
        step("job", RunOnce(span=SPAN), stdin="text\n\x00é\n", timeout=90 * SECOND, **sleep),
        step("line-job", RunOnce(span=SPAN), command="sleep 99; echo $HOME\n# é", shell=True),
        step(
            "timed",
            Scheduled(
                span=SPAN,
                calendar=("*-*-* 04:00:00 Europe/Berlin", "Mon *-*-* 05:30:00"),
                jitter=90 * SECOND,
                catch_up=True,
            ),
            command="true",
        ),
        step(
            "bare",
            Scheduled(span=SPAN, calendar=("yearly",), workspace=WorkspaceMode.NONE),
            command="true",
        ),
    )
    made, problems = compile_units(plan(*steps, playbook="two-faced"), Target(systemd=version))
    assert problems == ()
    return made


def test_renderings_are_equal(live: Live) -> None:
    """Every setting of every kind of unit reads back alike from the file, from the transient unit,
    and from what systemd makes of the transient unit at a reload (with our file where it errs).
    """
    transient = _everything(live.machine.version)
    files = [renamed(unit, "gxo-two", "gxo-file") for unit in transient]
    live.load_files(files)
    try:
        live.start(*transient)
        live.start_files(*files)
        loaded = {unit.name: live.settings(unit.name) for unit in transient}
        for unit, file in zip(transient, files, strict=True):
            assert _same(loaded[unit.name], live.settings(file.name)) == {}, unit.name
        if misread_after_reload(live.machine.version):
            for unit in transient:
                live.rewrite(unit)
        live.manager.daemon_reload()
        for unit in transient:
            assert _same(loaded[unit.name], live.settings(unit.name)) == {}, unit.name
    finally:
        live.remove(*(unit.name for unit in (*transient, *files)))


def _same(one: dict[str, Any], other: dict[str, Any]) -> dict[str, tuple[Any, Any]]:
    """What differs, by the property's name; the file's own name counts as the transient's."""
    return {
        name: (one.get(name), other.get(name))
        for name in {*one, *other}
        if _plain(one.get(name)) != _plain(other.get(name))
    }


def _plain(value: Any) -> Any:
    """A value under the transient unit's name, lists of words without their order."""
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return sorted(item.replace("gxo-file", "gxo-two") for item in value)
    return repr(value).replace("gxo-file", "gxo-two")


def test_verify_says_nothing(machine: Machine) -> None:
    """systemd-analyze verify has not a word to say about any unit file."""
    units = _everything(machine.version)
    paths = [machine.write(f"/tmp/verify/{unit.name}", render_file(unit)) for unit in units]
    done = machine.run("systemd-analyze", "verify", *paths)
    assert (done.stdout, done.stderr, done.returncode) == ("", "", 0)

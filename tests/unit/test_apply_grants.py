"""What a plan says a workload may do beyond the default profile."""

from gxo.apply.grants import grants
from gxo.language.frontend import parse_sources
from gxo.plan.build import build_plan
from gxo.source import Source
from gxo.units.build import Target, compile_units

_PLAYBOOK = """\
name: site
workloads:
  - name: one
    lifecycle: {policy: supervise}
    security_context: SECURITY
    process: {module: exec, params: {command: sleep, args: [infinity]}}
"""


def granted(security: str) -> tuple[str, ...]:
    """The grants of one service with that security context."""
    books, _ = parse_sources((Source("site.yaml", _PLAYBOOK.replace("SECURITY", security)),))
    plan, problems = build_plan(books[0])
    assert plan is not None, problems
    units, problems = compile_units(plan, Target(systemd=252))
    assert problems == ()
    return grants(units)


def test_the_default_grants_nothing() -> None:
    """A workload that says nothing, or asks for less, has nothing to be shown."""
    assert granted("{profile: default}") == ()
    assert granted("{profile: strict}") == ()


def test_each_widening_is_named() -> None:
    """The profile host, another user, capabilities and paths of the host are told apart."""
    assert granted("{profile: host}") == ("profile host",)
    assert granted("{user: www-data, read_write_paths: [/srv]}") == ("user www-data", "writes /srv")
    assert granted("{capabilities: [CAP_CHOWN]}") == ("capability CAP_CHOWN",)
    assert granted("{seccomp: {allow: [ptrace], deny: [bpf]}}") == ("system call ptrace",)
    tree = "{user: web, root_filesystem: {path: /srv/web, read_only: false}}"
    assert granted(tree) == ("writes /srv/web", "user web")
    part = "{root_filesystem: {image: /srv/web.raw}, read_write_paths: [/var]}"
    assert granted(part) == ("writes /var",)


def test_what_a_launcher_gives_up() -> None:
    """Capabilities that a PID namespace is made with are not the program's, unless it asks."""
    calls = ("system call capset", "system call mount")
    assert granted("{namespaces: {pid: true}}") == calls
    some = "{namespaces: {pid: true}, capabilities: [CAP_SETPCAP, CAP_NET_RAW]}"
    asked = ("capability CAP_SETPCAP", "capability CAP_NET_RAW")
    assert granted(some) == (*calls, *asked)


def test_what_a_run_of_a_schedule_may() -> None:
    """A service that starts a run is told by what the run's step may, not by what starts it."""
    book = _PLAYBOOK.replace("{policy: supervise}", "{policy: scheduled, cron: '@daily'}")
    for security, expected in (
        ("{profile: default}", ()),
        ("{profile: host}", ("profile host",)),
        ("{user: web}", ("user web",)),
        ("{namespaces: {pid: true}}", ("system call capset", "system call mount")),
    ):
        books, _ = parse_sources((Source("site.yaml", book.replace("SECURITY", security)),))
        plan, _ = build_plan(books[0])
        assert plan is not None
        units, _ = compile_units(plan, Target(systemd=252))
        assert grants(units) == expected

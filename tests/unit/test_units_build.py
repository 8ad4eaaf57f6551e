"""From plans to units: digests, problems at the builder itself, what a target lacks."""

from typing import Any

import pytest

from gxo.dataclass import replace
from gxo.plan.model import Plan
from gxo.spec.lifecycle import SECOND, Backoff, Scheduled, Supervise
from gxo.spec.policy import (
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
from gxo.units.scripts import gaps
from tests.unit.units_plans import SPAN, name, once, plan, step

TARGET = Target(systemd=252)


def units(source: Plan, target: Target = TARGET) -> tuple[Unit, ...]:
    made, problems = compile_units(source, target)
    assert problems == ()
    return made


def said(source: Plan, target: Target = TARGET) -> list[str]:
    _, problems = compile_units(source, target)
    return [f"{problem.severity}: {problem.message()}" for problem in problems]


def context(**keys: Any) -> SecurityContext:
    return SecurityContext(span=SPAN, **keys)


def test_digest_is_of_the_content() -> None:
    """The same content has the same digest, any change and any other name another."""
    (one,) = units(plan(step("a", command="x", args=["1"])))
    (same,) = units(plan(step("a", command="x", args=["1"])))
    (other,) = units(plan(step("a", command="x", args=["2"])))
    (renamed,) = units(plan(step("b", command="x", args=["1"])))
    assert one.digest == same.digest
    assert len({one.digest, other.digest, renamed.digest}) == 3
    assert f"GXO_DIGEST={one.digest}" in render_file(one)


def test_a_pair_shares_its_digest() -> None:
    """A timer and its service have one digest, in both names; either's change changes it."""
    daily = Scheduled(span=SPAN, calendar=("daily",))
    service, timer = units(plan(step("a", daily, command="x")))
    assert service.digest == timer.digest
    assert service.name == f"gxo-site.a.{service.digest[:12]}.service"
    assert timer.name == f"gxo-site.a.{service.digest[:12]}.timer"
    later = replace(daily, calendar=("weekly",))
    moved = units(plan(step("a", later, command="x")))
    changed = units(plan(step("a", daily, command="y")))
    assert len({service.digest, moved[0].digest, changed[0].digest}) == 3


def test_no_process_of_ours_stays() -> None:
    """The command of a playbook is ExecStart= itself."""
    (unit,) = units(plan(step("a", command="/opt//my/./app", args=["$x"])))
    assert 'ExecStart=:/opt/my/app "$x"\n' in render_file(unit)


@pytest.mark.parametrize(
    ("initial", "top", "steps", "expected"),
    [
        (1.0, 60.0, 6, [1.0, 2.268, 5.144, 11.665, 26.456, 60.0]),
        (0.1, 0.8, 4, [0.1, 0.2, 0.4, 0.8]),
        (1.0, 60.0, 1, [1.0, 60.0]),
        (5.0, 5.0, 6, [5.0]),
        (5.0, 1.0, 6, [5.0]),
    ],
)
def test_gaps(initial: float, top: float, steps: int, expected: list[float]) -> None:
    """Gaps grow by one factor from the first to the last, which stays."""
    backoff = Backoff(span=SPAN, initial=int(initial * SECOND), max=int(top * SECOND), steps=steps)
    assert [round(gap / SECOND, 3) for gap in gaps(backoff)] == expected


@pytest.mark.parametrize(
    ("security", "message"),
    [
        (context(user="a\nb"), "cannot use this user: it is neither a user's name nor a number"),
        *(
            (
                context(user=root, profile=profile),
                "cannot use this user: root can have systemd start anything outside its sandbox",
            )
            for root in ("root", "0", "000")
            for profile in (Profile.DEFAULT, Profile.STRICT)
        ),
        (context(capabilities=("CAP_X",)), "there is no capability `CAP_X`"),
        (
            context(capabilities=("CAP_KILL",), namespaces=Namespaces(span=SPAN, user=True)),
            "cannot use this list of capabilities:"
            " a capability does not reach out of a user namespace of its own",
        ),
        (
            context(read_write_paths=("/ok", "/a\nb")),
            "cannot use this path: it holds a line break",
        ),
        (context(read_only_paths=("x",)), "cannot use this path: it is not an absolute path"),
        (
            context(root_filesystem=RootFilesystem(span=SPAN, path="/a/../b")),
            "cannot use this path: it holds `.` or `..`",
        ),
        (
            context(seccomp=Seccomp(span=SPAN, deny=("@x",))),
            "there is no system call or group of them `@x`",
        ),
        (
            context(seccomp=Seccomp(span=SPAN, allow=("open\n",))),
            "there is no system call or group of them `open\n`",
        ),
        (
            context(seccomp=Seccomp(span=SPAN, profile="mine")),
            "there is no seccomp profile `mine`",
        ),
        (context(allow_degraded=("IOWieght",)), "there is no directive `IOWieght`"),
        (
            context(network=Network(span=SPAN, deny=("1.2.3.4/8",))),
            "cannot use this network: 1.2.3.4/8 has host bits set",
        ),
    ],
)
def test_the_builder_checks_itself(security: SecurityContext, message: str) -> None:
    """What should not have passed the language is refused once more where units are made."""
    assert said(plan(step("a", None, security, command="x"))) == [f"error: {message}"]


def test_newline_in_argv_through_a_default_description() -> None:
    """Each unit has a description of its own, which says nothing of the command."""
    evil = "x\n[Service]\nExecStartPre=/bin/touch /run/pwned"
    daily = Scheduled(span=SPAN, calendar=("daily",))
    for unit in units(
        plan(step("a", command="x", args=[evil]), step("b", daily, command=evil, shell=True))
    ):
        (told,) = (item.value for item in unit.directives if item.name == "Description")
        assert told in ("gxo workload site.a", "gxo workload site.b", "gxo schedule of site.b")
        assert "\nExecStartPre=/bin/touch" not in render_file(unit)


def test_a_reload_is_checked() -> None:
    """A signal that is none, and a command that cannot be one, are refused."""
    for reload, message in (
        ("SIGHOP", "there is no signal `SIGHOP`"),
        (("x\ny",), "cannot use this reload command: it holds a line break"),
    ):
        lifecycle = Supervise(span=SPAN, reload=reload)
        assert said(plan(step("a", lifecycle, command="x"))) == [f"error: {message}"]


def test_long_names_are_refused() -> None:
    """A name that would not fit into a unit's says so, once escaped."""
    long = "-" * 40
    assert said(plan(step(long, command="x"), playbook=long)) == [
        "error: cannot name a unit after this playbook and workload:"
        " 346 characters once escaped, at most 255"
    ]


def test_what_the_target_lacks() -> None:
    """A limit that does not hold there is an error; with allow_degraded it is left out."""
    none = {"PrivatePIDs": "has no pid namespaces", "IOWeight": "needs cgroup v2"}
    target = Target(systemd=252, gaps=none)
    limits = Resources(span=SPAN, io_weight=10, memory_max=1)
    own = Namespaces(span=SPAN, pid=True)
    strict = plan(step("a", None, context(resources=limits, namespaces=own), command="x"))
    assert said(strict, target) == [
        "error: cannot enforce PrivatePIDs=: has no pid namespaces",
        "error: cannot enforce IOWeight=: needs cgroup v2",
    ]
    some = context(resources=limits, namespaces=own, allow_degraded=("IOWeight", "MemoryMax"))
    assert said(plan(step("a", None, some, command="x")), target) == [
        "error: cannot enforce PrivatePIDs=: has no pid namespaces",
        "warning: runs without IOWeight=: needs cgroup v2",
    ]
    loose = context(resources=limits, namespaces=own, allow_degraded=True)
    made, problems = compile_units(plan(step("a", None, loose, command="x")), target)
    assert [f"{p.severity}: {p.message()}" for p in problems] == [
        "warning: runs without PrivatePIDs=: has no pid namespaces",
        "warning: runs without IOWeight=: needs cgroup v2",
    ]
    text = render_file(made[0])
    assert "MemoryMax=1\n" in text
    assert "IOWeight" not in text
    assert "PrivatePIDs" not in text


@pytest.mark.parametrize(
    ("user", "own"), [(None, False), ("nobody", False), ("65534", False), ("daemon", True)]
)
def test_pid_namespaces_need_a_fixed_user(user: str | None, own: bool) -> None:
    """A dynamic user or nobody cannot have one from systemd: asked for, that is an error."""
    target = Target(systemd=257)
    asked = context(namespaces=Namespaces(span=SPAN, pid=True), user=user)
    problem = (
        "error: cannot enforce PrivatePIDs=:"
        " systemd gives a PID namespace only to a fixed `user` other than nobody"
    )
    assert said(plan(step("a", None, asked, command="x")), target) == ([] if own else [problem])
    strict = context(profile=Profile.STRICT, user=user)
    made, problems = compile_units(plan(step("a", None, strict, command="x")), target)
    assert problems == ()
    assert ("PrivatePIDs=yes" in render_file(made[0])) is own


@pytest.mark.parametrize("key", ["read_only_paths", "read_write_paths"])
@pytest.mark.parametrize("path", ["/home", "/home/x", "/root/.ssh", "/run//user/7"])
def test_paths_that_stay_hidden(key: str, path: str) -> None:
    """A path that ProtectHome= hides is refused but for the host profile, which hides nothing."""
    (found,) = said(plan(step("a", None, context(**{key: ("/srv", path)}), command="x")))
    assert "this profile hides all of /" in found
    free = context(profile=Profile.HOST, **{key: (path,)})
    assert said(plan(step("a", None, free, command="x"))) == []
    near = context(**{key: ("/homes/x", "/srv/home")})
    assert said(plan(step("a", None, near, command="x"))) == []


def test_a_bad_workload_has_no_units() -> None:
    """One workload's error leaves the others' units, and every problem is said."""
    made, problems = compile_units(
        plan(once("a", command="a\nb", args=["\x01"]), once("b", command="x")), TARGET
    )
    assert [unit.workload for unit in made] == ["b"]
    assert [problem.message() for problem in problems] == [
        "cannot use this argument: it holds a control character (U+0001)",
        "cannot use this command: it holds a line break",
    ]


def test_order_alone_follows_from_needs() -> None:
    """`needs` gives After=, and nothing by which one unit would stop another."""
    from gxo.plan.model import Edge, EdgeKind

    source = plan(
        once("a", command="x"),
        step("b", command="x"),
        edges=(Edge("a", "b", EdgeKind.NEEDS, name("a").span),),
    )
    text = render_file(units(source)[1])
    assert "After=gxo-site.a.service\n" in text
    assert not any(word in text for word in ("Requires=", "Wants=", "BindsTo=", "PartOf="))

"""Seccomp profiles in files: said exactly in systemd's terms, or refused where they cannot be."""

import json
from pathlib import Path
from typing import Any

import pytest

from gxo.dataclass import replace
from gxo.diagnostic import Problem, render
from gxo.diagnostic import to_json as to_json_problem
from gxo.language.frontend import parse_sources
from gxo.language.seccomp import parse_profile, read_profiles
from gxo.plan.build import build_plans
from gxo.plan.codec import from_json, to_compact_json, to_json
from gxo.plan.given import Given
from gxo.source import Source
from gxo.spec.policy import CallProfile, Profile, Seccomp, SecurityContext
from gxo.units.build import Target, compile_units
from gxo.units.files import render_file
from tests.unit.units_plans import SPAN, plan, step

TARGET = Target(systemd=252)
ABOUT_CALLS = ("SystemCallFilter=", "SystemCallLog=", "SystemCallError", "SystemCallArch")


def parsed(data: object) -> tuple[CallProfile | None, list[Problem]]:
    problems: list[Problem] = []
    text = data if isinstance(data, str) else json.dumps(data)
    return parse_profile(Source("p.json", text), problems), problems


def read(data: object) -> CallProfile:
    found, problems = parsed(data)
    assert problems == []
    assert found is not None
    return found


def lines(data: object, profile: Profile = Profile.DEFAULT, **more: Any) -> list[str]:
    """What a unit says of system calls."""
    seccomp = Seccomp(span=SPAN, profile_path="/p.json", listed=read(data), **more)
    context = SecurityContext(span=SPAN, profile=profile, seccomp=seccomp)
    made, problems = compile_units(plan(step("a", None, context, command="x")), TARGET)
    assert problems == ()
    return [line for line in render_file(made[0]).splitlines() if line.startswith(ABOUT_CALLS)]


def rule(action: str, *names: str, **more: Any) -> dict[str, Any]:
    return {"names": list(names), "action": f"SCMP_ACT_{action}", **more}


ALLOW_LIST = {
    "defaultAction": "SCMP_ACT_ERRNO",
    "defaultErrnoRet": 38,
    "architectures": ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86"],
    "syscalls": [
        rule("ALLOW", "read", "write", args=[], includes={}, excludes={}, comment=""),
        rule("LOG", "execve"),
        rule("ERRNO", "ptrace", errnoRet=38),
    ],
}


def test_a_list_of_what_is_allowed() -> None:
    """Nothing is allowed but what is listed, not even what systemd always puts in such a list."""
    assert lines(ALLOW_LIST) == [
        "SystemCallArchitectures=x86-64 x86",
        "SystemCallErrorNumber=ENOSYS",
        "SystemCallFilter=@default",
        "SystemCallFilter=~@default",
        "SystemCallFilter=read write execve",
        "SystemCallLog=execve",
    ]


def test_a_list_of_what_is_denied() -> None:
    """Each call with its own answer; `deny` of the playbook with the profile's."""
    data = {
        "defaultAction": "SCMP_ACT_ALLOW",
        "flags": ["SECCOMP_FILTER_FLAG_TSYNC"],
        "syscalls": [
            rule("ERRNO", "ptrace"),
            rule("ERRNO", "bpf", "kcmp", errnoRet=38),
            rule("KILL_PROCESS", "kexec_load"),
            rule("LOG", "socket"),
            rule("ALLOW", "read"),
        ],
    }
    assert lines(data, deny=("mount",)) == [
        "SystemCallArchitectures=native",
        "SystemCallErrorNumber=EPERM",
        "SystemCallFilter=~ptrace:1 bpf:38 kcmp:38 kexec_load:kill",
        "SystemCallLog=socket",
        "SystemCallFilter=~mount",
    ]
    host = lines(data, Profile.HOST)
    assert host[0] == "SystemCallArchitectures=native"
    assert not any("ErrorNumber" in line for line in host)


def test_killing_is_the_default_of_systemd() -> None:
    """A default that kills takes the profile's error number away."""
    data = {"defaultAction": "SCMP_ACT_KILL_PROCESS", "syscalls": [rule("ALLOW", "read")]}
    assert not any("ErrorNumber" in line for line in lines(data))


def test_logging_is_a_list_of_its_own() -> None:
    """What is only logged by default, but for what is named."""
    data = {
        "defaultAction": "SCMP_ACT_LOG",
        "syscalls": [rule("ALLOW", "read"), rule("ERRNO", "ptrace"), rule("LOG", "write")],
    }
    assert lines(data)[2:] == ["SystemCallFilter=~ptrace:1", "SystemCallLog=~read ptrace"]


REFUSED: list[tuple[str, str, str]] = [
    ("defaultAction", '"SCMP_ACT_KILL"', "cannot say `SCMP_ACT_KILL`"),
    ("defaultAction", '"SCMP_ACT_TRACE"', "cannot say `SCMP_ACT_TRACE`"),
    ("defaultAction", '"SCMP_ACT_NOTIFY"', "cannot say `SCMP_ACT_NOTIFY`"),
    ("defaultAction", '"SCMP_ACT_LOG"', "cannot log each and every call"),
    ("defaultAction", '"ALLOW"', "`defaultAction`"),
    ("defaultErrnoRet", "0", "`defaultErrnoRet`"),
    ("archMap", '[{"architecture": "SCMP_ARCH_X86_64"}]', "cannot say `archMap`"),
    ("architectures", '["SCMP_ARCH_Z80"]', "`SCMP_ARCH_Z80`"),
    ("flags", '["SECCOMP_FILTER_FLAG_SPEC_ALLOW"]', "`SECCOMP_FILTER_FLAG_SPEC_ALLOW`"),
    ("listenerPath", '"/run/agent"', "cannot notify a listener"),
    ("syscalls", '[{"names": ["a"], "action": "SCMP_ACT_TRAP"}]', "cannot say `SCMP_ACT_TRAP`"),
    (
        "syscalls",
        '[{"names": ["a"], "action": "SCMP_ACT_ALLOW", "args": [{"index": 0, "value": 1}]}]',
        "cannot tell calls apart by their arguments",
    ),
    (
        "syscalls",
        '[{"names": ["a"], "action": "SCMP_ACT_ALLOW", "includes": {"minKernel": "4.8"}}]',
        "cannot make a rule depend on its host",
    ),
    (
        "syscalls",
        '[{"names": ["a"], "action": "SCMP_ACT_ERRNO", "errnoRet": 2}]',
        "cannot deny these calls in another way than all that are not listed",
    ),
    (
        "syscalls",
        '[{"names": ["a"], "action": "SCMP_ACT_ALLOW"},'
        ' {"names": ["a"], "action": "SCMP_ACT_ERRNO"}]',
        "`a` is in two rules that differ",
    ),
    ("syscalls", '[{"name": "a", "action": "SCMP_ACT_ALLOW"}]', "has no key `name`"),
    (
        "syscalls",
        '[{"names": ["@clock"], "action": "SCMP_ACT_ALLOW"}]',
        "`@clock` is not valid for",
    ),
    ("seccomp", "1", "has no key `seccomp`"),
]


@pytest.mark.parametrize(("key", "written", "message"), REFUSED)
def test_what_systemd_has_no_words_for(key: str, written: str, message: str) -> None:
    """It is refused, and the place is that of what cannot be said, in the file itself."""
    text = f'{{\t"{key}":\n\t{written}\n}}'
    if key != "defaultAction":
        text = text.replace("{\t", '{"defaultAction": "SCMP_ACT_ERRNO",\n', 1)
    found, problems = parsed(text)
    assert found is None
    (problem,) = [p for p in problems if message in p.message()]
    span = problem.span
    assert span.source.path == "p.json"
    assert span.source.text[span.start : span.end] in f'"{key}": {written}'


@pytest.mark.parametrize("text", ["", "[]", "1", '{"defaultAction": ', "defaultAction: x", "a\0b"])
def test_what_is_no_profile(text: str) -> None:
    """Text that is not one JSON object is refused."""
    found, problems = parsed(text)
    assert found is None
    assert problems


@pytest.mark.parametrize(
    "data",
    [b"root:$y$hush:1::", b'{"auths": {"host": "hush"}}', b'{"a": "hush"', b"hush \xe9", b"hush\0"],
)
def test_what_is_no_profile_is_not_shown(tmp_path: Path, data: bytes) -> None:
    """A playbook may name any file, and who sees the errors need not be who may read that."""
    path = tmp_path / "p.json"
    path.write_bytes(data)
    seccomp = Seccomp(span=SPAN, profile_path=str(path))
    context = SecurityContext(span=SPAN, seccomp=seccomp)
    text = "workloads:\n- {name: a, lifecycle: {policy: run_once}, process: {module: exec,"
    (playbook,), _ = parse_sources([Source("s.yaml", text + " params: {command: x}}}\n")])
    found, problems = read_profiles([replace(playbook, security_context=context)])
    assert found == {str(path): None}
    (problem,) = problems
    assert "hush" not in render(problem) + json.dumps(to_json_problem(problem))


def test_a_call_that_systemd_does_not_know_cannot_be_denied() -> None:
    """It would be left out in silence, so it is an error; in a list of the allowed it is none."""
    denies = {"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [rule("ERRNO", "mseal", "bpf")]}
    seccomp = Seccomp(span=SPAN, profile_path="/p.json", listed=read(denies))
    context = SecurityContext(span=SPAN, seccomp=seccomp)
    typo = SecurityContext(
        span=SPAN, profile=Profile.HOST, seccomp=Seccomp(span=SPAN, deny=("kexec_laod",))
    )
    for wrong, version, said in (
        (context, 252, ["systemd 252 knows no system call `mseal`"]),
        (context, 257, []),
        (typo, 257, ["systemd 257 knows no system call `kexec_laod`"]),
        (replace(context, allow_degraded=("SystemCallFilter",)), 252, None),
    ):
        made, problems = compile_units(
            plan(step("a", None, wrong, command="x")), Target(systemd=version)
        )
        if said is None:
            assert [problem.severity for problem in problems] == ["warning"]
            assert made
        else:
            prefix = "cannot enforce SystemCallFilter=: "
            assert [p.message() for p in problems] == [prefix + each for each in said]
    allows = {"defaultAction": "SCMP_ACT_ERRNO", "syscalls": [rule("ALLOW", "newest")]}
    assert "SystemCallFilter=newest" in lines(allows)


PLAYBOOK = """workloads:
  - name: web
    lifecycle: {{policy: supervise}}
    security_context: {{seccomp: {{profile_path: {path}}}}}
    process: {{module: exec, params: {{command: "true"}}}}
"""


def test_a_plan_holds_what_its_files_say(tmp_path: Any) -> None:
    """The file is read once: a stored plan needs it no more; one that is missing gives no plan."""
    path = tmp_path / "p.json"
    path.write_text(json.dumps(ALLOW_LIST))
    playbooks, problems = parse_sources([Source("site.yaml", PLAYBOOK.format(path=path))])
    assert problems == ()
    profiles, problems = read_profiles(playbooks)
    assert problems == ()
    (made,), problems = build_plans(playbooks, Given(profiles=profiles))
    assert problems == ()
    path.unlink()
    expected, _ = compile_units(made, TARGET)
    for stored in (to_json(made), to_compact_json(made, "site")):
        again, problems = compile_units(from_json(json.loads(json.dumps(stored))), TARGET)
        assert (again, problems) == (expected, ())
    profiles, problems = read_profiles(playbooks)
    assert [str(path) in problem.message() for problem in problems] == [True]
    assert build_plans(playbooks, Given(profiles=profiles)) == ((), ())


def test_a_profile_that_was_not_read_is_an_error() -> None:
    """A context that names a file, and has nothing of it, has no units."""
    context = SecurityContext(span=SPAN, seccomp=Seccomp(span=SPAN, profile_path="/p.json"))
    made, problems = compile_units(plan(step("a", None, context, command="x")), TARGET)
    assert made == ()
    assert [p.message() for p in problems] == [
        "cannot use this seccomp profile: it has not been read"
    ]

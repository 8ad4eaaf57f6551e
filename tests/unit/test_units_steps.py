"""Steps of a run before it starts: how they are isolated, and what this version lacks."""

import pytest

from gxo.spec.lifecycle import RunOnce
from gxo.spec.policy import Profile, SecurityContext
from gxo.units.build import compile_units
from gxo.units.instance import step_of
from gxo.units.steps import NOTIFY, Frame, compile_steps, supervised_in_run
from gxo.units.target import Target
from tests.unit.test_plan_build import plan
from tests.unit.units_plans import SPAN, step
from tests.unit.units_plans import plan as made

ONCE = "lifecycle: {policy: run_once}, process: {module: exec, params: {command: /bin/true}}"
WAIT = "{module: 'control:wait_for_signal', params: {}}"


def frame(context: SecurityContext) -> Frame:
    """The frame of one step under a context."""
    built = made(step("a", RunOnce(span=SPAN), context, timeout=5, command="/bin/true"))
    frames, problems = compile_steps(built, Target(systemd=252))
    assert problems == ()
    return frames["a"]


def test_a_step_runs_as_gxo() -> None:
    """Not as a dynamic user, which could not own the workspace; with its timeout."""
    found = frame(SecurityContext(span=SPAN))
    settings = {item.name: item.value for item in found.directives}
    assert (found.user, settings["User"], settings["TimeoutStartSec"]) == ("gxo", "gxo", 5)
    assert "DynamicUser" not in settings
    assert found.hidden


def test_a_user_of_the_playbook() -> None:
    """It is taken as it stands; the profile `host` is root and sees all."""
    assert frame(SecurityContext(span=SPAN, user="www-data")).user == "www-data"
    host = frame(SecurityContext(span=SPAN, profile=Profile.HOST))
    assert (host.user, host.hidden) == ("", False)


@pytest.mark.parametrize(
    ("workloads", "said"),
    [
        (f"- {{name: a, stream_inputs: [b], {ONCE}}}\n"
         f"- {{name: b, {ONCE.replace('run_once', 'scheduled, calendar: daily')}}}",
         "cannot stream from `b` to `a`"),
        (f"- {{name: a, needs: [t], {ONCE}}}\n"
         f"- {{name: t, {ONCE.replace('run_once', 'scheduled, calendar: daily')}}}",
         "cannot let `a` wait for `t`, which no run has"),
        (f"- {{name: a, lifecycle: {{policy: run_once}}, process: {WAIT}}}",
         "cannot run `control:wait_for_signal`"),
        (f"- {{name: x, {ONCE}}}\n- {{name: y, {ONCE}}}\n"
         f"- {{name: a, stream_inputs: [x, y], {ONCE},"
         " security_context: {root_filesystem: {path: /srv/root}}}",
         "cannot give `a` several streams in a root filesystem of its own"),
        (f"- {{name: x, {ONCE}}}\n- {{name: a, stream_inputs: [x], lifecycle: {{policy: run_once}},"
         " security_context: {seccomp: {deny: ['@network-io']}},"
         " process: {module: passthrough, params: {}}}",
         "cannot give `a` its streams where `@network-io` is denied"),
        (f"- {{name: a, when: '{{{{ env (lower \"X\") }}}}', {ONCE}}}",
         "cannot read a variable of the environment whose name a template makes"),
        (f"- {{name: a, on_failure: [{WAIT}], {ONCE}}}",
         "cannot run `control:wait_for_signal`"),
    ],
)  # fmt: skip
def test_what_a_run_lacks(workloads: str, said: str) -> None:
    """Each part that a run does not carry out is an error with its place."""
    _, problems = compile_steps(plan(f"workloads:\n{workloads}\n"), Target(systemd=252))
    assert [problem.message() for problem in problems] == [f"{said}: not in this version"]


def test_a_service_of_a_run() -> None:
    """It is what apply makes of it, but all that is named is the run's own, and goes with it."""
    built = made(step("web", command="/bin/true"))
    (unit,) = compile_units(built, Target(systemd=252))[0]
    own, problems = supervised_in_run(built, built.steps[0], Target(systemd=252), "0123456789ab")
    assert problems == ()
    mine = {(item.name, item.value) for item in own}
    shared = {item.name for item in unit.directives} & {item.name for item in own}
    assert {"ExecStart", "ExecStartPre", "Restart", "RestartSec", "SystemCallFilter"} <= shared
    text = repr(sorted(map(repr, mine)))
    assert "gxo/workspaces/site.web" not in text
    assert ("WorkingDirectory", "/run/gxo/workspaces/run.0123456789ab.site.web") in mine
    assert not {"StateDirectory", "Slice", "WantedBy"} & {name for name, _ in mine}
    (theirs,) = (item.value for item in unit.directives if item.name == "User")
    assert ("User", theirs) not in mine


@pytest.mark.parametrize("key", ["on_success: [{}]", "on_failure: [{}]", "artifacts: [out]"])
def test_the_end_of_a_run_where_nothing_else_is_applied(key: str) -> None:
    """Each turn of a schedule has an end; a service beside it has none, and the key is refused."""
    head = key.format("{module: exec, params: {command: /bin/true}}")
    turns = f"- {{name: often, {ONCE.replace('run_once', 'scheduled, calendar: daily')}}}\n"
    web = f"- {{name: web, {ONCE.replace('run_once', 'supervise')}}}\n"
    units, problems = compile_units(plan(f"{head}\nworkloads:\n{turns}"), Target(systemd=252))
    assert problems == ()
    step_unit = step_of(units[0])
    assert step_unit is not None
    assert ("User", "gxo") in {(item.name, item.value) for item in step_unit.directives}
    _, problems = compile_units(plan(f"{head}\nworkloads:\n{turns}{web}"), Target(systemd=252))
    assert [problem.code for problem in problems] == ["not-in-this-version"]


def test_who_notifies() -> None:
    """What tells of the end of a run is isolated as the playbook says for all, and ends in time."""
    text = (
        "security_context: {user: www-data}\n"
        "on_success: [{module: exec, params: {command: /bin/true}}]\n"
        f"workloads:\n- {{name: a, security_context: {{user: daemon}}, {ONCE}}}\n"
    )
    frames, problems = compile_steps(plan(text), Target(systemd=252))
    assert problems == ()
    assert (frames[NOTIFY].user, frames["a"].user) == ("www-data", "daemon")
    assert "TimeoutStartSec" in {item.name for item in frames[NOTIFY].directives}


def test_gxos_own_code_has_no_place_in_another_root() -> None:
    """A module, and a secret in the environment, would need Python in the tree; `exec` does not."""
    root = "security_context: {root_filesystem: {path: /srv/root}}"
    source = plan(f"""
workloads:
  - {{name: a, {root}, lifecycle: {{policy: run_once}},
     process: {{module: "filesystem:stat", params: {{path: x}}}}}}
  - {{name: b, {root}, lifecycle: {{policy: run_once}}, process: {{module: exec,
     params: {{command: x, environment: ["A={{{{ secret `a` }}}}"]}}}}}}
  - {{name: c, {root}, lifecycle: {{policy: run_once}}, process: {{module: exec,
     params: {{command: x, stdin: "{{{{ secret `a` }}}}"}}}}}}
""")
    _, problems = compile_steps(source, Target(systemd=252))
    assert [problem.message() for problem in problems] == [
        f"cannot use this root filesystem: {what}, for which there is no Python in it"
        for what in (
            "`filesystem:stat` is gxo's own code",
            "gxo puts a secret into the environment by code of its own",
        )
    ]

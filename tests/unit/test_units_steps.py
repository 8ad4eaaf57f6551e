"""Steps of a run before it starts: how they are isolated, and what this version lacks."""

import pytest

from gxo.spec.lifecycle import RunOnce
from gxo.spec.policy import Profile, SecurityContext
from gxo.units.steps import Frame, compile_steps
from gxo.units.target import Target
from tests.unit.test_plan_build import plan
from tests.unit.units_plans import SPAN, step
from tests.unit.units_plans import plan as made

ONCE = "lifecycle: {policy: run_once}, process: {module: exec, params: {command: /bin/true}}"


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
        (f"- {{name: a, stream_inputs: [b], {ONCE}}}\n- {{name: b, {ONCE}}}",
         "cannot stream from `b` to `a`"),
        (f"- {{name: a, needs: [t], {ONCE}}}\n"
         f"- {{name: t, {ONCE.replace('run_once', 'scheduled, calendar: daily')}}}",
         "cannot let `a` wait for `t`, which no run has"),
        ("- {name: a, lifecycle: {policy: run_once}, process: {module: passthrough, params: {}}}",
         "cannot run `passthrough`"),
        (f"- {{name: a, {ONCE.replace('true}', 'true, stdin: SECRET}')}}}".replace(
            "SECRET", "'{{ secret \"x\" }}'"), "cannot read secrets in a run"),
        (f"- {{name: a, when: '{{{{ env (lower \"X\") }}}}', {ONCE}}}",
         "cannot read a variable of the environment whose name a template makes"),
        (f"- {{name: a, on_failure: [{{module: exec, params: {{command: /bin/true}}}}], {ONCE}}}",
         "cannot compensate a failure of `a`"),
    ],
)  # fmt: skip
def test_what_a_run_lacks(workloads: str, said: str) -> None:
    """Each part that a run does not carry out is an error with its place."""
    _, problems = compile_steps(plan(f"workloads:\n{workloads}\n"), Target(systemd=252))
    assert [problem.message() for problem in problems] == [f"{said}: not in this version"]

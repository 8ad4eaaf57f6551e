"""Modules that the runner evaluates itself, in runs on a real systemd."""

import json
from collections import Counter
from itertools import pairwise
from typing import Any

import pytest

from tests.lab.applying import until
from tests.lab.machine import Machine
from tests.lab.running import left, run, step, summaries, use
from tests.schemas import held


@pytest.fixture(autouse=True)
def ready(machine: Machine) -> None:
    """The host is set up."""
    machine.gxo("setup", check=True)


def test_identity_names_a_value(machine: Machine) -> None:
    """What it is given is read by others with its type; a loop of them yields a list."""
    ran = run(
        machine,
        use("data", "control:identity", value={"n": "{{ add 1 2 }}", "l": [1]})
        + use("each", "control:identity", "loop: [5, 6], ", value="{{ .item }}")
        + use("check", "control:assert", that="{{ and (eq .data.value.n 3) "
              "(eq (index .each 1).value 6) (eq (len .data.value.l) 1) }}"),
    )  # fmt: skip
    assert ran.steps == dict.fromkeys(("data", "each", "check"), "Completed")


def test_assert_fails_a_run(machine: Machine) -> None:
    """With the message, or a word of its own; what it yields is kept; it may be tried again."""
    ran = run(
        machine,
        use("no", "control:assert", "retry: {attempts: 2, delay: 0s}, ",
            that="{{ eq 1 2 }}", message="one is not {{ add 1 1 }}")
        + use("after", "control:barrier", "needs: [no], "),
    )  # fmt: skip
    assert (ran.code, ran.steps) == (1, {"no": "Failed"})
    assert summaries(machine, ran.id)["no"] == {"held": False}
    assert ran.details("no")[-1] == "one is not 2"
    assert len([e for e in ran.events if e["event"] == "retry"]) == 1


def test_a_barrier_parts_two_stages(machine: Machine) -> None:
    """All that stands behind it starts after all that it needs."""
    ran = run(
        machine,
        step("a", "sleep 0.3") + step("b", "true")
        + use("stage", "control:barrier", "needs: [a, b], ")
        + step("c", "true", "needs: [stage], ") + step("d", "true", "needs: [stage], "),
    )  # fmt: skip
    order = ran.order("Completed")
    assert set(order[:2]) == {"a", "b"}
    assert order[2] == "stage"
    assert set(order[3:]) == {"c", "d"}


def test_a_param_of_the_wrong_kind(machine: Machine) -> None:
    """A template that yields what the param does not take fails the step, with the place."""
    ran = run(
        machine,
        use("l", "control:identity", value=[1])
        + use("bad", "control:assert", that="{{ true }}", message="{{ .l.value }}"),
    )
    (said,) = ran.details("bad")
    assert "/srv/runs.yaml:" in said
    assert "`message` must be text, not a list" in said


def test_many_that_end_at_once(machine: Machine) -> None:
    """A long chain and a long loop end in order, and what else runs is not kept waiting."""
    chain = "".join(
        use(f"s{n}", "control:identity", f"needs: [s{n - 1}], " if n else "", value=n)
        for n in range(300)
    )
    loop = use("loop", "control:identity", "loop: '{{ .numbers }}', ",
               value="{{ .item }}")  # fmt: skip
    counted = use("counted", "control:assert", that="{{ eq (len .loop) 4000 }}")
    head = f"vars: {{numbers: [{', '.join(map(str, range(4000)))}]}}\n"
    ran = run(machine, step("other", "true") + chain + loop + counted, head=head)
    assert (ran.code, ran.status) == (0, "Completed")
    assert [name for name in ran.order("Completed") if name.startswith("s")] == [
        f"s{n}" for n in range(300)
    ]
    done = ran.order("Completed")
    assert done.index("other") < done.index("loop")


def test_a_cancelled_loop_of_pure_items(machine: Machine) -> None:
    """A run that is busy with what needs no unit is cancelled as any other."""
    head = f"name: busy\nvars: {{n: [{', '.join(map(str, range(20000)))}]}}\nworkloads:\n"
    text = head + use("loop", "control:identity", "loop: '{{ .n }}', ", value="{{ .item }}")
    path = machine.write("/srv/busy.yaml", text)
    run_id = machine.gxo("run", "--detach", path, check=True).stdout.strip()
    assert until(lambda: bool(shown(machine, run_id)["steps"]))
    machine.run("systemctl", "stop", f"gxo-run-{run_id}.service", check=True)
    ended = shown(machine, run_id)
    assert (ended["status"], ended["steps"]["loop"]["status"]) == ("Cancelled", "Cancelled")
    assert left(machine) == []


def shown(machine: Machine, run: str) -> Any:
    return json.loads(machine.gxo("runs", "show", "--json", run, check=True).stdout)


def test_a_chain_that_is_cancelled_as_a_step_begins(machine: Machine) -> None:
    """Between two steps nothing is under way: the one that was to begin is Cancelled all the same.

    Most of the time such a runner writes down that a step begins or has ended.
    """
    machine.gxo("setup", check=True)
    names = [f"n{number}" for number in range(1500)]
    steps = [use(names[0], "control:identity", value="x")]
    steps += [
        use(name, "control:identity", f"needs: [{before}], ", value="x")
        for before, name in pairwise(names)
    ]
    path = machine.write("/srv/chain.yaml", "name: chain\nworkloads:\n" + "".join(steps))
    for _ in range(4):
        run = machine.popen(*machine.gxo_argv("run", "--json", path), env=machine.gxo_env)
        assert run.stdout is not None
        events = (held("event", line) for line in run.stdout)
        run_id = next(str(event["run"]) for event in events if event["step"] == "n20")
        runner = f"gxo-run-{run_id}.service"
        machine.run("systemctl", "kill", "-s", "TERM", "--kill-who=main", runner, check=True)
        run.communicate(timeout=60)
        ended = shown(machine, run_id)
        statuses = Counter(step["status"] for step in ended["steps"].values())
        assert ended["status"] == "Cancelled"
        assert statuses.keys() <= {"Completed", "Cancelled"}, statuses

"""Every key of a step, as a run carries it out on a real systemd."""

import json

import pytest

from tests.lab.machine import Machine
from tests.lab.running import run, step, use


@pytest.fixture(autouse=True)
def ready(machine: Machine) -> None:
    """The host is set up."""
    machine.gxo("setup", check=True)


def test_order_and_register(machine: Machine) -> None:
    """A step waits for what it reads, and gets it; values keep their types."""
    ran = run(
        machine,
        step("last", 'test "{{ .first.stdout }}" = "a b" && test {{ add .first.exit_code 1 }} = 1')
        + step("first", "echo a b", "register: first, "),
    )
    assert (ran.code, ran.status) == (0, "Completed")
    assert ran.order("Completed") == ["first", "last"]


def test_output_is_data(machine: Machine) -> None:
    """What a step wrote is never taken for a template."""
    braces = r"printf '\173\173 .b.x \175\175'"
    ran = run(
        machine,
        step("evil", braces, "register: said, ")
        + step("check", f'test {{{{ squote .said.stdout }}}} = "$({braces})"'),
    )
    assert ran.steps == {"evil": "Completed", "check": "Completed"}


def test_when(machine: Machine) -> None:
    """A step whose condition does not hold is skipped, and what needs it goes on."""
    ran = run(
        machine,
        step("no", "exit 1", "when: '{{ eq 1 2 }}', ") + step("then", "true", "needs: [no], "),
    )
    assert (ran.code, ran.steps) == (0, {"no": "Skipped", "then": "Completed"})


@pytest.mark.parametrize(
    ("loop", "shown", "seen"),
    [
        ("loop: [b, a], ", "{{ .item }}", ["b", "a"]),
        ("loop: {x: 1, y: 2}, ", "{{ .item.key }}{{ .item.value }}", ["x1", "y2"]),
        ("loop: '{{ list 5 6 }}', loop_control: {loop_var: n, parallel: 2}, ", "{{ add .n 1 }}",
         ["6", "7"]),
        ("loop: '{{ list }}', ", "never", []),
    ],
)  # fmt: skip
def test_loops(machine: Machine, loop: str, shown: str, seen: list[str]) -> None:
    """Over lists, maps and templates; what is registered is the summaries in the items' order."""
    ran = run(
        machine,
        step("each", f"echo {shown}", f"{loop}register: rows, ")
        + step("all", "printf %s '{{ range .rows }}<{{ .stdout }}>{{ end }}' > got; "
                      f"test \"$(cat got)\" = '{''.join(f'<{s}>' for s in seen)}'"),
    )  # fmt: skip
    assert ran.steps == {"each": "Completed", "all": "Completed"}


def test_parallel_items(machine: Machine) -> None:
    """No more run at once than `parallel` allows, and as many do."""
    counting = (
        "mkdir -p up; mktemp up/XXXX >mine.$$; ls up | wc -l >>most; sleep 0.3; rm $(cat mine.$$)"
    )
    ran = run(
        machine,
        step("each", counting, "loop: [1, 2, 3, 4, 5, 6], loop_control: {parallel: 3}, ")
        + step("most", "sort -n most | tail -n 1 | grep -qx 3", "needs: [each], "),
    )
    assert ran.steps == {"each": "Completed", "most": "Completed"}


def test_a_failed_item_ends_the_loop(machine: Machine) -> None:
    """The step has failed, as its item did; later items do not start."""
    ran = run(machine, step("each", "exit {{ .item }}", "loop: [0, 3, 0], "))
    items = [(e["iteration"], e["status"]) for e in ran.events if e["event"] == "item"]
    assert items == [(0, "Completed"), (1, "Failed")]
    assert (ran.code, ran.details("each")[-1]) == (1, "it exited with status 3")


def test_retries(machine: Machine) -> None:
    """As many attempts in all as said, with growing gaps; the last one counts."""
    tried = step(
        "tried",
        "date +%s%N >>times; exit $(test $(wc -l <times) -ge 4; echo $?)",
        "retry: {attempts: 4, delay: 200ms, backoff_factor: 2}, ",
    )
    gaps = (
        'python3 -c \'t=[int(x)/1e9 for x in open("times")];'
        " g=[b-a for a,b in zip(t,t[1:])]; assert len(g)==3 and g[0]>=.2 and g[1]>=.4 and g[2]>=.8'"
    )
    ran = run(machine, tried + step("gaps", gaps, "needs: [tried], "))
    assert ran.steps == {"tried": "Completed", "gaps": "Completed"}
    assert len([e for e in ran.events if e["event"] == "retry"]) == 3


def test_a_timeout(machine: Machine) -> None:
    """An attempt that takes longer has failed, children too; the next one has its own time."""
    ran = run(
        machine,
        step("slow", "sleep 60 & sleep 60", "timeout: 300ms, retry: {attempts: 2, delay: 0s}, "),
    )  # fmt: skip
    assert (ran.code, ran.details("slow")[-1]) == (1, "it did not end in time")
    assert len([e for e in ran.events if e["event"] == "retry"]) == 1


def test_failures(machine: Machine) -> None:
    """Dependents stay Pending; a status edge is satisfied; the run has Failed."""
    ran = run(
        machine,
        step("bad", "echo last words >&2; exit 3", "register: bad, ")
        + step("after", "true", "needs: [bad], ")
        + step("mend", "true", "when: '{{ eq _gxo.workloads.bad.status \"Failed\" }}', "),
    )
    assert (ran.code, ran.status) == (1, "Failed")
    assert ran.steps == {"bad": "Failed", "mend": "Completed"}


def test_a_tolerated_failure(machine: Machine) -> None:
    """What does not depend on it goes on, and the run still ends Failed."""
    ran = run(
        machine,
        step("bad", "exit 3", "ignore_errors: true, ")
        + step("slow", "sleep 0.3")
        + step("other", "true", "needs: [slow], "),
    )
    assert (ran.code, ran.steps["other"]) == (1, "Completed")


def test_a_name_that_nothing_gives(machine: Machine) -> None:
    """A key that a summary lacks is an error of that step, with its place and what there is."""
    ran = run(
        machine,
        step("a", "true", "register: a, ") + step("b", "echo {{ .a.stdotu }}"),
    )
    (said,) = ran.details("b")
    assert "stdotu" in said
    assert "/srv/runs.yaml" in said


def test_many_at_once(machine: Machine) -> None:
    """No more steps run at once than --jobs allows."""
    many = "".join(step(f"s{n}", "mkdir here && sleep 0.1 && rmdir here") for n in range(4))
    ran = run(machine, many, "--jobs", "1")
    assert (ran.code, len(ran.steps)) == (0, 4)


def test_the_environment_of_the_caller(machine: Machine) -> None:
    """`env` reads the variables of who runs, those alone that a template names."""
    path = machine.write(
        "/srv/env.yaml",
        "name: env\nworkloads:\n"
        + step("a", "test {{ env 'MINE' }} = 'a b' && test -z \"$OTHER\""),
    )
    done = machine.gxo("run", path, env={"MINE": "'a b'", "OTHER": "x"})
    assert done.returncode == 0, done.stdout
    missing = machine.gxo("run", path)
    assert missing.returncode == 1
    assert "the environment has no `MINE`" in missing.stdout


def test_what_no_run_has_is_left_out(machine: Machine) -> None:
    """Schedules are named, and the rest runs; what later versions bring is refused with a place."""
    timed = step("timed", "true").replace("policy: run_once", "policy: scheduled, cron: '@daily'")
    ran = run(machine, step("now", "true") + timed)
    assert (ran.code, ran.steps) == (0, {"now": "Completed"})
    assert "left out, since it is not part of a run: timed\n" in ran.stderr
    refused = step("piped", "true", "stream_inputs: [timed], ")
    path = machine.write("/srv/up.yaml", f"name: up\nworkloads:\n{timed}{refused}")
    done = machine.gxo("run", path)
    assert done.returncode == 1
    assert "/srv/up.yaml:4:" in done.stderr
    assert "not in this version" in done.stderr


def test_the_journal_of_a_run(machine: Machine) -> None:
    """`gxo logs` has the lines of its steps, of one alone where asked; each by who wrote it."""
    fields = r"MESSAGE=forged\nGXO_RUN=%s\nGXO_STEP=one\n"
    forge = f"printf '{fields}' {{{{ _gxo.run.id }}}} | logger --journald"
    ran = run(machine, step("one", "echo first; echo second >&2") + step("two", f"echo x; {forge}"))
    machine.run("journalctl", "--sync")
    lines = machine.gxo("logs", ran.id, "one", check=True).stdout
    assert " one: first\n" in lines
    assert " one: second\n" in lines
    assert "two" not in lines
    assert "forged" not in lines
    found = [json.loads(x) for x in machine.gxo("logs", "--json", ran.id).stdout.splitlines()]
    own = {(e["workload"], e["message"]) for e in found if not e["systemd"] and e["workload"]}
    assert own - {("two", "forged")} == {("one", "first"), ("one", "second"), ("two", "x")}
    assert {e["run"] for e in found} == {ran.id}
    missing = machine.gxo("logs", ran.id, "tow")
    told = f"error: cannot show the lines of `tow`: run {ran.id} has no such step; did you mean"
    assert (missing.returncode, missing.stdout) == (1, "")
    assert missing.stderr.startswith(told)


def test_the_journal_says_why(machine: Machine) -> None:
    """Each attempt that failed, each item and step, with its reason; all lines of a step, and no
    line of its runner's own.
    """
    ran = run(
        machine,
        step("often", "seq 150; exit 3", "retry: {attempts: 2, delay: 10ms}, ignore_errors: true, ")
        + step("each", "exit {{ .item }}", "loop: [0, 4], ignore_errors: true, ")
        + use("claim", "control:assert", that=False, message="nothing holds"),
    )
    machine.run("journalctl", "--sync")

    def said(step: str) -> list[tuple[int, str]]:
        lines = machine.gxo("logs", "--json", ran.id, step, check=True).stdout.splitlines()
        return [(e["priority"], e["message"]) for e in map(json.loads, lines) if not e["systemd"]]

    lines = [(6, str(n)) for n in range(1, 151)]
    why = "it exited with status"
    again = (4, f"retrying: {why} 3; attempt 2 follows in 0.01 s")
    assert sorted(said("often")) == sorted([*lines, again, *lines, (3, f"failed: {why} 3")])
    assert said("each") == [(3, f"item 1 failed: {why} 4"), (3, f"failed: {why} 4")]
    assert said("claim") == [(3, "failed: nothing holds")]
    shown = machine.gxo("logs", ran.id, "often", check=True).stdout
    assert len(shown.splitlines()) > 300
    assert "gxo-run-" not in shown


def test_steps_of_several_users(machine: Machine) -> None:
    """Each gets into the workspace and works on what the others made; nobody else gets in."""
    other = "security_context: {user: www-data}, "
    root = "security_context: {profile: host}, "
    ran = run(
        machine,
        step("mine", "echo one > one; mkdir d; id -un")
        + step("theirs", "echo two >> one; touch d/two; id -un", f"needs: [mine], {other}")
        + step("roots", "echo three >> d/two", f"needs: [theirs], {root}")
        + step("again", "test $(cat one d/two | wc -l) = 3; rm -r d", "needs: [roots], ")
        + step("outside", "ls -d /var/lib/gxo/workspaces/*; ! ls /var/lib/gxo/workspaces/*/one",
               "needs: [mine], security_context: {profile: host, user: nobody}, "),
    )  # fmt: skip
    assert set(ran.steps.values()) == {"Completed"}, ran.events


def test_a_user_that_is_not_there(machine: Machine) -> None:
    """A step whose user does not exist fails, and names the user."""
    ran = run(machine, step("a", "true", "security_context: {user: nosuch}, "))
    assert (ran.code, ran.details("a")) == (1, ["there is no user `nosuch`"])

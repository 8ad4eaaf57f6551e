"""What is to be seen of a run: while it goes on, at its end, and later."""

import os
import re
import signal
from xml.etree import ElementTree

import pytest

from tests.lab.applying import until
from tests.lab.machine import Machine
from tests.lab.running import left, step, steps
from tests.lab.screen import screen
from tests.schemas import held


@pytest.fixture(autouse=True)
def ready(machine: Machine) -> None:
    """The host is set up."""
    machine.gxo("setup", check=True)


def playbook(machine: Machine, workloads: str, name: str = "eyes") -> str:
    """The path of a playbook of these workloads."""
    return machine.write(f"/srv/{name}.yaml", f"name: {name}\nworkloads:\n{workloads}")


def test_a_suspended_command_holds_nothing_up(machine: Machine) -> None:
    """The run ends without it; once it goes on it prints all that happened, and exits as it should.

    What is told is far more than a pipe holds.
    """
    much = "for n in 1 2 3 4 5 6 7 8 9; do head -c 2000 /dev/zero | tr '\\0' x; echo; done; exit 3"
    names = [f"s{number}" for number in range(20)]
    path = playbook(
        machine,
        step("first", "while ! test -e /srv/go; do sleep 0.1; done")
        + "".join(step(n, much, "needs: [first], ignore_errors: true, ") for n in names),
        "sleepy",
    )
    machine.run("rm", "-f", "/srv/go")
    process = machine.popen(*machine.gxo_argv("run", "--json", path), env=machine.gxo_env)
    try:
        assert until(lambda: any(unit.endswith("first.service") for unit in left(machine)))
        machine.run("pkill", "-STOP", "-f", f"gxo run --json {path}", check=True)
        machine.write("/srv/go", "")
        assert until(lambda: left(machine) == [])
        shown = held("runs", machine.gxo("runs", "-n", "1", "--json", check=True).stdout)
        assert shown["runs"][0]["status"] == "Failed"
        os.killpg(process.pid, signal.SIGCONT)  # nsenter stops itself when its child is stopped
        out, _ = process.communicate(timeout=60)
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate(timeout=20)
    told = [held("event", line) for line in out.splitlines()]
    ends = {e["step"] for e in told if (e["event"], e["status"]) == ("step", "Failed")}
    words = [e["detail"] for e in told if e["event"] == "output"]
    assert ends == set(names)
    assert [len(said) for said in words] == [9 * len("x" * 500 + "…\n") - 1] * len(names)
    assert (told[-1]["event"], told[-1]["status"], process.returncode) == ("run", "Failed", 1)


def on_a_terminal(machine: Machine, *args: str, columns: int = 60, rows: int = 20) -> list[str]:
    """What a command of gxo leaves on a terminal of that size, and all it drew on its way."""
    command = " ".join(machine.gxo_argv(*args))
    sized = f"stty cols {columns} rows {rows}; {command}"
    env = machine.gxo_env | {"NO_COLOR": "", "TERM": "xterm-256color"}
    # by a file: whoever reads text makes the carriage returns line ends
    machine.run("sh", "-c", f"script -qec '{sized}' /dev/null >/srv/written", env=env)
    written = machine.lab.path("/srv/written").read_bytes().decode()
    return [*screen(written), written]


def test_the_tree_of_a_run(machine: Machine) -> None:
    """On a terminal: each step with its time, a failed one's last words; it stays when all ends."""
    mend = "{module: exec, params: {command: /bin/true}}"
    path = playbook(
        machine,
        step("fine", "sleep 0.3")
        + step("each", "true", "loop: [1, 2, 3], ")
        + step("bad", "echo no route >&2; exit 7", f"needs: [fine, up], on_failure: [{mend}], ")
        + step("never", "true", "needs: [bad], ")
        + step("up", "exec sleep 1000").replace("run_once", "supervise, ready: {settle: 100ms}"),
    )
    *shown, written = on_a_terminal(machine, "run", path)
    text = re.sub(r" +\d+\.\d\d s", " T", "\n".join(shown))
    run = machine.gxo("runs", "-n", "1").stdout.splitlines()[1].split()[0]
    assert text == (
        f"run {run} of eyes failed T\n"
        "  ✓ fine T\n"
        "  ✓ each T  3 items done\n"
        "  ✓ up T\n"
        "  ✗ bad T  it exited with status 7\n"
        "      no route\n"
        "  · never\n"
        "  ✓ bad/on_failure.1 T\n"
        f"`gxo logs {run} bad` shows its whole log, `gxo runs show {run}` shows the steps\n"
    )
    assert "\x1b[2K" in written, "it was drawn more than once"


def test_a_junit_report(machine: Machine) -> None:
    """Written at the end, also of a run that was cancelled; `gxo runs show` writes the same."""
    path = playbook(
        machine, step("bad", "echo no route; exit 7") + step("use", "true", "needs: [bad], ")
    )
    done = machine.gxo("run", "--junit", "/srv/bad.xml", path)
    assert done.returncode == 1
    run = done.stdout.split()[1]
    report = machine.read("/srv/bad.xml")
    suite = ElementTree.fromstring(report)[0]
    assert (suite.attrib["name"], suite.attrib["id"]) == ("eyes", run)
    said = [(c.attrib["name"], *((e.tag, e.text) for e in c)) for c in suite.iter("testcase")]
    assert said == [("bad", ("failure", "no route")), ("use", ("skipped", None))]
    shown = machine.gxo("runs", "show", run, "--junit", "/srv/again.xml", check=True).stdout
    assert machine.read("/srv/again.xml") == report
    assert re.search(r"\n  bad +Failed .* 7 +it exited with status 7\n      no route\n", shown)
    assert shown.endswith("  use   Pending\n")
    yielded = machine.gxo("runs", "show", run, "bad", check=True).stdout
    assert "\n  exit_code: 7\n  stdout: no route\n" in yielded

    path = playbook(machine, step("long", "sleep 1000"))
    args = machine.gxo_argv("run", "--junit", "/srv/cut.xml", path)
    process = machine.popen(*args, env=machine.gxo_env)
    assert until(lambda: steps(machine) != [])
    machine.run("pkill", "-INT", "-f", "gxo run --junit /srv/cut.xml", check=True)
    process.communicate(timeout=30)
    assert process.returncode == 130
    (case,) = ElementTree.fromstring(machine.read("/srv/cut.xml")).iter("testcase")
    assert [(e.tag, e.attrib["type"]) for e in case] == [("error", "Cancelled")]


def test_a_junit_report_that_cannot_be(machine: Machine) -> None:
    """Nothing runs where the report could not be written, or nobody is there to write it."""
    path = playbook(machine, step("a", "touch /srv/ran", "security_context: {profile: host}, "))
    done = machine.gxo("run", "--junit", "/srv/none/out.xml", path)
    said = "error: cannot write /srv/none/out.xml: there is no directory /srv/none\n"
    assert (done.returncode, done.stdout, done.stderr) == (1, "", said)
    assert machine.gxo("run", "--detach", "--junit", "/srv/out.xml", path).returncode == 64
    assert not machine.exists("/srv/ran")


def test_the_graph_of_a_run(machine: Machine) -> None:
    """With how each step stands; a file that has the name of a run is what is meant, though."""
    bad = step("bad", "exit 7", "needs: [fine], ") + step("use", "true", "needs: [bad], ")
    path = playbook(machine, step("fine", "true") + bad)
    run = machine.gxo("run", path).stdout.split()[1]
    shown = machine.gxo("graph", run[:8], check=True).stdout
    assert re.sub(r"\d+\.\d\d s", "T", shown) == (
        "eyes\n"
        "└─ fine  Completed T  run_once exec\n"
        "   └─ bad  Failed T  run_once exec  [needs]\n"
        "      └─ use  Pending  run_once exec  [needs]\n"
    )
    dot = machine.gxo("graph", "--format", "dot", run, check=True).stdout
    assert 'label="use\\nPending\\nrun_once exec", style=filled, fillcolor="#ffffff"' in dot
    told = held("graph", machine.gxo("graph", "--json", run[:8], check=True).stdout)
    (graph,) = told["graphs"]
    assert (told["run"], graph["playbook"], graph["streams"]) == (run, "eyes", [])
    stand = {each["name"]: each["status"] for each in graph["workloads"]}
    assert stand == {"fine": "Completed", "bad": "Failed", "use": "Pending"}
    assert machine.gxo("graph", "--var", "a=b", run).returncode == 64
    missing = machine.gxo("graph", "f00d")
    said = "error: cannot find run `f00d`: `gxo runs` lists them\n"
    assert (missing.returncode, missing.stderr) == (1, said)
    machine.run("cp", path, f"/srv/{run}")
    there = machine.run("sh", "-c", f"cd /srv && {' '.join(machine.gxo_argv('graph', run))}",
                        env=machine.gxo_env)  # fmt: skip
    assert there.stdout.splitlines()[1] == "└─ fine  run_once exec"


def test_following_the_journal_of_a_run(machine: Machine) -> None:
    """`gxo logs -f RUN` ends when the run does, and then has had all of its lines."""
    last = "for n in $(seq 200); do echo line $n; done; echo other >&2"
    path = playbook(
        machine,
        step("wait", "while ! test -e /srv/on; do sleep 0.1; done")
        + step("talk", last, "needs: [wait], "),
    )
    machine.run("rm", "-f", "/srv/on")
    run = machine.gxo("run", "--detach", path, check=True).stdout.strip()
    whole = machine.popen(
        *machine.gxo_argv("logs", "-f", "-n", "999", "--json", run), env=machine.gxo_env
    )
    one = machine.popen(
        *machine.gxo_argv("logs", "-f", "-n", "999", run, "talk"), env=machine.gxo_env
    )
    following = ("pgrep", "-f", "journalctl.*--follow")
    assert until(lambda: len(machine.run(*following).stdout.split()) == 2)
    machine.write("/srv/on", "")
    told, said = (process.communicate(timeout=60)[0] for process in (whole, one))
    assert (whole.returncode, one.returncode) == (0, 0)
    expected = [f"line {n}" for n in range(1, 201)]
    found = [held("logs", line) for line in told.splitlines()]
    lines = [e["message"] for e in found if e["workload"] == "talk" and not e["systemd"]]
    assert sorted(lines) == sorted([*expected, "other"])
    assert [line.split(" talk: ")[1] for line in said.splitlines() if " talk: line " in line] == (
        expected
    )
    again = machine.gxo("logs", "-f", "-n", "3", run)
    assert (again.returncode, len(again.stdout.splitlines())) == (0, 3)
    # how the id begins will do, for the run and for a step of it
    for rest in ((), ("talk",)):
        assert (of := machine.gxo("logs", run, *rest).stdout)
        assert machine.gxo("logs", run[:11], *rest).stdout == of
    nobody = machine.gxo("logs", "0" * 11, "talk")
    assert nobody.returncode == 1
    assert nobody.stderr == f"error: cannot find run `{'0' * 11}`: `gxo runs` lists them\n"

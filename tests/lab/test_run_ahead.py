"""Steps set up ahead of their time behave as those that are not."""

import json
from typing import Any

import pytest

from tests.lab.applying import until
from tests.lab.machine import Machine
from tests.lab.running import run, step, steps, summaries, use


@pytest.fixture(autouse=True)
def ready(machine: Machine) -> None:
    """The host is set up."""
    machine.gxo("setup", check=True)


def test_it_runs_when_its_time_has_come(machine: Machine) -> None:
    """Its process is there while what it waits for runs, and does nothing before that ends."""
    script = "until test -e /srv/go; do sleep 0.05; done; test ! -e late"
    path = machine.write(
        "/srv/ahead.yaml",
        "name: ahead\nworkloads:\n"
        + step("first", script)
        + step("late", "touch late; cat; tty -s || echo done", "needs: [first], register: said, ")
        + step("check", "test {{ .said.stdout }} = done", "needs: [late], "),
    )
    process = machine.popen(*machine.gxo_argv("run", "--json", path), env=machine.gxo_env)
    assert until(lambda: any(".late." in unit for unit in steps(machine)), 60)
    machine.write("/srv/go", "")
    said, _ = process.communicate(timeout=60)
    ends = [e["step"] for e in map(json.loads, said.splitlines()) if e["status"] == "Completed"]
    assert (process.returncode, ends) == (0, ["first", "late", "check", ""])


def test_what_it_waited_for_fails(machine: Machine) -> None:
    """It never starts, stays Pending, and nothing of it is left."""
    ran = run(
        machine,
        step("first", "sleep 1; exit 3")
        + step("second", "touch /tmp/x", "needs: [first], ")
        + step("third", "true", "needs: [second], "),
    )
    assert (ran.code, ran.steps) == (1, {"first": "Failed"})


def test_the_same_environment(machine: Machine) -> None:
    """A program set up early sees what one that was not does: variables, files, mask, groups."""
    files = "ls -l /proc/self/fd | sed 's/.*-> //; s/[0-9]//g'"
    look = f"env | grep -v '^INVOC\\|_PID=' | sort; {files}; umask; id; pwd"
    ran = run(
        machine,
        step("one", look, "register: one, ")
        + step("two", look, "needs: [one], register: two, ")
        + step("same", "test {{ squote .one.stdout }} = {{ squote .two.stdout }}"),
    )
    assert (ran.code, ran.steps["same"]) == (0, "Completed")


@pytest.mark.parametrize(
    "given", [[], ["PWD=/x", "OLDPWD=/y"], ["IFS=,"], ["OPTIND=7", "PPID=8", "LINENO=9"], ["go=1"]]
)
def test_the_environment_of_a_program_alone(machine: Machine, given: list[str]) -> None:
    """One that no shell starts is given its variables and none of a shell."""
    args = ["-u", "INVOCATION_ID"]
    params: dict[str, Any] = {"command": "/usr/bin/env", "args": args, "environment": given}
    ran = run(
        machine,
        use("one", "exec", **params)
        + use("two", "exec", "needs: [one], ", **params)
        + use("three", "exec", "needs: [two], ", **params),
    )
    assert ran.code == 0, ran.events

    def variables(summary: dict[str, str]) -> list[str]:
        lines = summary["stdout"].splitlines()
        return sorted(line for line in lines if "PID" not in line or line.startswith("PPID"))

    one, two, three = map(variables, summaries(machine, ran.id).values())
    assert set(given) <= set(one)
    assert one == two == three


@pytest.mark.parametrize("needs", ["", "needs: [first], "])
@pytest.mark.parametrize("command", ["/srv/plain", "/srv/hidden", "/srv/text"])
def test_a_program_that_cannot_be_executed(machine: Machine, command: str, needs: str) -> None:
    """Fails alike whether it was set up early or not."""
    machine.write("/srv/plain", "#!/bin/sh\n")
    machine.write("/srv/text", "exit 0\n", 0o755)
    machine.write("/root/hidden", "#!/bin/sh\n", 0o755)
    machine.run("ln", "-sf", "/root/hidden", "/srv/hidden", check=True)
    action = f"process: {{module: exec, params: {{command: {command}}}}}"
    ran = run(
        machine,
        step("first", "sleep 0.5")
        + f"  - {{name: bad, {needs}lifecycle: {{policy: run_once}}, {action}}}\n",
    )
    assert ran.code == 1
    assert ran.details("bad") == ["it exited with status 203: its program cannot be run or found"]


def test_what_a_predecessor_makes(machine: Machine) -> None:
    """A user and a path that a step of the host makes are there for the next."""
    host = "security_context: {profile: host}, "
    user = "security_context: {user: late, read_write_paths: [/srv/late]}, "
    ran = run(
        machine,
        step("make", "useradd late; mkdir /srv/late; chown late /srv/late", host)
        + step("use", "id -un > /srv/late/who", f"needs: [make], {user}"),
    )
    assert (ran.code, ran.steps) == (0, {"make": "Completed", "use": "Completed"})
    assert machine.read("/srv/late/who") == "late\n"

"""Secrets in runs: they reach the program, and nobody else."""

import json
import shlex
from collections.abc import Iterator, Mapping

import pytest

from tests.lab.machine import Machine
from tests.lab.running import Ran, run

MASK = "[REDACTED_SECRET]"
PLACES = ("/etc/gxo", "/etc/credstore", "/etc/credstore.encrypted", "/run/credstore")


@pytest.fixture(autouse=True)
def ready(machine: Machine) -> Iterator[None]:
    """The host is set up; no secret of one test is there for another."""
    machine.gxo("setup", check=True)
    yield
    machine.run("rm", "-rf", *PLACES, "/srv/out", check=True)


def secret(machine: Machine, name: str, value: str, place: str = "/etc/gxo/secrets") -> None:
    """Put one where root alone may read it."""
    machine.run("install", "-d", "-m", "0700", place, check=True)
    machine.write(f"{place}/{name}", value, 0o600)


def step(name: str, extra: str = "", **params: object) -> str:
    """A run_once workload of `exec` with these params."""
    return (
        f"  - {{name: {name}, {extra}lifecycle: {{policy: run_once}},"
        f" process: {{module: exec, params: {json.dumps(params)}}}}}\n"
    )


def shell(name: str, line: str, extra: str = "", **params: object) -> str:
    """The same, of a line of shell."""
    return step(name, extra, command=line, shell=True, **params)


def told(ran: Ran) -> str:
    """All that was told in words."""
    return "\n".join(f"{e['step']}: {e['detail']}" for e in ran.events if e["detail"])


def test_it_reaches_the_program(machine: Machine) -> None:
    """As a variable and on stdin, byte for byte; all else of the process is as without it."""
    value = "it's \"a\" $HOME %n\\n é\nand a line"
    secret(machine, "token", value)
    look = (
        "{ cat /proc/self/environ | tr '\\0' '\\n' | grep -Ev 'TOKEN|_ID=|_PID=|and a line' | sort;"
        " grep -v core /proc/$$/limits; umask; ls /proc/$$/fd; id; pwd; cat /dev/stdin; cat;"
        " grep -E 'Sig[CI]|Cap|NoNew|Seccomp:' /proc/$$/status; } >"
    )
    env = ["A=b", "TOKEN={{ secret 'token' }}"]
    expected = f"{value.encode().hex()}\n"
    hexed = "od -An -v -tx1 | tr -d ' \\n'; echo"
    ran = run(
        machine,
        shell("plain", f"{look} plain", environment=["A=b"], stdin="in\n")
        + shell("hidden", f"{look} hidden", environment=env, stdin="in\n")
        + shell("same", "diff plain hidden && grep -q ^A=b plain", "needs: [plain, hidden], ")
        + shell("none", "test ! -s /proc/self/fd/0 && test -c /dev/stdin", environment=env)
        + shell("value", f'printf %s "$TOKEN" | {hexed}', "register: value, ", environment=env)
        + shell("stdin", hexed, "register: stdin, ", stdin="{{ secret 'token' }}")
        + shell("both", f'test "$TOKEN" = "$(cat)" && test "$(cat /dev/stdin)" = "$TOKEN"',
                environment=env, stdin="{{ secret 'token' }}")
        + step("words", "register: words, ", command="printf", args=["%s|", "a b", "$A", ""],
               environment=env)
        + shell("check", f"test {{{{ .value.stdout }}}} = {expected.strip()} &&"
                f" test {{{{ .stdin.stdout }}}} = {expected.strip()} &&"
                " test {{ squote .words.stdout }} = 'a b|$A||'"),
    )  # fmt: skip
    assert (ran.code, set(ran.steps.values())) == (0, {"Completed"}), told(ran)

"""`gxo secrets` on a real systemd: kept encrypted, listed by name, removed; never shown."""

import os
import subprocess
from collections.abc import Iterator
from hashlib import sha256
from secrets import token_hex

import pytest

from tests.lab.machine import Machine
from tests.lab.running import run
from tests.schemas import held

STORE = "/etc/credstore.encrypted"
PLACES = ("/etc/gxo", "/etc/credstore", STORE)


@pytest.fixture(autouse=True)
def ready(machine: Machine) -> Iterator[None]:
    """The host is set up; no secret of one test is there for another."""
    machine.gxo("setup", check=True)
    yield
    machine.run("rm", "-rf", *PLACES, check=True)


def test_a_secret_is_kept_used_and_removed(machine: Machine) -> None:
    """From standard input to a run, encrypted on disk; set anew it is another; then it is gone."""
    for value in (f"first-{token_hex(8)}", f"second\n{token_hex(8)}"):
        done = machine.gxo("secrets", "set", "--json", "token", input=value + "\n", check=True)
        path = f"{STORE}/token"
        assert held("secret", done.stdout) == {
            "version": 1, "secret": "token", "place": path, "done": "set",
        }  # fmt: skip
        assert value not in done.stdout + done.stderr + machine.read(path)
        stat = machine.run("stat", "-c", "%a %U", path, STORE, check=True).stdout.split()
        assert stat == ["600", "root", "700", "root"]
        digest = sha256(value.encode()).hexdigest()
        params = (
            f"{{command: '/bin/sh', args: [-c, 'sha256sum | grep -q {digest}'],"
            " stdin: '{{ secret `token` }}'}"
        )
        ran = run(
            machine,
            "  - {name: a, lifecycle: {policy: run_once},"
            f" process: {{module: exec, params: {params}}}}}\n",
        )
        assert ran.steps == {"a": "Completed"}
    listed = held("secrets", machine.gxo("secrets", "list", "--json", check=True).stdout)
    assert listed["secrets"] == [{"name": "token", "provider": "credentials", "place": path}]
    refused = machine.gxo("secrets", "rm", "token")
    assert (refused.returncode, "give `--yes`" in refused.stderr) == (1, True)
    done = machine.gxo("secrets", "rm", "--yes", "token", check=True)
    assert done.stdout == f"token: removed from {path}\n"
    assert not machine.exists(path)
    again = machine.gxo("secrets", "rm", "--yes", "token")
    assert (again.returncode, "there is none" in again.stderr) == (1, True)


def test_names_are_listed_with_who_gives_them(machine: Machine) -> None:
    """Of two providers that have one, the first; no value; what cannot be listed is said."""
    machine.run("install", "-d", "-m", "0700", "/etc/gxo/secrets", "/etc/credstore", check=True)
    for path in ("/etc/gxo/secrets/both", "/etc/gxo/secrets/file", "/etc/credstore/both"):
        machine.write(path, "a value", 0o600)
    machine.write(
        "/etc/gxo/config.yaml",
        "secrets: {providers: [{type: credentials}, {type: directory}, {type: environment},"
        " {type: command, argv: [/bin/echo]}]}\n",
    )
    env = {"GXO_SECRET_MINE": "a value"}
    done = machine.gxo("secrets", "list", env=env, check=True)
    assert "a value" not in done.stdout + done.stderr
    assert [line.split() for line in done.stdout.splitlines()] == [
        ["NAME", "PROVIDER", "WHERE"],
        ["both", "credentials", "/etc/credstore/both"],
        ["file", "directory", "/etc/gxo/secrets/file"],
        ["mine", "environment", "GXO_SECRET_MINE"],
    ]
    assert "the secrets of `/bin/echo` cannot be listed" in done.stderr
    found = held("secrets", machine.gxo("secrets", "list", "--json", env=env, check=True).stdout)
    assert found["not_listed"] == ["/bin/echo"]
    rm = machine.gxo("secrets", "rm", "--yes", "file")
    assert rm.returncode == 1
    assert "it comes from /etc/gxo/secrets/file; remove it there" in rm.stderr


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("../x", "v", "that is not a valid name for a secret"),
        ("x", "", "it is empty"),
        ("x", "\n", "it is empty"),
        ("x", "v" * ((1 << 20) + 1), "it has more than"),
    ],
)
def test_what_cannot_be_kept(machine: Machine, name: str, value: str, reason: str) -> None:
    """A value that cannot be kept is refused with exit 1 and the reason; nothing is written."""
    done = machine.gxo("secrets", "set", name, input=value)
    assert (done.returncode, reason in done.stderr) == (1, True), done.stderr
    assert not machine.exists(f"{STORE}/x")


def test_nobody_but_root(machine: Machine) -> None:
    """Another user than root is refused, with exit 77."""
    for words in (("set", "x"), ("list",), ("rm", "--yes", "x")):
        argv = machine.gxo_argv("secrets", *words)
        done = machine.run(*argv, env=machine.gxo_env, user="nobody", input="v")
        assert (done.returncode, "not root" in done.stderr) == (77, True)


def test_it_is_asked_for_without_an_echo(machine: Machine) -> None:
    """On a terminal, twice; what was typed is not shown; two that differ are refused."""
    value = f"typed-{token_hex(8)}"
    shown, code = typed(machine, [value, value])
    assert (code, f"token: kept in {STORE}/token" in shown) == (0, True), shown
    assert value not in shown
    shown, code = typed(machine, [value, value + "x"])
    assert (code, "what was typed differs" in shown) == (1, True), shown


def typed(machine: Machine, lines: list[str]) -> tuple[str, int]:
    """What a terminal shows as each line is typed when it is asked for; the exit code."""
    command = " ".join(machine.gxo_argv("secrets", "set", "token"))
    argv = machine.lab.exec_argv(("script", "-qec", command, "/dev/null"), env=machine.gxo_env)
    shown = b""
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        for line, prompt in zip(lines, (b"token: ", b"once more: "), strict=True):
            while prompt not in shown:
                some = os.read(process.stdout.fileno(), 4096)
                assert some, shown
                shown += some
            process.stdin.write(line.encode() + b"\n")
            process.stdin.flush()
        shown += process.stdout.read()
    return shown.decode(), process.returncode

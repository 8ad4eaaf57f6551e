"""Bad input, through the real command on a real systemd: a clear error, and nothing changed.

Each case is a directory that is applied as a whole; a playbook that is right lies beside the bad
one, and must not be applied either.
"""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from tests.lab.machine import Machine

FINE = """
workloads:
  - name: fine
    lifecycle: {policy: supervise, ready: {settle: 10ms}}
    process: {module: exec, params: {command: /usr/bin/sleep, args: [infinity]}}
"""
_BOMB = "a0: &a0 [x, x]\n" + "".join(
    f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 10)
)


def workload(extra: str, module: str = "exec", params: str = "{command: /usr/bin/true}") -> str:
    """A playbook of one run_once workload `w` with further keys; its first line is `workloads:`."""
    return (
        "workloads:\n"
        "  - name: w\n"
        f"    process: {{module: {module}, params: {params}}}\n"
        f"    {extra}\n"
    )


def once(extra: str, **process: str) -> str:
    return workload("lifecycle: {policy: run_once}\n    " + extra, **process)


@dataclass(frozen=True, slots=True)
class Case:
    """The bad file's text, or a line of shell that makes it; what must be said of it."""

    name: str
    text: str = ""
    make: str = ""
    said: tuple[str, ...] = ()


CASES = (
    Case("yaml", "workloads: [\n", said=("bad.yaml:2:1\n", "close every `[`")),
    Case(
        "unknown-key",
        workload("lifecycel: {policy: run_once}"),
        said=("bad.yaml:4:5\n", "`lifecycel`", "did you mean `lifecycle`?"),
    ),
    Case(
        "duplicate-key",
        once("when: true\n    when: false"),
        said=("bad.yaml:6:5\n", "`when`", "twice"),
    ),
    Case("wrong-type", "workloads: 5\n", said=("bad.yaml:1:12\n",)),
    Case("wrong-value", once("timeout: soon"), said=("bad.yaml:5:14\n", "soon")),
    Case(
        "cycle",
        once("needs: [v]")
        + "  - {name: v, lifecycle: {policy: run_once}, needs: [w],"
        + " process: {module: exec, params: {command: /bin/true}}}\n",
        said=("bad.yaml:5:13\n", "bad.yaml:6:54\n", "w -> v -> w"),
    ),
    Case("unknown-workload", once("needs: [u]"), said=("bad.yaml:5:13\n", "`u`")),
    Case(
        "unknown-name",
        once("", params='{command: /bin/echo, args: ["{{ .nobody }}"]}'),
        said=("bad.yaml:3:69\n", "nobody"),
    ),
    Case(
        "alias-bomb",
        f"{_BOMB}workloads: []\n",
        said=("bad.yaml:7:20\n", "`*a5` makes it more than 1000000 values"),
    ),
    Case(
        "large",
        make="truncate -s 100M bad.yaml",
        said=("cannot read", "bad.yaml", "larger than 16 MiB", "hint: split it"),
    ),
    Case("binary", make="cp /usr/bin/true bad.yaml", said=("bad.yaml", "it is not text")),
    Case("text-with-nul", make="printf 'a: \\0' > bad.yaml", said=("bad.yaml", "it is not text")),
    Case(
        "unreadable",
        make="ln -s /proc/self/mem bad.yaml",
        said=("cannot read", "bad.yaml: input/output"),
    ),
    Case("pipe", make="mkfifo bad.yaml", said=("cannot read", "bad.yaml: it is a FIFO")),
    Case("device", make="ln -s /dev/zero bad.yaml", said=("bad.yaml: it is a character device",)),
    Case(
        "link-loop",
        make="ln -s loop.yaml bad.yaml; ln -s bad.yaml loop.yaml",
        said=("bad.yaml: its symbolic links point", "loop.yaml: its symbolic links"),
    ),
    Case("one-name-twice", f"name: fine\n{FINE}", said=("fine", "bad.yaml:1:7\n", "fine.yaml")),
    Case("no-text", "", said=("bad.yaml", "empty")),
    Case(
        "event-driven",
        workload("lifecycle: {policy: event_driven, source: s}")
        + "  - {name: s, lifecycle: {policy: supervise},"
        + ' process: {module: "connection:listen", params: {address: "127.0.0.1:9"}}}\n',
        said=("cannot run `w` for events: not in this version", "bad.yaml:4:25\n"),
    ),
    Case(
        "loop",
        once("loop: [1, 2]"),
        said=("cannot loop `w`: not in this version", "bad.yaml:5:11\n"),
    ),
    Case(
        "retry",
        once("retry: {attempts: 2}"),
        said=("cannot retry `w`: not in this version", "bad.yaml:5:12\n"),
    ),
    Case(
        "when-over-state",
        once(
            "register: first\n  - name: x\n    lifecycle: {policy: run_once}\n"
            "    process: {module: exec, params: {command: /bin/true}}\n"
            '    when: "{{ eq .first.exit_code 0 }}"'
        ),
        said=("the state of `w`: not in this version", "bad.yaml:9:18\n"),
    ),
    Case(
        "stream",
        once("stream_inputs: [p]")
        + "  - {name: p, lifecycle: {policy: run_once},"
        + " process: {module: exec, params: {command: /bin/true}}}\n",
        said=("the stream of `p`: not in this version", "bad.yaml:5:21\n"),
    ),
    Case(
        "other-module",
        once("", module='"filesystem:stat"', params="{path: /etc}"),
        said=("cannot run `filesystem:stat`: not in this version", "bad.yaml:3:23\n"),
    ),
)


def directory(machine: Machine, name: str) -> str:
    """A fresh directory on the machine with the playbook that is right."""
    place = f"/srv/bad-{name}"
    machine.run("rm", "-rf", place)
    machine.write(f"{place}/fine.yaml", FINE)
    return place


def state(machine: Machine) -> tuple[str, str]:
    """The units of gxo that are loaded, its records, unit files and lock."""
    units = machine.run("systemctl", "list-units", "--all", "--plain", "--no-legend", "gxo*")
    places = ("/var/lib/gxo", "/run/gxo", "/etc/systemd/system", "/run/systemd/transient")
    files = machine.run("find", *places, "-printf", "%p %s %T@\\n")
    return units.stdout, files.stdout


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_it_is_refused_with_its_place(machine: Machine, case: Case) -> None:
    """Exit 1, what is wrong and where, on stderr; nothing is applied, made or written."""
    place = directory(machine, case.name)
    if case.make:
        machine.run("sh", "-c", f"cd {place} && {case.make}", check=True)
    else:
        machine.write(f"{place}/bad.yaml", case.text)
    before = state(machine)
    began = time.monotonic()
    done = machine.gxo("apply", "--yes", place)
    took = time.monotonic() - began
    assert (done.returncode, done.stdout) == (1, ""), done.stderr
    for said in case.said:
        assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert "fine.fine" not in done.stderr
    assert state(machine) == before
    assert took < 10
    machine.run("rm", "-rf", place)


def test_problems_for_programs(machine: Machine) -> None:
    """`apply --json` and `plan --json` put the problems on stdout, and leave with 1."""
    place = directory(machine, "json")
    machine.write(f"{place}/bad.yaml", "workloads: 5\n")
    for command in (("apply", "--json", "--yes"), ("plan", "--json")):
        done = machine.gxo(*command, place)
        assert (done.returncode, done.stderr) == (1, "")
        (problem,) = json.loads(done.stdout)["problems"]
        assert (problem["file"], problem["line"]) == (f"{place}/bad.yaml", 1)


def test_a_large_text_on_standard_input(machine: Machine) -> None:
    """100 MB of text through a pipe are refused as soon as they are too many."""
    command = " ".join(machine.gxo_argv("apply", "--yes", "-"))
    flood = f"yes 'a: 1' | head -c 100M | {command}"
    done = machine.run("bash", "-c", flood, env=machine.gxo_env)
    assert (done.returncode, done.stdout) == (1, "")
    assert "<stdin>" in done.stderr


def fine(machine: Machine, *arguments: str) -> list[str]:
    """The command line that applies the playbook that is right."""
    place = directory(machine, "none")
    return machine.gxo_argv("apply", "--yes", f"{place}/fine.yaml", *arguments)


def no_bus(machine: Machine) -> "Result":
    hide = 'mount -t tmpfs none /run/dbus && mount -t tmpfs none /run/systemd && exec "$@"'
    done = machine.run(
        *("unshare", "--mount", "sh", "-c", hide, "sh", *fine(machine)), env=machine.gxo_env
    )
    return done.returncode, done.stdout, done.stderr


def another_bus(machine: Machine) -> "Result":
    hide = 'mount --bind /run/systemd/notify /run/dbus/system_bus_socket && exec "$@"'
    done = machine.run(
        *("unshare", "--mount", "sh", "-c", hide, "sh", *fine(machine)), env=machine.gxo_env
    )
    return done.returncode, done.stdout, done.stderr


def old_systemd(machine: Machine) -> "Result":
    said = "#!/bin/sh\necho 'systemd 247 (247.3-7)'\necho '+PAM +SECCOMP'\n"
    machine.write("/srv/old/systemctl", said, 0o755)
    done = machine.run(*fine(machine), env=machine.gxo_env | {"PATH": "/srv/old:/usr/bin:/bin"})
    return done.returncode, done.stdout, done.stderr


# what is needed is loaded while the checkout can be read, which may be closed to others
_AS_NOBODY = """
import os, sys
import gxo.cli.apply, gxo.cli.changes, gxo.cli.plan, gxo.cli.root, gxo.cli.load, gxo.cli.program
import gxo.apply.operations, gxo.apply.setup, gxo.diagnostic.render, gxo.systemd.host
from gxo.cli.main import main
os.setresuid(65534, 65534, 65534)
main()
"""


def not_root(machine: Machine, *changed: str) -> "Result":
    python, _, _, *arguments = fine(machine)
    arguments = [*changed, *arguments[2:]] if changed else arguments
    done = machine.run(python, "-c", _AS_NOBODY, *arguments, env=machine.gxo_env)
    return done.returncode, done.stdout, done.stderr


def plan_not_root(machine: Machine) -> "Result":
    return not_root(machine, "plan")


Result = tuple[int, str, str]


@pytest.mark.parametrize(
    ("attempt", "code", "said"),
    [
        (no_bus, 69, "error: cannot reach systemd: "),
        (another_bus, 69, "error: cannot reach systemd: "),
        (
            old_systemd,
            1,
            "error: cannot work on this host: it has systemd 247, and gxo needs 252 or newer;"
            " `gxo validate` and `gxo compile` need none\n",
        ),
        (plan_not_root, 77, "error: cannot plan: not root; run it with sudo (gxo does not drive"),
        (not_root, 77, "error: cannot apply: not root; run it with sudo (gxo does not drive"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_a_host_that_cannot_be_worked_on(
    machine: Machine, attempt: Callable[[Machine], Result], code: int, said: str
) -> None:
    """One line says why, with the code of the reason; nothing is applied, made or written."""
    before = state(machine)
    found, printed, told = attempt(machine)
    assert (found, printed) == (code, ""), told
    assert told.startswith(said)
    assert told.count("\n") == 1
    assert code != 69 or told.endswith("; try `gxo try`\n")
    assert state(machine) == before


def test_a_run_tells_of_its_playbook_before_the_host(machine: Machine) -> None:
    """Without a systemd, what is wrong with the playbook comes first; else 69 says what is."""
    nowhere = {"DBUS_SYSTEM_BUS_ADDRESS": "unix:path=/nowhere"}
    bad = machine.write("/srv/run-bad.yaml", once("timeout: soon"))
    wrong = machine.gxo("run", bad, env=nowhere)
    assert (wrong.returncode, wrong.stdout) == (1, "")
    assert "run-bad.yaml:5:14\n" in wrong.stderr
    assert "systemd" not in wrong.stderr
    missing = machine.gxo("run", "--input", "day=1", "/srv/none.yaml", env=nowhere)
    assert missing.stderr.count("error[") == 1, "whether it has that input nobody knows"
    right = machine.write("/srv/run-fine.yaml", once(""))
    unreached = machine.gxo("run", "--json", right, env=nowhere)
    assert unreached.returncode == 69
    (problem,) = json.loads(unreached.stdout)["problems"]
    assert problem["message"].startswith("cannot reach systemd: ")

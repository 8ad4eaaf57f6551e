"""What the commands that work on a host print, for people and for programs."""

import shlex
from collections.abc import Iterator

import pytest

from tests.lab.applying import Site, schedule, service, site
from tests.lab.machine import Machine
from tests.lab.running import step
from tests.schemas import held

FIRST = (
    step("prepare", "true")
    + service("web", "exec sleep infinity", "needs: [prepare], ")
    + schedule("nightly-report", "true", "*-*-* 03:17:00")
)


@pytest.fixture
def shop(machine: Machine) -> Iterator[Site]:
    """A playbook of three workloads, not applied yet."""
    with site(machine, "shop") as made:
        made.write(FIRST)
        yield made


def test_for_people(shop: Site) -> None:
    """The plan is one table, what differs below each row; progress says each thing once.

    How exposed what starts will be is told by `plan` alone.
    """
    new = (
        "run    shop.prepare         new\n"
        "start  shop.web             new\n"
        "start  shop.nightly-report  new\n"
        "2 to start, 1 to run (no rollback undoes it)\n"
    )
    rated = new.replace(" new\n", " new  exposure 1.5\n")
    done = shop.gxo("plan", shop.path)
    assert (done.returncode, done.stdout, done.stderr) == (2, rated, "")
    done = shop.apply()
    assert done.stdout == f"{new}applied: shop 1\n"
    said = [line for line in done.stderr.splitlines() if not line.startswith("set up this host")]
    assert sorted(said) == [
        "  ran       shop.prepare",
        "  running   shop.prepare",
        "  settling  shop.web",
        "  started   shop.nightly-report",
        "  started   shop.web",
    ]
    done = shop.gxo("plan", shop.path)
    assert (done.returncode, done.stdout) == (0, "3 unchanged\n")

    shop.write(FIRST.replace("03:17", "04:17").replace("infinity", "3600"))
    done = shop.gxo("plan", shop.path)
    assert (done.returncode, done.stdout) == (
        2,
        "restart  shop.web             changed  exposure 1.5\n"
        '    -ExecStart=:/bin/sh -c "exec sleep infinity"\n'
        '    +ExecStart=:/bin/sh -c "exec sleep 3600"\n'
        "restart  shop.nightly-report  changed  exposure 1.5\n"
        "    -OnCalendar=*-*-* 03:17:00\n"
        "    +OnCalendar=*-*-* 04:17:00\n"
        "2 to restart, 1 unchanged\n",
    )
    done = shop.gxo("remove", "--yes", "shop")
    assert done.stdout == "removed: shop\n"
    assert sorted(done.stderr.splitlines()) == [
        "  stopped   shop.nightly-report",
        "  stopped   shop.web",
    ]


def test_for_programs(shop: Site) -> None:
    """Each document is as its published schema says, alone on stdout; nobody is asked."""
    done = shop.gxo("setup", "--json")
    assert (done.returncode, done.stderr) == (0, "")
    held("setup", done.stdout)
    for command, schema, actions in (
        (("plan", shop.path), "plan", ["run", "start", "start"]),
        (("apply", shop.path), "apply", ["run", "start", "start"]),
        (("stop", "shop.web"), "control", ["stop"]),
        (("start", "shop.web"), "control", ["start"]),
        (("trigger", "shop.prepare"), "control", ["run"]),
        (("rollback", "shop", "1"), "apply", ["none", "none", "none"]),
        (("remove", "shop"), "control", ["stop", "stop", "stop"]),
    ):
        done = shop.gxo(command[0], "--json", *command[1:])
        assert done.returncode in (0, 2), (command, done.stderr)
        assert done.stderr == "", command
        document = held(schema, done.stdout)
        found = [change["action"] for change in document["changes"] if change["workload"]]
        assert found == actions, command
        if schema == "apply":
            assert document["revisions"].keys() == {"shop"}


def test_mistaken_names(shop: Site) -> None:
    """Each daily command says which playbook or workload it does not know, and the likely one."""
    shop.apply()
    for command in ("start", "trigger"):
        done = shop.gxo(command, "shopp")
        assert (done.returncode, done.stdout) == (1, "")
        assert done.stderr.startswith(f"error: cannot {command} `shopp`: no playbook `shopp` is")
        assert done.stderr.endswith("did you mean `shop`?\n")
        done = shop.gxo(command, "shop.wep")
        assert (done.returncode, done.stdout) == (1, "")
        assert done.stderr.endswith("has no workload `wep`; did you mean `web`?\n")
        done = shop.gxo(command, "shop.")
        assert (done.returncode, done.stdout) == (64, "")
        assert done.stderr.endswith("error: Invalid value: `shop.` is not PLAYBOOK[.WORKLOAD]\n")
    for command in ("remove", "rollback"):
        # nobody is asked of what there is not
        done = shop.gxo(command, "shopp")
        assert (done.returncode, done.stdout) == (1, "")
        assert done.stderr.startswith(f"error: cannot {command[:4]}")
        assert done.stderr.endswith("; did you mean `shop`?\n")
    done = shop.gxo("rollback", "--yes", "shop", "99")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "error: cannot roll `shop` back to revision 99: kept: 1\n"


def test_the_shell_completes_what_is_applied(shop: Site) -> None:
    """Names of playbooks, and behind a dot those of workloads."""
    shop.apply()

    def completed(line: str) -> list[str]:
        asked = {"_GXO_COMPLETE": "complete_bash", "COMP_WORDS": line, "COMP_CWORD": "2"}
        done = shop.machine.gxo(env=asked)
        assert (done.returncode, done.stderr) == (0, "")
        return done.stdout.split()

    for command in ("start", "status", "logs"):
        assert completed(f"gxo {command} sh") == ["shop"]
        assert completed(f"gxo {command} shop.w") == ["shop.web"]
        assert completed(f"gxo {command} nope.") == []
    assert completed("gxo remove shop") == ["shop"]
    assert completed("gxo rollback zz") == []


@pytest.mark.parametrize(
    ("command", "code", "name", "said"),
    [
        (("status", "nope"), 1, "failed", "cannot show `nope`"),
        (("start", "nope"), 1, "failed", "cannot start `nope`"),
        (("stop", "a b"), 1, "failed", "cannot look up `a b`: no playbook can have that name"),
        (("remove", "nope"), 1, "failed", "cannot remove `nope`"),
        (("rollback", "nope"), 1, "failed", "cannot roll `nope` back"),
        (("logs", "nope"), 1, "failed", "cannot show the lines of `nope`"),
        (("apply", "/gone", "--nope"), 64, "usage", "--nope"),
    ],
)
def test_errors_for_programs(
    machine: Machine, command: tuple[str, ...], code: int, name: str, said: str
) -> None:
    """With --json an error is a document on stdout too, and stands on stderr for people."""
    done = machine.gxo(*command, "--json")
    assert done.returncode == code
    (problem,) = held("validate", done.stdout)["problems"]
    assert (problem["code"], problem["file"]) == (name, None)
    assert said in problem["message"]
    assert done.stderr.endswith(f"error: {problem['message']}\n")


def test_a_failed_apply_for_programs(shop: Site) -> None:
    """The document says what a person is told."""
    shop.write(service("web", "exit 3"))
    done = shop.gxo("apply", "--json", shop.path)
    assert done.returncode == 1
    (problem,) = held("validate", done.stdout)["problems"]
    assert problem["message"].startswith(
        "cannot start `shop.web` (gxo-shop.web.service): it exited"
    )


def test_nobody_to_ask(shop: Site) -> None:
    """Without a terminal and without `--yes` nothing is changed; the error says what to give."""
    done = shop.gxo("apply", shop.path)
    assert done.returncode == 1
    assert done.stderr == (
        "error: cannot ask before changing anything: no terminal; give `--yes`\n"
    )
    assert shop.units() == {}


def test_streams_that_the_caller_closed(shop: Site) -> None:
    """There is nobody to ask and nothing to read; what is said goes nowhere, and work is done."""
    machine = shop.machine

    def run(*args: str, closed: str) -> tuple[int, str]:
        gxo = shlex.join(machine.gxo_argv(*args))
        done = machine.run("sh", "-c", f"{gxo} {closed}", env=machine.gxo_env)
        return done.returncode, done.stderr

    code, said = run("apply", shop.path, closed="<&-")
    assert code == 1
    assert said == "error: cannot ask before changing anything: no terminal; give `--yes`\n"
    code, said = run("validate", "-", closed="<&-")
    assert code == 1
    assert said.startswith("error[")
    assert run("apply", "--yes", shop.path, closed="<&- >&- 2>&-") == (0, "")
    assert run("plan", shop.path, closed="<&-") == (0, "")


def test_the_version_of_systemd_is_read_off_its_files(machine: Machine) -> None:
    """What stands in the name of its library is what `systemctl --version` says."""
    code = (
        "from gxo.systemd.version import installed_version as a\n"
        "from gxo.systemd.host import systemd_version as b\n"
        "print(a(), b())"
    )
    python = machine.gxo_argv()[0]
    said = machine.run(python, "-c", code, env=machine.gxo_env, check=True).stdout
    assert said == f"{machine.version} {machine.version}\n"

"""Apply converges: what is new starts, what changed restarts, what is unchanged stays untouched."""

from collections.abc import Iterator

import pytest

from tests.lab.applying import HOST, Site, changes, schedule, service, site
from tests.lab.machine import Machine
from tests.lab.running import step
from tests.schemas import held


@pytest.fixture
def here(machine: Machine) -> Iterator[Site]:
    with site(machine, "conv") as found:
        yield found


def test_a_playbook_comes_up_and_stays_as_it_is(here: Site) -> None:
    """Plan says so before (exit 2) and after (exit 0); a second apply changes no process."""
    here.write(
        step("setup", "date +%N >>/srv/conv/ran")
        + service("web", "sleep 1000", "needs: [setup], ")
        + service("db", "sleep 1000")
        + schedule("backup", "true", "04:00"),
        HOST,
    )
    assert here.plan() == {
        "setup": ("run", "new"),
        "web": ("start", "new"),
        "db": ("start", "new"),
        "backup": ("start", "new"),
    }
    here.apply()
    assert here.plan() == {}
    assert len(here.timers()) == 1
    before = (here.pid("web"), here.pid("db"), here.units())
    again = here.apply()
    assert "4 unchanged" in again.stdout
    assert (here.pid("web"), here.pid("db"), here.units()) == before
    assert len(here.lines("/srv/conv/ran")) == 1


def test_only_what_changed_restarts(here: Site) -> None:
    """One service is edited: it gets a new process, its neighbour keeps its own."""
    here.write(service("one", "sleep 1000") + service("two", "sleep 1000"))
    here.apply()
    one, two = here.pid("one"), here.pid("two")
    here.write(service("one", "sleep 1001") + service("two", "sleep 1000"))
    done = here.gxo("plan", here.path)
    assert '-ExecStart=:/bin/sh -c "sleep 1000"' in done.stdout
    assert '+ExecStart=:/bin/sh -c "sleep 1001"' in done.stdout
    here.apply()
    assert here.pid("one") != one
    assert here.pid("two") == two


def test_a_service_changes_its_profile(here: Site) -> None:
    """From a user of its own to root and back: its directories are in nobody's way."""
    for head in ("", HOST, ""):
        here.write(service("web", "sleep 1000"), head)
        here.apply()
        assert here.pid("web")


def test_what_left_the_playbook_is_stopped(here: Site) -> None:
    """Unless --no-prune is given; then nothing of it changes."""
    here.write(service("stays", "sleep 1000") + service("goes", "sleep 1000"))
    here.apply()
    pid = here.pid("stays")
    here.write(service("stays", "sleep 1000"))
    here.apply("--no-prune")
    assert here.pid("goes")
    assert here.plan() == {"goes": ("stop", "left the playbook")}
    here.apply()
    assert here.units() == {here.unit("stays"): "active"}
    assert here.pid("stays") == pid


def test_a_renamed_workload_gets_what_its_old_name_held(here: Site) -> None:
    """The old one is stopped before the new one starts, so that a port or a lock is free."""
    hold = "exec flock --nonblock --conflict-exit-code 9 /srv/conv/lock sleep 1000"
    here.write(service("old", hold), HOST)
    here.apply()
    here.write(service("new", hold), HOST)
    here.apply()
    assert here.units() == {here.unit("new"): "active"}


def test_steps_and_services_start_in_order(here: Site) -> None:
    """A step that a service needs has ended, and a service has settled, before the next starts."""
    log = "/srv/conv/log"
    here.write(
        service("last", f"echo last >>{log}; sleep 1000", "needs: [middle], ")
        + service("middle", f"echo middle >>{log}; sleep 0.2; echo up >>{log}; sleep 1000",
                  "needs: [first], ")
        + step("first", f"echo first >>{log}; sleep 0.3; echo done >>{log}"),
        HOST,
    )  # fmt: skip
    here.apply()
    assert here.lines(log) == ["first", "done", "middle", "up", "last"]


def test_a_step_runs_once_for_each_of_its_texts(here: Site) -> None:
    """Again when it is edited, not when anything else is."""
    log = "/srv/conv/ran"
    here.write(step("setup", f"echo one >>{log}"), HOST)
    here.apply()
    here.write(step("setup", f"echo one >>{log}") + service("web", "sleep 1000"), HOST)
    here.apply()
    assert here.lines(log) == ["one"]
    here.write(step("setup", f"echo two >>{log}") + service("web", "sleep 1000"), HOST)
    assert here.plan() == {"setup": ("run", "changed")}
    here.apply()
    assert here.lines(log) == ["one", "two"]


def test_a_failed_step_runs_again(here: Site) -> None:
    """It fails the apply, keeps what needs it from starting, and runs at the next apply."""
    here.write(
        step("setup", "echo went wrong >&2; test -e /srv/conv/ok")
        + service("web", "sleep 1000", "needs: [setup], "),
        HOST,
    )
    said = here.fail()
    assert "cannot run `conv.setup`" in said
    assert "it exited with status 1" in said
    assert "    went wrong\n" in said
    assert here.units("active") == {}
    assert here.plan()["setup"] == ("run", "its last run failed")
    here.machine.write("/srv/conv/ok", "")
    here.apply()
    assert here.pid("web")


def test_a_condition_leaves_a_workload_out(here: Site) -> None:
    """`when` over inputs is decided by the inputs given; what was in goes when it is out."""
    here.write(
        service("web", "sleep 1000")
        + service("debug", "sleep 1000", "when: '{{ .debug }}', needs: [web], ")
        + service("tail", "sleep 1000", "needs: [debug], "),
        "inputs: {debug: {type: bool, default: false}}\n",
    )
    here.apply()
    assert set(here.units()) == {here.unit("web"), here.unit("tail")}
    here.apply("--input", "debug=true")
    assert here.pid("debug")
    assert here.plan() == {"debug": ("stop", "left the playbook")}


def test_removing_leaves_nothing(here: Site) -> None:
    """No unit, no slice of the playbook, no transient file, no stamp and no record."""
    here.write(
        service("web", "sleep 1000") + schedule("backup", "true", "04:00", ", catch_up: true")
    )
    here.apply()
    done = here.gxo("remove", "--yes", "conv")
    assert done.returncode == 0, done.stderr
    left = here.machine.run(
        *("sh", "-c"),
        "systemctl list-units --all --plain --no-legend 'gxo-conv*';"
        "find /run/systemd/transient /run/systemd/system.control /var/lib/gxo/applied"
        " /var/lib/systemd/timers /run/gxo /run/private -name '*conv*'",
    )
    assert left.stdout == ""
    again = here.gxo("remove", "--yes", "conv")
    assert again.returncode == 1
    assert again.stderr == "error: cannot remove `conv`: no playbook of that name is applied\n"


def test_a_playbook_whose_file_is_gone(here: Site) -> None:
    """It runs on, orphaned, until `apply --prune` over its directory; its neighbour stays."""
    here.write(service("web", "sleep 1000"))
    machine = here.machine
    with site(machine, "second") as second:
        machine.write("/srv/conv/second.yaml", "workloads:\n" + service("other", "sleep 1000"))
        machine.gxo("apply", "--yes", "/srv/conv", check=True)
        machine.run("rm", "/srv/conv/second.yaml", check=True)
        orphan = "orphaned: second, once in /srv/conv/second.yaml; `--prune` stops it\n"
        for command in (("plan",), ("apply", "--yes")):
            done = machine.gxo(*command, "/srv/conv", check=True)
            assert done.stdout == f"1 unchanged\n{orphan}"
        # who names a file, or wants nothing pruned, is not told
        for paths in (("/srv/conv/conv.yaml",), ("--no-prune", "/srv/conv")):
            assert machine.gxo("plan", *paths, check=True).stdout == "1 unchanged\n"
        planned = held("plan", machine.gxo("plan", "--json", "/srv/conv").stdout)
        assert planned["orphaned"] == [{"playbook": "second", "source": "/srv/conv/second.yaml"}]
        assert second.pid("other")
        web = here.pid("web")
        done = machine.gxo("apply", "--yes", "--prune", "--json", "/srv/conv", check=True)
        assert changes(done.stdout)["other"] == ("stop", "left the playbook")
        assert second.units() == {}
        assert here.pid("web") == web
        assert machine.gxo("remove", "--yes", "second").returncode == 1


COUNTED = """
from gxo.apply import commit, undo
from gxo.cli.program import call
from gxo.systemd.jobs import Jobs

commit.AT_ONCE = undo.AT_ONCE = 4
most = 0
ask = Jobs._ask

def counted(jobs, *args):
    global most
    job = ask(jobs, *args)
    most = max(most, len(jobs._open))
    return job

Jobs._ask = counted
try:
    call()
except Exception as error:
    print(type(error).__name__)
print(most)
"""


def test_systemd_is_not_asked_for_too_much_at_once(here: Site) -> None:
    """However many units start, go back and stop: no more jobs are open than systemd can follow."""
    bad = service("bad", "exit 1", lifecycle=", restart: never")
    many = "".join(schedule(f"s{i}", "true", "04:00") for i in range(12))

    def counted(*args: str) -> tuple[str, int]:
        python = here.machine.gxo_argv()[0]
        done = here.machine.run(python, "-c", COUNTED, *args, env=here.machine.gxo_env, check=True)
        *_, said, most = done.stdout.splitlines()
        return said, int(most)

    here.write(many + bad)
    assert counted("apply", "--yes", here.path) == ("ActivationFailed", 4)
    assert here.units() == {}
    here.write(many)
    assert counted("apply", "--yes", here.path)[1] == 4
    assert len(here.timers()) == 12
    # of a schedule the timer and its service are stopped
    assert counted("remove", "--yes", here.name)[1] <= 8
    assert here.units() == {}

"""An apply that fails takes back what it did; `gxo rollback` goes back on purpose."""

import signal
from collections.abc import Iterator

import pytest

from tests.lab.applying import HOST, Site, schedule, service, site
from tests.lab.machine import Machine
from tests.lab.running import step
from tests.schemas import held


@pytest.fixture
def here(machine: Machine) -> Iterator[Site]:
    with site(machine, "back") as found:
        yield found


@pytest.mark.parametrize(
    ("command", "reason"),
    [
        # so short that its start may itself be what fails
        ("echo no luck; exit 7", "it exited with status 7"),
        ("echo no luck; kill -9 $$", "it was killed by signal 9"),
        ("sleep 0.1; echo no luck; exit 7", "it exited with status 7 within 0.3 s of its start\n"),
        (
            "sleep 0.1; echo no luck",
            "it ended within 0.3 s of its start; a service has to stay in the foreground\n",
        ),
    ],
)
def test_a_service_that_does_not_stay_up(here: Site, command: str, reason: str) -> None:
    """Its old form runs again, and so do the others; the error shows reason and last words."""
    here.write(
        service("first", "sleep 1000")
        + service("web", "sleep 1000", "needs: [first], ", ", restart: never")
        + service("goes", "sleep 1000")
    )
    here.apply()
    here.write(
        service("first", "sleep 1001")
        + service("web", command, "needs: [first], ", ", restart: never")
        + service("new", "sleep 1000")
    )
    said = here.fail()
    assert f"error: cannot start `back.web` (gxo-back.web.service): {reason}" in said
    assert "    no luck\n" in said
    assert "what had changed is back to what ran before\n" in said
    assert here.units("active") == {here.unit(w): "active" for w in ("first", "web", "goes")}
    running = here.machine.run("ps", "-o", "args=", "-p", here.pid("first")).stdout
    assert "sleep 1000" in running
    assert here.plan() == {
        "first": ("restart", "changed"),
        "web": ("restart", "changed"),
        "new": ("start", "new"),
        "goes": ("stop", "left the playbook"),
    }


@pytest.mark.parametrize(
    ("command", "ready", "reason"),
    [
        (
            "trap 'exit 0' TERM; while :; do sleep 0.1; done",
            'when: "127.0.0.1:7119", timeout: 1s',
            "it was not ready in time: port 7119 of 127.0.0.1 took no connection in 1 s",
        ),
        ("sleep 0.5; exit 3", 'when: "127.0.0.1:7119", timeout: 20s', "it exited with status 3"),
    ],
)
def test_a_service_that_is_not_ready(here: Site, command: str, ready: str, reason: str) -> None:
    """What was waited for in vain is told, and not that it was stopped for that."""
    web = service("web", command, lifecycle=", restart: never")
    here.write(web.replace("settle: 300ms", ready))
    said = here.fail()
    assert f"error: cannot start `back.web` (gxo-back.web.service): {reason}\n" in said


def test_a_crash_that_is_mended_at_once_is_waited_for_no_longer(here: Site) -> None:
    """The gaps that grew with its crashes are for restarts: the apply that mends it has none."""
    here.write(service("web", "exit 3").replace("settle: 300ms", "settle: 60s"), HOST)
    for _ in range(3):
        here.fail()
    here.write(service("web", "sleep 1000"), HOST)
    here.apply()
    assert here.machine.read("/run/gxo/restarts/back.web/count").startswith("0 ")


def test_a_first_apply_that_fails_leaves_nothing(here: Site) -> None:
    """No unit runs, and the playbook is as unknown as before."""
    here.write(service("one", "sleep 1000") + service("two", "exit 1", "needs: [one], "))
    here.fail()
    assert here.units("active", "activating") == {}
    assert here.gxo("remove", "--yes", "back").returncode == 1


@pytest.mark.parametrize(
    ("command", "context", "reason", "told"),
    [
        ("/no/such", "{}", "203: its program cannot be run or found", "No such file or directory"),
        ("/bin/true", "{user: nobody-here}", "217: its user does not exist", "No such process"),
        (
            "/bin/true",
            "{read_write_paths: [/no/such]}",
            "226: its sandbox could not be set up",
            "/no/such: No such file or directory",
        ),
    ],
    ids=["program", "user", "sandbox"],
)
def test_a_service_that_cannot_be_executed(
    here: Site, command: str, context: str, reason: str, told: str
) -> None:
    """Why stands in the error in words, beside what systemd itself says of it."""
    here.write(
        f"  - {{name: web, lifecycle: {{policy: supervise}}, security_context: {context}, "
        f"process: {{module: exec, params: {{command: {command}}}}}}}\n"
    )
    said = here.fail()
    start = "cannot start `back.web` (gxo-back.web.service): it exited with status"
    assert f"{start} {reason}\n" in said
    assert told in said


def test_a_step_is_not_undone(here: Site) -> None:
    """What ran, ran: it does not run again when the rest of the apply is mended."""
    log = "/srv/back/ran"
    setup = step("setup", f"echo ran >>{log}")
    here.write(setup + service("web", "exit 1", "needs: [setup], "), HOST)
    assert here.fail().endswith("what steps have done is not undone: `back.setup` ran\n")
    said = here.gxo("start", "back").stderr
    assert said == "error: cannot start `back`: no playbook `back` is applied\n"
    here.write(setup + service("web", "sleep 1000", "needs: [setup], "), HOST)
    here.apply()
    assert here.lines(log) == ["ran"]


def test_what_was_left_running_is_put_back(here: Site) -> None:
    """A workload that --no-prune spared, two revisions ago, is stopped and started again."""
    here.write(service("web", "sleep 1000") + service("spared", "sleep 1000"))
    here.apply()
    here.write(service("web", "sleep 1000"))
    here.apply("--no-prune")
    here.write(service("web", "sleep 1001"))
    here.apply("--no-prune")
    here.write(service("web", "exit 1"))
    assert "what had changed is back to what ran before" in here.fail()
    assert here.pid("spared")
    assert here.pid("web")


def test_a_schedule_is_put_back(here: Site) -> None:
    """The old timer runs again under its old name, and the new one is gone."""
    here.write(schedule("backup", "true", "04:00", ", catch_up: true"))
    here.apply()
    before = here.timers()
    here.write(
        schedule("backup", "true", "05:00", ", catch_up: true") + service("web", "sleep 1; exit 1",
        lifecycle=", restart: never").replace("settle: 300ms", "settle: 2s")
    )  # fmt: skip
    here.fail()
    assert here.timers() == before
    stamps = here.machine.run("ls", "/var/lib/systemd/timers").stdout.split()
    assert [name for name in stamps if "back" in name] == [f"stamp-{before[0]}"]


def test_a_stamp_that_cannot_be_written(here: Site) -> None:
    """The file system is read-only: the error names the file, and what ran before runs again."""
    machine = here.machine
    here.write(service("web", "sleep 1000"))
    here.apply()
    here.write(service("web", "sleep 1001") + schedule("job", "true", "04:00", ", catch_up: true"))
    machine.run("mkdir", "-p", "/var/lib/systemd/timers", check=True)
    read_only = ("-t", "tmpfs", "-o", "ro", "none", "/var/lib/systemd/timers")
    machine.run("mount", *read_only, check=True)
    try:
        said = here.fail()
    finally:
        machine.run("umount", "/var/lib/systemd/timers", check=True)
    assert "error: cannot go on: /var/lib/systemd/timers/stamp-gxo-back.job." in said
    assert said.endswith("Read-only file system\nwhat had changed is back to what ran before\n")
    assert "sleep 1000" in machine.run("ps", "-o", "args=", "-p", here.pid("web")).stdout


@pytest.mark.parametrize("name", ["INT", "TERM", "HUP"])
def test_an_interrupted_apply_takes_back(here: Site, name: str) -> None:
    """While a service settles, by any of three signals: exit 130, what ran before runs again."""
    here.write(service("web", "sleep 1000"))
    here.apply()
    here.write(
        step("setup", "true")
        + service("web", "sleep 1001", "needs: [setup], ").replace("settle: 300ms", "settle: 60s")
    )
    machine = here.machine
    process = machine.popen(*machine.gxo_argv("apply", "--yes", here.path), env=machine.gxo_env)
    assert process.stderr is not None
    assert any("settling" in line for line in process.stderr)
    machine.run("pkill", f"-{name}", "-f", f"gxo apply --yes {here.path}", check=True)
    said = process.communicate(timeout=60)[1]
    assert process.returncode == 128 + signal.SIGINT
    assert said.endswith(
        "error: cancelled before all was done\n"
        "what had changed is back to what ran before\n"
        "what steps have done is not undone: `back.setup` ran\n"
    )
    assert "sleep 1000" in machine.run("ps", "-o", "args=", "-p", here.pid("web")).stdout


def test_a_second_signal_does_not_break_the_undoing(here: Site) -> None:
    """It is answered, and what ran before runs again as after the first."""
    here.write(service("web", "sleep 1000"))
    here.apply()
    slow = "trap 'sleep 3; exit' TERM; while :; do sleep 0.1; done"
    here.write(service("web", slow).replace("settle: 300ms", "settle: 60s"))
    machine = here.machine
    process = machine.popen(*machine.gxo_argv("apply", "--yes", here.path), env=machine.gxo_env)
    assert process.stderr is not None
    kill = ("pkill", "-TERM", "-f", f"gxo apply --yes {here.path}")
    for awaited in ("settling", "cancelling"):
        assert any(awaited in line for line in process.stderr)
        machine.run(*kill, check=True)
    said = process.communicate(timeout=60)[1]
    assert process.returncode == 128 + signal.SIGINT
    assert said.count("cancelling") == 1
    assert "undone" in said
    assert "what had changed is back to what ran before\n" in said
    assert "sleep 1000" in machine.run("ps", "-o", "args=", "-p", here.pid("web")).stdout


def test_an_interrupted_removal_takes_back(here: Site) -> None:
    """Also what still stops as the signal comes: all runs again, as before."""
    slow = "trap 'sleep 1; exit' TERM; while :; do sleep 0.1; done"
    here.write(
        service("web", slow) + service("db", "sleep 1000") + schedule("job", "true", "04:00")
    )
    here.apply()
    before = here.units()
    machine = here.machine
    process = machine.popen(*machine.gxo_argv("remove", "--yes", "back"), env=machine.gxo_env)
    assert process.stderr is not None
    assert any("stopped   back.db" in line for line in process.stderr)
    machine.run("pkill", "-TERM", "-f", "gxo remove --yes back", check=True)
    said = process.communicate(timeout=60)[1]
    assert process.returncode == 130
    assert said.endswith("what had changed is back to what ran before\n")
    assert here.units() == before
    assert here.plan() == {}


def test_a_step_that_outlives_the_apply_is_told_of(here: Site) -> None:
    """A cancelled apply does not end it and says so; the next one waits for it."""
    here.write(step("setup", "while ! test -e /srv/back/go; do sleep 0.1; done"), HOST)
    machine = here.machine
    process = machine.popen(*machine.gxo_argv("apply", "--yes", here.path), env=machine.gxo_env)
    assert process.stderr is not None
    assert any("running" in line for line in process.stderr)
    machine.run("pkill", "-INT", "-f", f"gxo apply --yes {here.path}", check=True)
    said = process.communicate(timeout=60)[1]
    assert said.endswith("steps under way are not ended: `back.setup`; the next apply waits\n")
    assert here.plan() == {"setup": ("run", "under way")}
    machine.write("/srv/back/go", "")
    here.apply()
    assert here.plan() == {}


def test_nobody_hears_what_apply_says(here: Site) -> None:
    """The reader of its progress went away, as at a hang-up: the apply goes on to its end."""
    here.write(service("web", "sleep 1000"))
    machine = here.machine
    process = machine.popen(*machine.gxo_argv("apply", "--yes", here.path), env=machine.gxo_env)
    assert process.stdout is not None
    assert process.stderr is not None
    process.stderr.close()
    assert process.stdout.read().endswith("applied: back 1\n")
    process.stdout.close()
    assert process.wait(60) == 0
    assert here.plan() == {}


def test_going_back_on_purpose(here: Site) -> None:
    """To the revision before, or to a numbered one; that is a new revision, and can be undone."""
    for seconds in (1001, 1002, 1003):
        here.write(step("setup", "true") + service("web", f"sleep {seconds}"))
        here.apply()

    def running() -> str:
        return here.machine.run("ps", "-o", "args=", "-p", here.pid("web")).stdout

    done = here.gxo("rollback", "--yes", "back")
    assert done.returncode == 0, done.stderr
    assert done.stdout.endswith("steps are not rolled back: back.setup\napplied: back 4\n"), (
        done.stdout
    )
    assert "sleep 1002" in running()
    assert here.gxo("rollback", "--yes", "back", "1").returncode == 0
    assert "sleep 1001" in running()
    assert here.gxo("rollback", "--yes", "back").returncode == 0
    assert "sleep 1002" in running()
    done = here.gxo("rollback", "--yes", "back", "17")
    assert done.returncode == 1
    assert "cannot roll `back` back to revision 17: kept: 1, 2, 3, 4, 5, 6\n" in done.stderr


def test_going_back_past_a_move_of_the_file(here: Site) -> None:
    """A revision that only tells of another file is none to go back to, nor is the file gone."""
    for seconds in (1001, 1002):
        here.write(service("web", f"sleep {seconds}"))
        here.apply()
    here.machine.run("mv", here.path, "/srv/back-moved.yaml", check=True)
    done = here.gxo("apply", "--yes", "/srv/back-moved.yaml")
    assert (done.returncode, done.stdout) == (0, "1 unchanged\n")
    done = here.gxo("rollback", "--yes", "back")
    assert (done.returncode, "warning" in done.stderr) == (0, False), done.stderr
    assert "sleep 1001" in here.machine.run("ps", "-o", "args=", "-p", here.pid("web")).stdout
    assert "orphaned" not in here.gxo("status", "back").stdout
    here.gxo("remove", "--yes", "back")
    here.machine.run("mv", "/srv/back-moved.yaml", here.path, check=True)
    here.apply()
    done = here.gxo("rollback", "--yes", "back")
    assert done.returncode == 1
    assert done.stderr == (
        "error: cannot roll `back` back: no revision that is kept differs from the current one\n"
    )


def test_what_there_is_to_go_back_to(here: Site) -> None:
    """Each revision with its time, its file and what it changed, the newest first."""
    for workloads in ("one", "one two", "two three"):
        here.write(
            "".join(service(name, f"sleep {len(workloads)}00") for name in workloads.split())
        )
        here.apply()
    done = here.gxo("rollback", "--list", "back")
    assert done.returncode == 0, done.stderr
    words = [line.split() for line in done.stdout.splitlines()]
    assert words[0] == ["REVISION", "APPLIED", "CHANGED", "FROM"]
    assert words[1][:2] == ["3", "(current)"]
    assert words[1][5:] == ["two", "changed,", "three", "new,", "one", "gone", here.path]
    assert words[2][4:] == ["one", "changed,", "two", "new", here.path]
    assert [words[3][0], *words[3][4:]] == ["1", "one", "new", here.path]
    done = here.gxo("rollback", "--list", "--json", "back")
    found = held("revisions", done.stdout)["revisions"]
    assert [(r["number"], r["current"]) for r in found] == [(3, True), (2, False), (1, False)]
    assert found[0]["workloads"].keys() == {"two", "three"}
    done = here.gxo("rollback", "--list", "bcak")
    assert done.returncode == 1
    assert done.stderr == "error: cannot list revisions of `bcak`: none is recorded\n"
    assert here.gxo("rollback", "--list", "back", "1").returncode == 64

    # one that cannot be read is named, and the others are listed
    path = "/var/lib/gxo/applied/back/2.json"
    here.machine.write(path, "{")
    done = here.gxo("rollback", "--list", "back")
    assert done.returncode == 1
    assert f"cannot read {path}: " in done.stderr
    assert [line.split()[0] for line in done.stdout.splitlines()[1:]] == ["3", "1"]

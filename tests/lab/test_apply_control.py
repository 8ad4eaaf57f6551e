"""Daily handling: start, stop, restart, reload, trigger."""

import json
import re
from collections.abc import Iterator

import pytest

from tests.lab.applying import HOST, Site, schedule, service, site, until
from tests.lab.machine import Machine
from tests.lab.running import step
from tests.schemas import held

RELOADABLE = (
    "trap 'echo reloaded >>/srv/hand/log' HUP; echo up >>/srv/hand/log; while :; do sleep 0.1; done"
)


@pytest.fixture
def here(machine: Machine) -> Iterator[Site]:
    with site(machine, "hand") as found:
        found.write(
            step("setup", "echo setup >>/srv/hand/log")
            + service("web", RELOADABLE, "needs: [setup], ", ", reload: SIGHUP")
            + service("db", "sleep 1000")
            + schedule("job", "true", "04:00"),
            HOST,
        )
        found.apply()
        yield found


def done(here: Site, *args: str) -> str:
    """Do it, which must succeed; what it told."""
    said = here.gxo(*args)
    assert said.returncode == 0, said.stderr
    return said.stderr


def test_one_workload_is_stopped_and_started(here: Site) -> None:
    """The others keep their processes; what is up already is left alone."""
    db = here.pid("db")
    done(here, "stop", "hand.web")
    assert here.unit("web") not in here.units("active")
    assert here.plan() == {"web": ("start", "not running")}
    done(here, "start", "hand.web")
    web = here.pid("web")
    said = here.gxo("start", "hand.web")
    assert (said.returncode, said.stdout) == (0, "nothing to do\n")
    assert (here.pid("web"), here.pid("db")) == (web, db)
    assert here.plan() == {}


def test_a_whole_playbook_is_stopped_and_started(here: Site) -> None:
    """`stop` and `start` act on all its services and timers, and run no step again."""
    done(here, "stop", "hand")
    assert here.units("active") == {}
    done(here, "start", "hand")
    assert len(here.units("active")) == 3
    assert here.lines("/srv/hand/log").count("setup") == 1
    assert here.plan() == {}


def test_several_at_once(here: Site) -> None:
    """Targets of two playbooks in one call; a wrong one among them, and nothing changes at all."""
    with site(here.machine, "hand2") as other:
        other.write(service("web", "sleep 1000") + schedule("job", "true", "04:00"), HOST)
        other.apply()
        web, db, its = here.pid("web"), here.pid("db"), other.pid("web")
        for args, reason in (
            (("restart", "hand.web", "hand2.wbe"), "hand2.wbe`: playbook `hand2` has no workload"),
            (("stop", "hand", "hnad2"), "hnad2`: no playbook `hnad2` is applied"),
            (("start", "hand2", "hand.setup"), "hand.setup`: it runs once"),
            (("trigger", "hand.job", "hand2.web"), "hand2.web`: it is a service"),
            (("reload", "hand.web", "hand2.web"), "hand2.web`: it has no `lifecycle.reload`"),
            (("remove", "--yes", "hand", "hnad2"), "hnad2`: no playbook of that name is applied"),
        ):
            said = here.gxo(*args)
            assert said.returncode == 1
            assert said.stderr.startswith(f"error: cannot {args[0]} `{reason}")
        assert (here.pid("web"), here.pid("db"), other.pid("web")) == (web, db, its)
        assert "reloaded" not in here.lines("/srv/hand/log")

        done(here, "restart", "hand.web", "hand2.web", "hand.web")
        assert here.pid("web") != web
        assert (here.pid("db"), other.pid("web") != its) == (db, True)
        done(here, "trigger", "hand.job", "hand2.job")
        done(here, "stop", "hand2", "hand.db")
        assert other.units("active") == {}
        assert here.unit("db") not in here.units("active")
        done(here, "start", "hand.db", "hand2")
        assert len(other.units("active")) == 2
        said = here.gxo("remove", "--json", "hand", "hand2")
        gone = {change["playbook"] for change in held("control", said.stdout)["changes"]}
        assert (said.returncode, gone - {""}) == (0, {"hand", "hand2"})
        assert here.units() == other.units() == {}


def test_what_had_to_be_killed_is_stopped(here: Site) -> None:
    """A service that ignores SIGTERM has not failed when it was stopped; the wait is told of."""
    deaf = service(
        "web", "trap '' TERM; while :; do sleep 0.1; done", lifecycle=", stop_timeout: 7s"
    )
    here.write(deaf)
    here.apply()
    said = here.gxo("stop", "hand.web")
    waiting, stopped = said.stderr.splitlines()
    assert said.returncode == 0
    assert re.fullmatch(r"  waiting   for hand.web \(\d+ s\)", waiting)
    assert stopped == "  stopped   hand.web: it did not stop in time and was killed"
    (web,) = json.loads(here.gxo("status", "--json", "hand").stdout)["workloads"]
    assert (web["state"], web["units"][0]["result"]) == ("stopped", "success")
    assert here.plan() == {"web": ("start", "not running")}
    done(here, "start", "hand.web")
    assert here.plan() == {}


def test_a_restart_gives_a_new_process(here: Site) -> None:
    """Restarting one workload replaces its process alone, and is no drift."""
    web, db = here.pid("web"), here.pid("db")
    done(here, "restart", "hand.web")
    assert here.pid("web") != web
    assert here.pid("db") == db
    assert here.plan() == {}


def test_an_interrupted_restart_leaves_nothing_stopped(here: Site) -> None:
    """As at a hang-up while the service stops: exit 130, and it is started again."""
    here.write(service("web", "trap 'sleep 1; exit' TERM; while :; do sleep 0.1; done"))
    here.apply()
    before = here.pid("web")
    machine = here.machine
    process = machine.popen(*machine.gxo_argv("restart", "hand.web"), env=machine.gxo_env)
    unit = here.unit("web")
    assert until(lambda: machine.show(unit, "ActiveState")["ActiveState"] == "deactivating")
    machine.run("pkill", "-HUP", "-f", "gxo restart hand.web", check=True)
    said = process.communicate(timeout=60)[1]
    assert process.returncode == 130, said
    assert said.startswith("cancelling: this ends when what was stopped to be restarted")
    assert here.pid("web") != before
    assert here.plan() == {}


def test_a_wait_is_left(here: Site) -> None:
    """A job that is triggered holds nobody up; Ctrl-C: exit 130 at once, and the job goes on."""
    here.write(schedule("job", "while ! test -e /srv/hand/go; do sleep 0.1; done", "04:00"), HOST)
    here.apply()
    machine = here.machine
    process = machine.popen(*machine.gxo_argv("trigger", "hand.job"), env=machine.gxo_env)
    assert until(lambda: "activating" in here.units().values())
    assert here.gxo("apply", "--yes", "--lock-timeout", "0", here.path).returncode == 0
    machine.run("pkill", "-INT", "-f", "gxo trigger hand.job", check=True)
    said = process.communicate(timeout=60)[1]
    assert process.returncode == 130
    assert said.endswith("cancelling: what was begun goes on by itself\n")
    assert "activating" in here.units().values()
    machine.write("/srv/hand/go", "")
    assert until(lambda: "activating" not in here.units().values())


def test_a_reload_keeps_the_process(here: Site) -> None:
    """The service hears of it as its playbook says; one that says nothing cannot."""
    web = here.pid("web")
    assert done(here, "reload", "hand.web") == "  reloaded  hand.web\n"
    assert here.pid("web") == web
    assert until(lambda: here.lines("/srv/hand/log")[-1] == "reloaded")
    said = here.gxo("reload", "hand.db")
    assert said.returncode == 1
    assert said.stderr == "error: cannot reload `hand.db`: it has no `lifecycle.reload`\n"


def test_a_step_is_triggered(here: Site) -> None:
    """`trigger` runs a step again, though it has run."""
    done(here, "trigger", "hand.setup")
    assert here.lines("/srv/hand/log").count("setup") == 2
    assert here.plan() == {}


def test_a_whole_playbook_is_triggered(here: Site) -> None:
    """All of it on request alone; a lone schedule needs no more than its playbook's name."""
    done(here, "trigger", "--all", "hand")
    assert here.lines("/srv/hand/log").count("setup") == 2
    here.write(service("db", "sleep 1000") + schedule("job", "echo job >>/srv/hand/log", "04:00"),
               HOST)  # fmt: skip
    here.apply()
    done(here, "trigger", "hand")
    assert here.lines("/srv/hand/log").count("job") == 1


@pytest.mark.parametrize(
    ("args", "reason"),
    [
        (("start", "hadn"), "no playbook `hadn` is applied; did you mean `hand`?"),
        (("stop", "hand.wbe"), "playbook `hand` has no workload `wbe`; did you mean `web`?"),
        (("start", "hand.setup"), "it runs once; `gxo trigger` runs it now"),
        (
            ("trigger", "hand"),
            "it does not say what to run; name one of `hand.setup`, `hand.job`,"
            " or run all with `--all`",
        ),
        (("trigger", "hand.web"), "it is a service; `gxo restart` restarts it"),
    ],
)
def test_what_cannot_be_done(here: Site, args: tuple[str, str], reason: str) -> None:
    """One line that says why, exit 1, and nothing changes."""
    said = here.gxo(*args)
    assert said.returncode == 1
    assert said.stderr == f"error: cannot {args[0]} `{args[1]}`: {reason}\n"
    assert here.plan() == {}

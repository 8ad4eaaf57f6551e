"""The examples do what they say, on each systemd."""

import json
import time
from itertools import pairwise

import pytest

from tests.docs import RUN_EXAMPLES
from tests.lab.machine import CHECKOUT, Machine

EXAMPLES = CHECKOUT / "examples"
ALL = sorted(path.name for path in EXAMPLES.iterdir() if path.is_dir())
APPLIED = [name for name in ALL if name not in RUN_EXAMPLES]

FETCH = "import urllib.request as u; print(u.urlopen('http://127.0.0.1:8080/').read().decode())"
PING = (
    "import socket; s = socket.create_connection(('127.0.0.1', 6380));"
    "s.sendall(b'PING\\r\\n'); print(s.recv(64).decode())"
)


def gxo(machine: Machine, *args: str) -> None:
    done = machine.gxo(*args)
    assert done.returncode == 0, done.stdout + done.stderr


def apply(machine: Machine, name: str) -> None:
    gxo(machine, "apply", "--yes", str(EXAMPLES / name))


def python(machine: Machine, code: str) -> str:
    done = machine.run("/usr/bin/python3", "-c", code)
    return done.stdout if done.returncode == 0 else done.stderr.splitlines()[-1]


def wait_for(machine: Machine, count: int, *match: str, seconds: float = 60) -> list[str]:
    """Lines of the journal, once there are so many."""
    end = time.monotonic() + seconds
    while True:
        lines = machine.journal(*match).splitlines()
        if len(lines) >= count:
            return lines
        assert time.monotonic() < end, f"only {len(lines)} of {count} lines: {lines}"
        time.sleep(0.2)


@pytest.mark.parametrize("name", APPLIED)
def test_every_example_passes_systemd_analyze_verify(machine: Machine, name: str) -> None:
    """The units of each example that is applied, as files, are faultless to systemd itself."""
    place = f"/tmp/compiled-{name}"
    done = machine.gxo("compile", str(EXAMPLES / name), "-o", place)
    assert done.returncode == 0, done.stderr
    units = machine.run("find", place, "-type", "f").stdout.split()
    assert units
    verified = machine.run("systemd-analyze", "verify", "--man=no", *units)
    assert (verified.returncode, verified.stdout, verified.stderr) == (0, "", "")


@pytest.mark.parametrize("name", ALL)
def test_every_example_has_a_readme_that_names_its_playbooks(name: str) -> None:
    """A newcomer finds the way from the README to each playbook."""
    readme = (EXAMPLES / name / "README.md").read_text()
    for playbook in (EXAMPLES / name).glob("*.yaml"):
        assert f"]({playbook.name})" in readme


def test_site(fresh_machine: Machine) -> None:
    """It serves, keeps, backs up; a second apply touches nothing; remove leaves nothing running."""
    machine = fresh_machine
    apply(machine, "site")
    assert "<h1>It works.</h1>" in python(machine, FETCH)
    assert python(machine, PING).strip() == "+PONG"
    web = machine.show("gxo-site.web.service", "MainPID", "User", "NRestarts")
    assert web["User"].startswith("gxo-")
    assert web["NRestarts"] == "0"

    gxo(machine, "trigger", "site.backup")
    archives = "/var/lib/gxo/state/site.backup/site-*.tar.gz"
    listed = machine.run("sh", "-c", f"tar -tzf {archives}", check=True).stdout.split()
    assert {"./www/index.html", "./nginx.conf", "store.rdb"} <= set(listed)

    assert machine.gxo("plan", str(EXAMPLES / "site")).returncode == 0
    apply(machine, "site")
    assert machine.show("gxo-site.web.service", "MainPID")["MainPID"] == web["MainPID"]

    gxo(machine, "remove", "--yes", "site")
    assert "refused" in python(machine, FETCH)


def test_cron(fresh_machine: Machine) -> None:
    """Each of its schedules has a next elapse, and each runs when it is triggered."""
    machine = fresh_machine
    apply(machine, "cron")
    timers = json.loads(machine.run("systemctl", "list-timers", "gxo-*", "--output=json").stdout)
    workloads = {timer["unit"].split(".")[1]: timer for timer in timers}
    assert set(workloads) == {"heartbeat", "report", "cleanup", r"month\x2dend"}
    assert all(timer["next"] for timer in timers)
    for workload, said in (
        ("heartbeat", "still here"),
        ("report", "report of "),
        ("cleanup", "/var/lib/gxo/workspaces/"),
        ("month-end", "the month is over"),
    ):
        gxo(machine, "trigger", f"cron.{workload}")
        lines = wait_for(machine, 1, f"GXO_WORKLOAD={workload}", f"--grep={said}")
        assert len(lines) == 1
    gxo(machine, "remove", "--yes", "cron")
    left = machine.run("systemctl", "list-timers", "--all", "gxo-*", "--output=json").stdout
    assert json.loads(left) == []


def test_crash_loop(fresh_machine: Machine) -> None:
    """The gaps grow up to the longest; the limited service gives up after its third start."""
    machine = fresh_machine
    apply(machine, "crash-loop")
    match = ("GXO_WORKLOAD=grows", "--grep=^dying$", "--output=json")
    times = [
        int(json.loads(line)["__REALTIME_TIMESTAMP"]) / 1e6 for line in wait_for(machine, 7, *match)
    ]
    gaps = [after - before for before, after in pairwise(times)]
    # 0.2 s of life are part of each
    assert 0.7 <= gaps[0] < 2
    assert all(after > before for before, after in pairwise(gaps[:4])), gaps
    assert all(8 <= gap < 10 for gap in gaps[4:]), gaps

    gives_up = r"gxo-crash\x2dloop.gives\x2dup.service"
    state = machine.show(gives_up, "ActiveState", "NRestarts", "Result")
    assert state == {"ActiveState": "failed", "NRestarts": "3", "Result": "exit-code"}
    assert len(machine.journal("GXO_WORKLOAD=gives-up", "--grep=^dying$").splitlines()) == 3
    gxo(machine, "remove", "--yes", "crash-loop")

"""examples/site/ on a server: it serves after the first apply, and after a reboot without one."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from testinfra.host import Host

from conftest import EXAMPLES
from guest import Guest

APPLY = f"gxo apply --yes {EXAMPLES}/site"
PLAN = f"gxo plan --json {EXAMPLES}/site"


@pytest.fixture(scope="module")
def site(gxo: Host) -> Iterator[Host]:
    """A machine on which examples/site/ was applied."""
    gxo.check_output(APPLY)
    yield gxo
    gxo.check_output("gxo remove --yes site")


def running(host: Host) -> dict[str, tuple[str, str]]:
    """Main process and invocation of each service of gxo's that runs."""
    properties = "--property=Id,MainPID,InvocationID"
    shown = host.check_output(f"systemctl show --state=running {properties} 'gxo-*.service'")
    units = (dict(line.split("=", 1) for line in one.splitlines()) for one in shown.split("\n\n"))
    return {unit["Id"]: (unit["MainPID"], unit["InvocationID"]) for unit in units}


def assert_serves(host: Host) -> None:
    """Nginx gives the page, redis answers, and the next backup has its time."""
    page = host.check_output("busybox wget -q -O - http://127.0.0.1:8080/")
    assert "<h1>It works.</h1>" in page
    assert host.check_output("redis-cli -p 6380 ping") == "PONG"
    timers = host.check_output("systemctl list-timers --no-legend 'gxo-site.backup.*'")
    assert " 03:30:00 " in timers


def test_wheel_is_installed(gxo: Host, wheel: Path) -> None:
    """The wheel installs into a bare machine, and its command starts from anywhere."""
    version = wheel.name.split("-")[1]
    assert gxo.check_output("cd / && gxo --version") == f"gxo {version}"


def test_apply_serves(site: Host) -> None:
    """After the first apply on a bare Debian the site answers, and nothing has failed."""
    assert_serves(site)
    assert site.check_output("systemctl is-system-running") == "running"


def test_second_apply_changes_nothing(site: Host) -> None:
    """Applying the same again touches no unit: every process is the one it was."""
    before = running(site)
    assert before
    site.check_output(APPLY)
    assert running(site) == before


def test_site_serves_after_a_reboot(site: Host, guest: Guest) -> None:
    """A reboot takes the transient units along; gxo-restore.service brings the same ones back."""
    before = running(site)
    guest.reboot()
    assert site.service("gxo-restore").is_enabled
    assert running(site).keys() == before.keys()
    assert_serves(site)
    assert site.check_output("systemctl is-system-running") == "running"
    plan = site.run(PLAN)
    assert plan.rc == 0, plan.stdout
    assert all(change["action"] == "none" for change in json.loads(plan.stdout)["changes"])

"""The machine is what the other tests take it for: a Debian as it runs on a server."""

import json

from testinfra.host import Host

from guest import Guest
from machine.image import VENV

MANAGER = """
import json, pydbus
manager = pydbus.SystemBus().get(".systemd1")
print(json.dumps([manager.Version, manager.SystemState]))
"""


def test_systemd_has_booted(host: Host) -> None:
    """The machine is up all the way, and none of its units failed."""
    assert host.check_output("systemctl list-units --failed --no-legend") == ""
    assert host.check_output("systemctl is-system-running") == "running"


def test_release_is_the_one_named(host: Host) -> None:
    """A machine named after a Debian release runs it, with the systemd that gxo supports there."""
    assert host.system_info.codename == host.backend.get_hostname()
    expected = {"bookworm": "252", "trixie": "257"}[host.backend.get_hostname()]
    assert host.check_output("systemctl --version").split()[1] == expected


def test_pydbus_reaches_systemd(host: Host) -> None:
    """The interpreter of gxo has Debian's pydbus, and the system bus answers it."""
    answer = host.run(f"{VENV}/bin/python -c %s", MANAGER)
    assert answer.rc == 0, answer.stderr
    version, state = json.loads(answer.stdout)
    assert version.startswith(("252", "257"))
    assert state == "running"


def test_control_groups_are_unified(host: Host) -> None:
    """The limits of units are the kernel's to enforce: cgroup v2, with every controller we set."""
    assert host.check_output("stat --file-system --format=%T /sys/fs/cgroup") == "cgroup2fs"
    there = host.check_output("cat /sys/fs/cgroup/cgroup.controllers").split()
    assert {"cpu", "io", "memory", "pids"} <= set(there)


def test_nothing_serves_by_itself(host: Host) -> None:
    """Debian's own units of what the examples need are off: who finds one serving finds gxo."""
    for unit in ("nginx", "redis-server"):
        assert not host.service(unit).is_running
        assert host.service(unit).is_masked


def test_power_cut_loses_what_was_not_written(guest: Guest) -> None:
    """A cut is one: after it the machine boots anew, without the data that no one has synced."""
    host, before = guest.host, guest.boot_id()
    host.check_output("echo kept > /var/tmp/kept && sync && echo lost > /var/tmp/lost")
    guest.cut_power()
    guest.wait_for_another_boot(before)
    assert host.check_output("cat /var/tmp/kept") == "kept"
    assert not host.file("/var/tmp/lost").exists
    assert host.check_output("systemctl is-system-running") == "running"

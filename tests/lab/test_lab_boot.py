"""A lab is a machine of its own: it boots, runs programs, reboots, loses power, and goes."""

import os
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from gxo.lab import Bind, CgroupMode, Lab, LabError, LabSpec
from tests.lab import roots
from tests.lab.machine import Machine
from tests.lab.remains import remains


def test_boots_to_running(fresh_machine: Machine) -> None:
    """The guest's systemd is up, none of its units failed, and nothing of the host's started."""
    machine = fresh_machine
    assert machine.run("systemctl", "is-system-running").stdout == "running\n"
    units = machine.run("systemctl", "list-units", "--type=service", "--state=running", "--plain")
    names = {line.split()[0] for line in units.stdout.splitlines() if ".service" in line}
    assert names <= {"dbus.service", "systemd-journald.service", "polkit.service"}


def test_is_a_machine_of_its_own(fresh_machine: Machine) -> None:
    """Host name, machine id, /tmp, /run, network and gxo's state are the guest's own."""
    lab = fresh_machine.lab
    assert lab.run(["hostname"]).stdout.strip() == lab.machine != os.uname().nodename
    identity = lab.run(["cat", "/etc/machine-id"]).stdout.strip()
    assert len(identity) == 32
    assert identity not in Path("/etc/machine-id").read_text()
    assert lab.run(["cat", "/etc/fstab"]).stdout == ""
    assert lab.run(["sh", "-c", "ls -A /var/lib/gxo /run/gxo /var/tmp"]).stdout.count("gxo-") == 0
    assert lab.run(["findmnt", "--noheadings", "--output=FSTYPE", "/tmp"]).stdout == "tmpfs\n"
    links = lab.run(["ip", "--brief", "link"]).stdout
    assert links.split()[0] == "lo"
    assert "UP" in links
    assert links.count("\n") == 1
    assert "/var/log/journal" not in lab.run(["journalctl", "--header"]).stdout


def test_the_hosts_run_is_out_of_sight(lab: Lab) -> None:
    """A file in the host's /run and a listening socket in its file tree are not reachable."""
    here = Path("/run/gxo-test-outside")
    here.write_text("x")
    try:
        assert lab.run(["cat", str(here)]).returncode == 1
    finally:
        here.unlink()


def test_the_bus_answers_inside_and_from_the_host(lab: Lab) -> None:
    """The D-Bus name of systemd is there for the guest and, by bus_address, for this host."""
    inside = lab.run(["busctl", "get-property", *_VERSION])
    outside = subprocess.run(
        ["busctl", f"--address={lab.bus_address}", "get-property", *_VERSION],
        capture_output=True,
        text=True,
        check=True,
    )
    assert inside.stdout == outside.stdout
    assert str(roots.host_version()) in outside.stdout


_VERSION = (
    "org.freedesktop.systemd1",
    "/org/freedesktop/systemd1",
    "org.freedesktop.systemd1.Manager",
    "Version",
)


def test_another_tree(lab257: Lab) -> None:
    """root=DIR shows that distribution's files and runs its systemd; the tree stays as it is."""
    assert "systemd 257" in lab257.run(["systemctl", "--version"]).stdout
    assert lab257.run(["sh", "-c", ". /etc/os-release; echo $VERSION_ID"]).stdout == "13\n"
    lab257.run(["sh", "-c", "echo changed > /etc/gxo-lab-changed"], check=True)
    assert not (lab257.spec.root / "etc/gxo-lab-changed").exists()


def test_four_at_once_and_then_nothing() -> None:
    """Four labs boot side by side, are strangers to each other, and leave nothing."""
    with ThreadPoolExecutor(4) as pool:
        labs = list(pool.map(lambda _: Lab.boot(), range(4)))
    try:
        assert len({lab.run(["hostname"]).stdout for lab in labs}) == 4
        for lab in labs:
            state = lab.run(["systemctl", "is-system-running"]).stdout
            assert state == "running\n"
    finally:
        for lab in labs:
            lab.close()
    assert [remains(lab.machine) for lab in labs] == [[]] * 4


def test_two_in_sequence_leave_nothing() -> None:
    """After each of two labs no process, control group, mount or directory of it is left."""
    mounts = Path("/proc/self/mountinfo").read_text()
    for _ in range(2):
        with Lab.boot() as lab:
            assert remains(lab.machine)
        assert remains(lab.machine) == []
    assert Path("/proc/self/mountinfo").read_text() == mounts


def test_reboot_keeps_the_disk(fresh_machine: Machine) -> None:
    """A reboot brings another PID 1, the same /etc and /var, and an empty /run and /tmp."""
    lab = fresh_machine.lab
    before = lab.leader
    boot_id = lab.run(["cat", "/proc/sys/kernel/random/boot_id"]).stdout
    lab.run(["sh", "-c", "for d in /etc /var/lib /run /tmp; do echo kept > $d/mark; done"])
    lab.run(["systemd-run", "--unit=gone", "sleep", "600"], check=True)
    lab.reboot()
    assert lab.leader != before
    assert lab.run(["cat", "/proc/sys/kernel/random/boot_id"]).stdout != boot_id
    assert lab.run(["cat", "/etc/mark", "/var/lib/mark"]).stdout == "kept\nkept\n"
    assert lab.run(["sh", "-c", "ls /run/mark /tmp/mark"]).stdout == ""
    assert lab.run(["systemctl", "is-active", "gone"]).stdout == "inactive\n"
    assert lab.run(["systemctl", "is-system-running"]).stdout == "running\n"


def test_a_reboot_from_inside_is_followed() -> None:
    """`systemctl reboot` in the guest gives a lab that can be used as before."""
    with Lab.boot() as lab:
        before = lab.leader
        lab.run(["systemctl", "reboot"])
        lab.wait_ready()
        assert lab.leader != before
        assert lab.run(["systemctl", "is-system-running"]).stdout == "running\n"


def test_power_loss_and_another_boot() -> None:
    """kill() ends all processes at once; the lab is off until start(), and its /etc is kept."""
    with Lab.boot() as lab:
        lab.run(["sh", "-c", "echo kept > /etc/mark"])
        pid = lab.leader
        lab.kill()
        assert not Path(f"/proc/{pid}/ns").exists()
        with pytest.raises(LabError, match="switched off"):
            lab.run(["true"])
        lab.start()
        assert lab.run(["cat", "/etc/mark"]).stdout == "kept\n"


def test_run_passes_everything_through(machine: Machine) -> None:
    """Arguments, input, environment, output, exit status and user arrive as given."""
    lab = machine.lab
    done = lab.run(["sh", "-c", 'cat; echo "$A|$1" >&2; exit 3', "x", "a b"], env={"A": "ä"},
                   input="in\n")  # fmt: skip
    assert (done.returncode, done.stdout, done.stderr) == (3, "in\n", "ä|a b\n")
    assert lab.run(["id", "-un"], user="nobody").stdout == "nobody\n"
    assert lab.run(["id", "-u"], user="65534").stdout == "65534\n"
    with pytest.raises(LabError, match="cannot run as nosuch: the lab has no such user"):
        lab.run(["true"], user="nosuch")
    with pytest.raises(subprocess.CalledProcessError):
        lab.run(["false"], check=True)


def test_run_out_of_time_kills_the_program(lab: Lab) -> None:
    """A program that outlasts its timeout is killed inside too, not just left."""
    with pytest.raises(subprocess.TimeoutExpired):
        lab.run(["sleep", "98765"], timeout=0.3)
    assert lab.run(["pgrep", "-f", "sleep 98765"]).stdout == ""


def test_exec_argv_is_a_command_for_a_terminal(lab: Lab) -> None:
    """exec_argv gives the plain command that enters, with the guest's environment."""
    argv = lab.exec_argv(["sh", "-c", "hostname; echo $HOME $B"], env={"B": "2"}, user="nobody")
    done = subprocess.run(argv, capture_output=True, text=True, check=True)
    assert done.stdout == f"{lab.machine}\n/root 2\n"


def test_binds_are_the_only_way_out(tmp_path: Path) -> None:
    """A bound path is the host's own, read-only where asked, whatever characters it has."""
    odd = tmp_path / "a:b,c d"
    odd.mkdir()
    fixed = tmp_path / "fixed"
    fixed.write_text("host\n")
    binds = (Bind(odd), Bind(fixed, Path("/mnt/in:side"), read_only=True))
    with Lab.boot(LabSpec(binds=binds, name="bound")) as lab:
        assert lab.run(["hostname"]).stdout == "bound\n"
        lab.run(["sh", "-c", f"echo guest > '{odd}/new'"], check=True)
        assert lab.run(["cat", "/mnt/in:side"]).stdout == "host\n"
        refused = lab.run(["sh", "-c", "echo x > /mnt/in:side"])
        assert "Read-only file system" in refused.stderr
    assert (odd / "new").read_text() == "guest\n"
    assert fixed.read_text() == "host\n"


@pytest.mark.parametrize("mode", [CgroupMode.AUTO, CgroupMode.V2])
def test_limits_tell_the_truth(mode: CgroupMode) -> None:
    """What `limits` calls enforced stops a program that exceeds it; what it does not, does not."""
    with Lab.boot(LabSpec(cgroup=mode)) as lab:
        memory = _in_unit(lab, "MemoryMax=40M", "python3 -c 'bytearray(200_000_000)'")
        tasks = _in_unit(lab, "TasksMax=4", "for i in 1 2 3 4 5 6 7 8; do sleep 0.2 & done; wait")
        assert (memory != 0) == lab.limits.enforces("MemoryMax")
        assert (tasks != 0) == lab.limits.enforces("TasksMax")
        assert ("MemoryMax" in lab.limits.unenforced) != lab.limits.enforces("MemoryMax")


def _in_unit(lab: Lab, limit: str, script: str) -> int:
    return lab.run(
        ["systemd-run", "--quiet", "--wait", f"--property={limit}",
         "--property=MemorySwapMax=0", "sh", "-c", script]
    ).returncode  # fmt: skip


def test_device_policy_holds(machine: Machine) -> None:
    """A unit's DevicePolicy and PrivateDevices work though the guest can make no device nodes."""
    inside = "head -c1 /dev/zero | wc -c; head -c1 /dev/full 2>&1 | wc -c; mknod /tmp/disk b 8 0"
    done = machine.run(
        *("systemd-run", "--quiet", "--wait", "--pipe", "--property=PrivateDevices=yes"),
        *("sh", "-c", inside),
    )
    assert done.stdout == "1\n1\n"
    assert "Operation not permitted" in done.stderr

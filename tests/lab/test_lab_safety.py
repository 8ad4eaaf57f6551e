"""The host is as it was, whatever the guest writes and however the host is mounted."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from gxo.lab import CgroupMode, Lab, LabSpec
from tests.lab.fingerprint import Difference, difference, fingerprint
from tests.lab.machine import CHECKOUT, Machine, spec_for

# everything a careless program could do as root of the guest
_VANDAL = r"""
[ "$(hostname)" = "$1" ] || exit 9
for d in /etc /usr /usr/lib /home /root /var /var/lib /var/tmp /opt /srv /run /tmp /dev/shm; do
  [ -d $d ] && echo vandal > $d/gxo-vandal
done
echo vandal >> /etc/passwd; rm -rf /etc/apt /var/lib/dpkg; mv /etc/ssl /etc/tls
chmod 0777 /etc /usr; chown nobody /etc/shadow; ln -sf /dev/null /etc/hosts; touch /etc/machine-id
for s in kernel.panic kernel.sysrq vm.swappiness fs.file-max kernel.core_pattern kernel.pid_max; do
  sysctl -qw $s=3
done
for f in /proc/sys/vm/swappiness /proc/sysrq-trigger /run/host/os-release /sys/kernel/mm/ksm/run; do
  echo 3 > $f
done
mkdir /sys/fs/cgroup/memory/gxo-vandal; mount -t tmpfs tmpfs /mnt; hostname vandal
date -s "+100 seconds"; kill -9 -1
"""


_WATCHED = ("/etc", "/home", "/srv", "/usr/lib/systemd", "/var/lib/gxo", "/run/gxo", "/boot")


def test_a_vandal_in_the_guest_changes_nothing(tmp_path: Path) -> None:
    """Files, modes, control groups, mounts, sysctls, clock and name of the host stay."""
    paths = [tmp_path, *map(Path, _WATCHED)]
    (tmp_path / "file").write_text("host\n")
    name, before = os.uname().nodename, fingerprint(paths)
    clock = time.time() - time.monotonic()
    with Lab.boot() as lab:
        lab.run(["sh", "-c", _VANDAL, "vandal", lab.machine])
        assert lab.run(["cat", "/etc/gxo-vandal"]).stdout == "vandal\n"
        assert lab.run(["ls", "/var/lib/dpkg"]).returncode != 0
        assert lab.run(["ls", str(tmp_path)]).returncode != 0  # the guest's /tmp is its own
    after = fingerprint(paths)
    assert [d for d in difference(before, after) if _of(lab.machine, d)] == []
    assert os.uname().nodename == name
    assert abs(time.time() - time.monotonic() - clock) < 50
    for directory in ("/etc", "/usr", "/var/tmp", "/tmp", "/run", "/dev/shm", "/root"):
        assert not Path(directory, "gxo-vandal").exists()


def _of(machine: str, found: Difference) -> bool:
    """Whether a difference is this lab's: others may come and go on a busy host meanwhile."""
    if found.part in ("control group", "mount"):
        return machine in found.name or "vandal" in found.name
    return True


def test_the_fingerprint_sees_a_vandal(tmp_path: Path) -> None:
    """Content, mode, link, kind, presence: each change is one difference, and none without."""
    for name in ("content", "mode", "gone", "kind"):
        (tmp_path / name).write_text("a")
    (tmp_path / "link").symlink_to("content")
    before = fingerprint([tmp_path])
    assert [d for d in difference(before, fingerprint([tmp_path])) if d.part == "file"] == []
    (tmp_path / "content").write_text("b")
    (tmp_path / "mode").chmod(0o600)
    (tmp_path / "gone").unlink()
    (tmp_path / "kind").unlink()
    (tmp_path / "kind").mkdir()
    (tmp_path / "link").unlink()
    (tmp_path / "link").symlink_to("mode")
    (tmp_path / "new").touch()
    after = fingerprint([tmp_path])
    found = [str(d) for d in difference(before, after) if d.part == "file"]
    assert found == [
        f"file {tmp_path}/content: changed",
        f"file {tmp_path}/gone: gone",
        f"file {tmp_path}/kind: changed",
        f"file {tmp_path}/link: changed",
        f"file {tmp_path}/mode: changed",
        f"file {tmp_path}/new: new",
    ]


def test_the_fingerprint_sees_mounts_and_sysctls() -> None:
    """A new mount in this process's namespace, and a sysctl of this kernel, show."""
    seen = fingerprint([])
    assert seen.sysctls["kernel.pid_max"] == Path("/proc/sys/kernel/pid_max").read_text().strip()
    assert "/proc" in seen.mounts


def in_private_mounts(script: str, *arguments: str) -> str:
    """Run a Python script as root in a mount namespace of its own, also in a chroot; its stdout."""
    first = "from gxo.lab.kernel import private_mounts\nprivate_mounts()\n"
    done = subprocess.run(
        [sys.executable, "-c", first + script, *arguments],
        check=False,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(CHECKOUT)},
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


_SEPARATE = """
import subprocess, sys
from pathlib import Path
from gxo.lab import Lab, LabError, LabSpec

def sh(line): subprocess.run(line, shell=True, check=True)
top = Path("/srv/gxo-lab-test")
sh(f"mount -t tmpfs tmpfs /srv && mkdir {top} && mount -t tmpfs tmpfs {top}")
sh(f"mkdir {top}/plain '{top}/odd:, name' {top}/fixed && touch {top}/file /srv/source")
sh(f"mount -t tmpfs tmpfs '{top}/odd:, name' && mount -t tmpfs tmpfs {top}/fixed")
sh(f"echo host | tee {top}/plain/f '{top}/odd:, name/f' {top}/fixed/f /srv/source >/dev/null")
sh(f"mount --bind /srv/source {top}/file && mount -o remount,ro {top}/fixed")
"""

_WRITES = """
names = [f"{top}/plain/f", f"{top}/odd:, name/f", f"{top}/fixed/f", f"{top}/file"]
with Lab.boot() as lab:
    for name in names:
        script = 'cat "$1"; echo guest > "$1"; cat "$1"'
        print(lab.run(["sh", "-c", script, "x", name]).stdout.split())
print([Path(name).read_text() for name in names])
"""


def test_every_mount_lies_under_its_own_copy() -> None:
    """Separate file systems, odd names, a file mount, a read-only mount: seen, never changed."""
    assert in_private_mounts(_SEPARATE + _WRITES).splitlines() == [
        "['host', 'guest']",
        "['host', 'guest']",
        "['host', 'host']",
        "['host', 'guest']",
        "['host\\n', 'host\\n', 'host\\n', 'host\\n']",
    ]


_REFUSED = """
sh(f"cd {top}; mkdir low up work up2 work2 deep deeper")
sh(f"cd {top}; mount -t overlay overlay -o lowerdir=low,upperdir=up,workdir=work deep")
sh(f"cd {top}; mount -t overlay overlay -o lowerdir=deep,upperdir=up2,workdir=work2 deeper")
try:
    Lab.boot().close()
except LabError as error:
    print(error)
with Lab.boot(LabSpec(without=(top / "deeper",))) as lab:
    print(lab.run(["findmnt", "--noheadings", f"{top}/deeper"]).stdout)
"""


def test_a_mount_that_cannot_be_copied_is_named() -> None:
    """Where overlayfs will not do, the lab is refused and says which mount to leave out."""
    first, second = in_private_mounts(_SEPARATE + _REFUSED).splitlines()
    assert first == (
        "cannot lay a throw-away copy over /srv/gxo-lab-test/deeper (overlay): Invalid argument;"
        " unmount it, or leave it out of the lab"
    )
    assert second == ""


_CHROOT = """
import os, subprocess, sys, tempfile
def sh(line): subprocess.run(line, shell=True, check=True)
top = sys.argv[1]
sh(f"mount -t tmpfs tmpfs {top}")
new = f"{top}/new"
os.mkdir(new)
kept = [n for n in os.listdir("/") if n not in ("proc", "sys", "dev", "run", "tmp", "srv", "boot")]
for name in kept:
    if os.path.islink(f"/{name}"):
        os.symlink(os.readlink(f"/{name}"), f"{new}/{name}")
    elif os.path.isdir(f"/{name}"):
        os.mkdir(f"{new}/{name}")
        sh(f"mount --bind /{name} {new}/{name}")
for name in ("proc", "sys", "dev", "run", "tmp"):
    os.mkdir(f"{new}/{name}")
sh(f"cd {new}; mount -t proc proc proc; mount -t sysfs sysfs sys; mount --rbind /dev dev")
os.chroot(new)
os.chdir("/")
assert " / / " not in open("/proc/self/mountinfo").read()
from gxo.lab import Lab
with Lab.boot() as lab:
    print(lab.run(["systemctl", "is-system-running"]).stdout.strip())
    script = "echo guest > /etc/gxo-lab-test && cat /etc/gxo-lab-test"
    print(lab.run(["sh", "-c", script]).stdout.strip())
    print(lab.limits.enforces("MemoryMax"))
    print(lab.run(["findmnt", "-no", "FSTYPE", "/usr"]).stdout.strip())
    print(lab.run(["unshare", "--user", "echo", "user namespace"]).stdout.strip())
print(os.path.exists("/etc/gxo-lab-test"), os.listdir("/run"))
"""


def test_in_a_chroot_with_usr_apart(tmp_path: Path, lab: Lab) -> None:
    """A chroot whose `/` is no mount point, /usr apart and no control groups mounted: all works."""
    said = in_private_mounts(_CHROOT, str(tmp_path)).splitlines()
    assert said == [
        "running",
        "guest",
        str(lab.limits.enforces("MemoryMax")),
        "overlay",
        "user namespace",
        "False []",
    ]


_NESTED = """
from gxo.lab import Lab
from tests.lab.fingerprint import difference, fingerprint
before = fingerprint()
with Lab.boot() as lab:
    print(lab.run(["systemctl", "is-system-running"]).stdout.strip())
    print(".scope/gxo-lab-" in open(f"/proc/{lab.leader}/cgroup").read())
    lab.reboot()
print(*difference(before, fingerprint()), sep="\\n", end="")
"""


@pytest.mark.parametrize("cgroup", ["auto", "v2"])
def test_on_a_host_that_runs_systemd(cgroup: str) -> None:
    """Where PID 1 is systemd the lab lives in a scope asked of it, and the scope goes with it."""
    spec = spec_for(Path("/"))
    host = LabSpec(cgroup=CgroupMode(cgroup), binds=spec.binds)
    with Lab.boot(host) as outer:
        env = Machine(outer, 0).gxo_env
        done = outer.run([sys.executable, "-c", _NESTED], env=env, timeout=60)
        assert (done.stdout, done.stderr) == ("running\nTrue\n", "")
        scopes = outer.run(["systemctl", "list-units", "--all", "--plain", "gxo-lab-*"]).stdout
        assert "gxo-lab-" not in scopes

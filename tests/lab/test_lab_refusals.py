"""Where no lab can be had, the error says why and what to do; nothing is made."""

import subprocess
import sys
from pathlib import Path

import pytest

from gxo.lab import Bind, CgroupMode, Lab, LabError, LabSpec
from tests.lab.machine import CHECKOUT

_BOOT = """
from gxo.lab import Lab, LabError
try:
    Lab.boot().close()
except LabError as error:
    print(error)
"""


@pytest.mark.parametrize(
    ("without", "message"),
    [
        (
            ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"],
            "cannot boot a lab: only root may; try sudo",
        ),
        (
            ["setpriv", "--bounding-set=-sys_admin", "--inh-caps=-sys_admin"],
            "cannot boot a lab: this process lacks CAP_SYS_ADMIN; a container needs --privileged,"
            " a service CapabilityBoundingSet=CAP_SYS_ADMIN",
        ),
        (
            ["env", "PATH=/nonexistent"],
            "cannot boot a lab: systemd-nspawn is missing; install Debian's systemd-container",
        ),
    ],
)
def test_what_is_missing_is_named(without: list[str], message: str) -> None:
    """Another user, a missing capability, a missing program: one line each, no traceback."""
    done = subprocess.run(
        [*without, sys.executable, "-c", _BOOT],
        check=False,
        capture_output=True,
        text=True,
        cwd=CHECKOUT,
    )
    assert (done.stdout, done.stderr) == (f"{message}\n", "")


def test_trees_that_cannot_boot_are_refused(tmp_path: Path) -> None:
    """No directory, no systemd, no D-Bus: each is said before anything is mounted."""
    for root, reason in (
        (Path("relative"), "it is not the absolute path of a directory"),
        (tmp_path / "nowhere", "it is not the absolute path of a directory"),
        (tmp_path, "it has no systemd; install Debian's systemd in it"),
    ):
        with pytest.raises(LabError) as caught:
            Lab.boot(LabSpec(root=root))
        assert str(caught.value) == f"cannot boot {root}: {reason}"
    init = tmp_path / "usr/lib/systemd/systemd"
    init.parent.mkdir(parents=True)
    init.touch(0o755)
    with pytest.raises(LabError, match="it has no D-Bus; install Debian's dbus in it"):
        Lab.boot(LabSpec(root=tmp_path))


def test_a_broken_tree_is_explained(tmp_path: Path) -> None:
    """What systemd-nspawn says of a tree it cannot start is in the error."""
    for path in ("usr/lib/systemd/systemd", "usr/bin/dbus-daemon"):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).touch(0o755)
    for name in ("etc", "run", "tmp", "proc", "sys", "dev"):
        (tmp_path / name).mkdir()
    with pytest.raises(LabError, match=r"cannot boot the lab: .*/bin/sh"):
        Lab.boot(LabSpec(root=tmp_path))


def test_a_bind_of_nothing_is_refused(tmp_path: Path) -> None:
    """A path that is not there cannot be bound; the error names it."""
    missing = tmp_path / "missing"
    with pytest.raises(LabError) as caught:
        Lab.boot(LabSpec(binds=(Bind(missing),)))
    assert str(caught.value) == f"cannot bind {missing} in the lab: No such file or directory"


def test_a_mode_the_host_lacks_is_refused(lab: Lab) -> None:
    """Control groups that this host does not have are not pretended."""
    other = CgroupMode.LEGACY if lab.limits.mode is not CgroupMode.LEGACY else CgroupMode.HYBRID
    with pytest.raises(LabError) as caught:
        Lab.boot(LabSpec(cgroup=other))
    assert str(caught.value) == (
        f"cannot give the lab {other} control groups: this host has {lab.limits.mode} ones"
    )


def test_a_boot_that_hangs_is_given_up() -> None:
    """A target that does not come up within the time set is an error, and the lab goes."""
    late = r"cannot get the lab (made|ready): it took more than 0\.05 s"
    with pytest.raises(LabError, match=late):
        Lab.boot(LabSpec(timeout=0.05))


def test_a_closed_lab_says_so() -> None:
    """After close() every use is refused, and closing again is harmless."""
    lab = Lab.boot()
    lab.close()
    lab.close()
    with pytest.raises(LabError, match="cannot reach the lab: it is closed"):
        lab.run(["true"])

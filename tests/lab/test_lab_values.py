"""The lab's pure parts: binds, mounts, hierarchies and limits, from text to values."""

from pathlib import Path, PurePosixPath

import pytest

from gxo.lab import Bind, CgroupMode, LabError, Limits, cgroups, mounts
from gxo.lab.kernel import Mount

_HYBRID = """\
30 20 0:27 / /sys/fs/cgroup rw - tmpfs tmpfs rw
31 30 0:28 / /sys/fs/cgroup/cpu,cpuacct rw shared:1 - cgroup cgroup rw,cpu,cpuacct
32 30 0:29 /docker/x /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory
33 30 0:30 / /sys/fs/cgroup/systemd rw - cgroup cgroup rw,xattr,name=systemd
34 30 0:31 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw
"""
_MINE = "4:cpu,cpuacct:/a\n3:memory:/docker/x/b\n2:name=systemd:/a\n1:pids:/\n0::/a/b\n"


def test_bind_text() -> None:
    """SRC or SRC:DST, both absolute."""
    assert Bind.parse("/a") == Bind(Path("/a"))
    assert Bind.parse("/a").target == Path("/a")
    assert Bind.parse("/a:/b", read_only=True) == Bind(Path("/a"), Path("/b"), read_only=True)
    for text, wrong in (("a", "a"), ("/a:b", "b"), ("", "")):
        with pytest.raises(LabError) as caught:
            Bind.parse(text)
        assert str(caught.value) == f"cannot bind {text}: {wrong!r} is not an absolute path"


def test_hierarchies_of_a_hybrid_host() -> None:
    """Each mounted hierarchy with this process's group; a mount of a part of it is taken off."""
    found = cgroups.hierarchies(_MINE, _HYBRID)
    top = Path("/sys/fs/cgroup")
    assert [(h.controllers, h.own) for h in found] == [
        (("cpu", "cpuacct"), top / "cpu,cpuacct/a"),
        (("memory",), top / "memory/b"),
        (("name=systemd",), top / "systemd/a"),
        ((), top / "unified/a/b"),
    ]
    assert cgroups.mode_of(found, CgroupMode.AUTO) is CgroupMode.HYBRID
    assert cgroups.mode_of(found, CgroupMode.V2) is CgroupMode.V2
    assert cgroups.mode_of(found[:-1], CgroupMode.AUTO) is CgroupMode.LEGACY
    with pytest.raises(LabError, match="this host has legacy ones"):
        cgroups.mode_of(found[:-1], CgroupMode.V2)


def test_hierarchies_of_a_unified_host() -> None:
    """One mount, one group; version 1 modes are refused, and with nothing mounted all are."""
    mountinfo = "30 20 0:27 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n"
    found = cgroups.hierarchies("0::/user.slice\n", mountinfo)
    assert [h.own for h in found] == [Path("/sys/fs/cgroup/user.slice")]
    assert cgroups.mode_of(found, CgroupMode.AUTO) is CgroupMode.V2
    with pytest.raises(LabError, match="cannot give the lab hybrid control groups"):
        cgroups.mode_of(found, CgroupMode.HYBRID)
    assert cgroups.hierarchies("0::/\n", "") == ()
    with pytest.raises(LabError, match="cannot find control groups that systemd can use"):
        cgroups.mode_of((), CgroupMode.AUTO)


def test_limits_name_what_is_not_enforced() -> None:
    """A directive without its controller is unenforced; version 1 has no MemoryHigh."""
    old = Limits(mode=CgroupMode.HYBRID, controllers=frozenset({"cpu", "memory", "pids", "io"}))
    assert old.unenforced == ("MemoryHigh", "MemoryLow", "MemoryMin")
    new = Limits(mode=CgroupMode.V2, controllers=frozenset({"cpu", "memory", "pids", "io"}))
    assert new.unenforced == ()
    assert not Limits(mode=CgroupMode.V2).enforces("TasksMax")
    with pytest.raises(KeyError):
        new.enforces("Restart")


_MOUNTED = r"""21 1 254:0 / / rw - ext4 /dev/vda rw
22 21 0:5 / /proc rw - proc proc rw
23 21 0:6 / /home ro,nosuid,nodev - xfs /dev/vdb rw
24 23 0:7 / /home/a\040b\072c rw - btrfs /dev/vdc rw
25 21 0:8 / /tmp rw - tmpfs tmpfs rw
26 21 0:9 / /boot/efi rw - vfat /dev/vdd rw
27 21 0:10 / /var/lib/gxo/x rw - ext4 /dev/vde rw
28 21 0:11 / /var/tmp rw - ext4 /dev/vdf rw
29 21 0:12 / /data rw - ext4 /dev/vdg rw
30 29 0:13 / /data rw - tmpfs tmpfs rw
31 21 0:14 / /mnt/auto rw - autofs auto rw
"""


def test_layers_of_this_hosts_tree() -> None:
    """What keeps files gets a layer, outermost first; the last mount at a point is the one seen."""
    found = mounts.layers(mounts.parse(_MOUNTED), Path("/"), [mounts.STATE])
    assert [(layer.place, layer.fstype, layer.flags) for _, layer in found] == [
        ("/", "directory", 0),
        ("/data", "tmpfs", 0),
        ("/home", "xfs", Mount.RDONLY | Mount.NOSUID | Mount.NODEV),
        ("/home/a b:c", "btrfs", 0),
    ]
    assert [mount.ident for mount, _ in found if mount] == [21, 30, 23, 24]


def test_layers_of_another_tree() -> None:
    """Mounts below the root become places within it; others are none of its business."""
    found = mounts.layers(mounts.parse(_MOUNTED), Path("/home"))
    assert [(layer.source, layer.place) for _, layer in found] == [
        ("/home", "/"),
        ("/home/a b:c", "/a b:c"),
    ]
    bare = mounts.layers(mounts.parse(_MOUNTED), Path("/srv/tree"), [PurePosixPath("/x")])
    assert [(mount, layer.source) for mount, layer in bare] == [(None, "/srv/tree")]


def test_what_a_guest_has_of_its_own() -> None:
    """Paths that a guest does not show as the host has them must be bound to be seen."""
    assert mounts.covers(PurePosixPath("/tmp/x"))
    assert mounts.covers(PurePosixPath("/var/lib/gxo"))
    assert not mounts.covers(PurePosixPath("/var/lib/gxo2"))
    assert not mounts.covers(PurePosixPath("/home/me/site"))

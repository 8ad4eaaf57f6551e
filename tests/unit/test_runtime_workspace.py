"""Workspaces: made private, removed whatever a step left there."""

import fcntl
import os
import socket
import struct
import subprocess
import sys
from pathlib import Path

import pytest

from gxo.runtime.workspace import WorkspaceError, Workspaces, make, remove

# linux/fs.h
SETFLAGS, APPEND, IMMUTABLE = 0x40086602, 0x20, 0x10


@pytest.fixture
def place(tmp_path: Path) -> Workspaces:
    return Workspaces(tmp_path / "workspaces")


def made(place: Workspaces, owner: tuple[int, int] | None = None) -> Path:
    """A fresh workspace."""
    path = place.name()
    make(path, owner)
    return path


def test_a_workspace_is_private(place: Workspaces) -> None:
    """Each has a name that cannot be guessed and belongs to its user alone, whatever the umask."""
    before = os.umask(0)
    try:
        one, two = made(place, (65534, 65534)), made(place)
    finally:
        os.umask(before)
    assert {(p.stat().st_mode & 0o7777, p.stat().st_uid) for p in (one, two)} == {
        (0o700, 65534),
        (0o700, os.getuid()),
    }
    assert place.all() == tuple(sorted((one, two)))


@pytest.mark.parametrize("kind", ["directory", "link", "file"])
def test_a_pre_created_directory_is_not_used(place: Workspaces, tmp_path: Path, kind: str) -> None:
    """Whatever has the name already is an error, and nobody is given it."""
    path, elsewhere = place.name(), tmp_path / "elsewhere"
    elsewhere.mkdir(mode=0o755)
    path.parent.mkdir()
    if kind == "link":
        path.symlink_to(elsewhere)
    elif kind == "file":
        path.touch()
    else:
        path.mkdir(mode=0o777)
    with pytest.raises(WorkspaceError, match=r"cannot make workspace .*: File exists"):
        make(path, (65534, 65534))
    assert {elsewhere.stat().st_uid, path.lstat().st_uid} == {os.getuid()}


def test_what_is_no_workspace_is_left_alone(place: Workspaces) -> None:
    """Only names that gxo gives count."""
    ours = made(place)
    for name in ("lost+found", ours.name.upper(), ours.name + ".old"):
        (place.place / name).mkdir(exist_ok=True)
    assert place.all() == (ours,)


def test_removing_twice(place: Workspaces) -> None:
    """A workspace that is gone is as it should be."""
    path = made(place)
    remove(path)
    remove(path)
    assert place.all() == ()


def test_a_hostile_tree(place: Workspaces, tmp_path: Path) -> None:
    """Modes, sockets, pipes, devices, odd names, links to elsewhere: all goes, elsewhere stays."""
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "kept").write_text("kept")
    path = made(place)
    (path / "to-root").symlink_to("/")
    (path / "to-outside").symlink_to(outside)
    os.link(outside / "kept", path / "hard")
    os.mkfifo(path / "fifo")
    os.mknod(path / "null", 0o20666, os.makedev(1, 3))
    here = os.open(path, os.O_PATH)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(f"/proc/self/fd/{here}/socket")  # a socket's own path must be short
    os.close(here)
    for name in ("0", "1", "-rf", "a\nb", "\udcff", "é" * 100):
        (path / name / "0" / "1").mkdir(parents=True)
        (path / name / "0" / "file").write_text("x")
        (path / name / "0").chmod(0)
        (path / name).chmod(0)
    path.chmod(0)
    remove(path)
    assert not path.exists()
    assert (outside / "kept").read_text() == "kept"


def test_a_deep_tree(place: Workspaces) -> None:
    """Two thousand levels, longer than any path may be, with few open files and no recursion."""
    path = made(place)
    here = os.open(path, os.O_RDONLY)
    for _ in range(2000):
        os.mkdir("a-long-name-of-a-directory", dir_fd=here)
        below = os.open("a-long-name-of-a-directory", os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = below
    os.close(here)
    remove(path)
    assert not path.exists()


def test_very_many_files(place: Workspaces) -> None:
    """A hundred thousand, in one directory and in many."""
    path = made(place)
    for number in range(100_000):
        if number % 1000 == 0:
            (path / str(number)).mkdir()
        os.close(os.open(path / str(number - number % 2000) / f"f{number}", os.O_CREAT))
    remove(path)
    assert not path.exists()


def test_a_mount_inside(place: Workspaces, tmp_path: Path) -> None:
    """What a step mounted is taken off, also one over another; what is mounted stays whole."""
    outside = tmp_path / "out side"
    (outside / "deep").mkdir(parents=True)
    (outside / "deep" / "kept").write_text("kept")
    path = made(place)
    (path / "a b").mkdir()
    script = (
        "import subprocess, sys\nfrom pathlib import Path\n"
        "from gxo.lab.kernel import private_mounts\nfrom gxo.runtime.workspace import remove\n"
        "private_mounts()\n"
        "outside, path = sys.argv[1:]\n"
        "subprocess.run(['mount', '--bind', outside, path + '/a b'], check=True)\n"
        "subprocess.run(['mount', '-t', 'tmpfs', 'none', path + '/a b/deep'], check=True)\n"
        "Path(path, 'a b/deep/x').touch()\n"
        "remove(Path(path))\n"
    )
    top = str(Path(__file__).parents[2])
    subprocess.run(
        [sys.executable, "-c", script, outside, path],
        env={**os.environ, "PYTHONPATH": top},
        check=True,
    )
    assert not path.exists()
    assert (outside / "deep" / "kept").read_text() == "kept"


def hold(path: Path, flag: int) -> None:
    """Give a file an attribute, as chattr(1) does."""
    descriptor = os.open(path, os.O_RDONLY)
    fcntl.ioctl(descriptor, SETFLAGS, struct.pack("l", flag))
    os.close(descriptor)


def test_what_cannot_be_changed(place: Workspaces) -> None:
    """Immutable and append-only files and directories go as well."""
    path = made(place)
    (path / "dir" / "sub").mkdir(parents=True)
    (path / "dir" / "file").write_text("x")
    (path / "log").write_text("x")
    hold(path / "log", APPEND)
    for held in (path / "dir" / "file", path / "dir" / "sub", path / "dir", path):
        hold(held, IMMUTABLE)
    with pytest.raises(PermissionError):
        (path / "log").unlink()
    remove(path)
    assert not path.exists()


def test_removal_takes_no_space(place: Workspaces, tmp_path: Path) -> None:
    """On a full file system too, where no file and no directory can be made any more."""
    script = """
import errno, os, sys
from itertools import count
from pathlib import Path
from gxo.lab.kernel import mount, private_mounts
from gxo.runtime.workspace import make, remove
private_mounts()
mount("none", sys.argv[1], "tmpfs", data="nr_inodes=64")
workspace = Path(sys.argv[1], "00000000-0000-4000-8000-000000000000")
make(workspace)
os.makedirs(workspace / "a/b/c")
for number in count():
    try:
        (workspace / f"a/{number}").mkdir()
    except OSError as error:
        assert error.errno == errno.ENOSPC, error
        break
remove(workspace)
assert not workspace.exists()
"""
    argv = [sys.executable, "-c", script, str(tmp_path)]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")

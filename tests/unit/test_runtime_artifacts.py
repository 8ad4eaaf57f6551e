"""What a run keeps of a workspace, whatever steps have made of it."""

import os
import socket
import stat
from pathlib import Path

import pytest

from gxo.runtime.artifacts import Artifacts

RUN = "0123456789ab"


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    path = tmp_path / "workspace"
    path.mkdir()
    return path


@pytest.fixture
def artifacts(tmp_path: Path) -> Artifacts:
    return Artifacts(tmp_path / "artifacts")


def made(path: Path, text: str = "x") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def test_files_and_trees(workspace: Path, artifacts: Artifacts) -> None:
    """A file by its path, a directory with all in it; private, but programs stay programs."""
    made(workspace / "dist/site.tar", "12345").chmod(0o6755)
    made(workspace / "report/a/b.txt")
    (workspace / "report/empty").mkdir()
    made(workspace / "other")
    said = artifacts.keep(RUN, workspace, ["dist/site.tar", f"{workspace}/report"])
    assert said == ()
    assert [(kept.path, kept.size) for kept in artifacts.of(RUN)] == [
        ("dist/site.tar", 5),
        ("report/a/b.txt", 1),
    ]
    top = artifacts.place / RUN
    assert (top / "report/empty").is_dir()
    modes = {stat.S_IMODE(path.stat().st_mode) for path in (artifacts.place, top, top / "report")}
    assert modes == {0o700}
    assert stat.S_IMODE((top / "dist/site.tar").stat().st_mode) == 0o700
    assert stat.S_IMODE((top / "report/a/b.txt").stat().st_mode) == 0o600


def test_no_more_than_so_much(workspace: Path, tmp_path: Path) -> None:
    """A file with which a run would keep more is left out; what fits is kept, holes are free."""
    for name in "abc":
        made(workspace / name, "x" * (1 << 20))
    made(workspace / "d")
    os.truncate(made(workspace / "hole", ""), 1 << 40)
    artifacts = Artifacts(tmp_path / "artifacts", 5 << 19)
    said = artifacts.keep(RUN, workspace, ["."])
    assert said == ("c is not kept: with it the run would keep more than 0.00244141 GiB",)
    assert [kept.path for kept in artifacts.of(RUN)] == ["a", "b", "d", "hole"]


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("nothing", "nothing is not kept: it does not exist"),
        ("no/thing", "no/thing is not kept: it does not exist"),
        ("../secret", "../secret is not kept: it is not in the workspace"),
        ("a/../../secret", "a/../../secret is not kept: it is not in the workspace"),
        ("/etc/passwd", "/etc/passwd is not kept: it is not in the workspace"),
        ("out/passwd", "out/passwd is not kept: Not a directory"),
        ("file/x", "file/x is not kept: Not a directory"),
    ],
)
def test_paths_that_are_no_artifacts(
    workspace: Path, artifacts: Artifacts, path: str, reason: str
) -> None:
    """Each is told of, and keeps none of the others."""
    made(workspace.parent / "secret")
    made(workspace / "file")
    (workspace / "out").symlink_to("/etc")
    assert artifacts.keep(RUN, workspace, [path, "file"]) == (reason,)
    assert [kept.path for kept in artifacts.of(RUN)] == ["file"]


def test_what_is_no_file(workspace: Path, artifacts: Artifacts) -> None:
    """FIFOs, sockets and links that lead out are left out; harmless links stay links."""
    made(workspace / "t/lib.so.1")
    (workspace / "t/lib.so").symlink_to("lib.so.1")
    (workspace / "t/out").symlink_to("/etc/passwd")
    (workspace / "t/up").symlink_to("x/../../..")
    os.mkfifo(workspace / "t/fifo")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(workspace / "t/socket"))
    said = artifacts.keep(RUN, workspace, ["t"])
    assert said == (
        "t/fifo is not kept: it is not a file, a directory or a symbolic link",
        "t/out is not kept: it is a link that may lead out of the workspace",
        "t/socket is not kept: it is not a file, a directory or a symbolic link",
        "t/up is not kept: it is a link that may lead out of the workspace",
    )
    top = artifacts.place / RUN
    assert sorted(path.name for path in (top / "t").iterdir()) == ["lib.so", "lib.so.1"]
    assert (top / "t/lib.so").readlink() == Path("lib.so.1")


def test_hard_links(workspace: Path, artifacts: Artifacts) -> None:
    """Those of the run's own user are files like any other."""
    made(workspace / "mine")
    (workspace / "same").hardlink_to(workspace / "mine")
    assert artifacts.keep(RUN, workspace, ["."]) == ()
    assert [kept.path for kept in artifacts.of(RUN)] == ["mine", "same"]


def test_a_huge_sparse_file(workspace: Path, artifacts: Artifacts) -> None:
    """Holes stay holes: it takes no more room than it did."""
    with (workspace / "sparse").open("wb") as file:
        file.write(b"begin")
        file.seek(1 << 38)
        file.write(b"middle")
        file.truncate(1 << 39)
    assert artifacts.keep(RUN, workspace, ["sparse"]) == ()
    found = artifacts.place / RUN / "sparse"
    assert (found.stat().st_size, found.stat().st_blocks < 1000) == (1 << 39, True)
    with found.open("rb") as file:
        assert file.read(5) == b"begin"
        file.seek(1 << 38)
        assert file.read(7) == b"middle\0"


def test_names_and_depth(workspace: Path, artifacts: Artifacts) -> None:
    """Any name is kept, and shown fit to be printed; a tree too deep is kept so far."""
    hostile = (b"new\nline", b"\xff\xfe", b"\x1b[31m", "é".encode(), b"-rf")
    for name in hostile:
        Path(os.fsdecode(os.fsencode(workspace) + b"/" + name)).touch()
    assert artifacts.keep(RUN, workspace, ["."]) == ()
    there = {os.fsencode(path.name) for path in (artifacts.place / RUN).iterdir()}
    assert there == set(hostile)
    assert {kept.path for kept in artifacts.of(RUN)} == {
        "new\\nline", "\\xff\\xfe", "\\x1b[31m", "é", "-rf",
    }  # fmt: skip
    deep = workspace.joinpath(*["d"] * 150)
    deep.mkdir(parents=True)
    artifacts.remove(RUN)
    (said,) = artifacts.keep(RUN, workspace, ["d"])
    assert said.endswith("it is more than 100 directories deep")


def test_many_reasons_are_counted(workspace: Path, artifacts: Artifacts) -> None:
    """A tree of any number of what cannot be kept says no more than a few of them."""
    for number in range(100):
        os.mkfifo(workspace / f"{number}")
    said = artifacts.keep(RUN, workspace, ["."])
    assert (len(said), said[-1]) == (6, "and 95 more")


def test_a_run_keeps_once(workspace: Path, artifacts: Artifacts) -> None:
    """What was kept stays as it is when the workspace is half gone; a half copy is made anew."""
    made(workspace / "a")
    made(artifacts.place / f"{RUN}.part" / "half")
    artifacts.keep(RUN, workspace, ["a"])
    (workspace / "a").unlink()
    assert artifacts.keep(RUN, workspace, ["a"]) == ()
    assert [kept.path for kept in artifacts.of(RUN)] == ["a"]
    assert artifacts.runs() == (RUN,)
    artifacts.remove(RUN)
    assert (artifacts.runs(), artifacts.of(RUN)) == ((), ())

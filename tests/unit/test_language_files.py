"""Reading paths: what cannot be read is a problem with the path, at once, and nothing blocks."""

import os
import socket
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from gxo.diagnostic import Problem, render
from gxo.diagnostic.yaml import (
    BinaryFile,
    CannotRead,
    FileMissing,
    FileTooBig,
    NoPlaybooks,
    NotAFile,
    NotUtf8,
)
from gxo.language.files import read_paths
from gxo.language.limits import FILE_BYTES
from gxo.source import Source


def read(*paths: Path | str) -> tuple[tuple[Source, ...], tuple[Problem, ...]]:
    return read_paths([str(path) for path in paths])


def only(path: Path | str) -> Problem:
    """The one problem of a path that gives no source."""
    sources, problems = read(path)
    assert sources == ()
    (problem,) = problems
    assert problem.span.source.path == str(path)
    assert str(path) in render(problem)
    return problem


def test_directory_by_name(tmp_path: Path) -> None:
    """A directory is all its *.yaml and *.yml, in name order, but no hidden and no inner ones."""
    for name in ("b.yml", "a.yaml", "c.txt", ".hidden.yaml"):
        (tmp_path / name).write_text(f"name: {name[0]}\n")
    (tmp_path / "inner").mkdir()
    (tmp_path / "inner" / "d.yaml").write_text("name: d\n")
    sources, problems = read(tmp_path)
    assert [Path(source.path).name for source in sources] == ["a.yaml", "b.yml"]
    assert problems == ()


def test_each_file_once(tmp_path: Path) -> None:
    """A file that is reached by several ways is read once, in the order of the first."""
    file = tmp_path / "a.yaml"
    file.write_text("name: a\n")
    (tmp_path / "link.yaml").symlink_to(file)
    sources, problems = read(file, tmp_path, f"{tmp_path}/./a.yaml")
    assert [source.path for source in sources] == [str(file)]
    assert problems == ()


def test_byte_order_mark_is_no_text(tmp_path: Path) -> None:
    """A file may begin with a byte order mark, which is not part of its text."""
    file = tmp_path / "a.yaml"
    file.write_bytes(b"\xef\xbb\xbfname: a\n")
    ((source,), problems) = read(file)
    assert source.text == "name: a\n"
    assert problems == ()


def test_standard_input() -> None:
    """`-` is standard input."""
    code = "from gxo.language.files import read_paths; print(read_paths(['-'])[0][0].text)"
    out = subprocess.run(
        [sys.executable, "-c", code], input="name: ä\n", capture_output=True, text=True, check=True
    )
    assert out.stdout == "name: ä\n\n"


def test_missing(tmp_path: Path) -> None:
    """A path at which there is nothing is a problem of its own."""
    assert isinstance(only(tmp_path / "none.yaml"), FileMissing)


def test_broken_links(tmp_path: Path) -> None:
    """Symbolic links that point to nothing, or at each other, also within a directory."""
    (tmp_path / "a.yaml").symlink_to("b.yaml")
    (tmp_path / "b.yaml").symlink_to("a.yaml")
    (tmp_path / "c.yaml").symlink_to("nothing")
    sources, problems = read(tmp_path)
    assert sources == ()
    assert [problem.message().split(": ")[1] for problem in problems] == [
        "its symbolic links point at each other",
        "its symbolic links point at each other",
        "the symbolic link points to nothing",
    ]


def test_no_playbooks(tmp_path: Path) -> None:
    """A directory without playbooks is a problem of its own."""
    assert isinstance(only(tmp_path), NoPlaybooks)


@pytest.mark.timeout(10)
def test_what_is_no_file(tmp_path: Path) -> None:
    """A FIFO nobody writes, a device that never ends, a socket, a directory: none blocks."""
    os.mkfifo(tmp_path / "fifo.yaml")
    (tmp_path / "dir.yaml").mkdir()
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "socket.yaml"))
        sources, problems = read(tmp_path)
    assert sources == ()
    assert all(isinstance(problem, NotAFile) for problem in problems)
    assert [problem.message().split(": ")[1] for problem in problems] == [
        "it is a directory, not a file",
        "it is a FIFO, not a file",
        "it is a socket or a device without its hardware, not a file",
    ]
    assert isinstance(only("/dev/zero"), NotAFile)


@pytest.mark.timeout(10)
def test_too_big(tmp_path: Path) -> None:
    """A sparse file of 100 MB is refused by its size; one of exactly the limit is read."""
    file = tmp_path / "a.yaml"
    with file.open("wb") as stream:
        stream.truncate(100_000_000)
    assert isinstance(only(file), FileTooBig)
    file.write_bytes(b"#" * FILE_BYTES)
    assert read(file)[1] == ()
    file.write_bytes(b"#" * (FILE_BYTES + 1))
    assert isinstance(only(file), FileTooBig)


def test_unreadable() -> None:
    """A file that this user may not read, and paths that no file can have."""
    code = (
        "import os, sys\n"
        "if os.geteuid() == 0: os.setgroups([]); os.setgid(65534); os.setuid(65534)\n"
        "from gxo.language.files import read_paths\n"
        "print(read_paths([sys.argv[1]])[1][0].message())"
    )
    with TemporaryDirectory() as folder:  # pytest's own folders let no other user in
        Path(folder).chmod(0o755)
        file = Path(folder) / "a.yaml"
        file.write_text("name: a\n")
        file.chmod(0)
        out = subprocess.run(
            [sys.executable, "-c", code, str(file)], capture_output=True, text=True, check=True
        )
    assert out.stdout == f"cannot read {file}: this user may not read it\n"
    for path in ("a\0b", "a" * 5000):
        sources, problems = read(path)
        assert sources == ()
        assert [type(problem) for problem in problems] == [CannotRead]
        assert render(problems[0])


def test_not_text(tmp_path: Path) -> None:
    """Bytes that are no text, and text that is not UTF-8, with the place."""
    file = tmp_path / "a.yaml"
    file.write_bytes(b"\x7fELF\0\0\0")
    assert isinstance(only(file), BinaryFile)
    file.write_bytes(b"name: a\n" * 2000 + b"\xff\0")
    assert isinstance(only(file), BinaryFile)
    file.write_bytes("ä: é".encode() + b" \xe9\n")
    problem = only(file)
    assert isinstance(problem, NotUtf8)
    assert problem.span.source.place(problem.span.start) == (1, 6)

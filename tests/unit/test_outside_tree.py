"""The bytes of a module from outside: read once, whole, and nothing but plain files."""

import os
import shutil
import socket
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gxo.outside import tree as trees
from gxo.outside.manifest import difference, digest, manifest
from gxo.outside.tree import File, Tree, UnusableTree, read_file, read_tree


def module(place: Path) -> Path:
    (place / "lib").mkdir(parents=True)
    (place / "module.yaml").write_text("name: a:b\n")
    (place / "lib" / "é x.py").write_bytes(b"\x00\xff")
    (place / "main.sh").write_text("#!/bin/sh\n")
    (place / "main.sh").chmod(0o4775)
    return place


def test_a_manifest_names_every_file(tmp_path: Path) -> None:
    """By path, with who may execute it and its digest, hidden ones too; not itself."""
    place = module(tmp_path / "m")
    (place / ".hidden").write_text("")
    for beside in ("module.manifest", "module.sig"):
        (place / beside).write_text("x")
    (place / "lib" / "module.sig").write_text("y")
    found = read_tree(str(place))

    def line(mode: str, path: str) -> str:
        return f"{mode} {sha256((place / path).read_bytes()).hexdigest()} {path}\n"

    assert manifest(found).decode() == "gxo module 1\n" + "".join(
        (
            line("0644", ".hidden"),
            line("0644", "lib/module.sig"),
            line("0644", "lib/é x.py"),
            line("0755", "main.sh"),
            line("0644", "module.yaml"),
        )
    )
    assert (found.manifest, found.signature) == (b"x", b"x")
    assert digest(found) == sha256(manifest(found)).hexdigest()


def test_a_manifest_does_not_depend_on_where_it_was_made(tmp_path: Path) -> None:
    """Neither on a umask, nor on times, owners, empty directories or the order on disk."""
    one, other = module(tmp_path / "one"), tmp_path / "other"
    other.mkdir()
    for path in ("main.sh", "lib/é x.py", "module.yaml"):
        (other / path).parent.mkdir(exist_ok=True)
        shutil.copyfile(one / path, other / path)
        (other / path).chmod(0o700 if path == "main.sh" else 0o400)
    (other / "empty").mkdir(mode=0o700)
    assert manifest(read_tree(str(one))) == manifest(read_tree(str(other)))


FILES = st.lists(
    st.builds(
        File,
        st.text(st.characters(categories=("L", "N", "P", "S", "Zs")), min_size=1, max_size=8),
        st.binary(max_size=8),
        st.booleans(),
    ),
    max_size=4,
    unique_by=lambda file: file.path,
).map(lambda files: Tree(tuple(sorted(files, key=lambda file: file.path))))


@given(FILES, FILES)
def test_different_files_have_different_manifests(one: Tree, other: Tree) -> None:
    """So that a signature over one says nothing of another, whatever names it has."""
    assert (manifest(one) == manifest(other)) == (one == other)


@pytest.mark.parametrize("change", ["byte", "mode", "more", "less", "name"])
def test_each_change_is_one_of_the_manifest(tmp_path: Path, change: str) -> None:
    """A byte, who may execute a file, a file more, less or of another name; and it is told."""
    place = module(tmp_path / "m")
    before = read_tree(str(place))
    acts: dict[str, Callable[[], object]] = {
        "byte": lambda: (place / "main.sh").write_text("#!/bin/sh "),
        "mode": lambda: (place / "main.sh").chmod(0o644),
        "more": lambda: (place / "a").write_text(""),
        "less": (place / "main.sh").unlink,
        "name": lambda: (place / "main.sh").rename(place / "amain.sh"),
    }
    acts[change]()
    after = read_tree(str(place))
    assert digest(after) != digest(before)
    told = difference(Tree(after.files, manifest(before)))
    assert told == {"more": "a", "name": "amain.sh"}.get(change, "main.sh")
    assert difference(Tree(after.files, manifest(after))) is None


def _socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(str(path))


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda p: (p / "x").symlink_to("main.sh"), "`x`: a symbolic link"),
        (lambda p: (p / "x").symlink_to("/etc"), "`x`: a symbolic link"),
        (lambda p: (p / "module.sig").symlink_to("/etc/hostname"), "`module.sig`: a symbolic"),
        (lambda p: os.mkfifo(p / "x"), "`x` is neither a file nor a directory"),
        (lambda p: _socket(p / "x"), "`x`: neither a file nor a directory"),
        (lambda p: (p / "a\nb").write_text(""), r"the name `a\nb` holds characters"),
        (lambda p: (p / "a\x1b[2J").write_text(""), r"the name `a\x1b[2J` holds"),
        (lambda p: (p / "a\u202eb").write_text(""), r"the name `a\u202eb` holds"),
        (lambda p: Path(os.fsdecode(os.fsencode(p) + b"/\xff")).write_text(""), r"\udcff` holds"),
        (lambda p: (p / ("/".join("d" * 40))).mkdir(parents=True), "is deeper than 32"),
    ],
    ids=["link", "link-to-directory", "linked-signature", "fifo", "socket", "newline", "escape",
         "bidirectional", "not-utf-8", "deep"],
)  # fmt: skip
def test_what_is_no_module(tmp_path: Path, make: Callable[[Path], object], said: str) -> None:
    """Links, what is no file, names that forge lines: refused, at once and by name."""
    place = module(tmp_path / "m")
    make(place)
    with pytest.raises(UnusableTree) as error:
        read_tree(str(place))
    assert said in str(error.value)


def test_where_nothing_can_be_read(tmp_path: Path) -> None:
    """No directory, a file, a name that cannot be: each says why."""
    (tmp_path / "file").write_text("")
    for path, said in (("none", "no such file"), ("file", "not a directory"), ("a\0", "NUL")):
        with pytest.raises(UnusableTree, match=said):
            read_tree(f"{tmp_path}/{path}")
    with pytest.raises(UnusableTree, match="not a file"):
        read_file(str(tmp_path.parent), tmp_path.name)


def test_limits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Many files, and much in them, end the reading early."""
    place = module(tmp_path / "m")
    with (place / "huge").open("wb") as file:
        file.truncate(trees.MOST_BYTES + 1)
    with pytest.raises(UnusableTree, match="more than 64 MiB"):
        read_tree(str(place))
    (place / "huge").unlink()
    monkeypatch.setattr(trees, "MOST_FILES", 3)
    with pytest.raises(UnusableTree, match="more than 3 files"):
        read_tree(str(place))

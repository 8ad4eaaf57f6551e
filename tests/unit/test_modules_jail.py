"""The jail of path params: whatever a path says, nothing outside its base is reached."""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gxo.modules.fault import ModuleError, SecurityError
from gxo.modules.jail import Jail
from gxo.modules.worker import perform

PARTS = st.sampled_from(["a", "b", "up", "out", "far", "self", "..", ".", "", "...", "-rf", "*"])
PATHS = st.lists(PARTS, min_size=1, max_size=8).map("/".join).filter(bool)


@contextmanager
def house() -> Iterator[tuple[Path, Path]]:
    """A workspace full of links that lead out, and what must not be touched."""
    with TemporaryDirectory() as place:
        inside, outside = Path(place, "in"), Path(place, "outside")
        for path in (inside / "a" / "b", inside / "b", outside / "a"):
            path.mkdir(parents=True)
        (outside / "kept").write_text("kept")
        for path in (inside, inside / "a", inside / "a" / "b"):
            (path / "up").symlink_to("..")
            (path / "out").symlink_to("../../outside")
            (path / "far").symlink_to(outside)
            (path / "self").symlink_to("/proc/self/root")
        yield inside, outside


def ask(module: str, inside: Path, *, free: bool = False, **params: Any) -> dict[str, Any]:
    """What a worker answers, asked with all params at their defaults but these."""
    plain: dict[str, Any] = {
        "owner": None, "group": None, "mode": None, "target": None, "encoding": "utf-8",
        "append": False, "create_directories": False, "follow": True, "pattern": "*",
        "recursive": False,
    }  # fmt: skip
    if module == "filesystem:write":
        plain["mode"] = 0o644
    return perform(
        {
            "module": module,
            "params": plain | params,
            "workspace": str(inside),
            "free": free,
            "write": [],
            "read": [],
        }
    )


def seen(top: Path) -> dict[str, str]:
    """All beneath a directory: names, and what files hold."""
    return {str(p): p.read_text() if p.is_file() else "" for p in sorted(top.rglob("*"))}


@given(PATHS, st.booleans())
def test_what_is_opened_lies_inside(path: str, absolute: bool) -> None:
    """Each path opens something beneath the base, is refused as an escape, or is not there."""
    with house() as (inside, _):
        whole = f"{inside}/{path}" if absolute else path
        with suppress(SecurityError, OSError):
            descriptor = Jail(str(inside)).place(whole).open(os.O_PATH)
            found = Path(f"/proc/self/fd/{descriptor}").readlink()
            os.close(descriptor)
            assert found.is_relative_to(inside)


def test_a_file_without_its_directory() -> None:
    """The error names the param that makes it."""
    with house() as (inside, _):
        answer = ask("filesystem:write", inside, path="none/f", content="x")
        assert "`create_directories: true`" in answer["error"]
        assert ask("filesystem:write", inside, path="none/f", content="x",
                   create_directories=True)["summary"]["changed"]  # fmt: skip


@given(PATHS, st.sampled_from(["write", "append", "file", "directory", "link", "absent"]))
def test_nothing_outside_is_changed(path: str, act: str) -> None:
    """No module changes anything outside of the workspace, whatever path it is given."""
    with house() as (inside, outside):
        before = seen(outside)
        if act in ("write", "append"):
            more = act == "append"
            ask(
                "filesystem:write", inside, path=path, content="x", append=more,
                create_directories=True,
            )  # fmt: skip
        else:
            target = "a" if act == "link" else None
            ask("filesystem:manage", inside, path=path, state=act, target=target)
        assert seen(outside) == before


@pytest.mark.parametrize(
    ("path", "fatal"),
    [
        ("../outside/new", True),
        ("a/../../outside/new", True),
        ("far/new", True),
        ("out/new", True),
        ("self/etc/new", True),
        ("/etc/new", True),
        ("a/up/../../x", True),
        ("a/up/b/new", False),
        ("none/new", False),
        ("..", True),
        (".", False),
    ],
)
def test_an_escape_is_told_from_a_failure(path: str, fatal: bool) -> None:
    """What leads out is a security error; other failures and ways that come back in are not."""
    with house() as (inside, _):
        assert ask("filesystem:write", inside, path=path, content="x").get("fatal", False) == fatal


@pytest.mark.parametrize("target", ["../outside", "/etc", "a/../../x"])
def test_a_link_may_not_point_out(target: str) -> None:
    """No link is made that points out of the workspace, even if nobody follows it yet."""
    with house() as (inside, _):
        params: Any = {"path": "new", "state": "link", "target": target}
        assert ask("filesystem:manage", inside, **params)["fatal"]
        assert not os.path.lexists(inside / "new")
        assert (
            "summary" in ask("filesystem:manage", inside, free=True, **params) or target[0] != "/"
        )


def test_hard_links_are_not_written_through() -> None:
    """A write leaves the other name as it was; what would change it in place is refused."""
    with house() as (inside, outside):
        for name in ("new", "more", "mode"):
            (inside / name).hardlink_to(outside / "kept")
        assert "summary" in ask("filesystem:write", inside, path="new", content="x")
        assert "hard links" in ask(
            "filesystem:write", inside, path="more", content="x", append=True
        )["error"]  # fmt: skip
        managed = ask("filesystem:manage", inside, path="mode", state="file", mode=0o777)
        assert "hard links" in managed["error"]
        assert (outside / "kept").read_text() == "kept"
        assert (outside / "kept").stat().st_mode & 0o777 != 0o777


def test_what_is_mounted_is_not_removed() -> None:
    """Not at the path, beneath it or on a file there: neither emptied nor made readable."""
    places = ("a", "a/b", "a/f")
    with house() as (inside, outside):
        (outside / "a" / "kept").write_text("kept")
        (outside / "a").chmod(0)
        for place in places:
            (inside / "a" / "f").touch()  # what can be removed is
            what = outside / ("kept" if place == "a/f" else "")
            request = {"module": "filesystem:manage", "workspace": str(inside), "free": False,
                       "write": [], "read": [],
                       "params": {"path": "a", "state": "absent", "target": None, "mode": None,
                                  "owner": None, "group": None}}  # fmt: skip
            script = (
                "import json, subprocess, sys\n"
                "from gxo.lab.kernel import private_mounts\n"
                "from gxo.modules.worker import perform\n"
                "private_mounts()\n"
                "subprocess.run(['mount', '--bind', *sys.argv[1:3]], check=True)\n"
                "print(perform(json.loads(sys.argv[3]))['error'])\n"
            )
            done = subprocess.run(
                [sys.executable, "-c", script, what, inside / place, json.dumps(request)],
                env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
                capture_output=True, text=True, check=True,
            )  # fmt: skip
            assert done.stdout == "something is mounted there or in it\n", place
            assert (outside / "kept").read_text() == "kept"
            assert (outside / "a" / "kept").read_text() == "kept"
            assert (outside / "a").stat().st_mode & 0o777 == 0
        assert "summary" in ask("filesystem:manage", inside, path="a", state="absent")


def test_a_setuid_mode_needs_the_host() -> None:
    """As RestrictSUIDSGID= has it for other programs of a sandbox."""
    with house() as (inside, _):
        asked: Any = {"path": "new", "content": "x", "mode": 0o4755}
        assert "setuid" in ask("filesystem:write", inside, **asked)["error"]
        assert "summary" in ask("filesystem:write", inside, free=True, **asked)
        assert (inside / "new").stat().st_mode & 0o7777 == 0o4755


def race(tries: int) -> None:
    """Write while a directory on the way there is swapped with a link that leads out."""
    with house() as (inside, outside):
        before = seen(outside)
        place, trap, spare = inside / "b", inside / "trap", inside / "spare"
        trap.symlink_to(outside)
        stop = threading.Event()

        def swap() -> None:
            while not stop.wait(0.0005):
                place.rename(spare)
                trap.rename(place)
                place.rename(trap)
                spare.rename(place)

        swapping = threading.Thread(target=swap)
        swapping.start()
        ends = set()
        try:
            for number in range(tries):
                answer = ask("filesystem:write", inside, path="b/new", content=str(number))
                ends.add(answer.get("error", "done"))
        finally:
            stop.set()
            swapping.join()
        assert seen(outside) == before
        assert "done" in ends


def test_a_directory_swapped_meanwhile() -> None:
    """Nothing is written outside, and what is not in the way of the swap is done."""
    race(300)


@pytest.mark.soak
def test_a_directory_swapped_ten_thousand_times() -> None:
    """Nothing is written outside in 10,000 swaps, enough to meet each instant."""
    race(10_000)


def test_a_write_is_whole_or_not_at_all() -> None:
    """Who reads meanwhile sees one content or the other; nothing else is left in the directory."""
    with house() as (inside, _):
        one, two = "1" * 100_000, "2" * 100_000
        (inside / "f").write_text(one)
        stop = threading.Event()
        read: set[str] = set()

        def look() -> None:
            while not stop.is_set():
                read.add((inside / "f").read_text())

        looking = threading.Thread(target=look)
        looking.start()
        for number in range(50):
            ask("filesystem:write", inside, path="f", content=(one, two)[number % 2])
        stop.set()
        looking.join()
        assert read <= {one, two}
        assert not list(inside.glob(".gxo-*"))


@given(st.binary(max_size=50))
def test_what_is_written_is_read(data: bytes) -> None:
    """Any bytes, by base64; text as it is where it is UTF-8."""
    from base64 import b64encode

    with house() as (inside, _):
        given = b64encode(data).decode()
        ask("filesystem:write", inside, path="f", content=given, encoding="base64")
        back = ask("filesystem:read", inside, path="f", encoding="base64")["summary"]
        assert (back["content"], back["size"]) == (given, len(data))
        text = ask("filesystem:read", inside, path="f")
        try:
            written = data.decode()
        except UnicodeDecodeError:
            assert "not UTF-8" in text["error"]
        else:
            assert text["summary"]["content"] == written


def test_a_jail_prefers_the_nearest_base() -> None:
    """A read-only directory within a writable one stays read-only, and the other way round."""
    jail = Jail("/w", write=["/srv", "/opt/a/b"], read=["/srv/kept", "/opt/a"])
    jail.place("/srv/x", write=True)
    jail.place("/opt/a/b/x", write=True)
    jail.place("/srv/kept/x")
    for path in ("/srv/kept/x", "/opt/a/x", "/srvx", "/"):
        with pytest.raises(SecurityError):
            jail.place(path, write=True)
    with pytest.raises(ModuleError):
        jail.place("/etc/passwd")

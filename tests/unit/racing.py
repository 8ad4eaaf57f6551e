"""A race: one process asks the filesystem's modules for acts, another changes what they lead to.

`python -m tests.unit.racing KIND TRIES SEED` does it in mounts of its own and prints, as JSON, how
often each act ended how, and what the modules have read.
"""

import ctypes
import json
import os
import random
import shutil
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from gxo.lab.kernel import private_mounts
from gxo.modules.worker import perform

SECRET = "what lies outside"
_LIBC = ctypes.CDLL(None, use_errno=True)
_BIND, _DETACH, _EXCHANGE, _HERE = 0x1000, 2, 2, -100
_DEFAULTS: dict[str, dict[str, Any]] = {
    "filesystem:write": {
        "content": "x",
        "encoding": "utf-8",
        "mode": 0o600,
        "append": False,
        "create_directories": False,
        "owner": None,
        "group": None,
    },
    "filesystem:read": {"encoding": "utf-8"},
    "filesystem:stat": {"follow": True},
    "filesystem:list": {"pattern": "*", "recursive": True},
    "filesystem:manage": dict.fromkeys(("target", "mode", "owner", "group")),
}
Act = tuple[str, dict[str, Any]]
_REMOVE: Act = ("filesystem:manage", {"path": "d", "state": "absent"})
_CHANGE: tuple[Act, ...] = (
    ("filesystem:write", {"path": "d/f"}),
    ("filesystem:write", {"path": "d/f", "append": True}),
    ("filesystem:manage", {"path": "d/f", "state": "file", "mode": 0o777}),
    ("filesystem:manage", {"path": "d/f", "state": "absent"}),
)
_ALL: tuple[Act, ...] = (
    *_CHANGE,
    ("filesystem:write", {"path": "d/n/m/f", "create_directories": True}),
    ("filesystem:manage", {"path": "d/n", "state": "absent"}),
    ("filesystem:manage", {"path": "d/l", "state": "link", "target": "f"}),
    ("filesystem:read", {"path": "d/f"}),
    ("filesystem:list", {"path": "d"}),
    ("filesystem:stat", {"path": "d/f"}),
)


@contextmanager
def house() -> Iterator[tuple[Path, Path]]:
    """A workspace with a directory and a link that leads out; and what must stay as it is."""
    with TemporaryDirectory() as place:
        inside, outside = Path(place, "in"), Path(place, "outside")
        for path in (inside / "d" / "e", outside / "n", outside / "e"):
            path.mkdir(parents=True)
        for path in (outside / "f", outside / "n" / "f", outside / "e" / "f"):
            path.write_text(SECRET)
        (inside / "trap").symlink_to(outside)
        yield inside, outside


def seen(top: Path) -> dict[str, tuple[str, int]]:
    """All beneath a directory: what it holds, and who may use it."""
    return {
        str(path): (path.read_text() if path.is_file() else "", found.st_mode)
        for path in sorted(top.rglob("*"))
        for found in (path.lstat(),)
    }


def _exchange(one: Path, other: Path) -> None:
    _LIBC.renameat2(_HERE, os.fsencode(one), _HERE, os.fsencode(other), _EXCHANGE)


def _swap(inside: Path, _: Path) -> None:
    _exchange(inside / "d", inside / "trap")


def _rename(inside: Path, _: Path) -> None:
    (inside / "d").rename(inside / "spare")
    (inside / "trap").rename(inside / "d")
    (inside / "d").rename(inside / "trap")
    (inside / "spare").rename(inside / "d")


def _symlink(inside: Path, outside: Path) -> None:
    for name in ("f", "n"):
        new = inside / "new"
        new.symlink_to(outside / name)
        new.replace(inside / "d" / name)
    (inside / "d" / "f").unlink()


def _hard_link(inside: Path, outside: Path) -> None:
    (inside / "new").hardlink_to(outside / "f")
    (inside / "new").replace(inside / "d" / "f")
    (inside / "d" / "f").unlink()


def _bind(inside: Path, outside: Path) -> None:
    where = inside / "d"
    where.mkdir(exist_ok=True)
    _LIBC.mount(os.fsencode(outside), os.fsencode(where), None, _BIND, None)
    time.sleep(0.0005)
    _LIBC.umount2(os.fsencode(where), _DETACH)


# the attack, the acts that it races against, and how one ends that has met it
KINDS: dict[str, tuple[Callable[[Path, Path], None], tuple[Act, ...], str]] = {
    "swap": (_swap, _ALL, "escape"),
    "rename": (_rename, _ALL, "escape"),
    "symlink": (_symlink, _ALL, "escape"),
    "hard link": (_hard_link, _CHANGE, "it has other names (hard links)"),
    "bind": (_bind, (_REMOVE,), "something is mounted there or in it"),
}
_LONGEST = 60.0
"""Seconds until both ends have been met, after all tries."""


def _attack(act: Callable[[Path, Path], None], inside: Path, outside: Path) -> None:
    """For ever; what the other side has made of it is mended."""
    while True:
        try:
            act(inside, outside)
        except OSError:
            with suppress(OSError):
                _mend(inside, outside)


def _mend(inside: Path, outside: Path) -> None:
    shutil.rmtree(inside / "spare", ignore_errors=True)
    for place in (inside / "new", inside / "d", inside / "d" / "n"):
        if place.is_symlink() or place.is_file():
            place.unlink()
    (inside / "d").mkdir(exist_ok=True)
    if not (inside / "trap").is_symlink():
        shutil.rmtree(inside / "trap", ignore_errors=True)
        (inside / "trap").symlink_to(outside)


def _within(inside: Path) -> dict[str, Any]:
    """What a request says of where the step may work."""
    return {"workspace": str(inside), "free": False, "write": [], "read": []}


def race(kind: str, tries: int, seed: int) -> dict[str, Any]:
    """How the acts ended, what was read, and whether all outside is as it was."""
    attack, acts, lost = KINDS[kind]
    chance = random.Random(seed)
    until = time.monotonic() + _LONGEST
    ends: Counter[str] = Counter()
    read: set[str] = set()
    with house() as (inside, outside):
        before = seen(outside)
        attacker = os.fork()
        if not attacker:
            _attack(attack, inside, outside)
        try:
            for number in count():
                met = ends["done"] and any(end.startswith(lost) for end in ends)
                if number >= tries and (met or time.monotonic() > until):
                    break
                module, params = chance.choice(acts)
                params = _DEFAULTS[module] | params
                answer = perform({"module": module, "params": params, **_within(inside)})
                ends["escape" if answer.get("fatal") else answer.get("error", "done")] += 1
                read.add(str((answer.get("summary") or {}).get("content")))
        finally:
            os.kill(attacker, signal.SIGKILL)
            os.waitpid(attacker, 0)
            _LIBC.umount2(os.fsencode(inside / "d"), _DETACH)
        return {"ends": ends, "read": sorted(read), "same": seen(outside) == before}


if __name__ == "__main__":
    private_mounts()
    print(json.dumps(race(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))))

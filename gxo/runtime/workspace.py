"""Workspace: the private directory of one run, and its removal whatever a step left in it."""

import fcntl
import os
import re
from pathlib import Path

from gxo.dataclass import dataclass
from gxo.modules.tree import directory, empty
from gxo.runtime.mounts import detach_beneath

PLACE = Path("/var/lib/gxo/workspaces")
_NAME = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class WorkspaceError(Exception):
    """A workspace cannot be made or removed: "cannot X: reason"."""


@dataclass(frozen=True, slots=True)
class Workspaces:
    """The directory that holds them all."""

    place: Path = PLACE

    def name(self) -> Path:
        """A path for a new workspace, which nobody can guess: a random UUID."""
        return self.place / Path("/proc/sys/kernel/random/uuid").read_text(encoding="ascii").strip()

    def all(self) -> tuple[Path, ...]:
        """The workspaces that exist, by name; what else lies there is left out."""
        if not self.place.is_dir():
            return ()
        return tuple(sorted(path for path in self.place.iterdir() if _NAME.fullmatch(path.name)))


COPIES = Workspaces(Path("/var/lib/gxo/modules"))
"""The copies of modules that runs start, each under its workspace's name (outside.py)."""


def make(path: Path, owner: tuple[int, int] | None = None) -> None:
    """Make a workspace, 0700, of that user and group (else of this process). WorkspaceError."""
    try:
        path.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
        path.mkdir(mode=0o700)
        if owner is not None:
            os.chown(path, *owner)
    except OSError as error:
        raise WorkspaceError(f"cannot make workspace {path}: {error.strerror}") from None


def remove(path: Path) -> None:
    """Remove a workspace with all in it; none there is fine. Nothing outside it is touched.

    Nobody may be at work in it any more. Follows no symlink and enters no mount. Raises
    WorkspaceError; what is left then can be removed by a second call.
    """
    try:
        detach_beneath(path)
        with directory(path) as top:
            fcntl.flock(top, fcntl.LOCK_EX)  # one at a time: the next finds it gone
            empty(top)
            path.rmdir()
    except FileNotFoundError:
        return
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        raise WorkspaceError(f"cannot remove workspace {path}: {where}{error.strerror}") from None

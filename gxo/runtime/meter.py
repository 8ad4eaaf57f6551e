"""Meter: about how much the programs of a step have read and written, as the kernel counts it.

Between two programs the kernel moves a stream, and no process of gxo's can count it.
"""

from contextlib import suppress
from pathlib import Path

from gxo.runtime.names import RunNames
from gxo.units.names import ROOT_SLICE

_TREES = {
    "": (Path("/sys/fs/cgroup"), Path("/sys/fs/cgroup/unified")),
    "name=systemd": (Path("/sys/fs/cgroup/systemd"),),
}
"""Where the control groups lie that systemd keeps itself (cgroups(7)), by how a process names them.

The first is the only tree of a host, or one of several.
"""


class Meter:
    """All processes of one control group. What an ended process did counts for the parent that
    waited for it (proc_pid_io(5)); what no parent in the group waited for is missed.
    """

    def __init__(self, group: Path) -> None:
        self.read = self.written = 0
        self.lives = False
        self._processes = group / "cgroup.procs"

    def look(self) -> None:
        """Read the counters; those of a process that has ended keep their last values."""
        self.lives = False
        read = written = 0
        with suppress(OSError):
            for process in self._processes.read_text().split():
                with suppress(OSError):
                    lines = Path("/proc", process, "io").read_text().splitlines()
                    read += int(lines[0].removeprefix("rchar: "))
                    written += int(lines[1].removeprefix("wchar: "))
                    self.lives = True
        self.read, self.written = max(self.read, read), max(self.written, written)


def groups_of(names: RunNames, own: str) -> Path | None:
    """The directory in which the control groups of a run's steps lie, from what /proc/self/cgroup
    says of its runner; None where the runner is in no group of systemd's.
    """
    for line in own.splitlines():
        _, name, path = line.split(":", 2)
        above, found, _ = path.partition(f"/{ROOT_SLICE}/")
        for tree in _TREES.get(name, ()) if found else ():
            if (tree / path.lstrip("/")).is_dir():
                return tree / above.lstrip("/") / "gxorun.slice" / names.slice
    return None

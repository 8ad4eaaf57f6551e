"""What a lab left on the host: looked for everywhere it could be."""

import os
import time
from contextlib import suppress
from pathlib import Path


def remains(machine: str) -> list[str]:
    """Processes, control groups, mounts and directories that bear the lab's name."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            words = (process / "cmdline").read_bytes() + (process / "cgroup").read_bytes()
            state = (process / "stat").read_text().rpartition(")")[2].split()[0]
            # a zombie has ended: it waits for the host's PID 1 to take note
            if machine.encode() in words and state not in "ZX":
                found.append(f"process {process.name}")
    # os.walk, unlike rglob, bears with directories that go while it looks
    for directory, names, _ in os.walk("/sys/fs/cgroup"):
        found += [f"{directory}/{name}" for name in names if machine in name]
    mounts = Path("/proc/self/mountinfo").read_text()
    found += [line for line in mounts.splitlines() if machine in line]
    found += [str(p) for top in ("/run", "/tmp", "/var/tmp") for p in Path(top).glob("*gxo-lab*/*")
              if machine in p.name]  # fmt: skip
    return found


def wait_until_gone(machine: str, patience: float = 10.0) -> list[str]:
    """What remains once nothing does, or `patience` seconds are over."""
    deadline = time.monotonic() + patience
    while (left := remains(machine)) and time.monotonic() < deadline:
        time.sleep(0.02)
    return left

"""Starts a detached run, `peak.py COMMAND…`, and prints the most memory its runner held, in kB."""

import re
import subprocess
import sys
import time
from pathlib import Path


def main(command: list[str]) -> None:
    run = subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    show = ["systemctl", "show", "--value", "--property=MainPID", f"gxo-run-{run}.service"]
    pid = subprocess.run(show, capture_output=True, text=True, check=True).stdout.strip()
    status = Path("/proc", pid, "status")
    peak = 0
    while pid != "0" and (found := _peak(status)):
        peak = found  # it never falls
        time.sleep(0.01)
    print(peak)


def _peak(status: Path) -> int:
    """0 where the process has ended."""
    try:
        found = re.search(r"VmHWM:\s+(\d+)", status.read_text())
    except OSError:
        return 0
    return int(found[1]) if found else 0


main(sys.argv[1:])

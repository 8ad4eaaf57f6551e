"""Run other programs: their output is kept quiet unless they fail."""

import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from machine.error import MachineError


def run(
    doing: str,
    argv: Sequence[str | Path],
    *,
    env: Mapping[str, str] | None = None,
    timeout: float | None = None,
) -> str:
    """Run `argv` to its end and return its stdout.

    `doing` is what the program is for, as in "cannot DOING: …". `timeout` is in seconds.
    Raises MachineError with the program's last lines if it is missing, fails or takes too long.
    """
    try:
        process = subprocess.Popen(
            argv,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
    except FileNotFoundError:
        raise MachineError(f"cannot {doing}: there is no {argv[0]} on this host") from None
    try:
        output, errors = process.communicate(timeout=timeout)
    except subprocess.TimeoutExpired:
        raise MachineError(f"cannot {doing}: {argv[0]} took over {timeout:.0f} s") from None
    finally:
        if process.poll() is None:  # timed out, or we are to end: it may tidy up before
            process.terminate()
            process.communicate()
    if process.returncode:
        last = "\n".join((errors or output).splitlines()[-15:])
        raise MachineError(f"cannot {doing}: {argv[0]} exited with {process.returncode}\n{last}")
    return output

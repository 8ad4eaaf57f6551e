"""Run the tests in this directory on booted Debian machines.

    python vm-tests [bookworm|trixie] [argument of pytest]…
    python vm-tests bookworm|trixie shell

Without a release, on both. Needs root the first time, when it builds the machines.
"""

import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from pathlib import Path
from threading import Thread
from types import FrameType

from machine import cache, snapshot, ssh
from machine.error import MachineError
from machine.suite import HERE, SUITES

STARTED = time.monotonic()


def say(text: str) -> None:
    """A line of progress, with the seconds since the start."""
    print(f"{time.monotonic() - STARTED:6.1f} s  {text}", file=sys.stderr)


def main(arguments: list[str]) -> int:
    """Boot, run, tear down; returns the exit code of pytest or of the shell."""
    if arguments and arguments[0] in {"-h", "--help"}:
        print(__doc__)
        return 0
    chosen = arguments[:1] if arguments and arguments[0] in SUITES else list(SUITES)
    rest = arguments[1:] if arguments and arguments[0] in SUITES else arguments
    with ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="gxo-vm-")))
        config = directory / "ssh"
        machines = []
        for name in chosen:
            kept = stack.enter_context(cache.cached(SUITES[name], say))
            machines.append(
                stack.enter_context(snapshot.restored(name, kept.image, kept.snapshot, directory))
            )
            ssh.write_config(config, machines, kept.key)
        for machine in machines:
            stack.callback(ssh.disconnect, config, machine.name)
            ssh.wait(config, machine, seconds=60)
            snapshot.set_clock(config, machine.name)
            say(f"{machine.name}: up")
        if rest == ["shell"]:
            return _wait([subprocess.Popen(["ssh", "-F", str(config), chosen[0]])])
        if len(chosen) == 1:
            return _wait([subprocess.Popen(_pytest(chosen[0], directory, rest))])
        return _side_by_side({name: _pytest(name, directory, rest) for name in chosen})


def _pytest(name: str, directory: Path, arguments: list[str]) -> list[str]:
    """How pytest is called for one machine; without a path among `arguments`, on every test."""
    named = any(Path(argument.partition("::")[0]).exists() for argument in arguments)
    return [
        *("setpriv", "--pdeathsig", "INT", "--"),  # also where we get no chance to end it
        *(sys.executable, "-m", "pytest"),
        *(f"--hosts=ssh://{name}", f"--ssh-config={directory / 'ssh'}", f"--power={directory}"),
        *(arguments if named else [*arguments, str(HERE)]),
    ]


def _side_by_side(commands: dict[str, list[str]]) -> int:
    """Run one command a machine, all at once, each of its lines after the machine's name."""

    def relay(name: str, lines: Iterable[str]) -> None:
        for line in lines:
            print(f"{name:>8} | {line}", end="", flush=True)

    processes = {
        name: subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        for name, argv in commands.items()
    }
    relays = [Thread(target=relay, args=(n, p.stdout), daemon=True) for n, p in processes.items()]
    for thread in relays:
        thread.start()
    try:
        return _wait([*processes.values()])
    finally:
        for thread in relays:
            thread.join()


def _wait(processes: Sequence[subprocess.Popen[str] | subprocess.Popen[bytes]]) -> int:
    """Wait for all, and return the worst exit code. If we are to end, they end before us."""
    try:
        return max(process.wait() for process in processes)
    except KeyboardInterrupt:  # the terminal has told them too
        for process in processes:
            process.wait()
        raise
    except SystemExit:  # SIGTERM was for us alone
        for process in processes:
            process.send_signal(signal.SIGINT)
        for process in processes:
            process.wait()
        raise


def _terminate(number: int, frame: FrameType | None) -> None:
    raise SystemExit(128 + number)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, _terminate)
    try:
        sys.exit(main(sys.argv[1:]))
    except MachineError as error:
        sys.exit(f"error: {error}")
    except KeyboardInterrupt:
        sys.exit(130)

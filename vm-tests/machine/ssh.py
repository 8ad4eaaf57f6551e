"""Commands in a machine, over one shared ssh connection each."""

import subprocess
import time
from collections.abc import Iterable
from pathlib import Path

from machine.error import MachineError
from machine.process import run
from machine.qemu import Machine


def make_key(path: Path) -> str:
    """The public key beside the private key `path`; both are made if they are missing."""
    if not path.exists():
        keygen = ("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "")
        run("make an ssh key", [*keygen, "-f", path])
    return path.with_suffix(".pub").read_text()


def write_config(path: Path, machines: Iterable[Machine], key: Path) -> None:
    """An ssh_config(5) in which each machine is a host of its name."""
    hosts = (f"Host {m.name}\n  Port {m.port}\n" for m in machines)
    path.write_text(
        "".join(hosts) + "Host *\n"
        "  HostName 127.0.0.1\n"
        "  User root\n"
        f"  IdentityFile {key}\n"
        "  IdentitiesOnly yes\n"
        "  BatchMode yes\n"
        # Every machine of one image has the same host key, and its port is nobody else's.
        "  StrictHostKeyChecking no\n"
        "  UserKnownHostsFile /dev/null\n"
        "  LogLevel ERROR\n"
        # A command over a connection that stands takes 0.1 s; a new one takes 1 s.
        "  ControlMaster auto\n"
        f"  ControlPath {path.parent}/%n.ssh\n"
        "  ControlPersist 600\n"
        "  ConnectTimeout 10\n"
        "  ServerAliveInterval 15\n"
    )


def wait(config: Path, machine: Machine, *, seconds: float) -> None:
    """Wait until commands can be run. Raises MachineError, with the console's end, if none can."""
    deadline = time.monotonic() + seconds
    attempt = ["ssh", "-F", str(config), machine.name, "true"]
    while subprocess.run(attempt, capture_output=True, check=False).returncode:
        if time.monotonic() > deadline:
            last = machine.console.read_text(errors="replace").splitlines()[-20:]
            raise MachineError(
                "\n".join((f"cannot reach {machine.name} by ssh: its console says", *last))
            )
        time.sleep(0.2)


def command(config: Path, name: str, script: str) -> str:
    """The stdout of a shell script in the machine. Raises MachineError if it fails."""
    return run(f"prepare {name}", ["ssh", "-F", config, name, script], timeout=300)


def disconnect(config: Path, name: str) -> None:
    """End the shared connection; without one there is nothing to do."""
    subprocess.run(["ssh", "-F", config, "-O", "exit", name], capture_output=True, check=False)

"""A machine as a QEMU process: its hardware, start and end."""

import re
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from machine.error import MachineError
from machine.image import Image
from machine.process import run
from machine.qmp import Qmp

PROGRAM = "qemu-system-x86_64"

# Emulation, said outright: a /dev/kvm that opens proves nothing, and this runs anywhere.
_HARDWARE = (
    *("-accel", "tcg,thread=multi,tb-size=512", "-machine", "pc", "-cpu", "max"),
    *("-smp", "2", "-m", "1G", "-nodefaults", "-no-user-config", "-display", "none"),
    *("-device", "virtio-rng-pci"),
    *("-device", "virtio-blk-pci,drive=disk", "-device", "virtio-net-pci,netdev=net,romfile="),
)
_KERNEL_ARGUMENTS = (
    "console=ttyS0 net.ifnames=0 quiet loglevel=4 panic=1 systemd.show_status=0 "
    # what an emulated machine need not spend its time on
    "mitigations=off tsc=reliable random.trust_cpu=on audit=0 "
    "module_blacklist=kvm_amd,kvm,ata_piix,libata,psmouse,pcspkr"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """A running machine: its control socket, the loopback port of its ssh, its console's log."""

    name: str
    control: Path
    port: int
    console: Path


def fingerprint(image: Image) -> str:
    """QEMU's version and the hardware: a saved state fits only where this is the same."""
    version = run("ask QEMU its version", [PROGRAM, "--version"]).splitlines()[0]
    return "\n".join((version, *_boot(image)))


@contextmanager
def machine(
    name: str, image: Image, disk: Path, directory: Path, *, state: Path | None = None
) -> Iterator[Machine]:
    """A machine for as long as the `with` block lasts.

    Without `state` it boots, and writes to `disk` (qcow2). With `state` it is restored from there
    and waits for `resume`, and what it writes goes to an unnamed file that ends with it.
    `directory` takes its sockets and its console's log. Raises MachineError if it does not start.
    """
    control, console = directory / f"{name}.qmp", directory / f"{name}.console"
    # The socket's path has at most 107 bytes; a restored machine's disk is used as a lower layer.
    drive = f"file={disk},format=qcow2,if=none,id=disk,cache=unsafe"
    argv = (
        # Killed with this process, however that ends; a session of its own: Ctrl-C is for us.
        *("setpriv", "--pdeathsig", "KILL", "--", PROGRAM, *_boot(image)),
        *("-drive", drive + (",snapshot=on" if state else "")),
        # Port 0: the kernel chooses a free one. `restrict`: nothing leads out of the machine.
        *("-netdev", "user,id=net,restrict=on,hostfwd=tcp:127.0.0.1:0-:22"),
        *("-serial", f"file:{console}"),
        *("-qmp", f"unix:{control},server=on,wait=off"),
        *(("-incoming", f"exec:cat '{state}'") if state else ()),
    )
    log = directory / f"{name}.qemu"
    with log.open("w") as output:
        process = subprocess.Popen(
            argv,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    try:
        with _connect(process, control, log) as qmp:
            usernet = qmp.execute("human-monitor-command", command_line="info usernet")
        port = _forwarded_port(usernet)
        yield Machine(name=name, control=control, port=port, console=console)
    finally:
        process.kill()  # the disk is a throw-away layer, or was flushed by `save`
        process.wait()


def save(running: Machine, state: Path) -> None:
    """Stop the machine for good and write its memory and devices to the file `state`."""
    with Qmp(running.control) as qmp:
        qmp.execute("stop")
        qmp.execute("migrate-set-parameters", max_bandwidth=1 << 34)
        qmp.execute("migrate", uri=f"exec:cat > '{state}'")
        _until(qmp, "query-migrate", wanted="completed", failed=("failed", "cancelled"))


def resume(restored: Machine) -> None:
    """Wait until the state is loaded, and let the machine run on."""
    with Qmp(restored.control) as qmp:
        _until(qmp, "query-status", wanted="paused", failed=("internal-error", "shutdown"))
        qmp.execute("cont")


def cut_power(control: Path) -> None:
    """Reset the machine as its power button would: whatever it has not written is lost."""
    with Qmp(control) as qmp:
        qmp.execute("system_reset")


def _boot(image: Image) -> tuple[str, ...]:
    kernel = ("-kernel", str(image.kernel), "-initrd", str(image.initrd))
    return (*_HARDWARE, *kernel, "-append", _KERNEL_ARGUMENTS)


def _connect(process: subprocess.Popen[bytes], control: Path, log: Path) -> Qmp:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        if process.poll() is not None:
            break
        try:
            return Qmp(control)
        except OSError:
            time.sleep(0.02)
    raise MachineError(f"cannot start a machine: {PROGRAM} says\n{log.read_text()}")


def _forwarded_port(usernet: str) -> int:
    match = re.search(r"TCP\[HOST_FORWARD\]\s+\d+\s+127\.0\.0\.1\s+(\d+)", usernet)
    if not match:
        raise MachineError(f"cannot reach the machine: QEMU forwards no port\n{usernet}")
    return int(match[1])


def _until(qmp: Qmp, query: str, *, wanted: str, failed: tuple[str, ...]) -> None:
    deadline = time.monotonic() + 120
    while (status := qmp.execute(query).get("status")) != wanted:
        if status in failed or time.monotonic() > deadline:
            raise MachineError(f"cannot save or restore the machine: {query} says {status}")
        time.sleep(0.05)

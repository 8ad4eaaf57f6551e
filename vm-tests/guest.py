"""What a test does with a machine beyond running a command in it: copy, reboot, cut the power."""

import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from testinfra.host import Host

from machine import qemu, ssh

BOOT_TIMEOUT = 240.0  # seconds; an idle host needs 15
BOOT_ID = "/proc/sys/kernel/random/boot_id"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut:
    """A power cut: the how-manieth of the run, and the instant as a fraction of what it is in."""

    number: int
    fraction: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Guest:
    """A machine that the tests may do anything to. `control` is None where it is not QEMU's."""

    host: Host
    control: Path | None

    @property
    def name(self) -> str:
        return str(self.host.backend.get_hostname())

    @property
    def config(self) -> Path:
        return Path(self.host.backend.ssh_config)

    def copy(self, source: Path, into: str) -> None:
        """Copy a file or a tree into a directory that the ssh user may write to."""
        argv: list[str | Path] = ["scp", "-q", "-r", "-F", self.config, source]
        subprocess.run([*argv, f"{self.name}:{into}"], check=True, timeout=120)

    def reboot(self) -> None:
        """Reboot as an administrator does, and wait until it is up again."""
        before = self.boot_id()
        self.host.run("systemctl reboot")
        self.wait_for_another_boot(before)

    def cut_power(self) -> None:
        """Reset the machine at once. It boots again: `wait_for_another_boot`."""
        if self.control:
            qemu.cut_power(self.control)
        else:
            self.host.run("(sleep 0.2; echo b > /proc/sysrq-trigger) > /dev/null 2>&1 &")

    def boot_id(self) -> str:
        """The kernel's name for this boot."""
        return str(self.host.check_output(f"cat {BOOT_ID}"))

    def wait_for_another_boot(self, before: str) -> None:
        """Wait until the machine has booted to the end under another id than `before`."""
        ssh.disconnect(self.config, self.name)
        deadline = time.monotonic() + BOOT_TIMEOUT
        while time.monotonic() < deadline:
            try:
                if self.boot_id() != before:
                    self.host.run("systemctl is-system-running --wait")
                    return
            except RuntimeError:  # testinfra's, for ssh's own failure: not up yet
                pass
            time.sleep(0.5)
        raise AssertionError(f"{self.name} did not boot within {BOOT_TIMEOUT:.0f} s")

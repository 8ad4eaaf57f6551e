"""The first process of a lab's PID namespace: holds the mounts, runs systemd-nspawn, dies last.

As it is first, the kernel kills every process of the lab with it.
"""

import json
import os
import select
import signal
import socket
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from gxo.dataclass import dataclass
from gxo.lab import cgroups, kernel, view
from gxo.lab.mounts import Layer
from gxo.lab.spec import DROPPED, CgroupMode, LabError
from gxo.runtime.mounts import detach_beneath

# systemd-nspawn --keep-unit's way to say that the guest asked for a reboot (systemd-nspawn(1))
_REBOOT = 133
# from systemd 257 on it mounts something there, leaves it when it is killed, and then refuses it
_LEFT = Path("/run/systemd/nspawn")
_HIERARCHY = "SYSTEMD_NSPAWN_UNIFIED_HIERARCHY"
# nspawn mounts version 1's controllers read-only. They are the guest's own (it has a cgroup
# namespace), so it may write them: else no limit would be enforced.
_INIT = (
    "for m in /sys/fs/cgroup/*; do [ -L $m ] || mount -o remount,bind,rw,nosuid,nodev,noexec $m"
    ' 2>/dev/null; done; exec "$@"'
)


def keep(
    request: Mapping[str, Any],
    mode: CgroupMode,
    groups: Sequence[Path],
    control: socket.socket,
    life: int,
) -> None:
    """Build the tree, boot, and serve the owner until it, the guardian or nspawn is gone.

    life  a descriptor that reads end of file when the guardian is gone
    """
    kernel.die_with_parent(signal.SIGKILL)
    try:
        options = view.build(
            [Layer(*fields) for fields in request["layers"]],
            request["binds"],
            hostname=request["hostname"],
            machine_id=request["machine_id"],
            keep_state=request["keep_state"],
        )
        notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)
        notify.bind(str(view.NOTIFY))
        argv = _nspawn(request, options)
        keeper = _Keeper(argv, _environment(mode), groups, control, notify, life)
        while keeper.boot():
            cgroups.clear(groups)
    except (LabError, OSError) as error:
        fail(control, error)


def _nspawn(request: Mapping[str, Any], binds: Sequence[str]) -> tuple[str, ...]:
    return (
        request["nspawn"],
        "--quiet",
        "--settings=no",
        "--register=no",
        "--keep-unit",
        "--notify-ready=yes",
        "--console=pipe",
        f"--machine={request['machine']}",
        f"--hostname={request['hostname']}",
        f"--directory={view.ROOT}",
        "--private-network",
        "--link-journal=no",
        "--resolv-conf=off",
        "--timezone=off",
        "--capability=all",
        f"--drop-capability={','.join(f'CAP_{name}' for name in DROPPED)}",
        *binds,
        "/bin/sh",
        "-c",
        _INIT,
        "init",
        request["init"],
        f"--unit={request['target']}",
        "--show-status=no",
    )


def _environment(mode: CgroupMode) -> dict[str, str]:
    hierarchy = {CgroupMode.V2: {_HIERARCHY: "1"}, CgroupMode.LEGACY: {_HIERARCHY: "0"}}
    return {
        "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        "NOTIFY_SOCKET": str(view.NOTIFY),
        # nspawn's own filter would refuse the guest calls that a machine has (keyrings, bpf)
        "SYSTEMD_SECCOMP": "0",
        **hierarchy.get(mode, {}),  # unset, a hybrid host gives a hybrid guest
    }


class _GoneError(Exception):
    """The owner or the guardian is no more: nobody wants this lab."""


@dataclass(frozen=True, slots=True)
class _Keeper:
    argv: tuple[str, ...]
    environment: Mapping[str, str]
    groups: Sequence[Path]
    control: socket.socket
    notify: socket.socket
    life: int

    def boot(self) -> bool:
        """One boot, to its end; whether to boot again."""
        detach_beneath(_LEFT)
        try:
            nspawn = self._start()
            ready, wanted, status = self._attend(nspawn)
            _kill_all()
            if os.WIFEXITED(status) and os.WEXITSTATUS(status) == _REBOOT:
                tell(self.control, event="rebooting")
                return True
            if not ready and not wanted:
                said = view.CONSOLE.read_text(errors="replace").strip()[-2000:]
                raise LabError(f"cannot boot the lab: {said or 'systemd-nspawn ended early'}")
            if os.WIFSIGNALED(status) and not wanted:
                return False  # somebody killed nspawn: the lab ends with it
            tell(self.control, event="stopped")
            while self._command() != "start":
                pass
        except _GoneError:
            return False
        return True

    def _start(self) -> int:
        child = os.fork()
        if child:
            return child
        try:
            console = os.open(view.CONSOLE, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            for fd in (1, 2):
                os.dup2(console, fd)
            cgroups.join(self.groups)
            os.execve(self.argv[0], self.argv, self.environment)  # noqa: S606 - no shell is the point
        except OSError as error:
            os.write(2, f"{self.argv[0]}: {error}".encode())
        finally:
            os._exit(127)

    def _attend(self, nspawn: int) -> tuple[bool, bool, int]:
        """Serve until nspawn ends: was the guest ready, was the end asked for, wait status."""
        ready = wanted = False
        ended = os.pidfd_open(nspawn)
        events = select.poll()
        for fd in (self.control.fileno(), self.notify.fileno(), self.life, ended):
            events.register(fd, select.POLLIN)
        try:
            while True:
                for fd, _ in events.poll():
                    if fd == self.life:
                        raise _GoneError
                    if fd == self.control.fileno() and self._command() == "kill":
                        wanted = True
                        os.kill(-1, signal.SIGKILL)
                    if fd == self.notify.fileno() and b"READY=1" in self.notify.recv(4096).split():
                        ready = True
                        tell(self.control, event="ready")
                    if fd == ended:
                        return ready, wanted, os.waitpid(nspawn, 0)[1]
        finally:
            os.close(ended)

    def _command(self) -> str:
        message = self.control.recv(4096)
        if not message:
            raise _GoneError
        return message.decode()


def _kill_all() -> None:
    """End every other process of this PID namespace and reap it."""
    with suppress(ProcessLookupError):
        os.kill(-1, signal.SIGKILL)
    with suppress(ChildProcessError):
        while True:
            os.waitpid(-1, 0)


def fail(control: socket.socket, error: LabError | OSError) -> None:
    """Tell the owner why there is no lab."""
    reason = str(error) if isinstance(error, LabError) else f"cannot boot the lab: {error}"
    tell(control, event="failed", reason=reason)


def tell(control: socket.socket, **event: object) -> None:
    """Send the owner one event; an owner that is gone hears nothing."""
    with suppress(OSError):
        control.send(json.dumps(event).encode(), socket.MSG_DONTWAIT)

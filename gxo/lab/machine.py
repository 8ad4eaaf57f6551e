"""A lab as its owner sees it: boot, run programs in it, reboot, cut its power, close."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import gxo
from gxo.lab import host, sweep
from gxo.lab.spec import DROPPED, CgroupMode, LabError, LabSpec, Limits

_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_ENVIRONMENT = {"PATH": _PATH, "HOME": "/root", "LANG": "C.UTF-8", "SHELL": "/bin/sh"}
# the namespaces, root and directory of the target that nsenter(1) enters
_ALL = ("-m", "-u", "-i", "-n", "-p", "-C", "-r", "-w")


class Lab:
    """A running machine. Made by `boot`; a context manager that leaves nothing behind.

    limits   which resource limits are enforced inside
    machine  its name among this host's labs
    """

    def __init__(self, spec: LabSpec, guardian: "subprocess.Popen[bytes]", control: socket.socket):
        self.spec = spec
        self.machine = ""
        self.limits = Limits(mode=spec.cgroup)
        self._guardian = guardian
        self._control = control
        self._keeper = 0
        self._leader = 0

    @classmethod
    def boot(cls, spec: LabSpec | None = None) -> Self:
        """Boot a lab to its target, in about half a second. Raises LabError."""
        spec = spec or LabSpec()
        host.check(spec)
        machine = f"gxo-lab-{os.urandom(4).hex()}"
        request = _request(spec, machine)
        mine, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            guardian = _start_guardian(theirs.fileno(), machine)
        lab = cls(spec, guardian, mine)
        lab.machine = machine
        try:
            mine.send(json.dumps(request).encode())
            made = lab._expect("made", spec.timeout)
            lab._keeper = made["keeper"]
            controllers = frozenset(made["controllers"])
            lab.limits = Limits(mode=CgroupMode(made["mode"]), controllers=controllers)
            lab.wait_ready(spec.timeout)
        except BaseException:
            lab.close()
            raise
        return lab

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    @property
    def leader(self) -> int:
        """The PID, in the owner's namespace, of the guest's systemd.

        Raises LabError where the guest is off. Another one after each boot.
        """
        while event := self._receive(0):
            self._note(event)
        if not self._leader:
            raise LabError("cannot reach the lab: it is switched off")
        return self._leader

    @property
    def guardian(self) -> int:
        """The PID of the process that clears up when this one is gone."""
        return self._guardian.pid

    @property
    def bus_address(self) -> str:
        """The guest's system bus, for a D-Bus client on this host."""
        return f"unix:path=/proc/{self.leader}/root/run/dbus/system_bus_socket"

    def path(self, inside: str | Path) -> Path:
        """A guest's path as one of this host's; absolute symlinks in it lead to the host."""
        return Path(f"/proc/{self.leader}/root") / str(inside).lstrip("/")

    def exec_argv(
        self,
        argv: Sequence[str],
        *,
        env: Mapping[str, str] | None = None,
        user: str | None = None,
    ) -> list[str]:
        """The command that runs `argv` inside with the caller's terminal.

        env is added to a plain root's environment and the caller's TERM; user is a name or
        `UID[:GID]` of the guest's.
        """
        kept = {key: os.environ[key] for key in ("TERM", "NO_COLOR") if key in os.environ}
        words = [f"{key}={value}" for key, value in (_ENVIRONMENT | kept | dict(env or {})).items()]
        return [*self._enter(user), "/usr/bin/env", "-i", *words, *argv]

    def run(
        self,
        argv: Sequence[str],
        *,
        env: Mapping[str, str] | None = None,
        user: str | None = None,
        input: str | None = None,  # noqa: A002 - as subprocess.run has it
        check: bool = False,
        timeout: float | None = None,
    ) -> "subprocess.CompletedProcess[str]":
        """Run a program inside, its output captured as text; about 3 ms beside its own time.

        Raises LabError (the guest is gone), subprocess.CalledProcessError (with check) and
        subprocess.TimeoutExpired (the program is killed).
        """
        process = subprocess.Popen(
            [*self._enter(user), *argv],
            stdin=subprocess.DEVNULL if input is None else subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
            env=_ENVIRONMENT | dict(env or {}),
            start_new_session=True,  # so that nsenter and what it forks can be killed together
        )
        with process:
            try:
                out, err = process.communicate(input, timeout)
            except BaseException:
                with suppress(ProcessLookupError):  # it may have ended with us, by the same signal
                    os.killpg(process.pid, signal.SIGKILL)
                raise
        done = subprocess.CompletedProcess(list(argv), process.returncode, out, err)
        if check:
            done.check_returncode()
        return done

    def _enter(self, user: str | None) -> list[str]:
        nsenter = host.tool("nsenter", "util-linux")
        # who enters brings the host's capabilities along, and shall have only the guest's
        dropped = ",".join(f"-{name.lower()}" for name in DROPPED)
        limited = ["setpriv", f"--bounding-set={dropped}", f"--inh-caps={dropped}"]
        enter = [nsenter, f"--target={self.leader}", *_ALL, "--", *limited]
        if user is None:
            return enter
        uid, gid = self._user(user)
        return [*enter, f"--reuid={uid}", f"--regid={gid}", "--init-groups"]

    def _user(self, user: str) -> tuple[str, str]:
        if user[:1].isdigit():
            uid, _, gid = user.partition(":")
            return uid, gid or uid
        for line in self.path("/etc/passwd").read_text(errors="replace").splitlines():
            fields = line.split(":")
            if fields[0] == user and len(fields) > 3:
                return fields[2], fields[3]
        raise LabError(f"cannot run as {user}: the lab has no such user")

    def reboot(self, timeout: float = 60.0) -> None:
        """Reboot in an orderly way: the file system stays, /run, /tmp and the groups go."""
        os.kill(self.leader, signal.SIGRTMIN + 5)  # systemd(1): isolates reboot.target
        self.wait_ready(timeout)

    def kill(self, timeout: float = 10.0) -> None:
        """Cut the power: all processes die at once; `start` boots what is on the file system."""
        _ = self.leader  # a lab that is off or gone says so
        self._control.send(b"kill")
        self._expect("stopped", timeout)

    def start(self, timeout: float = 60.0) -> None:
        """Boot again after `kill`, or after the guest switched itself off."""
        self._control.send(b"start")
        self.wait_ready(timeout)

    def close(self) -> None:
        """Take the lab away: processes, mounts, control groups. Safe to call again."""
        self._control.close()
        self._leader = 0
        try:
            status = self._guardian.wait(20)
        except subprocess.TimeoutExpired:
            self._guardian.kill()
            status = self._guardian.wait()
        if self._guardian.stderr:
            self._guardian.stderr.close()
        if status != 0:  # the guardian did not get to the end of its work
            sweep.sweep()
        _await_scope_end(self.machine)

    def wait_ready(self, timeout: float = 60.0) -> None:
        """Wait for the next boot to be complete, after the guest was asked to reboot."""
        self._expect("ready", timeout)

    def _expect(self, name: str, timeout: float) -> dict[str, Any]:
        """The next event of that name. Raises LabError: it failed, is gone, or takes too long."""
        deadline = time.monotonic() + timeout
        while True:
            event = self._receive(max(0.001, deadline - time.monotonic()))
            if event is None:
                raise LabError(f"cannot get the lab {name}: it took more than {timeout:g} s")
            self._note(event)
            if event["event"] == name:
                return event

    def _receive(self, timeout: float) -> dict[str, Any] | None:
        """One event, or None when none comes in time. Raises LabError when none can come."""
        try:
            self._control.settimeout(timeout)
            message = self._control.recv(1 << 16)
        except (BlockingIOError, TimeoutError):
            return None
        except OSError as error:
            raise LabError("cannot reach the lab: it is closed") from error
        if message:
            event: dict[str, Any] = json.loads(message)
            return event
        self._leader = 0
        said = self._guardian.stderr.read() if self._guardian.stderr else b""
        text = said.decode(errors="replace").strip()
        raise LabError("cannot reach the lab: it is gone" + (f": {text}" if text else ""))

    def _note(self, event: dict[str, Any]) -> None:
        if event["event"] == "failed":
            raise LabError(event["reason"])
        if event["event"] in ("stopped", "rebooting"):
            self._leader = 0
        if event["event"] == "ready":
            self._leader = _leader(self._keeper)


def _request(spec: LabSpec, machine: str) -> dict[str, Any]:
    """What the guardian is to make, as JSON data. Raises LabError where this host lacks a tool."""
    return {
        "machine": machine,
        "hostname": spec.name or machine,
        "machine_id": os.urandom(16).hex(),
        "owner": os.getpid(),
        "layers": [
            (layer.source, layer.place, layer.fstype, layer.flags) for layer in host.layers(spec)
        ],
        "binds": [(str(b.src), str(b.target), b.read_only) for b in spec.binds],
        "cgroup": spec.cgroup,
        "target": spec.target,
        "keep_state": spec.keep_state,
        "nspawn": host.tool("systemd-nspawn", "systemd-container"),
        "init": host.init(spec.root),
        "delegated": host.runs_systemd(),
    }


def _scope(machine: str) -> list[str]:
    """Where systemd runs the host, it must be asked for control groups: a delegated scope."""
    if not host.runs_systemd():
        return []
    return [
        host.tool("systemd-run", "systemd"),
        *("--scope", "--quiet", "--collect", f"--unit={machine}"),
        *("--property=Delegate=yes", "--property=DevicePolicy=closed"),
        *("--property=DeviceAllow=char-pts rwm", "--property=DeviceAllow=/dev/net/tun rwm"),
        "--",
    ]


def _await_scope_end(machine: str, patience: float = 5.0) -> None:
    """Wait until the host's systemd has noticed that the scope is empty: some milliseconds."""
    unit = Path(f"/run/systemd/transient/{machine}.scope")
    deadline = time.monotonic() + patience
    while unit.exists() and time.monotonic() < deadline:
        time.sleep(0.005)


def _start_guardian(control: int, machine: str) -> "subprocess.Popen[bytes]":
    program = (sys.executable, "-S", "-P", "-m", "gxo.lab.guardian")
    return subprocess.Popen(
        [*_scope(machine), *program, str(control), machine],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        pass_fds=(control,),
        start_new_session=True,  # a Ctrl-C at the terminal is the owner's to handle
        cwd="/",
        env={"PATH": _PATH, "PYTHONPATH": str(Path(gxo.__file__).parent.parent)},
    )


def _leader(keeper: int) -> int:
    """The keeper's descendant that is first in a PID namespace of its own: the guest's systemd."""
    depth = len(_namespaced(keeper))
    front = [keeper]
    while front:
        below: list[int] = []
        for pid in front:
            below += map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split())
        for pid in below:
            ids = _namespaced(pid)
            if len(ids) > depth and ids[-1] == "1":
                return pid
        front = below
    raise LabError("cannot find the lab's systemd among its processes")


def _namespaced(pid: int) -> list[str]:
    """A process's PID in each namespace from ours inwards (NSpid in proc_pid_status(5))."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("NSpid:"):
            return line.split()[1:]
    return []

"""The process that owns a lab on the owner's behalf: makes it, and takes it away whatever happens.

It outlives its owner just long enough. Owner gone (also by kill -9): the guardian clears up.
Guardian gone: the kernel kills the keeper and with it all of the lab; the next lab's start, or
the owner, sweeps up the empty control groups.
"""

import json
import os
import select
import signal
import socket
import sys
from contextlib import suppress
from typing import Any

from gxo.lab import cgroups, keeper, kernel, sweep
from gxo.lab.kernel import Clone
from gxo.lab.spec import CgroupMode, LabError


def main(argv: list[str]) -> None:
    """`guardian FD NAME`: FD is a socket to the owner, whose first message is the request (JSON).

    NAME, the machine's, only shows in the list of processes.
    """
    control = socket.socket(fileno=int(argv[1]))
    control.set_inheritable(False)
    request = json.loads(control.recv(1 << 20) or b"{}")
    if not request:
        return
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
        signal.signal(number, lambda *_: sys.exit(0))
    machine = request["machine"]
    try:
        kernel.private_mounts()
        found = cgroups.discover()
        sweep.sweep()
        lock = sweep.register(machine)
    except (LabError, OSError) as error:
        keeper.fail(control, error)
        return
    try:
        _guard(request, found, control, lock)
    except (LabError, OSError) as error:
        keeper.fail(control, error)
    finally:
        for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
            signal.signal(number, signal.SIG_IGN)
        sweep.forget(machine)


def _guard(
    request: dict[str, Any],
    found: tuple[cgroups.Hierarchy, ...],
    control: socket.socket,
    lock: int,
) -> None:
    """Boot the lab in a keeper of its own PID namespace; return when the owner or it is gone."""
    mode = cgroups.mode_of(found, CgroupMode(request["cgroup"]))
    if request["delegated"]:
        cgroups.delegate(found)
    enforced = cgroups.limits(found, mode)
    sweep.record(request["machine"], [h.own / request["machine"] for h in found])
    groups = cgroups.make(found, request["machine"])
    life, alive = os.pipe()
    owner = os.pidfd_open(request["owner"])
    kernel.unshare(Clone.NEWPID)
    child = os.fork()
    if child == 0:
        try:
            for fd in (lock, alive, owner):
                os.close(fd)
            keeper.keep(request, mode, groups, control, life)
        finally:
            os._exit(0)
    os.close(life)
    keeper.tell(
        control, event="made", keeper=child, mode=mode, controllers=sorted(enforced.controllers)
    )
    _outlast(owner, child, control)


def _outlast(owner: int, child: int, control: socket.socket) -> None:
    """Wait until the owner, the keeper or their connection has ended, and end the keeper."""
    kept = os.pidfd_open(child)
    events = select.poll()
    for fd in (owner, kept):
        events.register(fd, select.POLLIN)
    events.register(control.fileno(), 0)  # the messages are the keeper's: only its end counts here
    try:
        events.poll()
    finally:
        with suppress(ProcessLookupError):
            os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)  # returns when all of its PID namespace is gone


if __name__ == "__main__":
    main(sys.argv)

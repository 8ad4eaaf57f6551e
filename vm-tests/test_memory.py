"""A limit that a playbook sets is the kernel's to enforce, and the user is told."""

import json
import time
from collections.abc import Iterator

import pytest
from testinfra.host import Host

from guest import Guest
from machine.suite import HERE

LIMITED, FREE = "gxo-memory.limited.service", "gxo-memory.free.service"


@pytest.fixture(scope="module")
def memory(gxo: Host, guest: Guest) -> Iterator[Host]:
    """Two services: one with a MemoryMax of 64 MiB, one without; both wait for SIGUSR1."""
    guest.copy(HERE / "playbooks", "/var/tmp/")
    gxo.check_output("gxo apply --yes /var/tmp/playbooks/memory.yaml")
    yield gxo
    gxo.check_output("gxo remove --yes memory")


def show(host: Host, unit: str, name: str) -> str:
    return str(host.check_output(f"systemctl show --value --property={name} {unit}"))


def test_exceeding_memory_max_is_an_oom_kill(memory: Host) -> None:
    """Beyond its memory_max a workload is killed for it, systemd and gxo say so, others live on."""
    assert show(memory, LIMITED, "MemoryMax") == str(64 << 20)
    memory.check_output(f"systemctl kill --kill-whom=main --signal=USR1 {LIMITED} {FREE}")
    deadline = time.monotonic() + 60
    while show(memory, LIMITED, "ActiveState") != "failed" and time.monotonic() < deadline:
        time.sleep(0.5)

    assert show(memory, LIMITED, "Result") == "oom-kill"
    assert show(memory, FREE, "ActiveState") == "active"
    status = json.loads(memory.run("gxo status --json").stdout)
    units = {u["name"]: u for w in status["workloads"] for u in w["units"]}
    assert units[LIMITED]["result"] == "oom-kill"
    assert units[FREE]["active"] == "active"

"""Workspaces on a filesystem of their own, set up as the operator's guide says."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from testinfra.host import Host

from machine.suite import CHECKOUT

GUIDE = (CHECKOUT / "docs/how-to/workspaces.md").read_text()
PLACE = "/var/lib/gxo/workspaces"
IMAGE = "/var/tmp/workspaces.img"
PLAYBOOK = """\
name: fill
workloads:
  - name: {name}
    lifecycle: {{policy: run_once}}
    process: {{module: exec, params: {{shell: true, command: "{command}"}}}}
"""
FILL = "exec dd if=/dev/zero of=big bs=1M count=100"
MANY = "mkdir $(seq 1000)"


@dataclass(frozen=True, slots=True)
class Mounted:
    """A machine whose workspaces lie on a filesystem of that kind, with a limit of 40 MB."""

    host: Host
    kind: str


def commands(kind: str) -> list[str]:
    """The guide's own: how to make it, and how to set the limit, which is a small one here."""
    blocks = re.findall(r"^```sh\n(.*?)^```$", GUIDE, re.S | re.M)
    limits = {"ext4": "setquota", "xfs": "xfs_quota"}[kind]
    made = [block for block in blocks if f"mkfs.{kind}" in block or limits in block]
    assert len(made) == 2
    shorter = [b.replace("8G", "40M").replace("500000", "500") for b in made]
    # the machine has the packages, and reaches no archive
    return [re.sub("^apt-get .*\n", "", b, flags=re.M).replace("/dev/vg0/workspaces", "$LOOP")
            for b in shorter]  # fmt: skip


@pytest.fixture(params=["ext4", "xfs"])
def mounted(gxo: Host, request: pytest.FixtureRequest) -> Iterator[Mounted]:
    """As the guide says, on a loop device."""
    gxo.check_output("gxo setup && cp /etc/fstab /var/tmp/fstab.kept")
    loop = gxo.check_output(f"truncate -s 400M {IMAGE} && losetup --find --show {IMAGE}")
    for block in commands(request.param):
        gxo.check_output(f"LOOP={loop}; set -eu; {block}")
    yield Mounted(gxo, request.param)
    gxo.check_output(f"umount {PLACE} && losetup --detach {loop} && rm {IMAGE}")
    gxo.check_output("mv /var/tmp/fstab.kept /etc/fstab && systemctl daemon-reload")


def fails(host: Host, name: str, command: str) -> str:
    """A run of that one step, which fails; what is said of it."""
    text = PLAYBOOK.format(name=name, command=command)
    host.check_output("printf %%s %s >/var/tmp/fill.yaml", text)
    done = host.run("gxo run /var/tmp/fill.yaml")
    assert done.rc == 1, done.stdout + done.stderr
    return str(done.stdout + done.stderr)


def test_a_run_cannot_fill_more_than_its_limit(mounted: Mounted) -> None:
    """Bytes and files are limited, the doctor is content, and nothing stays of such a run."""
    host = mounted.host
    checks = json.loads(host.run("gxo doctor --json").stdout)["checks"]
    assert [c["state"] for c in checks if c["name"] == "workspaces"] == ["ok"]
    refused = {"ext4": "Disk quota exceeded", "xfs": "No space left on device"}[mounted.kind]
    assert refused in fails(host, "bytes", FILL)
    assert refused in fails(host, "files", MANY)
    assert host.check_output(f"ls {PLACE}") in ("", "lost+found")
    host.check_output("touch /var/lib/gxo/there && rm /var/lib/gxo/there")

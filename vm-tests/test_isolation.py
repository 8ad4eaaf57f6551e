"""Isolation as a whole machine enforces it, and what no lab may try: its kernel is the host's."""

import json

import pytest
from testinfra.host import Host

from guest import Guest
from machine.suite import CHECKOUT

SCRIPTS = "/srv/escapes/tests/lab"
ARGV = "env PYTHONPATH=/srv/escapes python3 -m tests.lab.escapes"
NOT_IN_A_LAB = ("keyctl", "module", "clock", "device-node")
PLAYBOOK = """\
workloads:
  - name: only
    lifecycle: {policy: run_once}
    security_context: CONTEXT
    process: {module: exec, params: {shell: true, command: COMMAND}}
"""


def ran(host: Host, name: str, command: str, context: str = "{}") -> list[str]:
    """The lines that a step of a run writes; the run must complete."""
    text = PLAYBOOK.replace("CONTEXT", context).replace("COMMAND", json.dumps(command))
    host.check_output("printf '%%s' %s > %s", text, f"/var/tmp/{name}.yaml")
    host.check_output(f"gxo run /var/tmp/{name}.yaml")
    host.check_output("journalctl --sync")
    journal = "journalctl --no-pager --output=cat"
    step = f"GXO_PLAYBOOK={name} GXO_STEP=only GXO_STREAM=stdout"
    return str(host.check_output(f"{journal} {step}")).splitlines()


def test_every_protection_holds(gxo: Host) -> None:
    """`gxo doctor` tries each, and all hold."""
    checks = json.loads(gxo.run("gxo doctor --json").stdout)["checks"]
    tried = {check["name"]: check for check in checks if check["directives"]}
    lacking = {name: c["detail"] for name, c in tried.items() if c["state"] != "ok"}
    assert {"memory-limit", "task-limit", "cpu-limit", "clock", "private-keys"} <= tried.keys()
    assert lacking.keys() <= {"directives"}, lacking


@pytest.fixture
def attacker(gxo: Host, guest: Guest) -> Host:
    """The machine with the workload of the labs that tries to get out."""
    gxo.check_output(f"mkdir -p {SCRIPTS} && gxo setup")
    for name in ("attacker.py", "escapes.py"):
        guest.copy(CHECKOUT / "tests/lab" / name, SCRIPTS)
    return gxo


def test_escapes_that_no_lab_may_try(attacker: Host) -> None:
    """The keys, a module, the clock and a device: root reaches them, a workload does not."""
    facts = json.dumps({"victim": 1, "workspace": "/var/lib/gxo/workspaces"})
    free = "systemd-run --quiet --wait --pipe --property=KeyringMode=inherit"
    reached = attacker.check_output(f"{free} {ARGV} %s", facts).splitlines()
    assert {f"{name} reached" for name in NOT_IN_A_LAB} <= set(reached)
    confined = ran(attacker, "escapes", f"exec {ARGV} '{facts}'")
    outcomes = dict(line.split(" ", 1) for line in confined if " " in line)
    assert outcomes.keys() >= set(NOT_IN_A_LAB)
    assert [name for name, said in outcomes.items() if not said.startswith("stopped")] == []


def test_a_root_filesystem_in_a_file(gxo: Host) -> None:
    """A workload runs in the file system of an image, read-only, and sees nothing of the host."""
    tree, image = "/var/tmp/tree", "/var/tmp/tree.raw"
    names = ("bin", "etc", "proc", "sys", "dev", "run", "tmp", "var/tmp", "var/lib/gxo")
    places = " ".join(f"{tree}/{name}" for name in names)
    gxo.check_output(f"mkdir -p {places} && cp /bin/busybox {tree}/bin/sh && chmod -R a+rX {tree}")
    gxo.check_output(f"echo of the image > {tree}/etc/mark && truncate -s 16M {image}")
    gxo.check_output(f"mkfs.ext4 -q -F -d {tree} {image}")
    attempt = (
        "read line < /etc/mark; echo $line; (echo x > here) && echo works;"
        " (echo x > /etc/new) || echo kept; (read line < /etc/machine-id) || echo apart"
    )
    said = ran(gxo, "imaged", attempt, f"{{root_filesystem: {{image: {image}}}}}")
    assert [line for line in said if line in ("of the image", "works", "kept", "apart")] == [
        "of the image",
        "works",
        "kept",
        "apart",
    ]
    gxo.check_output(f"rm -r {tree} {image}")

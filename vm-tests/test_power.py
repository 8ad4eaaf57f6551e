"""The power goes in the middle of an apply: the next apply brings the host to what is asked."""

import json
import time
from collections.abc import Iterator

import pytest
from testinfra.host import Host

from guest import Cut, Guest

PLAYBOOK = "/var/tmp/power/power.yaml"
SERVICE = """\
  - name: {name}
    lifecycle: {{policy: supervise, ready: {{when: exec, settle: 100ms}}}}
    process:
      module: exec
      params: {{command: /usr/bin/env, args: [GENERATION={generation}, sleep, infinity]}}
"""
SETUP = """\
  - name: setup
    lifecycle: {{policy: run_once}}
    process: {{module: exec, params: {{command: /bin/echo, args: ["{generation}"]}}}}
"""


def playbook(generation: int) -> str:
    """Two services that stay, three that change, one that comes as another goes, and a step."""
    names = {"stays-0": 0, "stays-1": 0}
    names |= {f"changes-{i}": generation for i in range(3)}
    names |= {f"only-{generation}": generation}
    services = (SERVICE.format(name=n, generation=g) for n, g in names.items())
    return "workloads:\n" + "".join(services) + SETUP.format(generation=generation)


def services(host: Host) -> dict[str, str]:
    """The generation in the command line of each of the playbook's services that runs."""
    shown = host.check_output(
        "systemctl show --property=Id,ExecStart --state=running 'gxo-power*.service'"
    )
    found = {}
    for one in shown.split("\n\n"):
        properties = dict(line.split("=", 1) for line in one.splitlines())
        name = properties["Id"].replace("\\x2d", "-").split(".")[1]
        found[name] = properties["ExecStart"].partition("GENERATION=")[2].split()[0]
    return found


def wanted(generation: int) -> dict[str, str]:
    changed = dict.fromkeys((*(f"changes-{i}" for i in range(3)), f"only-{generation}"))
    return {"stays-0": "0", "stays-1": "0"} | dict.fromkeys(changed, str(generation))


def write(host: Host, generation: int) -> None:
    """Put the playbook in its place, all the way to the disk."""
    host.check_output(
        "mkdir -p $(dirname %s) && printf %%s %s > %s && sync",
        PLAYBOOK,
        playbook(generation),
        PLAYBOOK,
    )


@pytest.fixture(scope="module")
def change(gxo: Host) -> Iterator[float]:
    """Generation 2 runs in place of generation 1; the seconds that the change took."""
    write(gxo, 1)
    gxo.check_output(f"gxo apply --yes {PLAYBOOK}")
    write(gxo, 2)
    start = time.monotonic()
    gxo.check_output(f"gxo apply --yes {PLAYBOOK}")
    yield time.monotonic() - start
    gxo.check_output("gxo remove --yes power")


def test_apply_converges_after_a_power_cut(
    gxo: Host, guest: Guest, change: float, cut: Cut
) -> None:
    """Wherever in an apply the power goes, one apply after the boot gives just the new state."""
    generation = 2 + cut.number
    write(gxo, generation)
    before = guest.boot_id()
    gxo.check_output(f"systemd-run --quiet --collect gxo apply --yes {PLAYBOOK}")
    time.sleep(cut.fraction * change)
    guest.cut_power()
    guest.wait_for_another_boot(before)
    print(f"cut after {cut.fraction * change:.2f} s of {change:.2f} s; restored: {services(gxo)}")

    gxo.check_output(f"gxo apply --yes {PLAYBOOK}")
    assert services(gxo) == wanted(generation)
    assert gxo.check_output("systemctl list-units --failed --no-legend") == ""
    plan = gxo.run(f"gxo plan --json {PLAYBOOK}")
    assert plan.rc == 0, plan.stdout
    assert {found["action"] for found in json.loads(plan.stdout)["changes"]} == {"none"}

"""The power goes in the middle of an apply: the next apply brings the host to what is asked."""

import json
import time
from collections.abc import Iterator

import pytest
from testinfra.host import Host

from guest import Cut, Guest

PLAYBOOK = "/var/tmp/power/power.yaml"

# What the first apply on a host puts there, and later ones leave alone.
SET_UP = (
    *("/etc/sysusers.d/gxo.conf", "/etc/tmpfiles.d/gxo.conf"),
    "/etc/systemd/system/gxo-restore.service",
    "/etc/systemd/system/multi-user.target.wants/gxo-restore.service",
)

# Without a sandbox, which an emulated machine takes a second to set up for each process.
HEADER = "security_context: {profile: host}\nworkloads:\n"
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


def wanted(generation: int) -> dict[str, str]:
    """Each service of a generation, with the generation in its command line."""
    new = str(generation)
    return {"stays": "0", "changes-a": new, "changes-b": new, f"only-{new}": new}


def playbook(generation: int) -> str:
    """A service that stays, two that change, one that comes as another goes, and a step."""
    services = (SERVICE.format(name=n, generation=g) for n, g in wanted(generation).items())
    return HEADER + "".join(services) + SETUP.format(generation=generation)


def services(host: Host) -> dict[str, str]:
    """The generation in the command line of each of the playbook's services that runs."""
    shown = host.check_output(
        "systemctl show --property=Id,ExecStart --state=running 'gxo-power*.service'"
    )
    found = {}
    for one in filter(None, shown.split("\n\n")):
        properties = dict(line.split("=", 1) for line in one.splitlines())
        name = properties["Id"].replace("\\x2d", "-").split(".")[1]
        found[name] = properties["ExecStart"].partition("GENERATION=")[2].split()[0]
    return found


def write(host: Host, generation: int) -> None:
    """Put the playbook in its place, all the way to the disk."""
    host.check_output(
        "mkdir -p $(dirname %s) && printf %%s %s > %s && sync",
        PLAYBOOK,
        playbook(generation),
        PLAYBOOK,
    )


@pytest.fixture(scope="module")
def applied(gxo: Host) -> Iterator[Host]:
    """A machine that gxo has not set up before, and on which generation 1 runs."""
    write(gxo, 1)
    gxo.check_output(f"rm -f {' '.join(SET_UP)} && sync")
    gxo.check_output(f"gxo apply --yes {PLAYBOOK}")
    yield gxo
    gxo.check_output("gxo remove --yes power")


@pytest.fixture(scope="module")
def change(applied: Host) -> float:
    """Generation 2 runs in place of generation 1; the seconds that the change took."""
    write(applied, 2)
    start = time.monotonic()
    applied.check_output(f"gxo apply --yes {PLAYBOOK}")
    return time.monotonic() - start


def test_applied_is_on_the_disk(applied: Host, guest: Guest) -> None:
    """What apply has reported as done comes back by itself, even if the power goes right then."""
    before = guest.boot_id()
    guest.cut_power()
    guest.wait_for_another_boot(before)
    assert services(applied) == wanted(1)


def test_apply_converges_after_a_power_cut(
    gxo: Host, guest: Guest, change: float, cut: Cut
) -> None:
    """Wherever in an apply the power goes, one apply after the boot gives just the new state."""
    generation = 2 + cut.number
    write(gxo, generation)
    before = guest.boot_id()
    gxo.check_output(f"systemd-run --quiet --collect gxo apply --yes {PLAYBOOK}")
    instant = (0.2 + cut.fraction) * change  # not while Python starts, and a little after the end
    time.sleep(instant)
    guest.cut_power()
    guest.wait_for_another_boot(before)
    print(f"cut after {instant:.2f} s of {change:.2f} s; restored: {services(gxo)}")

    gxo.check_output(f"gxo apply --yes {PLAYBOOK}")
    assert services(gxo) == wanted(generation)
    assert gxo.check_output("systemctl list-units --failed --no-legend") == ""
    plan = gxo.run(f"gxo plan --json {PLAYBOOK}")
    assert plan.rc == 0, plan.stdout
    assert {found["action"] for found in json.loads(plan.stdout)["changes"]} == {"none"}

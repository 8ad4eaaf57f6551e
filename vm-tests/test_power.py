"""The power goes in the middle of an apply: the next apply brings the host to what is asked."""

import json
import random
import time
from collections.abc import Iterator

import pytest
from testinfra.host import Host

from guest import Guest

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


@pytest.fixture
def applied(gxo: Host) -> Iterator[tuple[Host, float]]:
    """A machine on which generation 1 runs, and the seconds a change to generation 2 took."""
    write(gxo, 1)
    gxo.check_output(f"gxo apply --yes {PLAYBOOK}")
    write(gxo, 2)
    start = time.monotonic()
    gxo.check_output(f"gxo apply --yes {PLAYBOOK}")
    yield gxo, time.monotonic() - start
    gxo.check_output("gxo remove --yes power")


def test_apply_converges_after_power_cuts(
    applied: tuple[Host, float], guest: Guest, pytestconfig: pytest.Config
) -> None:
    """Wherever in an apply the power goes, one apply after the boot gives just the new state."""
    host, duration = applied
    seed = pytestconfig.getoption("--seed") or time.time_ns() % 1_000_000
    print(f"{guest.name}: --seed={seed}, an apply takes {duration:.1f} s")
    chance = random.Random(f"{seed} {guest.name}")
    for generation in range(3, 3 + pytestconfig.getoption("--cuts")):
        write(host, generation)
        before = guest.boot_id()
        instant = chance.uniform(0, duration)
        host.check_output(f"systemd-run --quiet --collect gxo apply --yes {PLAYBOOK}")
        time.sleep(instant)
        guest.cut_power()
        guest.wait_for_another_boot(before)
        restored = services(host)
        print(f"cut after {instant:.2f} s; then ran {restored}")

        host.check_output(f"gxo apply --yes {PLAYBOOK}")
        assert services(host) == wanted(generation)
        plan = host.run(f"gxo plan --json {PLAYBOOK}")
        assert plan.rc == 0, plan.stdout
        assert json.loads(plan.stdout)["changes"] == []

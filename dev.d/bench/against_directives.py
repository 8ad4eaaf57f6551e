"""What the default profile costs systemd to set up, against a plain list of all directives."""

import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import count

from in_lab import ready
from timing import Result, compare

from gxo.lab import Lab
from gxo.spec.policy import Profile
from gxo.systemd import exposure
from gxo.systemd.bus import Bus
from gxo.systemd.manager import Manager
from gxo.units import profiles
from gxo.units.directives import directive as d
from gxo.units.files import render_file
from gxo.units.model import Command, Directive, Unit, UnitType
from gxo.units.properties import properties
from gxo.units.steps import USER

_STARTS = 10
_NUMBERS = count()
# what is in systemd.exec(5) for a service without privileges, as unit generators list it
_PLAIN: tuple[Directive, ...] = (
    d("NoNewPrivileges", True),
    d("PrivateTmp", True),
    d("PrivateDevices", True),
    d("PrivateIPC", True),
    d("ProtectSystem", "strict"),
    d("ProtectHome", "yes"),
    d("ProtectProc", "invisible"),
    d("ProtectControlGroups", True),
    d("ProtectKernelTunables", True),
    d("ProtectKernelModules", True),
    d("ProtectKernelLogs", True),
    d("ProtectClock", True),
    d("ProtectHostname", True),
    d("CapabilityBoundingSet", ()),
    d("RestrictNamespaces", ()),
    d("RestrictRealtime", True),
    d("RestrictSUIDSGID", True),
    d("LockPersonality", True),
    d("RestrictAddressFamilies", ("AF_UNIX", "AF_INET", "AF_INET6", "AF_NETLINK")),
    d("SystemCallArchitectures", ("native",)),
    d("SystemCallFilter", (profiles.DEFAULT_FILTER,)),
    d("UMask", 0o077),
)


def profile() -> Iterator[Result]:
    """The cost over a bare unit, at an exposure that is no higher."""
    own = (
        *profiles.profile(Profile.DEFAULT, 252, own_pids=True),
        *profiles.filters(Profile.DEFAULT),
    )
    better, worse = _exposure(own), _exposure(_PLAIN)
    assert better <= worse
    with ready({}) as lab, Bus.at(lab.bus_address) as bus:
        manager = Manager(bus)
        name = f"default ({better}) / plain directives ({worse}), over a bare unit"
        for noun, clock in (("", time.perf_counter), (", CPU", partial(_cpu, lab))):
            ours = partial(_cost, manager, own, clock)
            theirs = partial(_cost, manager, _PLAIN, clock)
            yield compare(name + noun, ours, theirs, 0.8, pairs=9)


def _cpu(lab: Lab) -> float:
    """Seconds of CPU time that the whole machine has used: systemd's own count too."""
    v1 = lab.path("/sys/fs/cgroup/cpuacct/cpuacct.usage")
    if v1.exists():
        return int(v1.read_text()) / 1e9
    usage = lab.path("/sys/fs/cgroup/cpu.stat").read_text().split()
    return int(usage[usage.index("usage_usec") + 1]) / 1e6


def _exposure(directives: Sequence[Directive]) -> float:
    name = "bench.service"
    return exposure.of_texts({name: render_file(_unit(name, directives))})[name]


def _cost(manager: Manager, directives: Sequence[Directive], clock: Callable[[], float]) -> float:
    """Seconds by which one start takes longer than that of a bare unit."""
    return _starts(manager, directives, clock) - _starts(manager, (), clock)


def _starts(manager: Manager, directives: Sequence[Directive], clock: Callable[[], float]) -> float:
    """Seconds of one start of a unit that does nothing, one after the other."""
    began = clock()
    for _ in range(_STARTS):
        unit = _unit(f"gxo-bench-{next(_NUMBERS)}.service", directives)
        assert manager.start_transient(unit.name, properties(unit), timeout=30).ok
    return (clock() - began) / _STARTS


def _unit(name: str, directives: Sequence[Directive]) -> Unit:
    settings = (d("Type", "oneshot"), d("User", USER), *directives)
    return Unit(
        name=name,
        type=UnitType.SERVICE,
        playbook="bench",
        workload="bench",
        directives=(*settings, d("ExecStart", Command(("/bin/true",)))),
        digest="",
    )

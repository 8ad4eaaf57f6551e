"""What the default profile costs systemd to set up, against a plain list of all directives."""

import time
from collections.abc import Iterator, Sequence
from itertools import count

from in_lab import ready
from timing import Result, compare

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

        def ours() -> float:
            return _starts(manager, own) - _starts(manager, ())

        def theirs() -> float:
            return _starts(manager, _PLAIN) - _starts(manager, ())

        name = f"default ({better}) / plain directives ({worse}), over a bare unit"
        yield compare(name, ours, theirs, 0.8, pairs=9)


def _exposure(directives: Sequence[Directive]) -> float:
    name = "bench.service"
    return exposure.of_texts({name: render_file(_unit(name, directives))})[name]


def _starts(manager: Manager, directives: Sequence[Directive]) -> float:
    """Seconds of one start of a unit that does nothing, one after the other."""
    began = time.perf_counter()
    for _ in range(_STARTS):
        unit = _unit(f"gxo-bench-{next(_NUMBERS)}.service", directives)
        assert manager.start_transient(unit.name, properties(unit), timeout=30).ok
    return (time.perf_counter() - began) / _STARTS


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

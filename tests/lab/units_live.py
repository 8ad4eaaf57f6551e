"""Units on a live systemd: both renderings loaded side by side, and what systemd read of each."""

from collections.abc import Iterable
from typing import Any

from gxo.dataclass import replace
from gxo.systemd.bus import MANAGER, MANAGER_PATH, Bus
from gxo.systemd.manager import Manager
from gxo.units.files import render_file
from gxo.units.model import Directive, Unit, UnitType
from gxo.units.properties import properties
from tests.lab.machine import Machine

# what says where a unit comes from and how it is doing, not what it is told to do
_MOMENT = """
Names Id FragmentPath UnitFileState UnitFilePreset Transient DropInPaths InvocationID Perpetual
LoadState ActiveState FreezerState SubState StateChangeTimestamp StateChangeTimestampMonotonic
InactiveExitTimestamp InactiveExitTimestampMonotonic ActiveEnterTimestamp
ActiveEnterTimestampMonotonic ActiveExitTimestamp ActiveExitTimestampMonotonic
InactiveEnterTimestamp InactiveEnterTimestampMonotonic ConditionTimestamp
ConditionTimestampMonotonic AssertTimestamp AssertTimestampMonotonic ConditionResult AssertResult
NeedDaemonReload Job Result Following Refs ActivationDetails CanStart CanStop CanClean
MainPID ControlPID ExecMainStartTimestamp ExecMainStartTimestampMonotonic ExecMainExitTimestamp
ExecMainExitTimestampMonotonic ExecMainHandoffTimestamp ExecMainHandoffTimestampMonotonic
ExecMainPID ExecMainCode ExecMainStatus NRestarts UID GID ControlGroup ControlGroupId
MemoryCurrent MemoryPeak MemorySwapCurrent MemorySwapPeak MemoryZSwapCurrent MemoryAvailable
EffectiveMemoryMax EffectiveMemoryHigh EffectiveTasksMax TasksCurrent CPUUsageNSec EffectiveCPUs
EffectiveMemoryNodes IOReadBytes IOReadOperations IOWriteBytes IOWriteOperations IPIngressBytes
IPIngressPackets IPEgressBytes IPEgressPackets WatchdogTimestamp WatchdogTimestampMonotonic
NextElapseUSecRealtime NextElapseUSecMonotonic LastTriggerUSec LastTriggerUSecMonotonic
StatusText StatusErrno NFileDescriptorStore Triggers TriggeredBy ReloadResult CleanResult
RestartUSecNext StatusBusError StatusVarlinkError DebugInvocation LogsDirectorySymlink Unit
"""


class Live:
    """A machine's systemd over its bus, and its unit directory."""

    def __init__(self, machine: Machine, bus: Bus) -> None:
        self.machine = machine
        self.manager = Manager(bus)

    def load_files(self, units: Iterable[Unit]) -> None:
        """Put units into /run/systemd/system and let systemd read them."""
        for unit in units:
            self.machine.write(f"/run/systemd/system/{unit.name}", render_file(unit))
        self.manager.daemon_reload()

    def start(self, *units: Unit) -> None:
        """Start units over D-Bus, a service of a timer's name with it; how it ends is left open."""
        services = {_stem(unit): unit for unit in units if unit.type is UnitType.SERVICE}
        for unit in units:
            if unit.type is not UnitType.SERVICE:
                pair = services.pop(_stem(unit), None)
                self._start(unit, (pair,) if pair else ())
        for unit in services.values():
            self._start(unit, ())

    def _start(self, unit: Unit, beside: tuple[Unit, ...]) -> None:
        aux = [(other.name, _packed(other)) for other in beside]
        self.manager.bus.call(
            MANAGER_PATH,
            MANAGER,
            "StartTransientUnit",
            "ssa(sv)a(sa(sv))",
            (unit.name, "fail", _packed(unit), aux),
        )

    def start_files(self, *units: Unit) -> None:
        """Start units that are loaded from files, those of timers by their timers."""
        timers = {_stem(unit) for unit in units if unit.type is not UnitType.SERVICE}
        names = (u.name for u in units if u.type is not UnitType.SERVICE or _stem(u) not in timers)
        self.machine.run("systemctl", "start", "--no-block", *names, check=True)

    def settings(self, unit: str) -> dict[str, Any]:
        """All that systemd holds a unit to, without what is of the moment."""
        found = self.manager.properties(unit)
        for name in _MOMENT.split():
            found.pop(name, None)
        return {name: _told(name, value) for name, value in found.items()}

    def property(self, unit: str, name: str) -> Any:
        return self.manager.properties(unit, [name])[name]

    def rewrite(self, unit: Unit) -> None:
        """Put the file form in place of systemd's own record of a transient unit."""
        self.machine.write(f"/run/systemd/transient/{unit.name}", render_file(unit))

    def remove(self, *names: str) -> None:
        """Stop and forget units, files too."""
        self.machine.run("systemctl", "stop", *names)
        self.machine.run("systemctl", "reset-failed", *names)
        for name in names:
            self.machine.lab.path(f"/run/systemd/system/{name}").unlink(missing_ok=True)
        self.manager.daemon_reload()


def renamed(unit: Unit, old: str, new: str) -> Unit:
    """The same unit under a name that holds `new` for `old`; nothing else is changed."""
    return replace(unit, name=unit.name.replace(old, new))


def changed(unit: Unit, *directives: Directive) -> Unit:
    """With these in place of the directives of their names."""
    names = {directive.name for directive in directives}
    kept = (d for d in unit.directives if d.name not in names)
    return replace(unit, directives=(*kept, *directives))


def _stem(unit: Unit) -> str:
    return unit.name.rpartition(".")[0]


def _packed(unit: Unit) -> list[tuple[str, tuple[str, object]]]:
    return [(entry.name, (entry.signature, entry.value)) for entry in properties(unit)]


def _told(name: str, value: Any) -> Any:
    """A property without what changes from read to read."""
    if name.startswith("Exec") and isinstance(value, list):
        return [command[:3] for command in value]
    if name == "TimersCalendar":
        return [entry[:2] for entry in value]
    return value

"""THE table of directives: section, kind of value, D-Bus property, first systemd that has it.

Each file line and each D-Bus property that gxo writes comes from a row here. The names, signatures
and versions are those of systemd.directives(7) and org.freedesktop.systemd1(5).
"""

from functools import lru_cache

from gxo.dataclass import dataclass
from gxo.source import Span
from gxo.units import kinds as k
from gxo.units.kinds import Kind
from gxo.units.model import Directive, DirectiveValue, UnitType


@dataclass(frozen=True, slots=True)
class Row:
    """`property` is its name on D-Bus, empty for directives that only files have."""

    name: str
    kind: Kind
    property: str
    since: int
    section: str = ""
    """Empty: the section of the unit's own type."""


def _rows() -> tuple[Row, ...]:
    rows: list[Row] = []

    def add(kind: Kind, names: str, since: int = 0, section: str = "", suffix: str = "") -> None:
        """`names`: directives, each with `=Property` where the bus calls it otherwise."""
        for word in names.split():
            name, _, bus = word.partition("=")
            rows.append(Row(name, kind, (bus or name) + suffix, since, section))

    add(k.TEXT, "Description", section="Unit")
    add(
        k.WORDS,
        "After Before Wants Requires Requisite BindsTo PartOf Conflicts Upholds",
        section="Unit",
    )
    add(k.PATHS, "RequiresMountsFor", section="Unit")
    add(k.BOOL, "IgnoreOnIsolate DefaultDependencies", section="Unit")
    add(k.TIME, "StartLimitIntervalSec=StartLimitIntervalUSec", section="Unit")
    add(k.NUMBER, "StartLimitBurst", section="Unit")
    add(k.TEXT, "CollectMode", section="Unit")
    rows.append(Row("WantedBy", k.WORDS, "", 0, "Install"))

    add(k.TEXT, "Type Restart NotifyAccess KillMode OOMPolicy")
    add(
        k.COMMAND,
        "ExecStartPre ExecStart ExecStartPost ExecReload ExecStop ExecStopPost",
        243,
        suffix="Ex",
    )
    add(k.BOOL, "RemainAfterExit RootDirectoryStartOnly SendSIGHUP IgnoreSIGPIPE")
    add(
        k.TIME,
        "RestartSec=RestartUSec TimeoutStartSec=TimeoutStartUSec TimeoutStopSec=TimeoutStopUSec"
        " WatchdogSec=WatchdogUSec RuntimeMaxSec=RuntimeMaxUSec",
    )
    add(k.SIGNAL, "KillSignal FinalKillSignal")
    add(k.SIGNAL, "RestartKillSignal", 244)
    add(k.SIGNAL, "ReloadSignal", 253)

    add(k.TEXT, "User Group")
    add(k.WORDS, "SupplementaryGroups")
    add(k.BOOL, "DynamicUser", 235)
    add(k.PATH, "WorkingDirectory RootDirectory RootImage")
    add(k.BOOL, "MountAPIVFS", 233)
    add(k.WORDS, "RuntimeDirectory", 211)
    add(k.WORDS, "StateDirectory", 235)
    add(k.MODE, "RuntimeDirectoryMode StateDirectoryMode UMask")
    add(k.TEXT, "RuntimeDirectoryPreserve", 235)
    add(k.VARIABLE, "Environment")
    add(k.FIELD, "LogExtraFields", 236)
    add(k.TEXT, "SyslogIdentifier StandardInput StandardOutput StandardError")
    add(k.BYTES, "StandardInputData", 236)
    add(k.CREDENTIAL, "LoadCredential", 247)

    add(k.TEXT, "Slice")
    add(k.AMOUNT, "MemoryMax", 231)
    add(k.AMOUNT, "TasksMax", 227)
    add(k.AMOUNT, "IOWeight", 230)
    add(k.AMOUNT, "LimitCORE")
    add(k.QUOTA, "CPUQuota=CPUQuotaPerSecUSec", 213)
    add(k.ADDRESS_PREFIX, "IPAddressAllow IPAddressDeny", 235)

    add(
        k.BOOL,
        "NoNewPrivileges PrivateTmp PrivateDevices PrivateNetwork PrivateUsers PrivateMounts"
        " ProtectKernelTunables ProtectKernelModules ProtectControlGroups RestrictRealtime"
        " LockPersonality MemoryDenyWriteExecute RemoveIPC",
    )
    add(k.BOOL, "RestrictSUIDSGID ProtectHostname", 242)
    add(k.BOOL, "ProtectKernelLogs", 244)
    add(k.BOOL, "ProtectClock", 245)
    add(k.BOOL, "PrivateIPC", 248)
    add(k.TEXT, "PrivatePIDs", 257)
    add(k.TEXT, "ProtectSystem ProtectHome KeyringMode DevicePolicy")
    add(k.TEXT, "ProtectProc ProcSubset", 247)
    add(k.PATHS, "ReadWritePaths ReadOnlyPaths InaccessiblePaths", 231)
    add(k.BIND, "BindReadOnlyPaths", 233)
    add(k.CAPABILITY_SET, "CapabilityBoundingSet")
    add(k.CAPABILITY_SET, "AmbientCapabilities", 229)
    add(k.NAMESPACE_SET, "RestrictNamespaces", 233)
    add(k.FILTER, "RestrictAddressFamilies SystemCallFilter")
    add(k.FILTER, "SystemCallLog", 247)
    add(k.ERRNO, "SystemCallErrorNumber")
    add(k.WORDS, "SystemCallArchitectures")

    add(k.CALENDAR, "OnCalendar=TimersCalendar")
    add(k.TIME, "AccuracySec=AccuracyUSec RandomizedDelaySec=RandomizedDelayUSec")
    add(k.BOOL, "Persistent WakeSystem")

    add(k.LISTEN_STREAM, "ListenStream=Listen")
    add(k.LISTEN_DATAGRAM, "ListenDatagram=Listen")
    add(k.BOOL, "Accept")
    add(k.NUMBER, "MaxConnections TriggerLimitBurst Backlog")
    add(k.TIME, "TriggerLimitIntervalSec=TriggerLimitIntervalUSec")
    return tuple(rows)


TABLE: dict[str, Row] = {row.name: row for row in _rows()}

_SECTIONS = {
    UnitType.SERVICE: "Service",
    UnitType.TIMER: "Timer",
    UnitType.SOCKET: "Socket",
    UnitType.SLICE: "Slice",
}


def directive(
    name: str,
    value: DirectiveValue,
    kind: UnitType = UnitType.SERVICE,
    *,
    span: Span | None = None,
) -> Directive:
    """A directive in its section; `span` is the place in the playbook that asks for it."""
    return Directive(TABLE[name].section or _SECTIONS[kind], name, value, span)


@lru_cache(maxsize=8192)
def line(setting: Directive) -> str:
    """The directive as a line of a file."""
    return f"{setting.name}={TABLE[setting.name].kind.file(setting.value)}"


def fault(setting: Directive) -> str | None:
    """Why systemd would misread or refuse the value; None where it takes it as it is."""
    return TABLE[setting.name].kind.fault(setting.value)


@lru_cache(maxsize=8192)
def sound(setting: Directive) -> Directive:
    """The directive itself; ValueError where it has a fault: the last check before systemd.

    What users write is checked earlier, where its place can be shown. This catches a check that was
    forgotten, and stored units that gxo has not written.
    """
    if reason := fault(setting):
        raise ValueError(f"cannot write {setting.name}= into a unit: {reason}")
    return setting

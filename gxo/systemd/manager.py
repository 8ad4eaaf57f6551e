"""Manager: what gxo asks of systemd itself and of its units."""

from collections.abc import Iterable, Mapping, Sequence
from string import ascii_letters, digits
from typing import Any

from gxo.dataclass import dataclass
from gxo.systemd.bus import MANAGER, MANAGER_PATH, PROPERTIES, SYSTEMD, Bus, BusError, SystemdError
from gxo.systemd.jobs import Aux, Job, JobResult, Jobs, Outcome, raise_if_refused
from gxo.systemd.loop import Loop
from gxo.systemd.states import SystemState, UnitResult, UnitState
from gxo.systemd.values import Variant, pack, unpack
from gxo.units.model import Property

# CLD_* of waitid(2), as ExecMainCode has them
_CODES = {1: "exited", 2: "killed", 3: "dumped"}
RESULT = (
    "LoadState",
    "ActiveState",
    "SubState",
    "Result",
    "ExecMainCode",
    "ExecMainStatus",
    "MainPID",
    "NRestarts",
    "InvocationID",
    "ActiveEnterTimestamp",
    "ExecMainExitTimestamp",
)
"""The properties that `to_result` takes."""
# a job that systemd's own limits do not end; the caller gives a shorter time where it has one
_LONG = 3600.0


@dataclass(frozen=True, slots=True)
class Manager:
    """systemd behind a bus. Every method raises BusError, NotPermitted, TimedOut, Unreachable."""

    bus: Bus

    @property
    def version(self) -> int:
        """The major version of systemd: 252 for `252.39-1~deb12u1`."""
        return major(self.version_text)

    @property
    def version_text(self) -> str:
        return str(self.bus.get(MANAGER_PATH, MANAGER, "Version"))

    @property
    def features_text(self) -> str:
        """What it was built with and without: `+PAM -SELINUX …`."""
        return str(self.bus.get(MANAGER_PATH, MANAGER, "Features"))

    @property
    def state(self) -> SystemState:
        """`running`, or `degraded` where a unit failed, `starting` while it boots…"""
        return SystemState(self.bus.get(MANAGER_PATH, MANAGER, "SystemState"))

    def units(self, *patterns: str, states: Sequence[str] = ()) -> tuple[UnitState, ...]:
        """The loaded units whose names match a glob, by name; all where none is given.

        A backslash in it stands for itself (FNM_NOESCAPE), so an escaped name matches itself.
        """
        rows = self._call("ListUnitsByPatterns", "asas", (states, patterns), "a(ssssssouso)")[0]
        return tuple(sorted(map(_unit_state, rows), key=lambda unit: unit.name))

    def named(self, *names: str) -> dict[str, UnitState]:
        """The state of each unit, also of those that are not there (`found` is False)."""
        rows = self._call("ListUnitsByNames", "as", (names,), "a(ssssssouso)")[0]
        return {unit.name: unit for unit in map(_unit_state, rows)}

    def properties(self, unit: str, names: Iterable[str] | None = None) -> dict[str, Any]:
        """A unit's properties as plain data, those of all its interfaces.

        With `names` only those, and only what this systemd has. A name that is not there has
        `LoadState` `not-found` and systemd's defaults.
        """
        answer = self.bus.ask(unit_path(unit), PROPERTIES, "GetAll", pack("s", ("",)), "a{sv}")
        return _picked(answer, names)

    def properties_of_many(
        self, units: Iterable[str], names: Iterable[str] | None = None
    ) -> dict[str, dict[str, Any]]:
        """`properties` of many units, asked for side by side; in the order given."""
        wanted = None if names is None else tuple(names)
        args = pack("s", ("",))
        found: dict[str, dict[str, Any]] = {}
        errors: list[SystemdError] = []

        def ask(loop: Loop, unit: str) -> None:
            def answered(answer: Variant | None, error: SystemdError | None) -> None:
                if error is not None:
                    errors.append(error)
                else:
                    found[unit] = _picked(answer, wanted)

            loop.submit(unit_path(unit), PROPERTIES, "GetAll", args, answered)

        asked = tuple(dict.fromkeys(units))
        with Loop(self.bus) as loop:
            for unit in asked:
                ask(loop, unit)
            loop.run(lambda: not loop.busy, _LONG)
        if errors:
            raise errors[0]
        return {unit: found[unit] for unit in asked}

    def result(self, unit: str) -> UnitResult:
        """State, result, exit status, PID, restarts and invocation of one unit."""
        return to_result(unit, self.properties(unit, RESULT))

    def results(self, units: Iterable[str]) -> dict[str, UnitResult]:
        """`result` of many units."""
        read = self.properties_of_many(units, RESULT)
        return {unit: to_result(unit, found) for unit, found in read.items()}

    def jobs(self) -> Jobs:
        """A batch of jobs, to be used as a context manager."""
        return Jobs(self.bus)

    def start_transient(
        self,
        name: str,
        properties: Sequence[Property],
        aux: Aux = (),
        *,
        mode: str = "fail",
        timeout: float = _LONG,
    ) -> Outcome:
        """Jobs.start_transient for one unit, waited for. Raises also what systemd refuses."""
        with self.jobs() as jobs:
            return _waited(jobs, jobs.start_transient(name, properties, aux, mode=mode), timeout)

    def stop(self, unit: str, *, mode: str = "replace", timeout: float = _LONG) -> Outcome:
        """Stop a unit and wait; a unit that is not loaded is stopped already."""
        with self.jobs() as jobs:
            outcome = jobs.wait(timeout, job := jobs.stop(unit, mode=mode))[job]
        if no_such_unit(outcome.error):
            return Outcome(job=job, result=JobResult.DONE)
        return raise_if_refused(outcome)

    def reload(self, unit: str, *, mode: str = "replace", timeout: float = _LONG) -> Outcome:
        """Make a service read its configuration again (not systemd: see daemon_reload)."""
        with self.jobs() as jobs:
            return _waited(jobs, jobs.reload(unit, mode=mode), timeout)

    def reset_failed(self, unit: str) -> None:
        """Forget a failure, so that the name of a transient unit is free; none there is fine."""
        self._unless_missing("ResetFailedUnit", "s", (unit,))

    def kill(self, unit: str, signal: int, *, whom: str = "all") -> None:
        """Signal a unit's processes: `all`, `main` or `control`; none there is fine."""
        self._unless_missing("KillUnit", "ssi", (unit, whom, signal))

    def ref(self, unit: str) -> None:
        """Keep a unit loaded until `unref` or the end of this connection, so its result is read."""
        self._call("RefUnit", "s", (unit,))

    def unref(self, unit: str) -> None:
        self._call("UnrefUnit", "s", (unit,))

    def file_state(self, unit: str) -> str:
        """Whether a unit's file is `enabled`, `disabled`, `masked`…; empty where there is none."""
        try:
            return str(self.bus.call_by_proxy(MANAGER_PATH, MANAGER, "GetUnitFileState", unit))
        except BusError as error:
            if error.name == "org.freedesktop.DBus.Error.FileNotFound":
                return ""
            raise

    def daemon_reload(self) -> None:
        """Read all unit files again: 250 ms with 100 units, so only where nothing else will do."""
        self.bus.call_by_proxy(MANAGER_PATH, MANAGER, "Reload", timeout=120)

    def settle(self) -> None:
        """Wait until systemd has cleaned up after a unit whose job has just ended.

        It reports the end of the job first and cleans up then, before it answers the next call.
        """
        self.bus.call(MANAGER_PATH, "org.freedesktop.DBus.Peer", "Ping")

    def _call(
        self, method: str, signature: str, args: tuple[object, ...], reply: str | None = None
    ) -> tuple[Any, ...]:
        return self.bus.call(MANAGER_PATH, MANAGER, method, signature, args, reply)

    def _unless_missing(self, method: str, signature: str, args: tuple[object, ...]) -> None:
        try:
            self._call(method, signature, args)
        except BusError as error:
            if not no_such_unit(error):
                raise


def no_such_unit(error: SystemdError | None) -> bool:
    """Whether a call was refused as no unit of that name is loaded or has a file."""
    return isinstance(error, BusError) and error.name == f"{SYSTEMD}.NoSuchUnit"


def major(version: str) -> int:
    """The number that a version begins with (`257.13-1~deb13u1`, `v256`); 0 for none."""
    number = version.lstrip("v")
    end = next((i for i, c in enumerate(number) if c not in digits), len(number))
    return int(number[:end] or 0)


def unit_path(unit: str) -> str:
    """A unit's object path, in which all but letters and digits is `_` and two hex digits.

    Asking an object that is not there makes systemd load the unit, so no GetUnit call is needed.
    """
    plain = ascii_letters + digits
    label = "".join(
        chr(c) if chr(c) in plain and (i or chr(c) not in digits) else f"_{c:02x}"
        for i, c in enumerate(unit.encode())
    )
    return f"{MANAGER_PATH}/unit/{label or '_'}"


def to_result(name: str, read: Mapping[str, Any]) -> UnitResult:
    """The UnitResult in a unit's properties."""
    return UnitResult(
        name=name,
        load=read["LoadState"],
        active=read["ActiveState"],
        sub=read["SubState"],
        result=read.get("Result", "success"),
        code=_CODES.get(read.get("ExecMainCode", 0), ""),
        status=read.get("ExecMainStatus", 0),
        pid=read.get("MainPID", 0),
        restarts=read.get("NRestarts", 0),
        invocation=bytes(read.get("InvocationID", b"")).hex(),
        since=read.get("ActiveEnterTimestamp", 0),
        ended=read.get("ExecMainExitTimestamp", 0),
    )


def _unit_state(row: tuple[Any, ...]) -> UnitState:
    name, _, load, active, sub, _, _, _, job, _ = row
    return UnitState(name=name, load=load, active=active, sub=sub, job=job)


def _picked(answer: Variant, names: Iterable[str] | None) -> dict[str, Any]:
    """The wanted properties in a `(a{sv})`, without unpacking the other three hundred."""
    found = answer.get_child_value(0)
    if names is None:
        return unpack(found)  # type: ignore[no-any-return]
    from gi.repository import GLib

    # a dictionary, as a lookup in a variant goes through all of its keys
    table = GLib.VariantDict.new(found)
    values = {name: table.lookup_value(name, None) for name in names}
    return {name: unpack(value) for name, value in values.items() if value is not None}


def _waited(jobs: Jobs, job: Job, timeout: float) -> Outcome:
    return raise_if_refused(jobs.wait(timeout, job)[job])

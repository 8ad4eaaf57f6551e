"""`gxo doctor`: what this host can and cannot do and enforce, tried where trying is cheap."""

import os
import shutil
import stat
from collections.abc import Iterator
from contextlib import suppress
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gxo.cli import options, output
from gxo.cli.exits import Exit
from gxo.dataclass import asdict, dataclass
from gxo.units.target import OLDEST

if TYPE_CHECKING:
    from gxo.systemd.host import Host
    from gxo.systemd.manager import Manager

app = typer.Typer()

_RESTORE = "gxo-restore.service"
_SETUP = "run `sudo gxo setup`"


class State(StrEnum):
    """`missing` is a protection or comfort that this host lacks; `broken`: gxo cannot work."""

    OK = "ok"
    MISSING = "missing"
    UNKNOWN = "unknown"
    BROKEN = "broken"


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One thing looked at: what was found, what to do about it, which directives it is about."""

    name: str
    state: State
    detail: str
    hint: str = ""
    directives: tuple[str, ...] = ()


@app.command(epilog="Example: gxo doctor")
def doctor(
    quick: Annotated[
        bool, typer.Option("--quick", help="Start no service, and so try no protection.")
    ] = False,
    json: options.Json = False,
) -> int:
    """Check what this host can enforce, and what gxo lacks here.

    Each protection is tried by a short service that would break it. Changes nothing.
    """
    from gxo.systemd.host import read_host, virtualisation

    host, machine = read_host(), virtualisation()
    checks = tuple(_checks(host, machine, trying=not quick))
    if json:
        facts = {
            "systemd": host.systemd,
            "systemd_text": host.systemd_text,
            "running": host.running,
            "cgroup_mode": host.cgroup_mode,
            "controllers": sorted(host.controllers),
            "virtualisation": machine,
            "root": host.root,
        }
        output.emit({"host": facts, "checks": [asdict(check) for check in checks]})
    else:
        output.say(_render(checks).rstrip("\n"))
    return Exit.FAILED if any(c.state is State.BROKEN for c in checks) else Exit.DONE


def _checks(host: "Host", machine: str, *, trying: bool) -> Iterator[Check]:
    """All checks, the ground first: a later one may stand on it."""
    from gxo.systemd.bus import Bus, SystemdError
    from gxo.systemd.manager import Manager

    yield _version(host, machine)
    yield _config()
    try:
        bus = Bus.system(timeout=5)
    except SystemdError as error:
        yield Check(
            name="bus", state=State.BROKEN, detail=str(error), hint="boot systemd, or use `gxo try`"
        )
        yield from _gaps(host, frozenset())
        yield from _places(host)
        return
    with bus:
        manager = Manager(bus)
        try:
            yield Check(name="bus", state=State.OK, detail=f"systemd is {manager.state}")
            tried = tuple(_trials(host, manager)) if trying else ()
            yield from tried
            yield from _gaps(host, frozenset(d for c in tried for d in c.directives))
            yield from _places(host)
            yield _restore(manager)
        except SystemdError as error:
            yield Check(name="bus", state=State.BROKEN, detail=str(error))


def _version(host: "Host", machine: str) -> Check:
    if not host.systemd:
        return Check(
            name="systemd",
            state=State.BROKEN,
            detail="systemd is not installed",
            hint="gxo compiles to systemd; `gxo validate` and `gxo compile` work without it",
        )
    where = "" if machine == "none" else f" on {machine}"
    found = f"{host.systemd_text}{where}, cgroups {host.cgroup_mode}"
    if host.systemd < OLDEST:
        return Check(
            name="systemd",
            state=State.BROKEN,
            detail=f"{found}: older than {OLDEST}",
            hint="upgrade, or compile for it elsewhere with `gxo compile`",
        )
    return Check(name="systemd", state=State.OK, detail=found)


def _config() -> Check:
    """The configuration can be used, and no directory of secrets is open to others."""
    from gxo.config.model import Directory
    from gxo.config.read import PLACE, ConfigError, load_config

    name, path = "configuration", os.environ.get("GXO_CONFIG", "")
    try:
        config = load_config(path)
    except ConfigError as error:
        return Check(name=name, state=State.BROKEN, detail=str(error))
    for provider in config.providers:
        if isinstance(provider, Directory):
            with suppress(OSError):
                found = Path(provider.path).stat()
                if found.st_uid != 0 or found.st_mode & 0o077:
                    whose = "accessible to users other than root"
                    return Check(
                        name=name,
                        state=State.BROKEN,
                        detail=f"secrets in {provider.path} are {whose}",
                        hint=f"`chown root: {provider.path}; chmod 700 {provider.path}`",
                    )
    said = path or (str(PLACE) if PLACE.exists() else f"there is no {PLACE}: the defaults apply")
    return Check(name=name, state=State.OK, detail=said)


def _trials(host: "Host", manager: "Manager") -> Iterator[Check]:
    """Protections that are tried out: only root may start services."""
    from gxo.systemd.trial import attempt
    from gxo.systemd.trials import trials

    if not host.root:
        yield Check(
            name="protections",
            state=State.UNKNOWN,
            detail="not tried: only root may start services",
            hint="run `sudo gxo doctor`",
        )
        return
    states = {True: State.OK, False: State.MISSING, None: State.UNKNOWN}
    for verdict in attempt(manager, trials(manager.version)):
        trial = verdict.trial
        detail = trial.protects if verdict.enforced else f"not enforced: {trial.protects}"
        if verdict.enforced is None:
            detail = f"unknown: {trial.protects}"
        yield Check(
            name=trial.name,
            state=states[verdict.enforced],
            detail=detail if verdict.enforced else f"{detail} ({verdict.reason})",
            directives=trial.directives,
        )


def _gaps(host: "Host", tried: frozenset[str]) -> Iterator[Check]:
    """Directives known to do nothing here, other than those tried."""
    from gxo.systemd.host import gaps

    for gap in gaps(host):
        if tried.isdisjoint(gap.directives):
            yield Check(
                name="directives",
                state=State.MISSING,
                detail=f"not enforced: {', '.join(gap.directives)} ({gap.reason})",
                directives=gap.directives,
            )


def _places(host: "Host") -> Iterator[Check]:
    """The user, the directories, the journal, and the tools."""
    if host.user_gxo:
        yield Check(name="user", state=State.OK, detail="user gxo exists")
    else:
        yield Check(name="user", state=State.MISSING, detail="there is no user gxo", hint=_SETUP)
    yield _directory(Path("/var/lib/gxo/applied"))
    yield _workspaces(Path("/var/lib/gxo/workspaces"))
    yield _journal()
    missing = [name for name in ("systemd-nspawn", "nsenter") if shutil.which(name) is None]
    if missing:
        yield Check(
            name="try",
            state=State.MISSING,
            detail=f"`gxo try` lacks {' and '.join(missing)}",
            hint="`apt install systemd-container util-linux`",
        )
    else:
        yield Check(name="try", state=State.OK, detail="`gxo try` has what it needs")


def _journal() -> Check:
    """Journald keeps it in a directory of the machine's id: /var/log/journal may be unused."""
    try:
        machine = Path("/etc/machine-id").read_text(encoding="ascii").strip()
    except (OSError, ValueError):
        machine = ""
    if machine and Path("/var/log/journal", machine).is_dir():
        return Check(name="journal", state=State.OK, detail="the journal survives a reboot")
    return Check(
        name="journal",
        state=State.MISSING,
        detail="the journal is lost at a reboot",
        hint="set `Storage=persistent` in journald.conf, then restart systemd-journald",
    )


def _directory(path: Path) -> Check:
    """Records decide what root starts after a boot: nobody else may write on the way to them."""
    try:
        path.stat()
    except PermissionError:
        return Check(name="records", state=State.OK, detail=f"{path} is closed to others")
    except OSError:
        return Check(
            name="records", state=State.MISSING, detail=f"{path} does not exist", hint=_SETUP
        )
    for place in (path, path.parent):
        found = place.lstat()
        if not stat.S_ISDIR(found.st_mode) or found.st_uid or found.st_mode & 0o022:
            return Check(
                name="records",
                state=State.BROKEN,
                detail=f"{place} is not a directory of root that only root can write to",
                hint=f"look at what is in it, then `chown root: {place}; chmod go-w {place}`",
            )
    return Check(name="records", state=State.OK, detail=f"{path} belongs to root alone")


def _workspaces(path: Path) -> Check:
    """A run may write as much as it likes there: on the host's own disk it fills that."""
    try:
        alone = path.stat().st_dev != path.parent.stat().st_dev
    except PermissionError:
        return Check(
            name="workspaces",
            state=State.UNKNOWN,
            detail=f"{path} cannot be read",
            hint="run `sudo gxo doctor`",
        )
    except OSError:
        alone = False
    if alone:
        detail = "workspaces have a filesystem of their own: a run can fill that alone"
        return Check(name="workspaces", state=State.OK, detail=detail)
    return Check(
        name="workspaces",
        state=State.MISSING,
        detail=f"a run can fill the host's disk: {path} is not a filesystem of its own",
        hint="docs/how-to/workspaces.md says how to give it one, with a quota",
    )


def _restore(manager: "Manager") -> Check:
    state = manager.file_state(_RESTORE) or "not installed"
    if state.startswith(("enabled", "static", "generated")):
        return Check(name="restore", state=State.OK, detail="playbooks come back after a reboot")
    lost = f"playbooks do not come back after a reboot: {_RESTORE} is {state}"
    return Check(name="restore", state=State.MISSING, detail=lost, hint=_SETUP)


def _render(checks: tuple[Check, ...]) -> str:
    from gxo.cli.table import Cell, Colour, coloured, table

    colours = {
        State.OK: Colour.GOOD,
        State.MISSING: Colour.DOUBTFUL,
        State.UNKNOWN: Colour.DOUBTFUL,
        State.BROKEN: Colour.BAD,
    }
    rows: list[tuple[Cell | str, ...]] = []
    for check in checks:
        rows.append((Cell(check.state, colours[check.state]), check.name, check.detail))
        if check.hint:
            rows.append(("", "", Cell(f"→ {check.hint}", Colour.DIM)))
    return table(rows, colour=coloured())

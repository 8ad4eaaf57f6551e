"""Setup: what gxo needs on a host: a user, directories, the service that restores at boot."""

from collections.abc import Callable
from pathlib import Path

from gxo.apply import durable
from gxo.data import data_dir, own_command
from gxo.dataclass import dataclass
from gxo.units.quote import file_command

_WANTS = Path("etc/systemd/system/multi-user.target.wants/gxo-restore.service")


class SetupError(Exception):
    """The host could not be set up: "cannot set up …: reason"."""


@dataclass(frozen=True, slots=True)
class HostFile:
    """A file that gxo installs into /etc, unless a package has put it under /usr/lib."""

    source: str
    packaged: Path
    local: Path


FILES = (
    HostFile(
        "gxo.sysusers.conf", Path("usr/lib/sysusers.d/gxo.conf"), Path("etc/sysusers.d/gxo.conf")
    ),
    HostFile(
        "gxo.tmpfiles.conf", Path("usr/lib/tmpfiles.d/gxo.conf"), Path("etc/tmpfiles.d/gxo.conf")
    ),
    HostFile(
        "gxo-restore.service",
        Path("usr/lib/systemd/system/gxo-restore.service"),
        Path("etc/systemd/system/gxo-restore.service"),
    ),
)


def setup(root: Path = Path("/")) -> tuple[str, ...]:
    """Install what is missing on the host; what was done, in words.

    Idempotent. Raises SetupError where a step fails.
    """
    done = [said for file in FILES for said in _install(root, file)]
    packaged = (root / FILES[2].packaged).exists()
    if not packaged and not (root / _WANTS).is_symlink():
        _attempt(f"cannot enable {_WANTS.name}", lambda: _link(root / _WANTS))
        done.append("enabled gxo-restore.service")
    if done or not _ready(root):
        _run("systemd-sysusers", _found(root, FILES[0]))
        _run("systemd-tmpfiles", "--create", _found(root, FILES[1]))
        done.append("created user gxo, /var/lib/gxo and /run/gxo")
    return tuple(done)


def _ready(root: Path) -> bool:
    places = ("run/gxo", "var/lib/gxo/applied", "var/lib/gxo/workspaces")
    users = (root / "etc/passwd").read_text(encoding="utf-8", errors="replace")
    return all((root / place).is_dir() for place in places) and "\ngxo:" in users


def _install(root: Path, file: HostFile) -> tuple[str, ...]:
    target = root / file.local
    text = (data_dir("packaging") / file.source).read_text(encoding="utf-8")
    text = text.replace("/usr/bin/gxo restore", file_command(own_command("restore")))
    if (root / file.packaged).exists():
        return ()
    if target.is_file() and target.read_text(encoding="utf-8") == text:
        return ()

    def write() -> None:
        target.parent.mkdir(parents=True, exist_ok=True)
        durable.write(target, text)

    _attempt(f"cannot write {target}", write)
    return (f"wrote {target}",)


def _link(wants: Path) -> None:
    wants.parent.mkdir(parents=True, exist_ok=True)
    wants.symlink_to("../gxo-restore.service")
    durable.sync(wants.parent)


def _found(root: Path, file: HostFile) -> str:
    packaged = root / file.packaged
    return str(packaged if packaged.exists() else root / file.local)


def _attempt(what: str, act: Callable[[], None]) -> None:
    try:
        act()
    except OSError as error:
        raise SetupError(f"{what}: {error.strerror}") from None


def _run(*argv: str) -> None:
    import subprocess

    try:
        done = subprocess.run(argv, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        raise SetupError(
            f"cannot set up this host: {argv[0]} is missing; install systemd"
        ) from None
    if done.returncode:
        raise SetupError(f"cannot set up this host: {argv[0]}: {done.stderr.strip()}")

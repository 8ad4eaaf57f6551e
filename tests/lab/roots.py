"""A tree of the other Debian, for tests on a second systemd: found, or built once and kept."""

import fcntl
import os
import re
import shutil
import subprocess
import sys
import tempfile
from hashlib import sha256
from pathlib import Path

SUITES = {252: "bookworm", 257: "trixie"}
_PACKAGES = (
    *("systemd", "systemd-sysv", "dbus", "libnss-systemd", "polkitd"),
    *("python3", "python3-pydbus", "python3-yaml", "python3-lark", "python3-typer"),
    *("python3-jinja2", "python3-cryptography"),
    *("nginx-light", "redis-server", "iproute2", "procps", "acl"),
)


def host_version() -> int:
    """The version of this host's systemd."""
    said = subprocess.run(["systemctl", "--version"], capture_output=True, text=True, check=True)
    return int(said.stdout.split()[1])


def cache() -> Path:
    """Where gxo keeps what can be made again."""
    return Path(os.environ.get("GXO_CACHE") or Path.home() / ".cache" / "gxo")


def tree(version: int, also: tuple[str, ...] = ()) -> Path:
    """The root of a Debian with that systemd: $GXO_TEST_ROOT, or built in the cache.

    One with further packages (`also`), or with other ones than an earlier gxo wanted, is a tree of
    its own. Takes half a minute and 200 MB the first time. Raises RuntimeError with what to
    install.
    """
    given = os.environ.get("GXO_TEST_ROOT")
    if given and not also:
        return Path(given)
    packages = (*_PACKAGES, *also)
    wanted = sha256(" ".join(packages).encode()).hexdigest()[:8]
    target = cache() / "-".join(("root", SUITES[version], *also, wanted))
    target.parent.mkdir(parents=True, exist_ok=True)
    with (target.parent / f"{target.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # several test processes start at once
        if not (target / "usr/lib/systemd/systemd").exists():
            _build(SUITES[version], target, packages)
    return target


def _build(suite: str, target: Path, packages: tuple[str, ...]) -> None:
    if shutil.which("mmdebstrap") is None:
        raise RuntimeError(f"cannot build {target}: mmdebstrap is missing; install it")
    # beside the target, so that the finished tree appears there at once or not at all
    work = Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=target.parent))
    try:
        root = work / "root"
        subprocess.run(
            [
                *("mmdebstrap", "--quiet", "--format=directory", "--variant=minbase"),
                f"--include={','.join(packages)}",
                '--aptopt=Acquire::Check-Valid-Until "false"',
                *(suite, str(root)),
                *sources(suite),
            ],
            check=True,
        )
        if suite == "bookworm":
            _add_typer(root)
        root.chmod(0o755)
        if target.exists():
            shutil.rmtree(target)
        root.rename(target)
    finally:
        shutil.rmtree(work, ignore_errors=True)


def libraries(root: Path) -> tuple[tuple[Path, Path], ...]:
    """What Debian has no package of, for the Python of a tree: directories here, and there."""
    python = next((root / "usr/lib").glob("python3.*")).name
    kept = cache() / f"libraries-{python}"
    kept.parent.mkdir(parents=True, exist_ok=True)
    with (kept.parent / f"{kept.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not kept.exists():
            work = Path(tempfile.mkdtemp(prefix=f".{kept.name}-", dir=kept.parent))
            _install(work, python, "orjson", "google-re2")
            work.chmod(0o755)
            work.rename(kept)
    there = Path("/usr/local/lib", python, "dist-packages")
    return tuple((kept / name, there / name) for name in ("orjson", "re2"))


def _install(place: Path, python: str, *wanted: str) -> None:
    only = (f"--python-version={python[6:]}", "--only-binary=:all:", "--ignore-installed")
    argv = (sys.executable, "-m", "pip", "install", "--quiet", f"--target={place}", *only)
    subprocess.run([*argv, *wanted], check=True)


def _add_typer(root: Path) -> None:
    """Debian 12's own typer is older than what gxo needs."""
    place = root / "usr/local/lib/python3.11/dist-packages"
    _install(place, "python3.11", "typer>=0.9")


def sources(suite: str, etc: Path = Path("/etc/apt")) -> tuple[str, ...]:
    """The host's own apt sources, turned to another suite: (archive, security updates)."""
    texts = [p.read_text() for p in sorted(etc.glob("sources.list.d/*.sources"))]
    uris = [word for text in texts for line in re.findall(r"(?m)^URIs:(.*)$", text)
            for word in line.split()]  # fmt: skip
    lists = [etc / "sources.list", *sorted(etc.glob("sources.list.d/*.list"))]
    for path in lists:
        if path.exists():
            uris += re.findall(r"(?m)^deb\s+(?:\[[^\]]*\]\s+)?(\S+)", path.read_text())
    archive = next((u for u in uris if u.rstrip("/").endswith("/debian")), None)
    security = next((u for u in uris if u.rstrip("/").endswith("-security")), None)
    if archive is None:
        raise RuntimeError(f"cannot build a {suite} tree: no Debian archive in {etc}")
    found = [f"deb {archive} {suite} main"]
    if security is not None:
        found.append(f"deb {security} {suite}-security main")
    return tuple(found)

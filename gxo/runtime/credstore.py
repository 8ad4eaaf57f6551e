"""Credstore: secrets that gxo keeps, as encrypted credentials of systemd's, and all there are."""

import os
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path

from gxo.config.model import Credentials, Directory, Environment, Program, Provider
from gxo.dataclass import dataclass
from gxo.runtime.secrets import ENCRYPTED, LONGEST, PLAIN, SecretError, check_name
from gxo.template.fault import Failure

PLACE = ENCRYPTED[0]
_PATIENCE = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """A secret by its name; `provider` is its provider's type, `place` where it lies."""

    name: str
    provider: str
    place: str


def keep(name: str, value: bytes) -> Path:
    """Encrypt a secret in place of any of its name; the path of the file. Raises SecretError."""
    _check(name)
    if not value.strip():
        raise SecretError("it is empty")
    if len(value) > LONGEST:
        raise SecretError(f"it has more than {LONGEST} bytes")
    try:
        value.decode()
    except UnicodeDecodeError:
        raise SecretError("it is not UTF-8 text") from None
    sealed = _encrypt(name, value)
    PLACE.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = PLACE / name
    fresh = PLACE / f".{name}.{os.getpid()}"
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(sealed)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(path)
    except OSError:
        fresh.unlink(missing_ok=True)
        raise
    return path


def drop(name: str) -> Path | None:
    """Remove what `keep` has kept; its path, None if there was none. Raises SecretError."""
    _check(name)
    path = PLACE / name
    try:
        path.unlink()
    except FileNotFoundError:
        return None
    return path


def listed(
    providers: tuple[Provider, ...], environment: Mapping[str, str]
) -> tuple[tuple[Listed, ...], tuple[str, ...]]:
    """The secrets there are, by name, and the programs that cannot be asked for a list.

    A variable tells its secret's name in lower case, however that is written.
    """
    found: dict[str, Listed] = {}
    silent: list[str] = []
    for provider in providers:
        match provider:
            case Credentials():
                for place in (*PLAIN, *ENCRYPTED):
                    _add(found, "credentials", place)
            case Directory(path):
                _add(found, "directory", Path(path))
            case Environment(prefix):
                for variable in environment:
                    name = variable.removeprefix(prefix).lower()
                    if variable.startswith(prefix) and name:
                        item = Listed(name=name, provider="environment", place=variable)
                        found.setdefault(name, item)
            case Program(argv):
                silent.append(argv[0])
    return tuple(found[name] for name in sorted(found)), tuple(silent)


def _add(found: dict[str, Listed], provider: str, place: Path) -> None:
    for path in _files(place):
        item = Listed(name=path.name, provider=provider, place=str(path))
        found.setdefault(path.name, item)


def _files(place: Path) -> Iterator[Path]:
    with suppress(FileNotFoundError, NotADirectoryError):
        for path in place.iterdir():
            with suppress(SecretError):
                _check(path.name)
                if path.is_file():
                    yield path


def _check(name: str) -> None:
    try:
        check_name(name)
    except Failure as failure:
        raise SecretError(f"{failure}; {failure.hint}") from None


def _encrypt(name: str, value: bytes) -> bytes:
    """Encrypt with the best key of this host: its TPM's, its own, or both."""
    argv = ("systemd-creds", "encrypt", "--with-key=auto", f"--name={name}", "-", "-")
    try:
        done = subprocess.run(
            argv, input=value, capture_output=True, timeout=_PATIENCE, check=False
        )
    except OSError as error:
        raise SecretError(f"`systemd-creds` cannot be run: {error.strerror}") from None
    except subprocess.TimeoutExpired:
        raise SecretError(f"`systemd-creds` did not end within {_PATIENCE} s") from None
    if done.returncode != 0 or not done.stdout:
        said = done.stderr.decode("utf-8", "replace").strip() or "it said nothing"
        raise SecretError(f"`systemd-creds encrypt`: {said}")
    return done.stdout

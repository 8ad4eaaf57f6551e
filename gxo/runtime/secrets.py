"""Secrets: the values that `secret` yields in a run, from the providers in their order."""

import os
import re
import signal
import stat
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from gxo.config.model import Credentials, Directory, Environment, Program, Provider
from gxo.runtime.redact import Redactor
from gxo.template.fault import Failure

if TYPE_CHECKING:
    import subprocess

LONGEST = 1 << 20
"""Bytes that a secret may have."""
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.@+-]{0,127}")
PLAIN = (Path("/etc/credstore"), Path("/run/credstore"))
ENCRYPTED = (Path("/etc/credstore.encrypted"), Path("/run/credstore.encrypted"))
_DECRYPT = ("systemd-creds", "decrypt")
_PATIENCE = 30.0
_OTHERS = 0o077
_Found = tuple[bytes | None, str]


class SecretError(Exception):
    """A provider that cannot be asked, or whose answer cannot be used; the text says why."""


class Secrets:
    """The secrets of one run: each is looked up once, and masked before anybody has it.

    `environment` holds the variables that the caller of the run has handed over.
    """

    def __init__(
        self, providers: tuple[Provider, ...], environment: Mapping[str, str], redactor: Redactor
    ) -> None:
        self._providers = providers
        self._environment = environment
        self._redactor = redactor
        self._known: dict[str, str] = {}

    def __call__(self, name: str) -> str:
        """The value. Failure: there is none, or a provider that comes first cannot be asked."""
        if name not in self._known:
            found = self._find(name)
            self._redactor.add(found)
            self._known[name] = found
        return self._known[name]

    def _find(self, name: str) -> str:
        check_name(name)
        asked: list[str] = []
        try:
            for provider in self._providers:
                found, told = look_up(provider, name, self._environment)
                if found is not None:
                    return _as_text(found, told)
                asked.append(told)
        except SecretError as error:
            raise Failure(f"cannot read the secret `{name}`: {error}", argument=0) from None
        where = "; ".join(asked) or "no provider is configured"
        raise Failure(f"there is no secret `{name}`: {where}", argument=0)


def check_name(name: str) -> None:
    """Failure where a text cannot name a secret: names become file names and arguments."""
    if not _NAME.fullmatch(name) or ".." in name:
        raise Failure(
            "that is not a valid name for a secret",
            argument=0,
            hint="a name is made of letters, digits and `_ . @ + -`, begins with a letter, a digit"
            " or `_`, holds no `..` and has at most 128 characters",
        )


def look_up(provider: Provider, name: str, environment: Mapping[str, str]) -> _Found:
    """What a provider has under a name, or None, and where it looked. Raises SecretError."""
    match provider:
        case Credentials():
            return _credential(name)
        case Directory(path):
            found = _read(Path(path), name, strict=True)
            return found, f"no file `{name}` in {path}" if found is None else f"{path}/{name}"
        case Environment():
            variable = provider.variable(name)
            value = environment.get(variable)
            if value is None:
                return None, f"no variable `{variable}` in the environment"
            return value.encode("utf-8", "surrogateescape"), f"the variable `{variable}`"
        case Program(argv, timeout):
            code, said = _run((*argv, name), timeout)
            if code != 0:
                return None, f"`{argv[0]}` exited with status {code}"
            return said, f"what `{argv[0]}` wrote"


def _credential(name: str) -> _Found:
    for place in PLAIN:
        found = _read(place, name, strict=False)
        if found is not None:
            return found, f"the credential {place / name}"
    for place in ENCRYPTED:
        path = place / name
        if path.is_file():
            code, said = _run((*_DECRYPT, f"--name={name}", str(path), "-"), _PATIENCE)
            if code != 0:
                raise SecretError(f"`systemd-creds decrypt` of {path} exited with status {code}")
            return said, f"the credential {path}"
    return None, f"no credential `{name}` in " + ", ".join(map(str, (*PLAIN, *ENCRYPTED)))


def _as_text(found: bytes, where: str) -> str:
    """The text, without the line break that ends most files."""
    if len(found) > LONGEST:
        raise SecretError(f"{where} has more than {LONGEST} bytes")
    try:
        return found.decode("utf-8").removesuffix("\n")
    except UnicodeDecodeError:
        raise SecretError(f"{where} is not UTF-8 text") from None


def _read(place: Path, name: str, *, strict: bool) -> bytes | None:
    """A file of a directory of root's; None where either is not there.

    `strict`: nobody else may enter the directory. Else it is enough that nobody may read the file.
    """
    try:
        directory = os.open(place, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise SecretError(f"{place}: {error.strerror}") from None
    try:
        own = os.fstat(directory)
        closed = own.st_uid == 0 and not own.st_mode & _OTHERS
        if strict and not closed:
            raise SecretError(
                f"{place} is accessible to users other than root;"
                f" run `chown root: {place}; chmod 700 {place}`"
            )
        return _file(directory, place / name, closed=closed)
    finally:
        os.close(directory)


def _file(directory: int, path: Path, *, closed: bool) -> bytes | None:
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    try:
        descriptor = os.open(path.name, flags, dir_fd=directory)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise SecretError(f"{path}: {error.strerror}") from None
    try:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode):
            raise SecretError(f"{path} is not a file")
        if not closed and (found.st_uid != 0 or found.st_mode & _OTHERS):
            raise SecretError(
                f"{path} is accessible to users other than root; run `chmod 600 {path}`"
            )
        with open(descriptor, "rb", closefd=False) as file:
            return file.read(LONGEST + 1)
    finally:
        os.close(descriptor)


def _run(argv: tuple[str, ...], timeout: float) -> tuple[int, bytes]:
    """Exit status and output of a program. What it says on stderr is nobody's: it may be secret."""
    import subprocess

    try:
        process = subprocess.Popen(
            argv,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd="/",
            start_new_session=True,
        )
    except OSError as error:
        raise SecretError(f"`{argv[0]}` cannot be run: {error.strerror}") from None
    with process:
        try:
            said, _ = process.communicate(timeout=timeout)
        except subprocess.TimeoutExpired:
            raise SecretError(f"`{argv[0]}` did not end within {timeout:g} s") from None
        finally:
            _end(process)
    return process.returncode, said


def _end(process: "subprocess.Popen[bytes]") -> None:
    """It and what it started: a child of its own could hold its output open."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)

"""Credentials: the secrets of applied services, in files that root alone can read.

The files lie in memory that is not swapped out. A keyed hash of its content is in each one's name,
so that a changed secret makes a changed unit, and an undone apply finds the old file again.
"""

import hmac
import os
import stat
from collections.abc import Callable
from pathlib import Path

from gxo.apply import durable
from gxo.apply.desired import Desired
from gxo.config.read import ConfigError, load_config
from gxo.dataclass import replace
from gxo.runtime.handover import put
from gxo.runtime.redact import Redactor
from gxo.runtime.secrets import SecretError, Secrets
from gxo.runtime.service_secrets import Handout, handout
from gxo.units.credential import credential, recipe
from gxo.units.model import Unit
from gxo.units.names import WorkloadNames
from gxo.units.service_secrets import bound

_KEY = Path("/var/lib/gxo/secrets.key")
_KEY_SIZE = 32
_MARK = 12
"""Digits of a hash: with the longest name of a unit as many as a file's name holds."""


def bind(wanted: Desired, *, make_key: bool = True) -> Desired:
    """What is wanted, with the credentials of the secrets' present values. Raises SecretError.

    Without `make_key` nothing is written: without a key yet, every credential counts as new.
    """
    key = _key(make=make_key)
    parts = tuple(
        replace(part, units=tuple(_bound(unit, key) for unit in part.units))
        for part in wanted.parts
    )
    return replace(wanted, parts=parts)


def provide(unit: Unit) -> None:
    """Write a unit's credential before it starts, where it is missing. Raises SecretError."""
    path = credential(unit.directives)
    if path and not Path(path).exists():
        found = _handout(unit)
        try:
            put(Path(path), found.handed)
        except OSError as error:
            raise SecretError(f"{error.filename or path}: {error.strerror}") from None


def _key(*, make: bool) -> bytes:
    """The key of the hashes in the files' names."""
    try:
        with _KEY.open("rb") as file:
            found = os.fstat(file.fileno())
            if found.st_uid != 0 or stat.S_IMODE(found.st_mode) & 0o077:
                raise SecretError(
                    f"{_KEY} is accessible to users other than root; remove it, and the services"
                    " that have secrets restart with the next `gxo apply`"
                )
            return file.read()
    except FileNotFoundError:
        fresh = os.urandom(_KEY_SIZE).hex()
        if make:
            _KEY.parent.mkdir(parents=True, exist_ok=True)
            durable.write(_KEY, fresh, mode=0o600)
        return fresh.encode()
    except OSError as error:
        raise SecretError(f"cannot read {_KEY}: {error.strerror}") from None


def _bound(unit: Unit, key: bytes) -> Unit:
    path = credential(unit.directives)
    if not path:
        return unit
    mark = hmac.digest(key, _handout(unit).values, "sha256").hex()[:_MARK]
    return unit if path.endswith(f".{mark}") else bound(unit, mark)


def _handout(unit: Unit) -> Handout:
    """What a unit's templates and the secrets evaluate to now."""
    names = WorkloadNames(unit.playbook, unit.workload)
    redactor = Redactor()
    try:
        at = f"/run/{names.workspace}"
        return handout(recipe(unit.directives), at, _secrets(redactor), redactor)
    except SecretError as error:
        raise SecretError(f"cannot give `{names.label}` its secrets: {error}") from None


def _secrets(redactor: Redactor) -> Callable[[str], str]:
    """The providers of the configuration, without any environment: a boot has none."""
    try:
        providers = load_config(os.environ.get("GXO_CONFIG", "")).providers
    except ConfigError as error:
        raise SecretError(f"the configuration cannot be used: {error}") from None
    return Secrets(providers, {}, redactor)

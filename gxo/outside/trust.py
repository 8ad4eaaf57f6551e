"""Trust: whether a module may run here, by the keys of the configuration and nothing else."""

import os
import stat
from collections.abc import Iterable
from enum import StrEnum

from gxo.config.model import Modules
from gxo.dataclass import dataclass
from gxo.outside.manifest import difference, manifest
from gxo.outside.signature import LONGEST_KEY, BadKey, PublicKey, public_key
from gxo.outside.tree import Tree, reason

_OTHERS = stat.S_IWGRP | stat.S_IWOTH


class Signed(StrEnum):
    """What is to be said of a module's signature."""

    YES = "signed"
    NO = "not signed"
    BADLY = "badly signed"


@dataclass(frozen=True, slots=True)
class Verdict:
    """`words` say what is wrong, or which key signed it."""

    signed: Signed
    words: str


def examine(tree: Tree, keys: Iterable[PublicKey]) -> Verdict:
    """Whose signature a module carries. It is that of its bytes, whatever its manifest says."""
    if tree.signature is None:
        return Verdict(Signed.NO, "it is not signed")
    own = manifest(tree)
    keys = tuple(keys)
    for key in keys:
        if key.verifies(own, tree.signature):
            return Verdict(Signed.YES, key.name)
    changed = difference(tree)
    if changed is not None:
        return Verdict(Signed.BADLY, f"`{changed}` is not what was signed")
    if not keys:
        return Verdict(Signed.BADLY, "it is signed, but the configuration names no key")
    return Verdict(Signed.BADLY, "its signature is by none of the keys in the configuration")


def configured_keys(modules: Modules) -> tuple[PublicKey, ...]:
    """The keys that the configuration names. Raises BadKey where one cannot be used.

    None may lie where modules do: who brings a module would bring its key.
    """
    return tuple(_configured(path, modules.paths) for path in modules.keys)


def _configured(path: str, places: Iterable[str]) -> PublicKey:
    real = os.path.realpath(path)
    for place in places:
        if os.path.commonpath((real, os.path.realpath(place))) == os.path.realpath(place):
            raise BadKey(f"cannot use the key {path}: it is among the modules, in {place}")
    try:
        return public_key(path, read_key(path, strict=True))
    except BadKey as error:
        raise BadKey(f"cannot use the key {path}: {error}") from None


def read_key(path: str, *, strict: bool = False) -> bytes:
    """A key's file. `strict`: it is root's, and nobody else may write to it. Raises BadKey."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except (OSError, ValueError) as error:
        raise BadKey(reason(error)) from None
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise BadKey("it is not a file")
        if strict and (status.st_uid != 0 or status.st_mode & _OTHERS):
            raise BadKey(
                f"users other than root may write to it; run `chown root: {path}; chmod 644`"
            )
        with open(descriptor, "rb", closefd=False) as file:
            found = file.read(LONGEST_KEY + 1)
    finally:
        os.close(descriptor)
    if len(found) > LONGEST_KEY:
        raise BadKey(f"it has more than {LONGEST_KEY >> 10} KiB")
    return found

"""Vetting: what `gxo modules` finds out of modules, and the signing of one."""

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from gxo.cli.exits import Failure
from gxo.cli.given import config_path
from gxo.config.read import ConfigError, load_config
from gxo.dataclass import dataclass
from gxo.diagnostic.base import Problem
from gxo.diagnostic.modules import ModuleTwice, UnusableModule
from gxo.language.catalog import describe, entries
from gxo.outside.manifest import digest, manifest
from gxo.outside.signature import BadKey, PublicKey, is_encrypted, public_key
from gxo.outside.signature import sign as signature_of
from gxo.outside.tree import MANIFEST, SIGNATURE, Tree, UnusableTree, read_tree
from gxo.outside.trust import Signed, configured_keys, examine, read_key
from gxo.spec.library import LIBRARY
from gxo.spec.module import ModuleSpec

if TYPE_CHECKING:
    from gxo.language.catalog import Entry

_PASSWORD = "GXO_KEY_PASSWORD"  # noqa: S105 - the name of a variable


@dataclass(frozen=True, slots=True)
class Known:
    """A module; `path` and the rest are of those from outside: where, which bytes, by whom."""

    spec: ModuleSpec
    path: str = ""
    digest: str = ""
    signed: Signed | None = None
    detail: str = ""

    @property
    def name(self) -> str:
        return self.spec.name

    @property
    def signature(self) -> str:
        """In few words, for a table."""
        by = f" by {self.detail}" if self.signed is Signed.YES else ""
        return f"{self.signed}{by}" if self.signed else ""

    @property
    def short(self) -> str:
        """The first sentence of what it does."""
        return " ".join(self.spec.doc.split()).partition(". ")[0].removesuffix(".")

    def document(self) -> dict[str, object]:
        """As JSON has it."""
        return {
            "name": self.name,
            "origin": "outside" if self.path else "library",
            "doc": self.spec.doc,
            "path": self.path or None,
            "digest": self.digest or None,
            "signature": self.signed and self.signed.value,
            "detail": self.detail,
        }


def known() -> tuple[tuple[Known, ...], tuple[Problem, ...]]:
    """The library's modules and those of this host, and what is wrong with any of them.

    Raises Failure where the configuration cannot be used.
    """
    try:
        modules = load_config(config_path()).modules
        keys = configured_keys(modules)
    except (ConfigError, BadKey) as error:
        raise Failure(f"cannot list the modules of this host: {error}") from None
    problems: list[Problem] = []
    found = [Known(spec) for spec in LIBRARY.values()]
    places: dict[str, str] = {}
    for entry in entries(modules.paths):
        problems += entry.problems
        if entry.described is None:
            continue
        name = entry.described.name
        first = places.setdefault(name.text, entry.path)
        if first != entry.path:
            twice = ModuleTwice(span=name.span, name=name.text, paths=(first, entry.path))
            problems.append(twice)
        try:
            found.append(_judged(entry.path, keys))
        except UnusableTree as error:
            problems.append(_unusable(entry, str(error)))
    return tuple(found), tuple(problems)


def judged(directory: Path, key: Path | None) -> Known:
    """A module and who has signed it, by that key or those of the configuration. Failure."""
    try:
        keys = configured_keys(load_config(config_path()).modules) if key is None else (_key(key),)
        return _judged(str(directory.absolute()), keys)
    except (ConfigError, BadKey, UnusableTree) as error:
        raise Failure(f"cannot verify {directory}: {error}") from None


def sign(directory: Path, key: Path) -> str:
    """Write the manifest of a module and its signature; its name. Raises Failure."""
    try:
        tree = read_tree(str(directory))
        name = describe(str(directory), tree).spec.name
        own = manifest(tree)
        (directory / MANIFEST).write_bytes(own)
        (directory / SIGNATURE).write_bytes(_signed(own, directory, key))
    except UnusableTree as error:
        raise Failure(f"cannot sign {directory}: {error}") from None
    return name


def _signed(own: bytes, directory: Path, key: Path) -> bytes:
    try:
        pem = read_key(str(key))
        return signature_of(own, pem, _password(key) if is_encrypted(pem) else None)
    except BadKey as error:
        raise Failure(
            f"cannot sign {directory} with {key}: {error}; `cosign sign-blob` can sign its"
            f" {MANIFEST}, which is written, with `--output-signature {directory / SIGNATURE}`"
            if "cosign" in str(error)
            else f"cannot sign {directory} with {key}: {error}"
        ) from None


def _password(key: Path) -> bytes:
    """Of an encrypted key."""
    given = os.environ.get(_PASSWORD)
    if given is not None:
        return given.encode()
    if not sys.stdin.isatty():
        raise BadKey(
            f"it is encrypted, and there is no terminal to ask for its password: set {_PASSWORD}"
        )
    from getpass import getpass

    return getpass(f"Password of {key}: ").encode()


def _key(path: Path) -> PublicKey:
    try:
        return public_key(str(path), read_key(str(path)))
    except BadKey as error:
        raise BadKey(f"cannot use the key {path}: {error}") from None


def _judged(path: str, keys: tuple[PublicKey, ...]) -> Known:
    tree: Tree = read_tree(path)
    verdict = examine(tree, keys)
    return Known(describe(path, tree).spec, path, digest(tree), verdict.signed, verdict.words)


def _unusable(entry: "Entry", reason: str) -> UnusableModule:
    assert entry.described is not None
    name = entry.described.name
    return UnusableModule(span=name.span, name=name.text, path=entry.path, reason=reason)

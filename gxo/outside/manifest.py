"""Manifest: all of a module in one text, which is what is signed.

A first line with the form's version, then a line a file, by the bytes of their paths: mode, SHA-256
in hexadecimal, path. The mode is 0755 for what its owner may execute and 0644 for all else, so that
it does not depend on a umask. The manifest and its signature are not in it.
"""

from hashlib import sha256

from gxo.outside.tree import File, Tree

_FIRST = "gxo module 1"


def manifest(tree: Tree) -> bytes:
    """The manifest of the bytes that were read."""
    return "".join(f"{line}\n" for line in (_FIRST, *map(_line, tree.files))).encode()


def digest(tree: Tree) -> str:
    """What tells a module from all others: the SHA-256 of its manifest."""
    return sha256(manifest(tree)).hexdigest()


def difference(tree: Tree) -> str | None:
    """The first path at which a module differs from the manifest beside it; None where none does.

    It only serves to say what is wrong: what is verified is the manifest of what was read.
    """
    if tree.manifest is None:
        return None
    own, beside = (text.decode("utf-8", "replace") for text in (manifest(tree), tree.manifest))
    one, other = (frozenset(text.splitlines()) for text in (own, beside))
    paths = sorted(line.split(" ", 2)[-1] for line in one ^ other)
    return paths[0] if paths else None


def _line(file: File) -> str:
    mode = "0755" if file.executable else "0644"
    return f"{mode} {sha256(file.data).hexdigest()} {file.path}"

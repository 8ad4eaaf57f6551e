"""The digest of a unit: what tells one revision of a workload from another."""

from collections.abc import Iterable

from gxo.units.directives import line
from gxo.units.model import Directive


def digest_of(name: str, directives: Iterable[Directive]) -> str:
    """SHA-256 in hexadecimal over a unit's name and all it says, in order.

    Neither the digest itself nor gxo's version goes in, so that an upgrade restarts nothing.
    """
    from hashlib import sha256  # brings OpenSSL

    text = "\n".join(f"{setting.section} {line(setting)}" for setting in directives)
    return sha256(f"{name}\n{text}".encode()).hexdigest()

"""Signature: ECDSA on P-256 over SHA-256, DER in base64, as `cosign sign-blob --key` writes it.

The one place that knows a library for it. Keys are PEM: SubjectPublicKeyInfo, and PKCS#8 or EC.
"""

import base64
import binascii
from typing import TYPE_CHECKING

from gxo.dataclass import dataclass

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import (
        EllipticCurvePrivateKey,
        EllipticCurvePublicKey,
    )

LONGEST_KEY = 64 << 10
_LONGEST = 4096
_WANTED = "it must be an ECDSA key on P-256"
_OF_COSIGN = (b"ENCRYPTED SIGSTORE PRIVATE KEY", b"ENCRYPTED COSIGN PRIVATE KEY")


class BadKey(Exception):
    """A key that cannot be used; the text says why."""


@dataclass(frozen=True, slots=True)
class PublicKey:
    """A key that signatures are verified by; `name` is where it comes from."""

    name: str
    key: "EllipticCurvePublicKey"

    def verifies(self, data: bytes, signature: bytes) -> bool:
        """Whether a signature, as it stands in its file, is this key's over that data."""
        from cryptography.exceptions import InvalidSignature
        from cryptography.hazmat.primitives.asymmetric.ec import ECDSA
        from cryptography.hazmat.primitives.hashes import SHA256

        der = _decoded(signature)
        if der is None:
            return False
        try:
            self.key.verify(der, data, ECDSA(SHA256()))
        except InvalidSignature:
            return False
        return True


def public_key(name: str, pem: bytes) -> PublicKey:
    """The key that a PEM text holds; BadKey."""
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
    from cryptography.hazmat.primitives.serialization import load_pem_public_key

    if b"PRIVATE KEY" in pem:
        raise BadKey("it is a private key, and whoever can read it can sign: name the public one")
    try:
        found = load_pem_public_key(pem)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise BadKey(f"it is not a public key in PEM; {_WANTED}") from None
    if not isinstance(found, EllipticCurvePublicKey) or found.curve.name != "secp256r1":
        raise BadKey(f"it is a key of another kind; {_WANTED}")
    return PublicKey(name, found)


def sign(data: bytes, pem: bytes, password: bytes | None = None) -> bytes:
    """The signature of data by a private key in PEM, as it stands in its file. Raises BadKey."""
    from cryptography.hazmat.primitives.asymmetric.ec import ECDSA
    from cryptography.hazmat.primitives.hashes import SHA256

    der = _private_key(pem, password).sign(data, ECDSA(SHA256()))
    return base64.b64encode(der) + b"\n"


def is_encrypted(pem: bytes) -> bool:
    """Whether a private key in PEM asks for a password."""
    return b"ENCRYPTED" in pem


def _private_key(pem: bytes, password: bytes | None) -> "EllipticCurvePrivateKey":
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    if any(label in pem for label in _OF_COSIGN):
        raise BadKey("it is encrypted in cosign's own way, which only cosign can read")
    try:
        found = load_pem_private_key(pem, password)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        if is_encrypted(pem):
            raise BadKey("the password is wrong, or the key is damaged") from None
        raise BadKey("it is not a private key in PEM, PKCS#8 or EC") from None
    if not isinstance(found, EllipticCurvePrivateKey) or found.curve.name != "secp256r1":
        raise BadKey(f"it is a key of another kind; {_WANTED}")
    return found


def _decoded(signature: bytes) -> bytes | None:
    """The DER of a signature's file; None where it is no base64."""
    if len(signature) > _LONGEST:
        return None
    try:
        return base64.b64decode(signature.strip(), validate=True)
    except (binascii.Error, ValueError):
        return None

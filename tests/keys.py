"""Keys and signatures by OpenSSL: another implementation than gxo's."""

import base64
import subprocess
from pathlib import Path


def openssl(*argv: str | Path) -> bytes:
    """What it writes; an error is the test's."""
    return subprocess.run(("openssl", *argv), check=True, capture_output=True).stdout


def new_key(place: Path, name: str = "key", curve: str = "prime256v1") -> tuple[Path, Path]:
    """A pair in PEM: the private one as EC, and the public one."""
    private, public = place / f"{name}.key", place / f"{name}.pub"
    openssl("ecparam", "-name", curve, "-genkey", "-noout", "-out", private)
    openssl("ec", "-in", private, "-pubout", "-out", public)
    public.chmod(0o644)
    return private, public


def sign(private: Path, blob: Path) -> bytes:
    """As `cosign sign-blob` writes it: DER in base64."""
    return base64.b64encode(openssl("dgst", "-sha256", "-sign", private, blob))

"""The alternatives we measure against, each installed once into a venv of its own."""

import os
import subprocess
import sys
from pathlib import Path


def _venv() -> Path:
    cache = os.environ.get("GXO_CACHE") or "~/.cache/gxo"
    return Path(cache).expanduser() / "bench-venv"


def _installed(program: str, package: str) -> Path:
    path = _venv() / "bin" / program
    if not path.exists():
        print(f"installing {package}", file=sys.stderr)
        if not (_venv() / "bin/pip").exists():
            subprocess.run(["/usr/bin/python3", "-m", "venv", _venv()], check=True)
        subprocess.run([_venv() / "bin/pip", "install", "-q", package], check=True)
    return path


def ansible_playbook() -> Path:
    return _installed("ansible-playbook", "ansible-core")


def pyinfra() -> Path:
    return _installed("pyinfra", "pyinfra")


def luigi() -> Path:
    return _installed("luigi", "luigi")

"""Exposure: how open a service leaves the host, 0 to 10, as `systemd-analyze security` rates it."""

import os
import re
import subprocess
from collections.abc import Iterable, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

# no --json gives the overall figure of named units; this line stands since version 240
# what tells units of one isolation apart, and is not rated
_OWN = re.compile(
    r"^(?:#|(?:Description|Environment|Exec\w+|LogExtraFields|RuntimeDirectory|Slice"
    r"|StateDirectory|SyslogIdentifier|WorkingDirectory)=).*\n",
    re.MULTILINE,
)
_OVERALL = re.compile(r"Overall exposure level for (\S+): (\d+(?:\.\d+)?) ")


def of_units(units: Iterable[str]) -> dict[str, float]:
    """The exposure of loaded services by name; without those that are not there or unrated."""
    services = [unit for unit in units if unit.endswith(".service")]
    return _rate(["--", *services]) if services else {}


def of_texts(files: Mapping[str, str]) -> dict[str, float]:
    """The exposure of services given as unit files, name to text; needs no running systemd."""
    alike: dict[str, list[str]] = {}
    for name, text in files.items():
        if name.endswith(".service"):
            alike.setdefault(_OWN.sub("", text), []).append(name)
    if not alike:
        return {}
    with TemporaryDirectory(prefix="gxo-exposure-") as directory:
        paths = []
        for first, *_ in alike.values():
            path = Path(directory, first)
            path.write_text(files[first], encoding="utf-8")
            paths.append(str(path))
        rated = _rate(["--offline=true", "--", *paths])
    return {
        name: rated[names[0]] for names in alike.values() if names[0] in rated for name in names
    }


def _rate(args: list[str]) -> dict[str, float]:
    command = ["systemd-analyze", "security", "--no-pager", *args]
    env = {**os.environ, "LC_ALL": "C", "SYSTEMD_COLORS": "0"}
    try:
        done = subprocess.run(command, capture_output=True, check=False, env=env)
    except OSError:
        return {}
    found = _OVERALL.findall(done.stdout.decode("utf-8", "replace"))
    return {name: float(score) for name, score in found}

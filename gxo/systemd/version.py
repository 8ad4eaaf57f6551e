"""The version of the installed systemd, read off its files: starting a program takes longer."""

import os
import re
from pathlib import Path

# where distributions keep systemd's own library: libsystemd-shared-252.so, -257.13-1.so
_PLACES = (Path("/usr/lib/systemd"), Path(f"/usr/lib/{os.uname().machine}-linux-gnu/systemd"))
_LIBRARY = re.compile(r"libsystemd-shared-(\d+)\b")


def installed_version() -> int | None:
    """The major version of this host's systemd, running or not; None where it has none."""
    files = [path.name for place in _PLACES for path in place.glob("libsystemd-shared-*.so")]
    found = {int(named[1]) for name in files if (named := _LIBRARY.match(name))}
    if len(found) == 1:
        return found.pop()
    from gxo.systemd.host import systemd_version

    return systemd_version()

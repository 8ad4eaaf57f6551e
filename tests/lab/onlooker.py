"""Another user of a machine: what comes to his ears on the bus, and what he may read of it all."""

import json
import os
import re
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.lab.applying import until
from tests.lab.machine import Machine

USER = "nobody"
_MANAGER = ("org.freedesktop.systemd1", "/org/freedesktop/systemd1")
_FILES = (
    "find /run /var/lib/gxo /etc/gxo /tmp /var/tmp -type f -readable -print -exec cat {} +"
    " 2>/dev/null; cat /proc/[0-9]*/cmdline /proc/[0-9]*/environ 2>/dev/null | tr '\\0' '\\n'"
)


@dataclass(slots=True)
class Onlooker:
    """`heard` has the signals, once he has ceased to listen; `read` what he saw, by its way."""

    machine: Machine
    heard: str = ""
    read: dict[str, str] = field(default_factory=dict)

    def look(self) -> list[str]:
        """Read all properties of gxo's units, their processes, and every file that can be read.

        The names of the units that there are.
        """
        said = self._bus("ListUnitsByPatterns", "asas", "0", "1", "gxo*")
        units = {str(row[0]): str(row[6]) for row in said[0]}
        for name, path in units.items():
            found = self._call(path, "org.freedesktop.DBus.Properties", "GetAll", "s", "")
            self._note("properties", _text(found))
            with suppress(subprocess.CalledProcessError):  # one that has just ended
                self._note("processes", _text(self._bus("GetUnitProcesses", "s", name)))
        show = ("systemctl", "show", "--all", "gxo*")
        self._note("systemctl", self.machine.run(*show, user=USER).stdout)
        self._note("files", self.machine.run("sh", "-c", _FILES, user=USER).stdout)
        return sorted(units)

    def _note(self, way: str, text: str) -> None:
        self.read[way] = f"{self.read.get(way, '')}{text}\n"

    def _bus(self, method: str, *args: str) -> Any:
        return self._call(_MANAGER[1], f"{_MANAGER[0]}.Manager", method, *args)

    def _call(self, path: str, interface: str, method: str, *args: str) -> Any:
        argv = ("busctl", "--json=short", "call", _MANAGER[0], path, interface, method, *args)
        return json.loads(self.machine.run(*argv, user=USER, check=True).stdout)["data"]


def _text(value: Any) -> str:
    """Each text in it on a line of its own, one that goes as bytes too."""
    if isinstance(value, dict):
        return "\n".join(f"{name}: {_text(inner)}" for name, inner in value.items())
    if not isinstance(value, list):
        return str(value)
    if value and all(isinstance(byte, int) and 0 <= byte < 256 for byte in value):
        return bytes(value).decode(errors="replace")
    return "\n".join(map(_text, value))


@contextmanager
def onlooker(machine: Machine, place: Path) -> Iterator[Onlooker]:
    """He listens to all that the bus lets him match, with a file at `place` for it."""
    argv = machine.lab.exec_argv(("stdbuf", "-oL", "dbus-monitor", "--system"), user=USER)
    found = Onlooker(machine)
    with place.open("wb") as file:
        process = subprocess.Popen(
            argv, stdin=subprocess.DEVNULL, stdout=file, stderr=file, start_new_session=True
        )
        try:
            # he may not see what others say to each other: what he hears is for everybody
            assert until(lambda: b"member=NameAcquired" in place.read_bytes(), 30)
            yield found
        finally:
            os.killpg(process.pid, signal.SIGTERM)
            process.wait(20)
            found.heard = _heard(place.read_text(errors="replace"))


def _heard(text: str) -> str:
    """With the bytes that dbus-monitor shows in hexadecimal as the text that they are."""

    def told(block: "re.Match[str]") -> str:
        return bytes.fromhex(re.sub(r"\s", "", block[1])).decode(errors="replace")

    return re.sub(r"array of bytes \[([0-9a-f\s]*)\]", told, text)

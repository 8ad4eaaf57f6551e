"""QEMU's control socket: commands and their answers (QEMU Machine Protocol)."""

import json
import socket
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from machine.error import MachineError


class Qmp:
    """One connection to a running QEMU. QEMU serves one at a time: close it soon."""

    def __init__(self, path: Path) -> None:
        """Connect to the socket at `path`. Raises OSError if nothing listens there."""
        self._socket = socket.socket(socket.AF_UNIX)
        try:
            self._socket.connect(str(path))
        except OSError:
            self._socket.close()
            raise
        self._stream = self._socket.makefile("rw")
        self._stream.readline()  # the greeting
        self.execute("qmp_capabilities")

    def execute(self, command: str, **arguments: object) -> Any:
        """Send one command and return its answer, whose shape is the command's own.

        `_` in an argument's name stands for `-`. Raises MachineError if QEMU refuses or is gone.
        """
        named = {name.replace("_", "-"): value for name, value in arguments.items()}
        self._stream.write(json.dumps({"execute": command, "arguments": named}) + "\n")
        self._stream.flush()
        for line in self._stream:
            message = json.loads(line)
            if "return" in message:
                return message["return"]
            if "error" in message:
                raise MachineError(f"cannot {command}: {message['error']['desc']}")
        raise MachineError(f"cannot {command}: the machine is gone")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stream.close()
        self._socket.close()

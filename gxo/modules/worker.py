"""Worker: one module in the unit of a step. A request on standard input, an answer on standard
output, both one JSON document; standard error is the step's.

It starts for each step anew: it imports what its module needs and no more.
"""

from __future__ import annotations

import json
import os
import signal
import sys

from gxo.modules.fault import ModuleError, SecurityError
from gxo.modules.jail import Jail

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

# by module: the file and function that do it, what it does in words, and the param to name there
WORKERS = {
    "filesystem:read": ("look", "read", "read", "path"),
    "filesystem:stat": ("look", "look", "look at", "path"),
    "filesystem:list": ("look", "entries", "list", "path"),
    "filesystem:write": ("write", "write", "write", "path"),
    "filesystem:manage": ("write", "manage", "manage", "path"),
    "http:request": ("http", "request", "ask", "url"),
}


def main() -> None:
    """Answer the one request there is; the exit status says whether it was done."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    with open(0, "rb") as stdin:
        request = json.load(stdin)
    # whatever prints must not spoil the answer
    out = os.dup(1)
    os.dup2(2, 1)
    answer = perform(request)
    with open(out, "wb") as stdout:
        stdout.write(json.dumps(answer).encode())
    sys.exit(1 if "error" in answer else 0)


def perform(request: dict[str, Any]) -> dict[str, Any]:
    """What the request asks for: its summary, or why it failed, which `cannot` it what.

    All of it is whole: where a secret is cut, it is not known any more.
    """
    file, function, act, about = WORKERS[request["module"]]
    params = request["params"]
    jail = Jail(
        request["workspace"], free=request["free"], write=request["write"], read=request["read"]
    )
    failed = {"cannot": act, "about": params[about], "summary": None}
    try:
        module = __import__(f"gxo.modules.{file}", fromlist=[function])
        return {"summary": getattr(module, function)(params, jail)}
    except SecurityError as error:
        return {**failed, "error": str(error), "fatal": True}
    except ModuleError as error:
        return {**failed, "error": str(error), "summary": error.summary}
    except OSError as error:
        return {**failed, "error": str(error.strerror or error)}

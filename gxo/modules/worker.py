"""Worker: one module in the unit of a step. A request on standard input, an answer on standard
output, both one JSON document; standard error is the step's.

With streams, standard input is a socket on which one message lies, with descriptors: the request,
where the answer goes, each input, the output if there is one. Before the answer, which is one line
there, come lines that tell of progress.

It starts for each step anew: it imports what its module needs and no more.
"""

from __future__ import annotations

import json
import os
import signal
import stat
import sys

from gxo.modules.fault import ModuleError, SecurityError
from gxo.modules.jail import Jail
from gxo.modules.table import OPERATORS, PIPELINE, WORKERS, load

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from gxo.modules.streams import Streams

_MOST_DESCRIPTORS = 253  # the kernel's limit for one message


def main() -> None:
    """Answer the one request there is; the exit status says whether it was done."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    if stat.S_ISSOCK(os.fstat(0).st_mode):
        answer = _with_streams()
    else:
        with open(0, "rb") as stdin:
            request = json.load(stdin)
        # whatever prints must not spoil the answer
        out = os.dup(1)
        os.dup2(2, 1)
        answer = perform(request)
        with open(out, "wb") as stdout:
            stdout.write(json.dumps(answer).encode())
    sys.exit(1 if "error" in answer else 0)


def _with_streams() -> dict[str, Any]:
    import gc

    from gxo.modules.streams import Streams

    gc.disable()  # records have no cycles, and are many
    first, told, *rest = _handed()
    with open(first, "rb") as file:
        request = json.load(file)
    ends = request["streams"]
    names = ends["inputs"]
    streams = Streams(
        list(zip(names, rest[: len(names)], strict=True)),
        rest[len(names)] if ends["output"] else None,
        spool=request["workspace"] if ends["spool"] else None,
        told=told,
    )
    answer = perform(request, streams)
    answer["streams"] = streams.counts()
    with open(told, "wb") as file:
        file.write(json.dumps(answer).encode() + b"\n")
    return answer


def _handed() -> list[int]:
    """The descriptors of the message on standard input."""
    from _socket import CMSG_SPACE, MSG_CMSG_CLOEXEC, SCM_RIGHTS, SOL_SOCKET, socket

    size = 4
    stdin = socket(fileno=os.dup(0))
    _, sent, _, _ = stdin.recvmsg(1, CMSG_SPACE(_MOST_DESCRIPTORS * size), MSG_CMSG_CLOEXEC)
    return [
        int.from_bytes(data[at : at + size], sys.byteorder)
        for level, kind, data in sent
        if (level, kind) == (SOL_SOCKET, SCM_RIGHTS)
        for at in range(0, len(data), size)
    ]


def perform(request: dict[str, Any], streams: Streams | None = None) -> dict[str, Any]:
    """What the request asks for: its summary, or why it failed, which `cannot` it what.

    All of it is whole: where a secret is cut, it is not known any more. But for `shown`, the
    beginning of the data that an error is about.
    """
    module, params = request["module"], request["params"]
    if module in OPERATORS:
        act, about = OPERATORS[module].act, OPERATORS[module].about
    else:
        act, about = WORKERS[module].act, params[WORKERS[module].param]
    failed = {"cannot": act, "about": about, "summary": None}
    try:
        return {"summary": _summary(request, streams)}
    except SecurityError as error:
        return {**failed, "error": str(error), "fatal": True}
    except ModuleError as error:
        shown = {} if error.shown is None else {"shown": error.shown}
        return {**failed, "error": str(error), "summary": error.summary, **shown}
    except OSError as error:
        return {**failed, "error": str(error.strerror or error)}


def _summary(request: dict[str, Any], streams: Streams | None) -> dict[str, Any]:
    module, params = request["module"], request["params"]
    if module in OPERATORS:
        return _operated(module, params, streams, request["workspace"])
    jail = Jail(
        request["workspace"], free=request["free"], write=request["write"], read=request["read"]
    )
    row = WORKERS[module]
    if streams is None:
        summary: dict[str, Any] = load(row.code)(params, jail)
    else:
        summary = load(row.streamed)(params, jail, streams)
    return summary


def _operated(
    module: str, params: dict[str, Any], streams: Streams | None, workspace: str
) -> dict[str, Any]:
    if module == PIPELINE:
        summary: dict[str, Any] = load(OPERATORS[module].code)(params, streams, workspace)
        return summary
    from gxo.modules.drive import single

    return single(module, params, streams, workspace)

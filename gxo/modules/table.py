"""THE table of the modules that a worker carries out: their code, their errors, their needs.

Codes are `file.function` below `gxo.modules`. A worker starts anew for each step and reads this
first: it imports nothing, and `load` no more than one module's code.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any


class Worker:
    """A module done by one call. It fails as "cannot ACT (the value of) PARAM: reason".

    `streamed` is its code where the step has a stream, if it can have one; `libraries` are the
    packages it needs beside gxo and Python's own.
    """

    __slots__ = ("act", "code", "libraries", "param", "streamed")

    def __init__(
        self,
        code: str,
        act: str,
        param: str,
        streamed: str = "",
        libraries: tuple[str, ...] = (),
    ) -> None:
        self.code = code
        self.act = act
        self.param = param
        self.streamed = streamed
        self.libraries = libraries


class Operator:
    """A module on records (gxo/modules/drive.py). It fails as "cannot ACT ABOUT: reason".

    `code` makes the operator out of the params; that of a pipeline runs all of it.
    """

    __slots__ = ("about", "act", "code", "libraries")

    def __init__(self, code: str, act: str, about: str, libraries: tuple[str, ...]) -> None:
        self.code = code
        self.act = act
        self.about = about
        self.libraries = libraries


_JSON = ("orjson",)
_TEMPLATES = (*_JSON, "yaml")
_PARSERS = (*_TEMPLATES, "re2")
PIPELINE = "stream:pipeline"

WORKERS = {
    "filesystem:read": Worker("look.read", "read", "path", "look.send"),
    "filesystem:stat": Worker("look.look", "look at", "path"),
    "filesystem:list": Worker("look.entries", "list", "path", "look.list_out", _JSON),
    "filesystem:write": Worker("write.write", "write", "path", "write.save"),
    "filesystem:manage": Worker("write.manage", "manage", "path"),
    "http:request": Worker("http.request", "ask", "url", "http.request"),
}
OPERATORS = {
    "data:generate_from_list": Operator("alter.handing", "hand on", "the list", _JSON),
    "data:parse": Operator("parse.parsing", "parse", "the text", _PARSERS),
    "data:map": Operator("alter.mapping", "map", "the records", _TEMPLATES),
    "data:filter": Operator("alter.filtering", "filter", "the records", _TEMPLATES),
    "data:join": Operator("join.joining", "join", "the records", _JSON),
    "data:aggregate": Operator("aggregate.aggregating", "aggregate", "the records", _JSON),
    "data:format": Operator("format.formatting", "format", "the records", _TEMPLATES),
    "passthrough": Operator("carry.passing", "hand on", "the stream", _JSON),
    "control:barrier": Operator("carry.counting", "read", "the stream", _JSON),
    PIPELINE: Operator("pipeline.pipeline", "run", "the pipeline", _PARSERS),
}


def libraries(module: str) -> tuple[str, ...]:
    """The packages a module needs beside gxo and Python's own."""
    row = OPERATORS.get(module) or WORKERS.get(module)
    return row.libraries if row else ()


def load(code: str) -> Callable[..., Any]:
    """The function of a code in the table."""
    file, _, function = code.partition(".")
    found: Callable[..., Any] = getattr(
        __import__(f"gxo.modules.{file}", fromlist=[function]), function
    )
    return found

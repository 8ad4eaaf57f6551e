"""Command: a step's `exec`, its templates evaluated, as directives of its unit.

Whoever may ask systemd can read those. So what holds a secret goes by a descriptor, as the unit's
standard input: the program's own if only that is secret. Variables need the shim, which is sent
ahead of them, since a step may see nothing of where gxo lies. So do several streams.
"""

from collections.abc import Iterable
from functools import cache
from pathlib import Path

from gxo.dataclass import dataclass, replace
from gxo.diagnostic.base import Problem
from gxo.plan.model import Action
from gxo.plan.streams import stream_variable
from gxo.runtime.handed import MOST
from gxo.runtime.python import NoPython, own_python
from gxo.source import Span
from gxo.template.evaluate import Scope
from gxo.template.names import secrets
from gxo.units.command import Exec, read_exec
from gxo.units.directives import directive
from gxo.units.model import Command, Directive
from gxo.units.steps import Frame

_LOAD = "import sys;given=sys.stdin.buffer;exec(given.read(int(given.readline())))"
_TAKE = (
    "import _socket,os;c=_socket.socket(fileno=0);"
    "_,m,_,_=c.recvmsg(1,_socket.CMSG_SPACE(1024));c.detach();"
    "streams=memoryview(m[0][2]).cast('i').tolist();g=streams.pop(0);os.dup2(g,0);os.close(g);"
)
"""Takes the descriptors of a message off the socket, and puts the first in its place."""


class BadParams(Exception):
    """Params that cannot be used as they came out of their templates; the text says why."""

    @classmethod
    def of(cls, problems: Iterable[Problem]) -> "BadParams":
        return cls("; ".join(f"{problem.span}: {problem.message()}" for problem in problems))


class Escape(BadParams):
    """A path that leads out of where a step may work; the text names it, and where it leads."""


@dataclass(frozen=True, slots=True)
class Invocation:
    """How a step is started; `given`: what its unit reads first on standard input, out of sight."""

    settings: tuple[Directive, ...]
    given: bytes | None = None


def command_of(
    action: Action,
    scope: Scope,
    span: Span,
    frame: Frame,
    inputs: tuple[str, ...] = (),
    *,
    writes: bool = False,
) -> Invocation:
    """Command line, environment and standard input; `inputs` are those whose streams it reads, of
    which one alone is the standard input, and it `writes` one itself. Raises BadParams.
    """
    hidden = {name.text for name, value in action.params.entries if secrets(value)}
    for param in ("command", "args"):
        if param in hidden:
            raise BadParams(f"a secret cannot go into `{param}`: everybody can read command lines")
    found, problems = read_exec(action.params, scope, span)
    if found is None:
        raise BadParams.of(problems)
    if len(inputs) >= MOST:
        raise BadParams(f"it reads {len(inputs)} streams: {MOST - 1} is the most that it can")
    if "environment" in hidden or len(inputs) > 1:
        try:
            return _carried(found, own_python(frame), inputs, writes=writes)
        except NoPython as error:
            raise BadParams(str(error)) from None
    if "stdin" in hidden:
        return Invocation(
            _bare(found.start, *_of(found, "Environment")), (_stdin(found) or "").encode()
        )
    streams = (
        directive("Environment", f"{stream_variable(name)}=/proc/self/fd/0") for name in inputs
    )
    return Invocation(_bare(found.start, *found.around, *streams))


def _carried(found: Exec, python: str, inputs: tuple[str, ...], *, writes: bool) -> Invocation:
    """Through the shim, which has the variables and the standard input from the descriptor, and
    with streams all that from the first descriptor of a message, the streams from the others.
    """
    assert isinstance(found.start.value, Command)
    load = _TAKE + _LOAD if inputs else _LOAD
    argv = (python, "-I", "-S", "-c", load, *found.start.value.argv)
    variables = "\0".join(str(setting.value) for setting in _of(found, "Environment")).encode()
    names = "\0".join(map(stream_variable, inputs)).encode()
    text = _stdin(found)
    stdin = (text or "").encode()
    given = (
        *(_line(len(_shim())), _shim()),
        *(_line(len(variables)), variables),
        *(_line(len(names)), names),
        *(_line(-1 if text is None else len(stdin)), stdin),
        _line(writes),
    )
    return Invocation(_bare(directive("ExecStart", Command(argv))), b"".join(given))


def _of(found: Exec, name: str) -> tuple[Directive, ...]:
    return tuple(setting for setting in found.around if setting.name == name)


def _stdin(found: Exec) -> str | None:
    return next((str(setting.value) for setting in _of(found, "StandardInputData")), None)


def _bare(*settings: Directive) -> tuple[Directive, ...]:
    return tuple(replace(setting, span=None) for setting in settings)


def _line(size: int) -> bytes:
    return b"%d\n" % size


@cache
def _shim() -> bytes:
    return (Path(__file__).parent.parent / "shim" / "carry.py").read_bytes()

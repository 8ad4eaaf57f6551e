"""Work: what a module is asked to do, in the runner itself or by a worker in a unit of the step.

A worker (gxo/modules/worker.py) reads its request from standard input and writes one answer on
standard output, both JSON; its standard error is the step's. One with stream ends is given a
socket as its standard input, on which the descriptors of request, answer and streams lie.
"""

import json
from collections.abc import Mapping
from math import isfinite
from typing import Any

from gxo.dataclass import dataclass, replace
from gxo.modules.control import PURE
from gxo.modules.fault import ModuleError
from gxo.modules.table import libraries
from gxo.plan.model import Action
from gxo.runtime.asked import asked
from gxo.runtime.attempt import Result
from gxo.runtime.command import BadParams
from gxo.runtime.python import NoPython, code_paths, library_dir, own_python
from gxo.runtime.redact import Redactor
from gxo.source import Span
from gxo.spec.library import LIBRARY
from gxo.template.data import weigh, whole
from gxo.template.evaluate import Scope
from gxo.template.fault import TooMuch
from gxo.template.limits import DEFAULT
from gxo.template.value import Data
from gxo.units.directives import directive
from gxo.units.model import Command, Directive
from gxo.units.params import read_params
from gxo.units.steps import Frame

_START = (
    "import sys; sys.path.insert(0, sys.argv[1]); sys.path += sys.argv[2:];"
    " from gxo.modules.worker import main; main()"
)
_LONGEST = 200
_LONGEST_ERROR = 2000
_BEGINNING = 60
_MOST = 1 << 63
_SILENT = "its worker ended without an answer"


@dataclass(frozen=True, slots=True)
class StreamEnds:
    """The streams of one step: the producers it reads, in order, and whether any workload reads it.

    `spool`: what it does not read yet is laid aside, since another of its inputs waits for it.
    """

    inputs: tuple[str, ...] = ()
    output: bool = False
    spool: bool = False

    def __bool__(self) -> bool:
        return bool(self.inputs) or self.output


NO_ENDS = StreamEnds()


@dataclass(frozen=True, slots=True)
class Work:
    """A worker's unit: its command line and its frame, its request, and the directories of the
    libraries that must be seen in it (`step_properties`).
    """

    command: tuple[Directive, ...]
    frame: Frame
    request: str
    libraries: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Flow:
    """What a worker has read of each input and written so far, `(bytes, records)`.

    Records are None where it works on bytes.
    """

    inputs: Mapping[str, tuple[int, int | None]]
    output: tuple[int, int | None]


def is_pure(module: str) -> bool:
    """Whether it touches nothing outside, so that without streams the runner evaluates it."""
    return module in PURE


def pure(action: Action, scope: Scope, span: Span) -> Result:
    """What a pure module comes to; raises BadParams."""
    try:
        summary = PURE[action.module.text](_params(action, scope, span))
    except ModuleError as error:
        return Result(ok=False, summary=error.summary, detail=str(error))
    return Result(ok=True, summary=summary)


def work_of(
    action: Action,
    scope: Scope,
    span: Span,
    frame: Frame,
    workspace: str,
    ends: StreamEnds = NO_ENDS,
) -> Work:
    """A worker's start; raises BadParams."""
    spec = LIBRARY[action.module.text] if action.outside is None else action.outside.spec
    params = asked(spec, action.params, scope, span, streams=ends.output)
    request = _request(action.module.text, params, frame, workspace, ends)
    if action.outside is not None:
        from gxo.runtime.outside import start_outside

        return Work(*start_outside(action.outside, request, frame), json.dumps(request))
    try:
        python = own_python(frame)
        found = tuple(map(library_dir, libraries(spec.name)))
    except NoPython as error:
        raise BadParams(str(error)) from None
    paths = code_paths(frame, found)
    argv = (python, "-I", "-S", "-B", "-X", "utf8", "-c", _START, *paths)
    # it takes openat2(2) away, by which paths are held in their jail; the modules themselves make
    # no setuid file where it stands (gxo/modules/write.py)
    kept = tuple(s for s in frame.directives if s.name != "RestrictSUIDSGID")
    return Work(
        (directive("ExecStart", Command(argv)),),
        replace(frame, directives=kept),
        json.dumps(request),
        found,
    )


def _request(
    module: str, params: Mapping[str, Data], frame: Frame, workspace: str, ends: StreamEnds
) -> dict[str, Any]:
    """What a worker reads first (docs/reference/module-yaml.md)."""
    request: dict[str, Any] = {
        "module": module,
        "params": params,
        "workspace": workspace,
        "free": not frame.hidden,
        "write": _paths(frame, "ReadWritePaths"),
        "read": _paths(frame, "ReadOnlyPaths"),
    }
    if ends:
        request["streams"] = {
            "inputs": list(ends.inputs),
            "output": ends.output,
            "spool": ends.spool,
        }
    return request


def flow_of(line: str) -> Flow | None:
    """What a line of the answer tells of streams: each `progress` does, and the last one."""
    try:
        said = json.loads(line)
        told = said.get("progress") or said["streams"]
        inputs = {name: _counts(each) for name, each in told["in"].items()}
        return Flow(inputs, _counts(told["out"]))
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        return None


def _counts(told: dict[str, Any]) -> tuple[int, int | None]:
    records = told["records"]
    return _count(told["bytes"]), None if records is None else _count(records)


def _count(told: Any) -> int:
    """A number that the state has room for."""
    if not isinstance(told, int) or not 0 <= told < _MOST:
        raise ValueError
    return told


def answered(result: Result, redactor: Redactor) -> Result:
    """How a worker ended: by its answer where it gave one, else by how its unit ended.

    A text that was cut loses what may be the beginning of a secret at its end: the redactor would
    not know that any more.
    """
    said = _answer(result.answer)
    if result.cancelled or isinstance(said, str):
        lost = said if isinstance(said, str) and result.ok else result.detail
        return replace(result, ok=False, summary=None, stdout="", detail=lost)
    summary = _cut(said.get("summary"), redactor)
    if "error" not in said:
        return replace(result, summary=summary, stdout="")
    error = _error(said, redactor)
    fatal = bool(said.get("fatal"))
    return replace(
        result,
        ok=False,
        summary={"security": error} if fatal else summary,
        stdout="",
        detail=f"security: {error}" if fatal else error,
        fatal=fatal,
    )


def _error(said: dict[str, Any], redactor: Redactor) -> str:
    """Why it failed; a module from outside need not say what it cannot do."""
    error = _shown(redactor.text(said["error"]), _LONGEST_ERROR)
    if "cannot" not in said or "about" not in said:
        return error
    act, about = (_shown(redactor.text(said[key])) for key in ("cannot", "about"))
    return f"cannot {act} {about}: {error}{_data(said, redactor)}"


def _data(said: dict[str, Any], redactor: Redactor) -> str:
    """The data that an error is about: its beginning, without what may be part of a secret."""
    if "shown" not in said:
        return ""
    shown = _shown(redactor.cut(said["shown"]), _BEGINNING)
    return f": `{shown}`" if shown else ""


def _answer(text: str) -> dict[str, Any] | str:
    """What it has answered, no more than templates can read; or why that cannot be used."""
    try:
        found = json.loads(text, parse_float=_finite, parse_constant=_finite)
        weigh(found, DEFAULT)
    except TooMuch as error:
        return f"its worker's answer is too big: {error}"
    except (ValueError, RecursionError):
        return _SILENT
    found = whole(found)
    return found if isinstance(found, dict) and _is_sound(found) else _SILENT


def _finite(text: str) -> float:
    """A number that JSON has a word for."""
    if not isfinite(number := float(text)):
        raise ValueError
    return number


def _is_sound(answer: dict[str, Any]) -> bool:
    """Whether it is an answer: that of a module from outside may be anything."""
    texts = [answer[key] for key in ("error", "cannot", "about", "shown") if key in answer]
    said = "error" in answer or "summary" in answer
    return (
        said
        and all(isinstance(text, str) for text in texts)
        and isinstance(answer.get("summary"), dict | None)
    )


def _shown(text: str, longest: int = _LONGEST) -> str:
    """A param in an error: in one line, and no longer than tells it from others."""
    plain = "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in text)
    return plain if len(plain) <= longest else plain[:longest] + "…"


def _cut(summary: dict[str, Data] | None, redactor: Redactor) -> Data:
    """A summary; of a text that the worker has cut, what may be the beginning of a secret goes."""
    if not (summary and summary.get("truncated")):
        return summary
    return {k: redactor.cut(v) if isinstance(v, str) else v for k, v in summary.items()}


def _params(action: Action, scope: Scope, span: Span) -> dict[str, Data]:
    found, problems = read_params(LIBRARY[action.module.text], action.params, scope, span)
    if problems:
        raise BadParams.of(problems)
    return found


def _paths(frame: Frame, name: str) -> list[str]:
    """What the playbook grants beside the workspace."""
    return [
        str(path)
        for setting in frame.directives
        if setting.name == name and isinstance(setting.value, tuple)
        for path in setting.value
    ]

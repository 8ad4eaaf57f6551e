"""The params of `exec`, evaluated: its command line, its environment, its standard input."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from gxo.dataclass import dataclass
from gxo.diagnostic.base import Problem
from gxo.diagnostic.lazy import Lazy
from gxo.source import Span
from gxo.template.evaluate import Scope
from gxo.template.value import MapValue, Value
from gxo.units.directives import directive, fault
from gxo.units.model import Command, Directive
from gxo.units.params import ParamReader
from gxo.units.quote import program_fault, words_fault

if TYPE_CHECKING:
    from gxo.diagnostic import units as faults
else:
    faults = Lazy("gxo.diagnostic.units")

_SPACED = 'write the words behind the program as `args: ["…"]`, or say `shell: true`'


@dataclass(frozen=True, slots=True)
class Exec:
    """What `exec` runs: `start` has the command line, `around` its environment and input."""

    start: Directive
    around: tuple[Directive, ...]


def read_exec(
    params: MapValue, scope: Scope, span: Span
) -> tuple[Exec | None, tuple[Problem, ...]]:
    """The evaluated params, None where any is wrong, and every problem."""
    reader = _Reader(scope, [])
    written = reader.text(params.get("command"), "command", span)
    command = written or ""
    shell = reader.flag(params.get("shell"), "shell")
    args = tuple(reader.args(params.get("args")))
    around = list(reader.environment(params.get("environment")))
    around += reader.stdin(params.get("stdin"))
    place = value.span if (value := params.get("command")) else span
    argv = (
        ("/bin/sh", "-c", command, *(("sh", *args) if args else ()))
        if shell
        else (program(command), *args)
    )
    start = directive("ExecStart", Command(argv), span=place)
    if written is not None:
        reason = words_fault(command) if shell else _program_fault(argv)
        if reason:
            advice = _SPACED if " " in command and not args else _advice(command)
            reader.problems.append(
                faults.UnsafeText(span=place, what="command", reason=reason, advice=advice)
            )
    if not reader.problems:
        reader.check(start, "command line", place)
    if reader.problems:
        return None, tuple(reader.problems)
    return Exec(start, tuple(around)), ()


def _advice(command: str) -> str | None:
    if command.startswith("~"):
        return "write the home directory in full: only a shell knows `~`"
    if "/" in command and not command.startswith("/"):
        return "write the whole path: a workload has a working directory of its own"
    return None


def _program_fault(argv: tuple[str, ...]) -> str | None:
    """Why `argv` has no program; a single word with a blank is most likely a shell's command."""
    command = argv[0]
    if " " in command and len(argv) == 1 and not command.startswith("/"):
        return "it is one word with a blank in it, the name of no program"
    return program_fault(command)


def program(command: str) -> str:
    """The path as systemd keeps it: without doubled slashes and `.` parts."""
    if not command.startswith("/"):
        return command
    return "/" + "/".join(part for part in command.split("/") if part not in ("", "."))


@dataclass(frozen=True, slots=True)
class _Reader(ParamReader):
    """The params of `exec`, each checked as what systemd makes of it."""

    def args(self, value: Value | None) -> Iterator[str]:
        for text, span in self.texts(value, "args"):
            reason = words_fault(text)
            if reason:
                self.problems.append(faults.UnsafeText(span=span, what="argument", reason=reason))
            yield text

    def environment(self, value: Value | None) -> Iterator[Directive]:
        for text, span in self.texts(value, "environment"):
            setting = directive("Environment", text, span=span)
            advice = None if "=" in text else "write `NAME=value`"
            self.check(setting, "environment variable", span, advice)
            yield setting

    def stdin(self, value: Value | None) -> Iterator[Directive]:
        if value is None:
            return
        text = self.text(value, "stdin", value.span)
        if text is None:
            return
        setting = directive("StandardInputData", text, span=value.span)
        self.check(setting, "standard input", value.span)
        yield directive("StandardInput", "data")
        yield setting

    def check(self, setting: Directive, what: str, span: Span, advice: str | None = None) -> None:
        reason = fault(setting)
        if reason:
            self.problems.append(
                faults.UnsafeText(span=span, what=what, reason=reason, advice=advice)
            )

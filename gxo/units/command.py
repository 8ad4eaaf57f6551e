"""The params of `exec`, evaluated: its command line, its environment, its standard input."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from gxo.diagnostic.base import Problem
from gxo.diagnostic.units import UnsafeText, WrongParam
from gxo.source import Span
from gxo.template.data import kind, to_text
from gxo.template.evaluate import Scope, evaluate
from gxo.template.fault import Failure, Fault
from gxo.template.value import Data, ListValue, MapValue, Value
from gxo.units.directives import directive, fault
from gxo.units.model import Command, Directive

_SPACED = 'write the words behind the program as `args: ["…"]`, or say `shell: true`'


@dataclass(frozen=True, slots=True)
class Exec:
    """What `exec` runs: the directive of its command line, and those of what is around it."""

    start: Directive
    around: tuple[Directive, ...]


def read_exec(
    params: MapValue, scope: Scope, span: Span
) -> tuple[Exec | None, tuple[Problem, ...]]:
    """The evaluated params, None where any is wrong; all that is wrong in one go."""
    reader = _Reader(scope, [])
    command = reader.text(params.get("command"), "command", span)
    shell = reader.flag(params.get("shell"), "shell")
    args = tuple(text for text, _ in reader.texts(params.get("args"), "args"))
    around = list(reader.environment(params.get("environment")))
    around += reader.stdin(params.get("stdin"))
    place = written.span if (written := params.get("command")) else span
    argv = (
        ("/bin/sh", "-c", command, *(("sh", *args) if args else ()))
        if shell
        else (program(command), *args)
    )
    start = replace(directive("ExecStart", Command(argv)), span=place)
    if not reader.problems:
        reader.check(start, "command", place, _SPACED if " " in command and not args else None)
        if not shell and not args and " " in command and not command.startswith("/"):
            reason = "it is one word with a blank in it, the name of no program"
            reader.problems.append(
                UnsafeText(span=place, what="command", reason=reason, advice=_SPACED)
            )
    if reader.problems:
        return None, tuple(reader.problems)
    return Exec(start, tuple(around)), ()


def program(command: str) -> str:
    """The path as systemd keeps it: without doubled slashes and `.` parts."""
    if not command.startswith("/"):
        return command
    return "/" + "/".join(part for part in command.split("/") if part not in ("", "."))


@dataclass(frozen=True, slots=True)
class _Reader:
    scope: Scope
    problems: list[Problem]

    def data(self, value: Value | None) -> Data:
        if value is None:
            return None
        try:
            return evaluate(value, self.scope)
        except Fault as found:
            self.problems.append(found.problem)
            return None

    def text(self, value: Value | None, param: str, span: Span) -> str:
        before = len(self.problems)
        found = self.data(value)
        if len(self.problems) > before:
            return ""
        text = self._as_text(found, param, value.span if value else span, "text")
        return text or ""

    def flag(self, value: Value | None, param: str) -> bool:
        if value is None:
            return False
        found = self.data(value)
        if found in ("true", "false"):
            found = found == "true"
        if found is not None and not isinstance(found, bool):
            self._wrong(value.span, param, "true or false", found)
        return found is True

    def texts(self, value: Value | None, param: str) -> Iterator[tuple[str, Span]]:
        """Each item with its place; a template may yield the whole list."""
        if value is None:
            return
        if isinstance(value, ListValue):
            items = [(self.data(item), item.span) for item in value.items]
        else:
            found = self.data(value)
            if found is None:
                return
            if not isinstance(found, list):
                self._wrong(value.span, param, "a list of texts", found)
                return
            items = [(item, value.span) for item in found]
        for item, span in items:
            text = self._as_text(item, param, span, "a list of texts")
            if text is not None:
                yield text, span

    def environment(self, value: Value | None) -> Iterator[Directive]:
        for text, span in self.texts(value, "environment"):
            setting = replace(directive("Environment", text), span=span)
            advice = None if "=" in text else "write `NAME=value`"
            self.check(setting, "environment variable", span, advice)
            yield setting

    def stdin(self, value: Value | None) -> Iterator[Directive]:
        if value is None:
            return
        text = self.text(value, "stdin", value.span)
        yield directive("StandardInput", "data")
        yield replace(directive("StandardInputData", text), span=value.span)

    def check(self, setting: Directive, what: str, span: Span, advice: str | None = None) -> None:
        reason = fault(setting)
        if reason:
            self.problems.append(UnsafeText(span=span, what=what, reason=reason, advice=advice))

    def _as_text(self, data: Data, param: str, span: Span, wanted: str) -> str | None:
        if data is None or isinstance(data, list | dict):
            if not self.problems:
                self._wrong(span, param, wanted, data)
            return None
        try:
            return to_text(data, self.scope.limits)
        except Failure:
            self._wrong(span, param, wanted, data)
            return None

    def _wrong(self, span: Span, param: str, wanted: str, found: Data) -> None:
        self.problems.append(WrongParam(span=span, param=param, wanted=wanted, found=kind(found)))

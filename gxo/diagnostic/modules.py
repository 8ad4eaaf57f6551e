"""What can be wrong with a process: its module, its params, and where it may run."""

import re
from typing import ClassVar

from gxo.dataclass import dataclass
from gxo.diagnostic.base import Problem, did_you_mean, listed, there_are
from gxo.source import Span


@dataclass(frozen=True, slots=True, kw_only=True)
class UnknownModule(Problem):
    code: ClassVar[str] = "unknown-module"
    name: str
    known: tuple[str, ...]

    def message(self) -> str:
        return f"there is no module `{self.name}`"

    def hint(self) -> str:
        close = did_you_mean(self.name, self.known)
        if close:
            return close
        # `filesystem` alone, or `write`: the family or the act without the other
        near = tuple(name for name in self.known if self.name in name.split(":"))
        return there_are(near or self.known)


@dataclass(frozen=True, slots=True, kw_only=True)
class UnusableModule(Problem):
    """A module from outside the library that is there; `name` is empty where it is not known."""

    code: ClassVar[str] = "unusable-module"
    name: str
    path: str
    reason: str

    def message(self) -> str:
        named = f"`{self.name}`" if self.name else "the module"
        return f"cannot use {named} in {self.path}: {self.reason}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ModuleTwice(Problem):
    code: ClassVar[str] = "module-twice"
    name: str
    paths: tuple[str, ...]

    def message(self) -> str:
        return f"{len(self.paths)} modules on this host are called `{self.name}`"

    def hint(self) -> str:
        return f"they are in {listed(self.paths)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class LibraryNamespace(Problem):
    code: ClassVar[str] = "library-namespace"
    name: str

    def message(self) -> str:
        return f"`{self.name}` cannot be a module's name: its namespace belongs to the library"

    def hint(self) -> str:
        return "choose one of your own, such as the name of your organisation"


@dataclass(frozen=True, slots=True, kw_only=True)
class UnknownParam(Problem):
    code: ClassVar[str] = "unknown-param"
    module: str
    name: str
    known: tuple[str, ...]

    def message(self) -> str:
        return f"`{self.module}` has no param `{self.name}`"

    def hint(self) -> str:
        if not self.known:
            return "it takes no params"
        return did_you_mean(self.name, self.known) or f"its params are {listed(self.known)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class MissingParam(Problem):
    code: ClassVar[str] = "missing-param"
    module: str
    name: str
    example: str

    def message(self) -> str:
        return f"`{self.module}` needs the param `{self.name}`"

    def hint(self) -> str:
        return f"for example {self.name}: {self.example}"


@dataclass(frozen=True, slots=True, kw_only=True)
class WrongLifecycle(Problem):
    code: ClassVar[str] = "wrong-lifecycle"
    module: str
    policy: str
    supported: tuple[str, ...]

    def message(self) -> str:
        return f"`{self.module}` cannot have the lifecycle `{self.policy}`"

    def hint(self) -> str:
        return f"it can have {listed(self.supported)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class TakesNoStream(Problem):
    code: ClassVar[str] = "takes-no-stream"
    module: str

    def message(self) -> str:
        return f"`{self.module}` takes no stream"

    def hint(self) -> str:
        return "order it with `needs`, or pass data with `register` and a template"


@dataclass(frozen=True, slots=True, kw_only=True)
class GivesNoStream(Problem):
    code: ClassVar[str] = "gives-no-stream"
    workload: str
    module: str
    defined: Span

    def message(self) -> str:
        return f"`{self.workload}` gives no stream: its module is `{self.module}`"

    def hint(self) -> str:
        return "read its summary: give it a `register` and use a template"

    def related(self) -> tuple[tuple[Span, str], ...]:
        return ((self.defined, "its module"),)


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamOrParam(Problem):
    """The records come from a stream or from a param: from neither, or from both."""

    code: ClassVar[str] = "stream-or-param"
    module: str
    param: str
    both: bool

    def message(self) -> str:
        if self.both:
            return f"`{self.module}` takes `{self.param}` or a stream, not both"
        return f"`{self.module}` has no input: it needs `{self.param}` or `stream_inputs`"


_SHELLS = re.compile(r"(?<!\S)(?:\|\|?|&&?|[0-9]?>>?|<|[\"'])|;(?!\S)|\$(?=[A-Za-z_({])|`")
"""What means something to a shell alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandWithSpaces(Problem):
    code: ClassVar[str] = "command-with-spaces"
    first: str
    rest: tuple[str, ...]

    def message(self) -> str:
        return "`command` takes one program, and this is a whole command line"

    def hint(self) -> str:
        if not self.rest:
            return "write its arguments in `args`, or add `shell: true`"
        if found := _SHELLS.search(" ".join((self.first, *self.rest))):
            return f"add `shell: true`: without a shell `{found[0]}` has no meaning"
        words = ", ".join(f'"{word}"' for word in self.rest)
        return (
            f"write `command: {self.first}` with `args: [{words}]`, or add `shell: true`; "
            "if the program's name has a space, add `args: []`"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class SecretInCommand(Problem):
    """Command lines can be read by everybody (proc(5), and over D-Bus)."""

    code: ClassVar[str] = "secret-in-command"
    param: str

    def message(self) -> str:
        return f"a secret cannot go into `{self.param}`: everybody can read command lines"

    def hint(self) -> str:
        return "pass it in `environment` or `stdin`, or in a file"


@dataclass(frozen=True, slots=True, kw_only=True)
class SecretHere(Problem):
    """A secret where its value would be kept or shown: vars, conditions, loops."""

    code: ClassVar[str] = "secret-here"
    key: str

    def message(self) -> str:
        return f"a secret cannot go into `{self.key}`: its value would be stored and shown"

    def hint(self) -> str:
        return "use it in the `params` that need it"


@dataclass(frozen=True, slots=True, kw_only=True)
class BadVariable(Problem):
    code: ClassVar[str] = "bad-variable"
    text: str

    def message(self) -> str:
        return f"`{self.text}` sets no environment variable: write NAME=value"

    def hint(self) -> str:
        return "a name is made of letters, digits and `_`, and does not begin with a digit"


@dataclass(frozen=True, slots=True, kw_only=True)
class VariableTwice(Problem):
    code: ClassVar[str] = "variable-twice"
    name: str
    first: Span

    def message(self) -> str:
        return f"the environment variable `{self.name}` is set twice"

    def related(self) -> tuple[tuple[Span, str], ...]:
        return ((self.first, "the first"),)


@dataclass(frozen=True, slots=True, kw_only=True)
class BadMode(Problem):
    code: ClassVar[str] = "bad-mode"
    value: str

    def message(self) -> str:
        return f"`{self.value}` is not a mode: write three or four octal digits"

    def hint(self) -> str:
        return "for example 0640"


@dataclass(frozen=True, slots=True, kw_only=True)
class ParamsExclude(Problem):
    code: ClassVar[str] = "params-exclude"
    name: str
    other: str
    first: Span
    advice: str | None = None

    def message(self) -> str:
        return f"`{self.name}` cannot be combined with `{self.other}`"

    def hint(self) -> str | None:
        return self.advice

    def related(self) -> tuple[tuple[Span, str], ...]:
        return ((self.first, f"`{self.other}`"),)


@dataclass(frozen=True, slots=True, kw_only=True)
class NoStep(Problem):
    """A module that no pipeline can have as a step."""

    code: ClassVar[str] = "no-step"
    module: str

    def message(self) -> str:
        return f"`{self.module}` cannot be a step of a pipeline"

    def hint(self) -> str:
        return "make it a workload of its own, joined by `stream_inputs`"


@dataclass(frozen=True, slots=True, kw_only=True)
class UnknownStep(Problem):
    code: ClassVar[str] = "unknown-step"
    name: str
    known: tuple[str, ...]

    def message(self) -> str:
        return f"no step above has the id `{self.name}`"

    def hint(self) -> str:
        if not self.known:
            return "there is no step with an id above"
        return did_you_mean(self.name, self.known) or there_are(self.known)


@dataclass(frozen=True, slots=True, kw_only=True)
class StepTwice(Problem):
    code: ClassVar[str] = "step-twice"
    name: str
    first: Span

    def message(self) -> str:
        return f"two steps have the id `{self.name}`"

    def related(self) -> tuple[tuple[Span, str], ...]:
        return ((self.first, "the first"),)

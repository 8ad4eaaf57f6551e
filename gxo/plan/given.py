"""Values given from outside (`--input`, `--var`, `--vars`), joined with those of the playbook."""

import json
import math
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from gxo.dataclass import dataclass, field, replace
from gxo.diagnostic.base import Problem
from gxo.diagnostic.lazy import Lazy
from gxo.language.model import Input, InputType, Playbook
from gxo.plan.effects import values
from gxo.plan.model import Plan
from gxo.source import Name, Source, Span
from gxo.spec.policy import CallProfile, SecurityContext
from gxo.template.names import references
from gxo.template.value import Data, ListValue, Literal, MapValue, Value, literal_data

if TYPE_CHECKING:
    from gxo.diagnostic import graph as faults
else:
    faults = Lazy("gxo.diagnostic.graph")


@dataclass(frozen=True, slots=True)
class Given:
    """What a command was given on its command line beside playbooks.

    `inputs` are text as typed, `vars` data; with `partial` (validate, graph) a required input may
    be missing, and the plan then has no value for it. `typed` are the vars that were set one by one
    (`--var`), as typed: unlike those of a file, each must be of some playbook. `profiles` are
    seccomp profiles by the path of their file, None for one with errors: a playbook that names such
    a file has no plan.
    """

    inputs: Mapping[str, str] = field(default_factory=dict)
    vars: Mapping[str, Data] = field(default_factory=dict)
    typed: Mapping[str, str] = field(default_factory=dict)
    partial: bool = False
    profiles: Mapping[str, CallProfile | None] = field(default_factory=dict)


def unknown_inputs(given: Given, declared: Iterable[str]) -> tuple[Problem, ...]:
    """A problem for each given input that nothing declares."""
    known = tuple(declared)
    return tuple(
        faults.UnknownInput(span=_typed("--input", name, text)[0], name=name, known=known)
        for name, text in given.inputs.items()
        if name not in known
    )


def unknown_vars(
    given: Given, playbooks: Iterable[Playbook], plans: Iterable[Plan]
) -> tuple[Problem, ...]:
    """A problem for each var given one by one that no playbook has and none of its plans reads."""
    known = {name.text: None for p in playbooks if p.vars for name, _ in p.vars.entries}
    beyond = given.typed.keys() - known.keys()
    if beyond:
        beyond -= {r.path[0] for plan in plans for v in values(plan) for r in references(v)}
    return tuple(
        faults.UnknownVar(span=_typed("--var", name, text)[0], name=name, known=tuple(known))
        for name, text in given.typed.items()
        if name in beyond
    )


def input_values(
    inputs: Iterable[Input], given: Given
) -> tuple[tuple[tuple[str, Data], ...], tuple[Problem, ...]]:
    """Each declared input with its value, given or default; problems for bad and missing ones."""
    values: list[tuple[str, Data]] = []
    problems: list[Problem] = []
    for declared in inputs:
        name = declared.name.text
        if name in given.inputs:
            try:
                values.append((name, _PARSERS[declared.type](given.inputs[name])))
            except ValueError as error:
                problems.append(
                    faults.BadInput(
                        span=_typed("--input", name, given.inputs[name])[1],
                        name=name,
                        type=declared.type,
                        reason=str(error),
                        declared=declared.name.span,
                    )
                )
        elif declared.default is not None:
            values.append((name, literal_data(declared.default)))
        elif not declared.required:
            values.append((name, None))
        elif not given.partial:
            problems.append(faults.MissingInput(span=declared.name.span, name=declared.name))
    return tuple(values), tuple(problems)


def merged_vars(written: MapValue | None, given: Given) -> MapValue | None:
    """The playbook's vars with the given ones over them; maps within are joined key by key."""
    if not given.vars:
        return written
    source = Source("--vars", "")
    over = value_of(dict(given.vars), Span(source, 0, 0))
    assert isinstance(over, MapValue)
    return _over(written, over) if written else over


def _over(under: MapValue, over: MapValue) -> MapValue:
    entries = {name.text: (name, value) for name, value in under.entries}
    for name, value in over.entries:
        old = entries.get(name.text)
        if old and isinstance(old[1], MapValue) and isinstance(value, MapValue):
            entries[name.text] = (old[0], _over(old[1], value))
        else:
            entries[name.text] = (old[0] if old else name, value)
    return MapValue(tuple(entries.values()), under.span)


def profiles_are_read(playbook: Playbook, given: Given) -> bool:
    """Whether each seccomp profile that it names could be read; the problems were reported."""
    contexts = [playbook.security_context, *(w.security_context for w in playbook.workloads)]
    wanted = (c.seccomp.profile_path for c in contexts if c is not None and c.seccomp is not None)
    return all(given.profiles.get(path) is not None for path in wanted if path is not None)


def with_profile(context: SecurityContext | None, given: Given) -> SecurityContext | None:
    """The context with the content of its seccomp profile, so that a plan depends on no file."""
    if context is None or context.seccomp is None or context.seccomp.profile_path is None:
        return context
    listed = given.profiles[context.seccomp.profile_path]
    return replace(context, seccomp=replace(context.seccomp, listed=listed))


def value_of(data: Data, span: Span) -> Value:
    """Data as a value without templates: text in it is never parsed again."""
    if isinstance(data, dict):
        return MapValue(
            tuple((Name(key, span), value_of(item, span)) for key, item in data.items()), span
        )
    if isinstance(data, list):
        return ListValue(tuple(value_of(item, span) for item in data), span)
    return Literal(data, span)


def _typed(option: str, name: str, text: str) -> tuple[Span, Span]:
    """The places of name and value in an option as it was typed, for carets."""
    source = Source(option, f"{name}={text}")
    at = len(name) + 1
    return Span(source, 0, len(name)), Span(source, at, at + len(text))


def _bool(text: str) -> bool:
    if text not in ("true", "false"):
        raise ValueError("write `true` or `false`")
    return text == "true"


def _int(text: str) -> int:
    try:
        return int(text, 10)
    except ValueError:
        raise ValueError("write a whole number") from None


def _float(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise ValueError("write a number")
    return number


def _json(kind: type, noun: str) -> Callable[[str], Any]:
    def parse(text: str) -> Any:
        try:
            data = json.loads(text, parse_constant=_no_constant)
        except (ValueError, RecursionError):
            data = None
        if not isinstance(data, kind):
            raise ValueError(f"write {noun} as JSON")
        return data

    return parse


def _no_constant(text: str) -> None:
    raise ValueError(f"{text} is not JSON")


_PARSERS: Mapping[InputType, Callable[[str], Data]] = {
    InputType.STRING: str,
    InputType.INT: _int,
    InputType.FLOAT: _float,
    InputType.BOOL: _bool,
    InputType.LIST: _json(list, "a list"),
    InputType.MAP: _json(dict, "a map"),
}

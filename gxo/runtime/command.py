"""Command: a step's `exec`, its templates evaluated, as directives of its unit."""

from dataclasses import replace

from gxo.plan.model import Action
from gxo.source import Span
from gxo.template.evaluate import Scope
from gxo.units.command import read_exec
from gxo.units.model import Directive


class BadParams(Exception):
    """Params that cannot be used as they came out of their templates; the text says why."""


def command_of(action: Action, scope: Scope, span: Span) -> tuple[Directive, ...]:
    """Command line, environment and standard input; raises BadParams."""
    found, problems = read_exec(action.params, scope, span)
    if found is None:
        raise BadParams("; ".join(f"{problem.span}: {problem.message()}" for problem in problems))
    return tuple(replace(setting, span=None) for setting in (found.start, *found.around))

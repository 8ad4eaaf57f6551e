"""Sight: files that a workload is to use, and that its profile hides from it."""

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from gxo.diagnostic.base import Problem
from gxo.diagnostic.lazy import Lazy
from gxo.plan.model import Action, Plan
from gxo.spec.policy import Profile, SecurityContext
from gxo.template.tree import Template
from gxo.template.value import ListValue, Literal, Value
from gxo.units.security import HIDDEN_HOMES

if TYPE_CHECKING:
    from gxo.diagnostic import units as faults
else:
    faults = Lazy("gxo.diagnostic.units")

_OWN = ("/tmp", "/var/tmp")  # noqa: S108 (it is about these)
"""What PrivateTmp= makes anew for each workload: no program is there when it starts."""
_HOME = re.compile(rf"(?<![\w./~:-])({'|'.join(HIDDEN_HOMES)})(?![\w.-])")


def out_of_sight(plan: Plan) -> tuple[Problem, ...]:
    """Programs that no workload of theirs could start, and what else of a home is named."""
    return tuple(
        problem
        for step in plan.steps
        if step.security.profile is not Profile.HOST and step.security.root_filesystem is None
        for action in (step.action, *step.on_failure)
        if action.module.text == "exec"
        for problem in _unseen(action, step.security)
    )


def _unseen(action: Action, context: SecurityContext) -> Iterator[Problem]:
    command = action.params.get("command")
    shell = action.params.get("shell")
    args = action.params.get("args")
    line = isinstance(shell, Literal) and shell.data is True
    named = [*([command] if line else ()), *(args.items if isinstance(args, ListValue) else ())]
    for value in filter(None, named):
        for home in dict.fromkeys(_HOME.findall(_text(value))):
            yield faults.OutOfSight(span=value.span, place=home, profile=context.profile)
    if command is not None and not line:
        path = _text(command)
        for place in (*HIDDEN_HOMES, *_OWN):
            if path.startswith(f"{place}/"):
                yield faults.HiddenProgram(span=command.span, place=place, profile=context.profile)


def _text(value: Value) -> str:
    """The text of a value as it is written, templates and all; empty where it is none."""
    if isinstance(value, Template):
        return value.text.text
    return value.data if isinstance(value, Literal) and isinstance(value.data, str) else ""

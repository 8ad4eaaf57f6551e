"""The secrets of a service, as its unit has them: templates, and a guard in front of its program.

Every user can read units through systemd. So params with secrets stay templates there, and `apply`
puts their values into a credential that only root can read. The unit's command is a guard
(gxo/shim/redact.py), which comes with the credential: it starts the program and masks its output.
"""

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING

from gxo.dataclass import replace
from gxo.diagnostic.base import Problem
from gxo.diagnostic.lazy import Lazy
from gxo.plan.codec import to_compact_json
from gxo.plan.model import Plan, Step
from gxo.spec.lifecycle import Lifecycle, ReadyKind, RunOnce, Supervise
from gxo.template.functions import COMPILE_FUNCTIONS
from gxo.template.names import secrets, uses
from gxo.template.value import MapValue
from gxo.units.credential import DIGEST, NO_DUMP, PLACE, is_stamp
from gxo.units.digest import digest_of
from gxo.units.directives import directive, fault
from gxo.units.instance import alone
from gxo.units.model import Command, Directive, Unit, UnitType
from gxo.units.names import WorkloadNames

if TYPE_CHECKING:
    from gxo.diagnostic import evaluation as template_faults
    from gxo.diagnostic import units as faults
else:
    faults = Lazy("gxo.diagnostic.units")
    template_faults = Lazy("gxo.diagnostic.evaluation")

_PYTHON = "/usr/bin/python3"
_NAME = "gxo"
_LOAD = (
    f'import os;given=open(os.environ["CREDENTIALS_DIRECTORY"]+"/{_NAME}","rb");'
    "exec(given.read(int(given.readline())))"
)
_TO_ALL = "forward=False;"


def is_guarded(step: Step) -> bool:
    """Whether a service or step is given secrets; a run gives them to its steps by itself."""
    one_unit = isinstance(step.lifecycle, Supervise | RunOnce)
    return one_unit and step.action.module.text == "exec" and bool(secrets(step.action.params))


def shown(params: MapValue) -> MapValue:
    """The params of a guarded service that its unit may show."""
    kept = (entry for entry in params.entries if entry[0].text != "stdin" and not secrets(entry[1]))
    return MapValue(tuple(kept), params.span)


def guarded_start(start: Directive, *, forward: bool = True) -> Directive:
    """The guard in front of a command line; `forward`: it hands signals on to the program."""
    assert isinstance(start.value, Command)
    load = _LOAD if forward else _TO_ALL + _LOAD
    return replace(start, value=Command((_PYTHON, "-I", "-S", "-c", load, *start.value.argv)))


def guard(
    plan: Plan, step: Step, names: WorkloadNames, *, own_pids: bool, launched: bool
) -> tuple[tuple[Directive, ...], tuple[Problem, ...]]:
    """The directives of a guarded service beside its command, and what is wrong with its params.

    `own_pids`: systemd makes the guard PID 1 of a namespace; `launched`: a launcher does, which
    then is the unit's main process.
    """
    recipe = {"plan": to_compact_json(alone(plan, step), names.label)}
    handed = directive(
        "StandardInputData", json.dumps(recipe, ensure_ascii=False, separators=(",", ":"))
    )
    problems = [*_late(step.action.params)]
    if reason := fault(handed):
        problems.append(faults.UnsafeText(span=step.span, what="workload", reason=reason))
    # The guard forwards a signal, unless systemd sends it to all. So it must in a PID namespace:
    # systemd 257 may take the main process for no child of its own, does then not wait for it, and
    # with KillMode=mixed sends SIGKILL right behind SIGTERM.
    forward = not (own_pids or launched)
    settings = (
        _credential(names.unit(UnitType.SERVICE), ""),
        *((directive("KillMode", "mixed"),) if forward else ()),
        *((directive("NotifyAccess", "all"),) if _tells(step.lifecycle) and not launched else ()),
        directive("LimitCORE", NO_DUMP),
        directive("StandardInput", "data"),
        handed,
    )
    return settings, tuple(problems)


def bound(unit: Unit, mark: str) -> Unit:
    """The unit with the credential of that mark, a keyed hash of its content, and a new digest."""
    kept = [item for item in unit.directives if not is_stamp(item)]
    made = [
        _credential(unit.name, mark) if item.name == "LoadCredential" else item for item in kept
    ]
    digest = digest_of(unit.name, made)
    stamp = directive("LogExtraFields", f"{DIGEST}{digest}")
    at = next(number for number, item in enumerate(unit.directives) if is_stamp(item))
    return replace(unit, directives=(*made[:at], stamp, *made[at:]), digest=digest)


def _credential(unit: str, mark: str) -> Directive:
    return directive("LoadCredential", f"{_NAME}:{PLACE}/{unit}{f'.{mark}' if mark else ''}")


def _tells(lifecycle: Lifecycle) -> bool:
    """Whether the program, which is not the unit's main process, calls sd_notify(3)."""
    if not isinstance(lifecycle, Supervise):
        return False
    return lifecycle.watchdog is not None or lifecycle.readiness.when is ReadyKind.NOTIFY


def _late(params: MapValue) -> Iterator[Problem]:
    """Calls beside a secret that only a run can evaluate."""
    for _, value in params.entries:
        for use in uses(value) if secrets(value) else ():
            function = COMPILE_FUNCTIONS.get(use.function)
            if function and use.function != "secret" and not COMPILE_FUNCTIONS.can(function):
                yield template_faults.FunctionNotHere(span=use.span, name=use.function, known=True)

"""Step unit: an attempt of a step, or a service beside them, as a transient unit of its run."""

import os
import sys
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from gxo.data import package_dir
from gxo.dataclass import dataclass
from gxo.plan.model import Plan, Step
from gxo.spec.lifecycle import Supervise
from gxo.units.credential import NO_DUMP
from gxo.units.directives import directive
from gxo.units.launcher import command_behind
from gxo.units.model import Directive, Property, Unit, UnitType
from gxo.units.names import escape
from gxo.units.properties import properties
from gxo.units.security import HIDDEN_HOMES
from gxo.units.steps import Frame

STOP = 10_000_000
"""Microseconds between SIGTERM and SIGKILL where a step is cancelled or out of time."""
_HIDDEN = "/var/lib/gxo"
CODE = f"{_HIDDEN}/code"
"""Where a step that sees nothing of gxo's own finds gxo's package all the same, read-only."""


class NoPython(Exception):
    """Code of gxo's own cannot run in a step; the text says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunNames:
    """The names of one run's units."""

    run: str
    playbook: str

    @property
    def runner(self) -> str:
        return f"gxo-run-{self.run}.service"

    @property
    def slice(self) -> str:
        return f"gxorun-{self.run}.slice"

    @property
    def steps(self) -> str:
        """What matches the units of all its steps."""
        return f"gxorun-{self.run}.*.service"

    def step(self, name: str, number: int) -> str:
        """`number` counts a step's iterations and attempts; the first goes without."""
        behind = f".{number}" if number else ""
        return f"gxorun-{self.run}.{escape(name)}{behind}.service"


def step_properties(
    names: RunNames,
    step: str,
    unit: str,
    frame: Frame,
    workspace: str,
    command: Sequence[Directive],
    *,
    code: bool = False,
    libraries: Sequence[str] = (),
    writes: bool = False,
    secret: bool = False,
) -> tuple[Property, ...]:
    """All of a oneshot but its stdout and stderr, which are the first two files handed over.

    `code`: gxo's package must be seen in it, at `code_paths`, and the directories of `libraries`
    (`library_dir`) beside it. `writes`: into a stream, whose reader may end before it. `secret`:
    its program is given one, so that no crash may write down its memory.
    """
    settings = (
        directive("Description", f"gxo step {names.playbook}.{step}"),
        directive("IgnoreOnIsolate", True),
        directive("Type", "oneshot"),
        directive("TimeoutStopSec", STOP),
        directive("SyslogIdentifier", f"{names.playbook}.{step}"),
        directive("LogExtraFields", f"GXO_PLAYBOOK={names.playbook}"),
        directive("LogExtraFields", f"GXO_WORKLOAD={step}"),
        *frame.directives,
        directive("WorkingDirectory", workspace),
        directive("Environment", f"HOME={workspace}"),
        *command_behind(frame.launcher, command),
        *((directive("IgnoreSIGPIPE", False),) if writes else ()),
    )
    bound = Property(
        "BindPaths", "a(ssbt)", [(path, path, False, 0) for path in (workspace, *_state(frame))]
    )
    hidden = (Property("TemporaryFileSystem", "a(ss)", [(_HIDDEN, "")]), bound)
    packages = (package_dir(), *libraries)
    shown = Property(
        "BindReadOnlyPaths",
        "a(ssbt)",
        [(path, f"{CODE}/{Path(path).name}", False, 0) for path in packages],
    )
    return (
        *properties(_of_run(names, step, unit, settings)),
        *(hidden if frame.hidden else (bound,) if _elsewhere(frame) else ()),
        *((shown,) if code and frame.hidden else ()),
        *((Property("LimitCORE", "t", NO_DUMP),) if secret else ()),
        Property("StandardOutputFileDescriptor", "h", 0),
        Property("StandardErrorFileDescriptor", "h", 1),
    )


def service_unit(
    plan: Plan, names: RunNames, unit: str, step: Step, own: tuple[Directive, ...]
) -> Unit:
    """A supervised workload, stopped before the services that it needs."""
    name = step.name.text
    needed = [edge.source for edge in plan.edges if edge.target == name]
    services = {other.name.text for other in plan.steps if isinstance(other.lifecycle, Supervise)}
    before = tuple(names.step(other, 0) for other in needed if other in services)
    told = directive("Description", f"gxo service {names.playbook}.{name} of run {names.run}")
    return _of_run(names, name, unit, (told, *own), before)


def _of_run(
    names: RunNames,
    step: str,
    unit: str,
    own: tuple[Directive, ...],
    before: tuple[str, ...] = (),
) -> Unit:
    """A service in the slice of its run, which ends with the runner and comes after `before`."""
    settings = (
        *own,
        directive("BindsTo", (names.runner,)),
        directive("After", (names.runner, *before)),
        directive("Slice", names.slice),
        directive("LogExtraFields", f"GXO_RUN={names.run}"),
        directive("LogExtraFields", f"GXO_STEP={step}"),
    )
    return Unit(
        name=unit,
        type=UnitType.SERVICE,
        playbook=names.playbook,
        workload=step,
        directives=settings,
        digest="",
    )


def code_paths(frame: Frame, libraries: Sequence[str]) -> tuple[str, ...]:
    """What a step's Python has on `sys.path`, first and last, to import gxo and these libraries,
    the directories of which may be hidden as the checkout.
    """
    if frame.hidden:
        return (CODE,)
    return (str(Path(package_dir()).parent), *{str(Path(path).parent): None for path in libraries})


@cache
def library_dir(name: str) -> str:
    """The directory of a library's package; raises NoPython where it is not installed."""
    from importlib.util import find_spec

    found = find_spec(name)
    if found is None or not found.submodule_search_locations:
        raise NoPython(f"cannot find the Python package {name}: install it next to gxo")
    return str(Path(found.submodule_search_locations[0]).resolve())


def own_python(frame: Frame) -> str:
    """The interpreter, not that of a virtual environment, which may be hidden with the checkout.

    Raises NoPython where this one is hidden too.
    """
    found = os.path.realpath(getattr(sys, "_base_executable", sys.executable))
    if frame.hidden and any(Path(found).is_relative_to(home) for home in HIDDEN_HOMES):
        raise NoPython(
            f"cannot start Python in the sandbox, which hides {found}: install gxo with a Python"
            " that lies elsewhere, such as the system's /usr/bin/python3"
        )
    return found


def _elsewhere(frame: Frame) -> bool:
    """Whether it has another root, in which nothing of the host is."""
    return any(setting.name in ("RootDirectory", "RootImage") for setting in frame.directives)


def _state(frame: Frame) -> tuple[str, ...]:
    """The state directories of a step that has any."""
    return tuple(
        f"/var/lib/{name}"
        for setting in frame.directives
        if setting.name == "StateDirectory" and isinstance(setting.value, tuple)
        for name in setting.value
    )

"""Step unit: an attempt of a step, or a service beside them, as a transient unit of its run."""

from pathlib import Path

from gxo.data import package_dir
from gxo.plan.model import Plan, Step
from gxo.runtime.names import RunNames
from gxo.runtime.python import CODE
from gxo.runtime.start import Start
from gxo.spec.lifecycle import Supervise
from gxo.template.names import secrets
from gxo.units.credential import NO_DUMP
from gxo.units.directives import directive
from gxo.units.launcher import command_behind
from gxo.units.model import Directive, Property, Unit, UnitType
from gxo.units.properties import properties
from gxo.units.steps import Frame

STOP = 10_000_000
"""Microseconds between SIGTERM and SIGKILL where a step is cancelled or out of time."""
_HIDDEN = "/var/lib/gxo"


def step_properties(
    names: RunNames, unit: str, start: Start, workspace: str, *, writes: bool
) -> tuple[Property, ...]:
    """A oneshot whose stdout and stderr are the first two files handed over with it.

    gxo's own package is to be seen by a worker, at `code_paths`, with the directories of its
    libraries (`library_dir`) beside it. `writes`: into a stream, whose reader may end before it.
    """
    step, frame = start.doing.step, start.doing.frame
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
        *command_behind(frame.launcher, start.command),
        *((directive("IgnoreSIGPIPE", False),) if writes else ()),
    )
    bound = Property(
        "BindPaths", "a(ssbt)", [(path, path, False, 0) for path in (workspace, *_state(frame))]
    )
    hidden = (Property("TemporaryFileSystem", "a(ss)", [(_HIDDEN, "")]), bound)
    packages = (package_dir(), *start.libraries)
    shown = Property(
        "BindReadOnlyPaths",
        "a(ssbt)",
        [(path, f"{CODE}/{Path(path).name}", False, 0) for path in packages],
    )
    return (
        *properties(_of_run(names, step, unit, settings)),
        *(hidden if frame.hidden else (bound,) if _elsewhere(frame) else ()),
        *((shown,) if start.works and frame.hidden else ()),
        # no crash may write down the memory of what is given a secret
        *((Property("LimitCORE", "t", NO_DUMP),) if secrets(start.doing.action.params) else ()),
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

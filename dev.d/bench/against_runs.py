"""Runs against systemd-run, a raw burst, make, luigi and ansible; in a lab each."""

import sys
from collections.abc import Iterator
from pathlib import Path

import playbooks
from in_lab import PLACE, gxo_run, job, ready, run, timed
from timing import Result, compare
from tools import ansible_playbook, luigi

from gxo.lab import Bind, Lab
from gxo.lab.program import shared
from gxo.language.frontend import parse_sources
from gxo.plan.build import build_plan
from gxo.runtime.step_unit import RunNames, step_properties
from gxo.source import Source
from gxo.units.directives import line
from gxo.units.model import Command, Directive, Property
from gxo.units.steps import USER, Frame, compile_steps
from gxo.units.target import Target

_HERE = Path(__file__).parent
_NAMES = RunNames(run="bench", playbook="bench")
_MEMORY = 80 << 20
_WIDE = 32
"""Steps at once where all are independent."""


def chain(count: int = 100) -> Iterator[Result]:
    """One step after the other, without a sandbox, against systemd-run in a loop."""
    yield from _chain(f"chain of {count} steps / systemd-run --wait --pipe", count, "host", 0.6)


def sandboxed(count: int = 100) -> Iterator[Result]:
    """The same chain under the profile that a step has unless told otherwise."""
    yield from _chain(f"sandboxed chain of {count} / systemd-run", count, "default", 0.75, pairs=3)


def wide(count: int = 1000) -> Iterator[Result]:
    """Independent steps, against a raw D-Bus burst of units with the same properties."""
    text = playbooks.steps(count, profile="host", chained=False)
    frame = _frame(text)
    burst = [sys.executable, str(_HERE / "raw_burst.py")]
    units = repr([_raw(frame, number) for number in range(count)])
    with _lab(text) as lab:
        ours = job(lab, _gxo_run())

        name = f"{count} independent steps / raw D-Bus burst"
        yield compare(name, ours, lambda: timed(lab, burst, units), 1.25, pairs=3)


def scale(count: int = 100, few: int = 20) -> Iterator[Result]:
    """What a reader knows, for as many tasks that do nothing; to compare, not to meet.

    ansible, which takes as long for each, gets a `few`.
    """
    tools = ansible_playbook(), luigi()
    top = tools[0].parent.parent
    with _lab(playbooks.steps(count, profile="host", chained=False), *shared((top,))) as lab:
        written = {
            "few.yaml": playbooks.steps(few, profile="host", chained=False),
            **playbooks.rivals(count, few),
        }
        for name, text in written.items():
            lab.path(f"{PLACE}/{name}").write_text(text)
        ours = job(lab, _gxo_run())
        make = ["make", "--silent", "-j8", "-f", f"{PLACE}/Makefile"]
        yield compare(f"{count} independent steps / make -j8", ours, job(lab, make), None, pairs=5)
        worker = [str(tools[1]), "--module", "tasks", "All", "--local-scheduler", "--workers", "8"]
        worker += ["--log-level", "ERROR", "--retcode-task-failed", "1"]
        there = ["env", f"PYTHONPATH={PLACE}", *worker]
        yield compare(f"{count} independent steps / luigi", ours, job(lab, there), None, pairs=3)
        play = [str(tools[0]), "-i", "localhost,", "-c", "local", f"{PLACE}/tasks.yaml"]
        ansible = job(lab, ["env", "HOME=/root", "LC_ALL=C.UTF-8", *play])
        ours = job(lab, _gxo_run(playbook="few.yaml"))
        yield compare(f"{few} independent steps / ansible", ours, ansible, None, pairs=1)


def cold() -> Iterator[Result]:
    """One step, from the start of the command to its end."""
    with _lab(playbooks.steps(1, profile="host", chained=True)) as lab:
        ours = job(lab, gxo_run("bench.yaml"))
        bare = job(lab, ["/usr/bin/python3", "-c", "import pydbus"])
        yield compare("gxo run of one step / import pydbus", ours, bare, 4, pairs=21)


def memory(count: int = 1000) -> Iterator[Result]:
    """The most that a runner ever held, against what it may."""
    with _lab(playbooks.steps(count, profile="host", chained=False)) as lab:
        said = run(lab, [sys.executable, str(_HERE / "peak.py"), *_gxo_run("--detach")])
        peak = int(said) * 1024
        yield Result(
            f"peak memory of the runner of {count} steps / 80 MB",
            peak,
            _MEMORY,
            peak / _MEMORY,
            (peak / _MEMORY, peak / _MEMORY),
            1,
            unit="MB",
        )


def _chain(
    name: str, count: int, profile: str, bound: float, *, pairs: int = 5
) -> Iterator[Result]:
    """The whole commands, then what of ours is a step: without the start and end of a run."""
    text = playbooks.steps(count, profile=profile, chained=True)
    with _lab(text) as lab:
        settings = [f"--property={setting}" for setting in _settings(_frame(text))]
        one = [
            "systemd-run",
            "--wait",
            "--pipe",
            "--quiet",
            "--collect",
            *settings,
            "/usr/bin/true",
        ]
        script = (
            'count=$1; shift; while [ $count -gt 0 ]; do "$@" || exit; count=$((count - 1)); done'
        )
        ours = job(lab, _gxo_run())
        theirs = job(lab, ["sh", "-c", script, "sh", str(count), *one])
        yield compare(name, ours, theirs, bound, pairs=pairs)
        lab.path(f"{PLACE}/one.yaml").write_text(playbooks.steps(1, profile=profile, chained=True))
        single = job(lab, _gxo_run(playbook="one.yaml"))

        def steps() -> float:
            return (ours() - single()) * count / (count - 1)

        yield compare("  of that its steps alone", steps, theirs, None, pairs=pairs)


def _settings(frame: Frame) -> list[str]:
    """What a step of ours has but what ties it to its run, as lines of a unit file."""
    place = f"{PLACE}/work"
    hidden = ("TemporaryFileSystem=/var/lib/gxo", f"BindPaths={place}") if frame.hidden else ()
    return [
        "IgnoreOnIsolate=yes",
        "Type=oneshot",
        f"Slice={_NAMES.slice}",
        *(f"LogExtraFields=GXO_{name}=bench" for name in ("PLAYBOOK", "WORKLOAD", "RUN", "STEP")),
        *map(line, frame.directives),
        f"WorkingDirectory={place}",
        f"Environment=HOME={place}",
        *hidden,
    ]


def _raw(frame: Frame, number: int) -> tuple[str, list[tuple[str, str, object]]]:
    """A unit as a runner asks for it, without its runner and its pipes."""
    command = (Directive("Service", "ExecStart", Command(("/usr/bin/true",))),)
    unit = _NAMES.step("burst", number)
    asked = step_properties(_NAMES, "burst", unit, frame, f"{PLACE}/work", command)
    apart = {"BindsTo", "After", "StandardOutputFileDescriptor", "StandardErrorFileDescriptor"}
    kept = [p for p in asked if p.name not in apart]
    kept += [Property(f"Standard{name}", "s", "null") for name in ("Output", "Error")]
    return unit, [(p.name, p.signature, p.value) for p in kept]


def _frame(text: str) -> Frame:
    books, _ = parse_sources((Source("bench.yaml", text),))
    plan, problems = build_plan(books[0])
    assert plan is not None, problems
    frames, more = compile_steps(plan, Target(systemd=252))
    assert not more, more
    return next(iter(frames.values()))


def _lab(text: str, *binds: Bind) -> Lab:
    lab = ready({"bench.yaml": text}, *binds)
    run(lab, ["install", "-d", "-o", USER, "-g", USER, f"{PLACE}/work"])
    return lab


def _gxo_run(*options: str, playbook: str = "bench.yaml") -> tuple[str, ...]:
    return gxo_run(playbook, "--jobs", str(_WIDE), *options)

"""Applying to a real systemd, against a raw D-Bus burst and against pyinfra; in a lab each."""

import sys
from collections.abc import Iterator
from pathlib import Path

import playbooks
from in_lab import job, run, timed
from timing import Result, compare
from tools import pyinfra

from gxo.lab import Lab, LabSpec
from gxo.lab.program import own_argv, own_binds
from gxo.language.frontend import parse_sources
from gxo.plan.build import build_plan
from gxo.source import Source
from gxo.units.build import Target, compile_units
from gxo.units.model import UnitType
from gxo.units.properties import properties

_COUNT = 100
_PLAYBOOK = "/root/burst.yaml"


def first_apply() -> Iterator[Result]:
    """100 services that are not there yet: the whole command against a burst of equal units."""
    text = playbooks.sleepers(_COUNT)
    with _lab(text) as lab:
        burst = [sys.executable, str(Path(__file__).parent / "raw_burst.py")]
        units = repr(_properties(text))

        def ours() -> float:
            took = timed(lab, [*own_argv("apply", "--yes", _PLAYBOOK)])
            run(lab, own_argv("remove", "--yes", "burst"))
            return took

        def theirs() -> float:
            took = timed(lab, burst, units)
            run(lab, ["systemctl", "stop", "gxo-burst.*.service"])
            return took

        yield compare("first apply of 100 services / raw D-Bus burst", ours, theirs, 1.5)


def no_op_apply() -> Iterator[Result]:
    """100 units that are as they should be, against pyinfra on 100 unit files that are."""
    with _lab(playbooks.sleepers(_COUNT)) as lab:
        run(lab, own_argv("apply", "--yes", _PLAYBOOK))
        lab.path("/root/deploy.py").write_text(_DEPLOY.format(count=_COUNT))
        deploy = [str(pyinfra()), "@local", "/root/deploy.py", "-y"]
        ours = job(lab, own_argv("apply", "--yes", _PLAYBOOK))
        yield compare("no-op apply of 100 / pyinfra's no-op", ours, job(lab, deploy), 0.1, pairs=3)


_DEPLOY = """\
from pyinfra.operations import files, systemd
from io import StringIO
for n in range({count}):
    unit = f"[Service]\\nExecStart=/usr/bin/sleep infinity\\nDescription=sleeper {{n}}\\n"
    files.put(src=StringIO(unit), dest=f"/etc/systemd/system/sleeper-{{n}}.service")
"""


def _lab(text: str) -> Lab:
    lab = Lab.boot(LabSpec(binds=own_binds()))
    lab.path(_PLAYBOOK).write_text(text)
    return lab


def _properties(text: str) -> list[tuple[str, list[tuple[str, str, object]]]]:
    books, _ = parse_sources((Source("burst.yaml", text),))
    plan, problems = build_plan(books[0])
    assert plan is not None, problems
    units, _ = compile_units(plan, Target(systemd=252))
    return [
        (unit.name, [(p.name, p.signature, p.value) for p in properties(unit)])
        for unit in units
        if unit.type is UnitType.SERVICE
    ]

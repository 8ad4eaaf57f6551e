"""How open workloads leave the host, as `plan` shows it and `validate --max-exposure` limits it."""

from collections.abc import Iterable, Mapping, Sequence

from gxo.cli.exits import Failure
from gxo.dataclass import replace
from gxo.diagnostic.base import Problem
from gxo.diagnostic.units import TooExposed
from gxo.plan.model import Plan
from gxo.source import Span
from gxo.systemd import exposure
from gxo.units.files import render_file
from gxo.units.instance import step_of
from gxo.units.model import Unit, UnitType
from gxo.units.steps import NOTIFY, isolations
from gxo.units.target import Target


def of_units(units: Iterable[Unit]) -> dict[str, float]:
    """The exposure of services by name; of one that starts a run, that of the run's step."""
    services = [unit for unit in units if unit.type is UnitType.SERVICE]
    texts = {unit.name: render_file(step_of(unit) or unit) for unit in services}
    return exposure.of_texts(texts)


def too_exposed(
    plans: Sequence[Plan], units: Sequence[Unit], target: Target, limit: float
) -> tuple[Problem, ...]:
    """A problem for each workload that is rated above the limit.

    What has no unit before it runs is rated by its isolation. Raises Failure where none can be.
    """
    made = {(unit.playbook, unit.workload): unit for unit in units if _is_service(unit)}
    places: dict[str, tuple[Span, str]] = {}
    rated: list[Unit] = []
    for plan in plans:
        for span, isolated in isolations(plan, target):
            key = (isolated.playbook, isolated.workload)
            unit = step_of(found) or found if (found := made.get(key)) else isolated
            name = f"{len(rated)}.service"
            label = f".{unit.workload}" if unit.workload != NOTIFY else ""
            places[name] = span, unit.playbook + label
            rated.append(replace(unit, name=name))
    scores = exposure.of_texts({unit.name: render_file(unit) for unit in rated})
    if missing := places.keys() - scores.keys():
        _, label = places[min(missing)]
        raise Failure(
            f"cannot tell the exposure of `{label}`: `systemd-analyze security --offline=true`"
            " cannot be used here; install systemd 250 or newer, which need not run"
        )
    return _above(scores, places, limit)


def _is_service(unit: Unit) -> bool:
    return unit.type is UnitType.SERVICE


def _above(
    scores: Mapping[str, float], places: Mapping[str, tuple[Span, str]], limit: float
) -> tuple[Problem, ...]:
    return tuple(
        TooExposed(span=span, workload=label, score=scores[name], limit=limit)
        for name, (span, label) in places.items()
        if scores[name] > limit
    )

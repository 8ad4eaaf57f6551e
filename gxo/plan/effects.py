"""Effects: the calls in a plan's templates that ask for secrets or environment variables."""

from collections.abc import Iterator

from gxo.plan.model import Plan
from gxo.template.names import Use, uses
from gxo.template.value import Value


def effects(plan: Plan, function: str) -> tuple[Use, ...]:
    """Every call of one function (`env`, `secret`) in a plan, in its order."""
    return tuple(use for value in values(plan) for use in uses(value) if use.function == function)


def values(plan: Plan) -> Iterator[Value]:
    """All values of a plan that may hold templates."""
    if plan.vars is not None:
        yield plan.vars
    for step in plan.steps:
        yield from (value for value in (step.when, step.loop) if value is not None)
        yield step.action.params
        yield from (action.params for action in step.on_failure)
    for action in (*plan.on_success, *plan.on_failure, *plan.on_paused):
        yield action.params
    yield from plan.artifacts

"""The modules from outside the library that a plan uses."""

from gxo.plan.model import Plan
from gxo.spec.outside import Outside


def outside(plan: Plan) -> tuple[Outside, ...]:
    """Each such module once, in the order in which the plan names them."""
    lists = (plan.on_success, plan.on_failure, plan.on_paused)
    steps = ((step.action, *step.on_failure) for step in plan.steps)
    found = (action.outside for actions in (*steps, *lists) for action in actions)
    known = {(module.path, module.digest): module for module in found if module is not None}
    return tuple(known.values())

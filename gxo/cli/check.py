"""What `gxo validate` does, apart from how its command line is read."""

from collections.abc import Sequence

from gxo.cli import output
from gxo.cli.exits import Exit
from gxo.cli.load import host_target, load_to_read
from gxo.dataclass import replace
from gxo.diagnostic import sort_problems
from gxo.plan.build import Given


def check(
    paths: Sequence[str],
    values: Given | None = None,
    version: int | None = None,
    *,
    as_json: bool,
    max_exposure: float | None = None,
) -> int:
    """Print all problems of the playbooks at `paths`; whether there was an error is the code."""
    target = host_target(version)
    loaded = load_to_read(paths, values or Given(), target)
    if max_exposure is not None:
        from gxo.cli.exposed import too_exposed

        found = too_exposed(loaded.plans, loaded.units, target, max_exposure)
        loaded = replace(loaded, problems=sort_problems([*loaded.problems, *found]))
    if as_json:
        output.emit_problems(loaded.problems)
    else:
        output.report(loaded.problems)
        if not loaded.failed:
            playbooks = output.counted(len(loaded.plans), "playbook")
            workloads = output.counted(sum(len(plan.steps) for plan in loaded.plans), "workload")
            output.say(f"{playbooks}, {workloads}: no errors")
    return Exit.FAILED if loaded.failed else Exit.DONE

"""`gxo run`: carry out a playbook's run_once workloads now, with its services beside them."""

from typing import Annotated

import typer

from gxo.cli import options, output
from gxo.cli.exits import Exit, Usage

app = typer.Typer()


@app.command(epilog="Example: gxo run --input branch=main build.yaml")
def run(
    path: Annotated[
        str, typer.Argument(metavar="PATH", help="A playbook; `-` reads standard input.")
    ],
    jobs: Annotated[
        int, typer.Option("--jobs", "-j", metavar="N", min=1, help="Steps that may run at once.")
    ] = 8,
    detach: Annotated[
        bool, typer.Option("--detach", help="Print the run's id and let it go on by itself.")
    ] = False,
    junit: options.JUnit = None,
    inputs: options.Inputs = [],
    variables: options.Vars = [],
    vars_files: options.VarsFiles = [],
    json: options.Json = False,
) -> int:
    """Run the `run_once` workloads of a playbook now, in their order, in a workspace of their own.

    Each is a transient unit; `supervise` workloads are held up until the run ends. Ctrl-C cancels
    the run; when this command is killed, it goes on.
    """
    from gxo.apply.setup import setup
    from gxo.cli.attach import follow
    from gxo.cli.given import to_hand
    from gxo.cli.guard import need_root
    from gxo.cli.interrupt import interrupts
    from gxo.cli.load import given, load_to_run
    from gxo.runtime.launch import launch, submit
    from gxo.runtime.store import Store
    from gxo.runtime.sweep import sweep
    from gxo.runtime.task import Task
    from gxo.spec.lifecycle import Policy
    from gxo.systemd.bus import Bus
    from gxo.systemd.manager import Manager

    need_root("run")
    if junit is not None:
        if detach:
            raise Usage("`--junit` is written when the run ends: use `gxo runs show RUN --junit`")
        from gxo.cli.junit import check

        check(junit)
    plan, frames = load_to_run(path, given(inputs, variables, vars_files), as_json=json)
    handed = to_hand(plan, as_json=json)
    for done in setup():
        output.note(f"set up this host: {done}")
    of_runs = (Policy.RUN_ONCE, Policy.SUPERVISE)
    left_out = [s.name.text for s in plan.steps if s.lifecycle.policy not in of_runs]
    if left_out:
        output.note(f"left out, since no run has it: {', '.join(left_out)}")
    playbook = plan.playbook.text
    with Store() as store, Bus.system() as bus:
        manager = Manager(bus)
        sweep(store, manager)
        run = submit(store, playbook, Task(plan=plan, frames=frames, jobs=jobs))
        with interrupts(b"") as heard:
            heard.asked()  # from here on signals are remembered: they cancel what was started
            started = launch(manager, run, playbook, attached=not detach, given=handed)
            if started.events is None:
                output.say(run)
                return Exit.DONE
            names = started.names
            return follow(started.events, manager, store, names, heard, as_json=json, junit=junit)

"""`gxo start`, `stop`, `restart`, `reload`, `trigger`: daily handling of what is applied."""

from typing import Annotated

import typer

from gxo.cli import options, output
from gxo.cli.exits import Exit

app = typer.Typer()

_RESTARTED = b"cancelling: this ends when what was stopped to be restarted is started again\n"
_LEFT = b"cancelling: what was begun goes on by itself\n"


@app.command(epilog="Example: gxo start site.web")
def start(
    targets: options.Targets,
    lock_timeout: options.LockTimeout = 60.0,
    json: options.Json = False,
) -> int:
    """Start applied playbooks, or workloads of them. All names are checked first."""
    return _control("start", targets, lock_timeout, json)


@app.command(epilog="Example: gxo stop site.web")
def stop(
    targets: options.Targets,
    lock_timeout: options.LockTimeout = 60.0,
    json: options.Json = False,
) -> int:
    """Stop applied playbooks, or workloads of them.

    They stay stopped until the next start, apply or boot.
    """
    return _control("stop", targets, lock_timeout, json)


@app.command(epilog="Example: gxo restart site.web site.db")
def restart(
    targets: options.Targets,
    lock_timeout: options.LockTimeout = 60.0,
    json: options.Json = False,
) -> int:
    """Restart applied playbooks, or workloads of them."""
    return _control("restart", targets, lock_timeout, json)


@app.command(epilog="Example: gxo reload site.web")
def reload(
    targets: options.Targets,
    lock_timeout: options.LockTimeout = 60.0,
    json: options.Json = False,
) -> int:
    """Make services read their configuration again.

    The playbook says how: `lifecycle.reload`.
    """
    return _control("reload", targets, lock_timeout, json)


@app.command(epilog="Example: gxo trigger site.backup")
def trigger(
    targets: options.Targets,
    every: Annotated[
        bool, typer.Option("--all", help="Run every scheduled and `run_once` workload of PLAYBOOK.")
    ] = False,
    lock_timeout: options.LockTimeout = 60.0,
    json: options.Json = False,
) -> int:
    """Run scheduled or `run_once` workloads now, and wait for their end.

    PLAYBOOK alone is enough if one schedule is all that it has to run.
    """
    return _control("trigger", targets, lock_timeout, json, every=every)


def _control(
    action: str, targets: list[str], lock_timeout: float, as_json: bool, *, every: bool = False
) -> int:
    from gxo.apply.control_units import control
    from gxo.cli import changes
    from gxo.cli.interrupt import interrupts
    from gxo.cli.root import need_root

    need_root(f"{action} {' '.join(targets)}")
    for target in targets:
        playbook, dot, workload = target.partition(".")
        if not playbook or (dot and not workload):  # a script's empty `$WORKLOAD` does not mean all
            raise typer.BadParameter(f"`{target}` is not PLAYBOOK[.WORKLOAD]")
    with interrupts(_RESTARTED if action == "restart" else _LEFT) as heard:
        done = control(
            action,
            targets,
            every=every,
            listen=changes.silent if as_json else changes.progress,
            cancelled=heard.asked,
            lock_timeout=lock_timeout,
        )
    if as_json:
        output.emit({"changes": changes.to_json(done)})
    elif not done:
        output.say("nothing to do")
    return Exit.DONE

"""`gxo start`, `stop`, `restart`, `reload`, `trigger`: daily handling of what is applied."""

from typing import Annotated

import typer

from gxo.cli import options, output
from gxo.cli.exits import Exit

app = typer.Typer()


@app.command(epilog="Example: gxo start site.web")
def start(
    target: options.Target,
    lock_timeout: options.LockTimeout = 60.0,
    json: options.Json = False,
) -> int:
    """Start an applied playbook, or one workload of it."""
    return _control("start", target, lock_timeout, json)


@app.command(epilog="Example: gxo stop site.web")
def stop(
    target: options.Target,
    lock_timeout: options.LockTimeout = 60.0,
    json: options.Json = False,
) -> int:
    """Stop an applied playbook, or one workload of it.

    It stays stopped until the next start, apply or boot.
    """
    return _control("stop", target, lock_timeout, json)


@app.command(epilog="Example: gxo restart site.web")
def restart(
    target: options.Target,
    lock_timeout: options.LockTimeout = 60.0,
    json: options.Json = False,
) -> int:
    """Restart an applied playbook, or one workload of it."""
    return _control("restart", target, lock_timeout, json)


@app.command(epilog="Example: gxo reload site.web")
def reload(
    target: options.Target,
    lock_timeout: options.LockTimeout = 60.0,
    json: options.Json = False,
) -> int:
    """Make a service read its configuration again.

    Its playbook says how: `lifecycle.reload`.
    """
    return _control("reload", target, lock_timeout, json)


@app.command(epilog="Example: gxo trigger site.backup")
def trigger(
    target: options.Target,
    every: Annotated[
        bool, typer.Option("--all", help="Run every scheduled and `run_once` workload of PLAYBOOK.")
    ] = False,
    lock_timeout: options.LockTimeout = 60.0,
    json: options.Json = False,
) -> int:
    """Run a scheduled or `run_once` workload now, and wait for its end.

    PLAYBOOK alone is enough if one schedule is all that it has to run.
    """
    return _control("trigger", target, lock_timeout, json, every=every)


def _control(
    action: str, target: str, lock_timeout: float, as_json: bool, *, every: bool = False
) -> int:
    from gxo.apply.control_units import control
    from gxo.cli import changes
    from gxo.cli.guard import need_root

    need_root(f"{action} {target}")
    playbook, _, workload = target.partition(".")
    done = control(
        action,
        playbook,
        workload or None,
        every=every,
        listen=changes.silent if as_json else changes.progress,
        lock_timeout=lock_timeout,
    )
    if as_json:
        output.emit({"changes": changes.to_json(done)})
    elif not done:
        output.say("nothing to do")
    return Exit.DONE

"""What `gxo run` does, apart from how its command line is read."""

from pathlib import Path

from gxo.apply.setup import setup
from gxo.cli import output
from gxo.cli.attach import start
from gxo.cli.exits import Usage
from gxo.cli.found import tidy
from gxo.cli.given import to_hand
from gxo.cli.load import host_target, load_to_run, need_systemd
from gxo.cli.root import need_root
from gxo.plan.given import Given
from gxo.runtime.store import Store
from gxo.runtime.task import JOBS, Task
from gxo.spec.lifecycle import Policy
from gxo.systemd.bus import Bus, SystemdError
from gxo.systemd.host import host_of, unenforced
from gxo.systemd.manager import Manager
from gxo.units.target import Target


def carry_out(
    path: str,
    values: Given | None = None,
    *,
    jobs: int = JOBS,
    detach: bool = False,
    junit: Path | None = None,
    as_json: bool = False,
) -> int:
    """Start a run and, unless it is to be left alone, follow it to its end."""
    need_root("run")
    if junit is not None:
        if detach:
            raise Usage("`--junit` is written when the run ends: use `gxo runs show RUN --junit`")
        from gxo.cli.junit import check

        check(junit)
    values = values or Given()
    try:
        bus, target = _host()
    except SystemdError:  # what is wrong with the playbook is told before what is with the host
        load_to_run(path, values, host_target(None), as_json=as_json)
        raise
    with bus:
        manager = Manager(bus)
        plan, frames = load_to_run(path, values, target, as_json=as_json)
        need_systemd(target.systemd)
        handed = to_hand(plan, as_json=as_json)
        for done in setup():
            output.note(f"set up this host: {done}")
        of_runs = (Policy.RUN_ONCE, Policy.SUPERVISE)
        left_out = [s.name.text for s in plan.steps if s.lifecycle.policy not in of_runs]
        if left_out:
            output.note(f"left out, since it is not part of a run: {', '.join(left_out)}")
        with Store() as store:
            tidy(store, manager)
            task = Task(plan=plan, frames=frames, jobs=jobs)
            return start(store, manager, task, handed, detach=detach, as_json=as_json, junit=junit)


def _host() -> tuple[Bus, Target]:
    """A connection to this host's systemd, and what it can do. SystemdError."""
    bus = Bus.system()
    try:
        host = host_of(Manager(bus))
    except SystemdError:
        bus.close()
        raise
    return bus, Target(systemd=host.systemd, gaps=unenforced(host))

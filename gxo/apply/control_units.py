"""Daily handling of what is applied: start, stop, restart, reload, trigger."""

from collections.abc import Iterable, Iterator, Sequence

from gxo.apply.change import Action, Change
from gxo.apply.desired import Desired, Part
from gxo.apply.event import Event, Listener, silent, timestamp
from gxo.apply.event import Kind as Reached
from gxo.apply.failure import ApplyError
from gxo.apply.foreign import Kind
from gxo.apply.live import Live
from gxo.apply.lock import WAIT, locked
from gxo.apply.record import to_desired
from gxo.apply.transaction import HERE, Places, Prune, Transaction
from gxo.diagnostic.base import did_you_mean
from gxo.spec.lifecycle import Policy
from gxo.systemd.bus import Bus
from gxo.systemd.manager import Manager


def control(
    action: str,
    playbook: str,
    workload: str | None = None,
    *,
    every: bool = False,
    listen: Listener = silent,
    lock_timeout: float = WAIT,
    places: Places = HERE,
) -> tuple[Change, ...]:
    """Do `start`, `stop`, `restart`, `reload` or `trigger` to a workload or all of a playbook.

    `start` starts what does not run; `trigger` runs a schedule's job or a run_once step now and
    waits for its end. Of a whole playbook it runs only what is its one schedule, or with `every`
    all. What was done is given back, empty where all was as asked already.
    Raises ApplyError for a name that is not applied or cannot be handled so, ActivationFailed,
    LockTimeout, SystemdError, StoreError.
    """
    label = f"{playbook}.{workload}" if workload else playbook
    with Bus.system() as bus, locked(f"gxo {action} {label}", timeout=lock_timeout):
        wanted = _applied(places, action, playbook, label)
        transaction = Transaction(Manager(bus), places, [wanted], Prune.NONE)
        chosen = _chosen(wanted, action, workload, label, every=every)
        if action == "reload":
            return tuple(_reload(transaction, playbook, chosen, label, listen))
        todo = tuple(_VERBS[action](transaction, playbook, chosen))
        if not todo and workload and not _fits(action, chosen[0]):
            raise ApplyError(f"cannot {action} `{label}`: {_MISFIT[action, chosen[0].policy]}")
        for why in _masks(todo, transaction.live):
            raise ApplyError(f"cannot {action} `{label}`: {why}")
        transaction.handle(todo, listen)
        return todo


def _applied(places: Places, action: str, playbook: str, label: str) -> Desired:
    """What the current revision of a playbook wants."""
    revision = places.store.current(playbook)
    if revision is None:
        hint = did_you_mean(playbook, places.store.playbooks())
        raise ApplyError(f"cannot {action} `{label}`: no playbook `{playbook}` is applied", hint)
    return to_desired(revision)


def _chosen(
    wanted: Desired, action: str, workload: str | None, label: str, *, every: bool
) -> Sequence[Part]:
    """The workloads that are meant; with `every` all of the playbook."""
    chosen = [part for part in wanted.parts if workload in (None, part.workload)]
    if not chosen:
        hint = did_you_mean(str(workload), [part.workload for part in wanted.parts])
        raise ApplyError(
            f"cannot {action} `{label}`: playbook `{wanted.playbook}` has no workload `{workload}`",
            hint,
        )
    return [_the_one(chosen, label)] if action == "trigger" and not (workload or every) else chosen


_MISFIT = {
    ("start", Policy.RUN_ONCE): "it runs once; `gxo trigger` runs it now",
    ("restart", Policy.RUN_ONCE): "it runs once; `gxo trigger` runs it now",
    ("trigger", Policy.SUPERVISE): "it is a service; `gxo restart` restarts it",
}


def _fits(action: str, part: Part) -> bool:
    return (action, part.policy) not in _MISFIT


def _masks(todo: Iterable[Change], live: Live) -> Iterator[str]:
    """What would keep a unit from starting: a restart would only stop it."""
    for change in todo:
        for unit in change.make if change.action is not Action.STOP else ():
            for file in live.foreign(unit.name):
                if file.kind is not Kind.DROP_IN:
                    yield file.remedy(unit.name)


def _the_one(parts: Sequence[Part], label: str) -> Part:
    """The schedule that is all there is to trigger.

    Jobs and steps side by side, in no order, and steps that have run, are hardly what is meant.
    """
    fit = [part for part in parts if _fits("trigger", part)]
    if len(fit) == 1 and fit[0].policy is Policy.SCHEDULED:
        return fit[0]
    names = ", ".join(f"`{label}.{part.workload}`" for part in fit)
    if not fit:
        raise ApplyError(f"cannot trigger `{label}`: it has no schedule and no step")
    raise ApplyError(
        f"cannot trigger `{label}`: it does not say what to run; name one of {names},"
        " or run all with `--all`"
    )


def _start(transaction: Transaction, _playbook: str, parts: Iterable[Part]) -> Iterator[Change]:
    names = {part.workload for part in parts}
    for change in transaction.changes:
        if change.action is Action.START and (change.part is None or change.workload in names):
            yield change


def _stop(transaction: Transaction, playbook: str, parts: Iterable[Part]) -> Iterator[Change]:
    for part in parts:
        up = tuple(n for n in part.names if (unit := transaction.live.get(n)) and unit.up)
        if up:
            yield Change(
                playbook=playbook,
                workload=part.workload,
                unit=part.main.name,
                action=Action.STOP,
                reason="asked for",
                old=up,
                before=part.units,
            )


def _restart(transaction: Transaction, playbook: str, parts: Iterable[Part]) -> Iterator[Change]:
    yield from (c for c in transaction.changes if c.part is None and c.action is Action.START)
    for part in parts:
        if not _fits("restart", part):
            continue
        found = transaction.live.get(part.main.name)
        up = found is not None and found.up
        yield Change(
            playbook=playbook,
            workload=part.workload,
            unit=part.main.name,
            action=Action.RESTART if up else Action.START,
            reason="asked for",
            part=part,
            make=part.units,
            old=(part.main.name,) if up else (),
            before=part.units if up else (),
        )


def _trigger(_transaction: Transaction, playbook: str, parts: Iterable[Part]) -> Iterator[Change]:
    for part in parts:
        if not _fits("trigger", part):
            continue
        # a schedule's job, without its timer
        units = part.units[-1:]
        yield Change(
            playbook=playbook,
            workload=part.workload,
            unit=units[0].name,
            action=Action.RUN,
            reason="asked for",
            part=part,
            make=units,
            adopt=part.policy is Policy.SCHEDULED,
        )


def _reload(
    transaction: Transaction, playbook: str, parts: Sequence[Part], label: str, listen: Listener
) -> Iterator[Change]:
    """Of one workload it must be possible; of a playbook, those that can be are reloaded."""
    for part in parts:
        able = any(item.name == "ExecReload" for item in part.main.directives)
        found = transaction.live.get(part.main.name)
        if not able or found is None or found.active != "active":
            if len(parts) == 1:
                why = "it does not run" if able else "it has no `lifecycle.reload`"
                raise ApplyError(f"cannot reload `{label}`: {why}")
            continue
        outcome = transaction.manager.reload(part.main.name)
        if not outcome.ok:
            raise ApplyError(f"cannot reload `{label}`: its job ended as {outcome.result}")
        change = Change(
            playbook=playbook,
            workload=part.workload,
            unit=part.main.name,
            action=Action.RELOAD,
            reason="asked for",
        )
        listen(
            Event(
                time=timestamp(),
                kind=Reached.RELOADED,
                playbook=playbook,
                workload=part.workload,
                unit=change.unit,
            )
        )
        yield change


_VERBS = {"start": _start, "stop": _stop, "restart": _restart, "trigger": _trigger}

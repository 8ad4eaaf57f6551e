"""Control of applied workloads: start, stop, restart, reload, trigger."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from gxo.apply.change import Action, Change
from gxo.apply.desired import Desired, Part
from gxo.apply.event import Event, Listener, never, silent, timestamp
from gxo.apply.event import Kind as Reached
from gxo.apply.failure import ApplyError
from gxo.apply.foreign import Kind
from gxo.apply.live import Live
from gxo.apply.lock import WAIT, locked
from gxo.apply.places import HERE, Places, Prune
from gxo.apply.record import to_desired
from gxo.apply.transaction import Transaction
from gxo.diagnostic.base import did_you_mean
from gxo.spec.lifecycle import Policy
from gxo.systemd.bus import Bus
from gxo.systemd.manager import Manager


def control(
    action: str,
    targets: Sequence[str],
    *,
    every: bool = False,
    listen: Listener = silent,
    cancelled: Callable[[], bool] = never,
    lock_timeout: float = WAIT,
    places: Places = HERE,
) -> tuple[Change, ...]:
    """Do `start`, `stop`, `restart`, `reload` or `trigger` to workloads or all of playbooks.

    A target is `PLAYBOOK` or `PLAYBOOK.WORKLOAD`; all are checked before anything changes.
    `start` starts what does not run; `trigger` runs a schedule's job or a run_once step now and
    waits for its end; for a whole playbook it needs `every`, unless one schedule is all there is.
    From the first call of `cancelled` no signal may break in; where it returns True, restarts under
    way are completed, systemd completes what else was begun, and KeyboardInterrupt is raised.
    Returns what was done, empty where everything was as asked already. Raises ApplyError for a name
    that is not applied or an action that does not fit, ActivationFailed, LockTimeout, SystemdError,
    StoreError.
    """
    targets = tuple(dict.fromkeys(targets))
    with Bus.system() as bus:
        with locked(f"gxo {action} {' '.join(targets)}", timeout=lock_timeout):
            known = {name: _applied(places, action, label, name) for label, name in _split(targets)}
            transaction = Transaction(Manager(bus), places, tuple(known.values()), Prune.NONE)
            chosen: dict[str, dict[str, Part]] = {name: {} for name in known}
            for label, name in _split(targets):
                parts = _chosen(known[name], action, label, every=every)
                if action == "reload":
                    parts = _reloadable(parts, transaction.live, label)
                chosen[name] |= {part.workload: part for part in parts}
            if action == "reload":
                return _reload(transaction.manager, chosen, listen)
            verb = _VERBS[action]
            found = [c for name, parts in chosen.items() for c in verb(transaction, name, parts)]
            todo = tuple({change.unit: change for change in found}.values())
            for label, why in _masks(todo, transaction.live, targets):
                raise ApplyError(f"cannot {action} `{label}`: {why}")
            if not all(change.adopt for change in todo):
                transaction.handle(todo, listen, cancelled)
                return todo
        # jobs of schedules may take hours, in which others want to apply; they leave no record
        transaction.run_jobs(todo, listen, cancelled)
        return todo


def _split(targets: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Each target with the playbook that it names."""
    return ((target, target.partition(".")[0]) for target in targets)


def _applied(places: Places, action: str, label: str, playbook: str) -> Desired:
    """What the current revision of a playbook wants."""
    revision = places.store.current(playbook)
    if revision is None:
        hint = did_you_mean(playbook, places.store.playbooks())
        raise ApplyError(f"cannot {action} `{label}`: no playbook `{playbook}` is applied", hint)
    return to_desired(revision)


def _chosen(wanted: Desired, action: str, label: str, *, every: bool) -> Sequence[Part]:
    """The workloads that are meant; with `every` all of the playbook."""
    workload = label.partition(".")[2]
    chosen = [part for part in wanted.parts if workload in ("", part.workload)]
    if not chosen:
        hint = did_you_mean(workload, [part.workload for part in wanted.parts])
        raise ApplyError(
            f"cannot {action} `{label}`: playbook `{wanted.playbook}` has no workload `{workload}`",
            hint,
        )
    if workload and not _fits(action, chosen[0]):
        raise ApplyError(f"cannot {action} `{label}`: {_MISFIT[action, chosen[0].policy]}")
    return [_the_one(chosen, label)] if action == "trigger" and not (workload or every) else chosen


_MISFIT = {
    ("start", Policy.RUN_ONCE): "it runs once; `gxo trigger` runs it now",
    ("restart", Policy.RUN_ONCE): "it runs once; `gxo trigger` runs it now",
    ("trigger", Policy.SUPERVISE): "it is a service; `gxo restart` restarts it",
}


def _fits(action: str, part: Part) -> bool:
    return (action, part.policy) not in _MISFIT


def _masks(todo: Iterable[Change], live: Live, targets: Sequence[str]) -> Iterator[tuple[str, str]]:
    """What would keep a unit from starting, by target: a restart would only stop it."""
    for change in todo:
        for unit in change.make if change.action is not Action.STOP else ():
            for file in live.foreign(unit.name):
                if file.kind is not Kind.DROP_IN:
                    names = (f"{change.playbook}.{change.workload}", change.playbook)
                    label = next((name for name in names if name in targets), targets[0])
                    yield label, file.remedy(unit.name)


def _the_one(parts: Sequence[Part], label: str) -> Part:
    """The one schedule of a playbook without run_once steps; ApplyError for any other playbook.

    To run several jobs and steps at once, in no order, is hardly what the user means.
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


def _start(transaction: Transaction, playbook: str, parts: Mapping[str, Part]) -> Iterator[Change]:
    yield from _slices(transaction)
    for change in transaction.changes:
        mine = change.playbook == playbook and change.workload in parts
        if mine and change.action is Action.START:
            yield change


def _slices(transaction: Transaction) -> Iterator[Change]:
    """Those that are not there, which all that starts is put into."""
    yield from (c for c in transaction.changes if c.part is None and c.action is Action.START)


def _stop(transaction: Transaction, playbook: str, parts: Mapping[str, Part]) -> Iterator[Change]:
    for part in parts.values():
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


def _restart(
    transaction: Transaction, playbook: str, parts: Mapping[str, Part]
) -> Iterator[Change]:
    yield from _slices(transaction)
    for part in parts.values():
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


def _trigger(
    _transaction: Transaction, playbook: str, parts: Mapping[str, Part]
) -> Iterator[Change]:
    for part in parts.values():
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


def _reloadable(parts: Sequence[Part], live: Live, label: str) -> Sequence[Part]:
    """Of one workload it must be possible; of a playbook, those that can be are reloaded."""
    fit = []
    for part in parts:
        able = any(item.name == "ExecReload" for item in part.main.directives)
        found = live.get(part.main.name)
        if able and found is not None and found.active == "active":
            fit.append(part)
        elif len(parts) == 1:
            why = "it does not run" if able else "it has no `lifecycle.reload`"
            raise ApplyError(f"cannot reload `{label}`: {why}")
    return fit


def _reload(
    manager: Manager, chosen: Mapping[str, Mapping[str, Part]], listen: Listener
) -> tuple[Change, ...]:
    done: list[Change] = []
    failed: list[str] = []
    for playbook, parts in chosen.items():
        for part in parts.values():
            outcome = manager.reload(part.main.name)
            if not outcome.ok:
                label = f"{playbook}.{part.workload}"
                failed.append(f"cannot reload `{label}`: its job ended as {outcome.result}")
                continue
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
            done.append(change)
    if failed:
        raise ApplyError("\n".join(failed))
    return tuple(done)


_VERBS = {"start": _start, "stop": _stop, "restart": _restart, "trigger": _trigger}

"""What the command line asks of apply: plan, apply, remove, roll back, restore."""

from collections.abc import Callable, Sequence
from pathlib import Path

from gxo.apply.change import Change
from gxo.apply.desired import Desired, desired
from gxo.apply.event import Listener, never, silent
from gxo.apply.failure import ApplyError
from gxo.apply.lock import WAIT, locked, under_way
from gxo.apply.places import HERE, Places, Prune
from gxo.apply.record import Revision, to_desired
from gxo.apply.result import Applied, Planned
from gxo.apply.store import Store, StoreError
from gxo.apply.transaction import Transaction
from gxo.dataclass import replace
from gxo.diagnostic.base import did_you_mean
from gxo.plan.model import Plan
from gxo.systemd.bus import Bus
from gxo.systemd.manager import Manager
from gxo.units.credential import credential
from gxo.units.model import Unit


def plan_changes(
    plans: Sequence[Plan],
    units: Sequence[Unit],
    *,
    prune: Prune = Prune.WORKLOADS,
    over: Sequence[Path] = (),
    places: Places = HERE,
) -> Planned:
    """What `apply` with the same arguments would do now.

    `over` are the directories given: Prune.PLAYBOOKS removes playbooks whose files have left them.
    Raises SystemdError, StoreError, SecretError.
    """
    with Bus.system() as bus:
        wanted = [_with_secrets(desired(plan, units), for_good=False) for plan in plans]
        planned = Transaction(Manager(bus), places, wanted, prune, over).planned
    # asked last, so that an apply that has ended meanwhile does not count
    if busy := under_way():
        return replace(planned, interrupted=(), under_way=busy)
    return planned


def apply(
    plans: Sequence[Plan],
    units: Sequence[Unit],
    *,
    prune: Prune = Prune.WORKLOADS,
    over: Sequence[Path] = (),
    listen: Listener = silent,
    confirm: Callable[[Planned], bool] = lambda _: True,
    cancelled: Callable[[], bool] = never,
    lock_timeout: float = WAIT,
    places: Places = HERE,
) -> Applied | None:
    """Make this host run what the plans say; None where `confirm` refused the changes.

    Once `cancelled` has been called, no signal may raise; where it returns True, everything is
    undone. Raises ActivationFailed after undoing everything, ApplyError before any change where
    files of others are in the way, LockTimeout, SystemdError, StoreError, SecretError.
    """
    names = " ".join(plan.playbook.text for plan in plans)
    with Bus.system() as bus, locked(f"gxo apply {names}", timeout=lock_timeout):
        wanted = [_with_secrets(desired(plan, units)) for plan in plans]
        transaction = Transaction(Manager(bus), places, wanted, prune, over)
        transaction.refuse_barred()
        if not confirm(transaction.planned):
            return None
        return transaction.commit(listen, cancelled)


def remove(
    playbooks: Sequence[str],
    *,
    listen: Listener = silent,
    confirm: Callable[[], bool] = lambda: True,
    cancelled: Callable[[], bool] = never,
    lock_timeout: float = WAIT,
    places: Places = HERE,
) -> tuple[Change, ...] | None:
    """Stop and forget all units of playbooks; None where `confirm` refused that.

    Raises ApplyError, with nothing changed, where one is not there, and as `apply` does.
    """
    names = tuple(dict.fromkeys(playbooks))
    with Bus.system() as bus, locked(f"gxo remove {' '.join(names)}", timeout=lock_timeout):
        gone = [Desired(playbook=name, removal=True) for name in names]
        transaction = Transaction(Manager(bus), places, gone)
        known = places.store.playbooks()
        live = {change.playbook for change in transaction.changes if change.workload}
        for name in names:
            if name not in known and name not in live:
                raise ApplyError(
                    f"cannot remove `{name}`: no playbook of that name is applied",
                    did_you_mean(name, known),
                )
        if not confirm():
            return None
        return transaction.commit(listen, cancelled).changes


def rollback(
    playbook: str,
    number: int | None = None,
    *,
    listen: Listener = silent,
    confirm: Callable[[Planned], bool] = lambda _: True,
    cancelled: Callable[[], bool] = never,
    lock_timeout: float = WAIT,
    places: Places = HERE,
) -> Applied | None:
    """Apply a recorded revision as a new one; by default the last that differs from now.

    No run_once step runs: to repeat an old step does not undo a newer one.

    Raises ApplyError where there is no such revision, and as `apply` does.
    """
    with Bus.system() as bus, locked(f"gxo rollback {playbook}", timeout=lock_timeout):
        wanted = _with_secrets(_recorded(places.store, playbook, number))
        transaction = Transaction(Manager(bus), places, [wanted], steps=False)
        transaction.refuse_barred()
        if not confirm(transaction.planned):
            return None
        return transaction.commit(listen, cancelled)


def _recorded(store: Store, playbook: str, number: int | None) -> Desired:
    """A revision, by default the last that differs from the current one. Raises ApplyError."""
    kept = store.numbers(playbook)
    current = store.current(playbook)
    if current is None:
        hint = did_you_mean(playbook, store.playbooks())
        which = "" if number is None else f" to revision {number}"
        raise ApplyError(f"cannot roll `{playbook}` back{which}: none is recorded", hint)
    if number is None:
        number = _differing(store, current, kept[:-1])
    if number is None:
        there = "no revision that is kept differs from the current one"
        raise ApplyError(f"cannot roll `{playbook}` back: {there}")
    if number not in kept:
        there = ", ".join(map(str, kept))
        raise ApplyError(f"cannot roll `{playbook}` back to revision {number}: kept: {there}")
    wanted = to_desired(store.revision(playbook, number))
    if not Path(wanted.source).exists():
        # the playbook's file has moved since; with its old place it would count as removed
        wanted = replace(wanted, source=current.source)
    return wanted


def _differing(store: Store, current: Revision, before: Sequence[int]) -> int | None:
    """The last of these revisions whose units differ from the current one's."""
    for number in reversed(before):
        revision = store.revision(current.playbook, number)
        if (revision.slices, revision.parts) != (current.slices, current.parts):
            return number
    return None


def restore(
    *, listen: Listener = silent, lock_timeout: float = WAIT, places: Places = HERE
) -> tuple[str, ...]:
    """Start after a boot what was applied last; what could not be started, in words.

    No run_once step runs, and stamps stay, so that systemd runs what a schedule has missed.
    """
    left: list[str] = []
    with Bus.system() as bus, locked("gxo restore", timeout=lock_timeout):
        manager = Manager(bus)
        for playbook in places.store.playbooks():
            # one damaged record must not keep the other playbooks down
            try:
                revision = places.store.current(playbook)
                if revision is None:
                    continue
                transaction = Transaction(manager, places, [to_desired(revision)], Prune.NONE)
                left += transaction.restore(listen)
            except StoreError as error:
                left.append(f"cannot restore `{playbook}`: {error}")
    return tuple(left)


def _with_secrets(wanted: Desired, *, for_good: bool = True) -> Desired:
    """What is wanted, with the credentials of its secrets, if it has any."""
    if not any(credential(unit.directives) for unit in wanted.units):
        return wanted
    from gxo.apply.credentials import bind  # most playbooks have none

    return bind(wanted, make_key=for_good)

"""Transaction: changes to one or more playbooks, of which all are made or none."""

from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from gxo.apply.change import Action, Change, Known, changes, known, strangers
from gxo.apply.commit import Commit, Committed, Failure, Ran
from gxo.apply.desired import Desired
from gxo.apply.drift import baseline
from gxo.apply.event import Listener, never, timestamp
from gxo.apply.failure import (
    CUT_OFF,
    UNRECORDED,
    ActivationFailed,
    ApplyError,
    Cancelled,
    Report,
)
from gxo.apply.launch import release, tidy
from gxo.apply.live import Live, globs, read_live
from gxo.apply.places import Places, Prune
from gxo.apply.record import Baseline, Intent, Observed, Outcome, Revision, to_revision
from gxo.apply.result import Applied, Orphan, Planned, barriers, moved
from gxo.apply.store import NoSpace, StoreError
from gxo.apply.undo import undo
from gxo.dataclass import replace
from gxo.runtime.handover import drop
from gxo.spec.lifecycle import Policy
from gxo.systemd.bus import SystemdError
from gxo.systemd.jobs import Jobs
from gxo.systemd.journal_write import JournalError
from gxo.systemd.manager import Manager, major
from gxo.systemd.transient import PLACE as TRANSIENT
from gxo.systemd.transient import mend
from gxo.units.credential import credential
from gxo.units.names import ROOT_SLICE, playbook_slice
from gxo.version import __version__

_LINES = 10
"""Lines of the journal that an error shows of a failed unit."""


class Transaction:
    """Changes, and the records and live units that they were derived from.

    `over` are directories: with Prune.PLAYBOOKS a recorded playbook of theirs that is not wanted is
    removed, else `orphaned` has it. Without `steps` nothing that runs once runs. A playbook whose
    record cannot be read is left out, `damaged` says why; StoreError where nothing else is wanted.
    """

    def __init__(
        self,
        manager: Manager,
        places: Places,
        wanted: Sequence[Desired],
        prune: Prune = Prune.WORKLOADS,
        over: Iterable[Path] = (),
        *,
        steps: bool = True,
    ) -> None:
        self.manager = manager
        self.places = places
        self.prune = prune is not Prune.NONE
        self.damaged: list[str] = []
        self.intents: dict[str, Intent | None] = {}
        self.observed: dict[str, Observed] = {}
        self.known: dict[str, Known] = {}
        self.orphaned, unread = self._orphans(wanted, over) if self.prune else ((), ())
        if prune is Prune.PLAYBOOKS:
            gone = (Desired(playbook=orphan.playbook, removal=True) for orphan in self.orphaned)
            wanted, self.orphaned = (*wanted, *gone), ()
            self.damaged += unread
        self.wanted = {item.playbook: item for item in wanted if self._recall(item)}
        if self.damaged and not self.wanted:
            raise StoreError("\n".join(self.damaged))
        self.live = self._read()
        self._recall_older()
        self.systemd = major(self.live.systemd)
        self.changes = tuple(
            change
            for name, item in self.wanted.items()
            for change in changes(
                item,
                self.live.of(name),
                self.known[name],
                prune=prune is not Prune.NONE,
                steps=steps,
            )
        )

    @property
    def planned(self) -> Planned:
        """The changes, and what the user should know before they are made."""
        return Planned(
            changes=self.changes,
            interrupted=tuple(name for name, intent in self.intents.items() if intent),
            moved=moved(self.wanted.values(), self.known),
            orphaned=self.orphaned,
            damaged=tuple(self.damaged),
        )

    def refuse_barred(self) -> None:
        """Raise ApplyError where files of others are in the way of a change."""
        if lines := barriers(self.changes):
            raise ApplyError("\n".join(lines))

    def commit(self, listen: Listener, cancelled: Callable[[], bool] = never) -> Applied:
        """Make the changes; raises ActivationFailed after undoing them.

        That is Cancelled, where `cancelled`, which is polled, has returned True.
        """
        cancelled()
        changed = {c.playbook for c in self.changes if c.action is not Action.NONE}
        revisions = {name: self._next(name) for name in self.wanted}
        self._intend({name: revisions[name] for name in changed})
        if changed:
            self._carry_out(self.changes, listen, cancelled)
        try:
            self._record(revisions, changed)
        except (OSError, StoreError) as error:
            error.add_note(UNRECORDED)
            raise
        numbers = {name: revision.number for name, revision in revisions.items() if revision}
        return Applied(
            changes=self.changes,
            revisions=numbers,
            moved=moved(self.wanted.values(), self.known),
            orphaned=self.orphaned,
            damaged=tuple(self.damaged),
        )

    def handle(
        self, todo: Sequence[Change], listen: Listener, cancelled: Callable[[], bool]
    ) -> None:
        """Make changes to units of the current revision; nothing is undone.

        Raises ActivationFailed, and KeyboardInterrupt once it is `cancelled`: nothing is left
        stopped that was to be restarted.
        """
        self.changes = tuple(todo)
        try:
            self._commit(todo, listen, cancelled, self._ran)
        finally:
            for name in self.wanted:
                self._observe(name)

    def run_jobs(
        self, todo: Sequence[Change], listen: Listener, cancelled: Callable[[], bool]
    ) -> None:
        """Run what is loaded, as `handle` does, but keep nothing of it: no lock is needed."""
        self._commit(todo, listen, cancelled, lambda *_: None)

    def _commit(
        self, todo: Sequence[Change], listen: Listener, cancelled: Callable[[], bool], ran: Ran
    ) -> None:
        with self.manager.jobs() as jobs:
            commit = self._begin(jobs, listen, cancelled, ran=ran)
            try:
                commit.run(todo)
            except KeyboardInterrupt:
                commit.finish_restarts()
                raise
        if commit.result.failures:
            raise ActivationFailed([self._report(failure) for failure in commit.result.failures])

    def restore(self, listen: Listener) -> tuple[str, ...]:
        """Start what does not run, without steps; what could not be started, in words."""
        starts = [change for change in self.changes if change.action is Action.START]
        with self.manager.jobs() as jobs:
            result = self._begin(jobs, listen, ran=self._ran, restoring=True).run(starts)
        for name in self.wanted:
            self._observe(name)
        return tuple(str(self._report(failure)) for failure in result.failures)

    def _begin(
        self,
        jobs: Jobs,
        listen: Listener,
        cancelled: Callable[[], bool] = never,
        *,
        ran: Ran,
        restoring: bool = False,
    ) -> Commit:
        return Commit(
            self.manager,
            jobs,
            stamps=self.places.stamps,
            listen=listen,
            ran=ran,
            restoring=restoring,
            cancelled=cancelled,
        )

    def _recall(self, item: Desired) -> bool:
        """Read the records of a playbook; whether they could be read."""
        name, store = item.playbook, self.places.store
        current, intent, observed = None, None, Observed()
        try:
            intent, observed = store.intent(name), store.observed(name)
            current = store.current(name)
        except StoreError as error:
            # a removal needs no readable record
            if not item.removal:
                self.damaged.append(str(error))
                return False
        self.intents[name], self.observed[name] = intent, observed
        self.known[name] = known(current, intent, observed)
        return True

    def _recall_older(self) -> None:
        """Read older revisions too where a live unit is unknown: it left without being stopped."""
        for name in self.wanted:
            if strangers(self.live.of(name), self.known[name]):
                self.known[name] = known(
                    self.known[name].current,
                    self.intents[name],
                    self.observed[name],
                    self.places.store.older(name),
                )

    def _orphans(
        self, wanted: Sequence[Desired], over: Iterable[Path]
    ) -> tuple[tuple[Orphan, ...], tuple[str, ...]]:
        """Recorded playbooks that came from a file of these directories, and are not wanted.

        And why others cannot be told to be: their records cannot be read.
        """
        directories = [path.absolute() for path in over]
        if not directories:
            return (), ()
        names = {item.playbook for item in wanted}
        gone, unread = [], []
        for name in self.places.store.playbooks():
            try:
                revision = self.places.store.current(name) if name not in names else None
            except StoreError as error:
                unread.append(str(error))
                continue
            if revision and revision.source and Path(revision.source).parent in directories:
                gone.append(Orphan(name, revision.source))
        return tuple(gone), tuple(unread)

    def _read(self) -> Live:
        units = [unit for item in self.wanted.values() for unit in item.units]
        units += [unit for records in self.known.values() for unit in records.definitions.values()]
        found = [glob for name in self.wanted for glob in globs(name)]
        slices = [unit.name for item in self.wanted.values() for unit in item.slices]
        return read_live(self.manager, (*found, *slices, ROOT_SLICE), units)

    def _next(self, name: str) -> Revision | None:
        """The revision to record: the current one if it is the same; None for a removal."""
        wanted, current = self.wanted[name], self.known[name].current
        if wanted.removal:
            return None
        if current is not None:
            same = to_revision(wanted, current.number, current.applied, current.gxo)
            if same == current:
                return current
        number = max(self.places.store.numbers(name), default=0) + 1
        return to_revision(wanted, number, timestamp(), __version__)

    def _intend(self, revisions: Mapping[str, Revision | None]) -> None:
        store = self.places.store
        for name, target in revisions.items():
            try:
                store.save_intent(name, Intent(started=timestamp(), target=target))
            except NoSpace:
                # a removal may be meant to make room
                if target is None:
                    continue
                # nothing has been done yet, of none of them
                for other in revisions:
                    if self.intents[other] is None:
                        store.drop_intent(other)
                raise

    def _record(self, revisions: Mapping[str, Revision | None], changed: Container[str]) -> None:
        """Keep what runs now, and forget what is over."""
        if self.prune:
            self._clear_up()
        for name, revision in revisions.items():
            if revision is None:
                self.places.store.forget(name)
                continue
            mend((u for u in self.wanted[name].units if self.live.get(u.name)), self.systemd)
            self._observe(name)
            if revision != self.known[name].current:
                self.places.store.save_revision(revision)
            if name in changed or self.intents[name]:
                self.places.store.drop_intent(name)

    def _carry_out(
        self, todo: Sequence[Change], listen: Listener, cancelled: Callable[[], bool]
    ) -> None:
        slices = {change.unit for change in todo if change.action is Action.RELOAD}
        if slices:
            release(self.manager, slices)
        todo = [change for change in todo if change.action is not Action.RELOAD]
        with self.manager.jobs() as jobs:
            commit = self._begin(jobs, listen, cancelled, ran=self._ran)
            failed: type[ActivationFailed] = ActivationFailed
            broken: Exception | None = None
            try:
                commit.run(todo)
            except KeyboardInterrupt:
                failed = Cancelled
            except (OSError, StoreError) as error:
                broken = error
            except SystemdError as error:
                error.add_note(CUT_OFF)
                raise
            result = commit.result
            if failed is ActivationFailed and not (result.failures or broken):
                return
            reports = [self._report(failure) for failure in result.failures]
            steps = [c.label for c in result.begun if c.action is Action.RUN]
            try:
                undone = failed(reports, self._undo(commit, listen), steps, commit.running)
            except (OSError, SystemdError) as error:
                error.add_note(CUT_OFF)
                raise error from broken
            if broken is None:
                raise undone
            broken.add_note(str(undone))
            raise broken

    def _undo(self, commit: Commit, listen: Listener) -> tuple[str, ...]:
        result: Committed = commit.result
        left = undo(result.begun, self.manager, commit.jobs, self.places.stamps, listen)
        if not left:
            for name in self.wanted:
                self.places.store.drop_intent(name)
                # the disk may be full: then what was seen before goes for what runs again
                with suppress(StoreError):
                    self._observe(name, undone=True)
        return left

    def _ran(self, change: Change, outcome: Outcome) -> None:
        """Record at once how a step ended: after a killed apply it must not run again."""
        before = self.observed[change.playbook]
        outcomes = {**before.outcomes, change.workload: outcome}
        self._save(change.playbook, replace(before, outcomes=outcomes))

    def _save(self, name: str, observed: Observed) -> None:
        if observed != self.observed[name]:
            self.observed[name] = observed
            self.places.store.save_observed(name, observed)

    def _observe(self, name: str, *, undone: bool = False) -> None:
        """Record how systemd describes each unit right after its start."""
        touched = {
            unit.name
            for change in self.changes
            if change.playbook == name and change.action in (Action.START, Action.RESTART)
            for unit in (*change.make, *change.before)
        }
        units = self.wanted[name].units
        if undone:
            units = tuple(self.known[name].definitions.values())
        now = self.live
        if touched:
            now = read_live(self.manager, sorted(touched), units)
        old = self.observed[name].baselines
        baselines: dict[str, Baseline] = {}
        for unit in units:
            found = (now if unit.name in touched else self.live).get(unit.name)
            kept = old.get(unit.name)
            same = kept and (kept.digest, kept.systemd) == (unit.digest, now.systemd)
            if kept and same and unit.name not in touched:
                baselines[unit.name] = kept
            elif found is not None and found.up and found.digest in (None, unit.digest):
                baselines[unit.name] = baseline(found, unit.digest, now.systemd)
        kept_outcomes = self.observed[name].outcomes
        if not undone:
            steps = {p.workload for p in self.wanted[name].parts if p.policy is Policy.RUN_ONCE}
            kept_outcomes = {key: out for key, out in kept_outcomes.items() if key in steps}
        self._save(name, Observed(outcomes=kept_outcomes, baselines=baselines))

    def _clear_up(self) -> None:
        """Remove what stopped units leave on the disk, also those of a killed apply."""
        for change in self.changes:
            for unit in change.before if change.action is Action.STOP else ():
                tidy(unit, self.manager)
        for name, wanted in self.wanted.items():
            prefix = playbook_slice(name).removesuffix("slice")
            self.places.stamps.sweep(prefix, {unit.name for unit in wanted.units})
            drop(prefix, {credential(unit.directives) for unit in wanted.units})

    def _report(self, failure: Failure) -> Report:
        # systemd complains of the missing file of the revision before
        noise = f"{failure.change.unit}: Failed to open {TRANSIENT}/"
        try:
            entries = self.places.journal.of_start(
                failure.change.unit, _LINES, invocation=failure.invocation, since=failure.since
            )
        except JournalError as error:
            return Report(failure, (str(error),))
        lines = [entry.message for entry in entries]
        return Report(failure, tuple(line for line in lines if not line.startswith(noise)))

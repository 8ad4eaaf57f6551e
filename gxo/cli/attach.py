"""Attach: what a run tells, shown as it comes, and Ctrl-C handed on to it."""

import signal
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Protocol

from gxo.cli import output
from gxo.cli.exits import Exit, Failure
from gxo.cli.flows import Edge, Flows, amount, document, pace
from gxo.cli.interrupt import Interrupt, interrupts
from gxo.cli.statuses import CANCELLING, name_of, steps_of, took, where_more_is
from gxo.cli.table import coloured
from gxo.diagnostic.render import visible
from gxo.runtime import clock
from gxo.runtime.given import Given
from gxo.runtime.launch import launch
from gxo.runtime.names import RunNames
from gxo.runtime.status import Status
from gxo.runtime.store import EventRow, RunRow, StepRow, Store, StreamRow, shown
from gxo.runtime.sweep import runner_ended, settle
from gxo.runtime.task import Task
from gxo.runtime.tell import Listening
from gxo.systemd.bus import SystemdError
from gxo.systemd.manager import Manager

_BEAT = 0.1
_SECOND = 1_000_000
_END_BEAT = 0.005


class View(Protocol):
    """Shows a run to whoever started it."""

    def show(self, events: Sequence[EventRow], streams: Sequence[StreamRow]) -> None:
        """Show the new events, and how far all streams are; called a few times a second even if
        nothing is new.
        """

    def cancelling(self) -> None:
        """The run was told to stop."""

    def end(self, run: RunRow) -> None:
        """It has ended, and all has been shown."""


def start(
    store: Store,
    manager: Manager,
    task: Task,
    given: Given,
    *,
    detach: bool,
    as_json: bool,
    junit: Path | None = None,
    workload: str = "",
    taken_over: Sequence[StepRow] = (),
) -> int:
    """Start a run and, unless it is to be left alone, follow it to its end; the exit code.

    The arguments are those of `launch` and `follow`.
    """
    with interrupts(b"") as heard:
        heard.asked()  # from here on signals are remembered: they cancel what was started
        started = launch(
            store,
            manager,
            task,
            attached=not detach,
            given=given,
            workload=workload,
            taken_over=taken_over,
        )
        if started.events is None:
            output.say(started.id)
            return Exit.DONE
        return follow(
            started.events, manager, store, started.names, heard, as_json=as_json, junit=junit
        )


def follow(
    events: int,
    manager: Manager,
    store: Store,
    names: RunNames,
    heard: Interrupt,
    *,
    as_json: bool,
    junit: Path | None = None,
) -> int:
    """Show what happens until the runner ends; the exit code of the run.

    `events` is where the runner says that there is news. A signal that was `heard`, and no longer
    raises, cancels the run. `junit` is the file for a report of it.
    """
    told = False
    with Listening(events, store, names.run) as listening:
        view = _view(store, names, as_json=as_json)
        while listening.wait(_BEAT):
            view.show(listening.news(), listening.flows())
            if heard.asked() and not told:
                told = True
                view.cancelling()
                with suppress(SystemdError):  # it may have ended just now
                    manager.kill(names.runner, signal.SIGTERM, whom="main")
        while not runner_ended(manager, names):  # one that was killed is cleaned up behind
            view.show((), ())
            time.sleep(_END_BEAT)
        settle(store, manager, names)
        view.show(listening.news(), listening.flows())
        row = store.run(names.run)
        if row is None:
            raise Failure(f"cannot tell how run {names.run} ended: it has been forgotten since")
        view.end(row)
        if junit is not None:
            from gxo.cli.junit import report

            report(store, row, junit)
    return row.status.exit_code


def _view(store: Store, names: RunNames, *, as_json: bool) -> View:
    if as_json:
        return _Json(names)
    return _Tree(store, names) if coloured() else _Lines(names.playbook)


class _Json:
    """Each event as a line of NDJSON, and each stream once a second and at its end."""

    def __init__(self, names: RunNames) -> None:
        self._names = names
        self._flows = Flows()
        self._told: dict[Edge, tuple[int, StreamRow]] = {}

    def show(self, events: Sequence[EventRow], streams: Sequence[StreamRow]) -> None:
        now = clock.now()
        self._flows.see(now, streams)
        for edge, row in self._flows.rows.items():
            before, told = self._told.get(edge, (0, None))
            if row != told and (row.ended or now - before >= _SECOND):
                self._told[edge] = now, row
                output.emit_line(self._stream(edge, row.ended or now))
        for event in events:
            output.emit_line(shown(self._names.playbook, event))

    def _stream(self, edge: Edge, time: int) -> dict[str, object]:
        row, speed = self._flows.rows[edge], self._flows.speed(edge)
        status = Status.RUNNING if row.ended is None else Status.COMPLETED
        event = EventRow(
            time=time, run=self._names.run, event="stream", status=status.value, step=row.target
        )
        return {
            **shown(self._names.playbook, event),
            "stream": {
                **document(row),
                "bytes_per_second": round(speed.bytes) if speed else None,
                "records_per_second": (
                    round(speed.records) if speed and speed.records is not None else None
                ),
            },
        }

    def cancelling(self) -> None:
        output.note(CANCELLING)

    def end(self, run: RunRow) -> None:
        pass


class _Lines:
    """A line for the end of each step, with the time it took; before that, the last words of one
    that failed.
    """

    def __init__(self, playbook: str) -> None:
        self._playbook = playbook
        self._began: dict[tuple[str, int], int] = {}
        self._failed = ""
        self._flows = Flows()
        self._streamed: set[Edge] = set()

    def show(self, events: Sequence[EventRow], streams: Sequence[StreamRow]) -> None:
        ended = [row for row in streams if row.ended and _edge(row) not in self._streamed]
        self._flows.see(clock.now(), ended)
        for row in ended:
            self._streamed.add(_edge(row))
            speed = pace(self._flows.speed(_edge(row)))
            said = f"{row.source} => {row.target}: {amount(row)}"
            output.say(visible(f"  {'streamed':<10}{said}{f'  {speed}' if speed else ''}"))
        for event in events:
            self._show(event)
        if events or ended:
            sys.stdout.flush()

    def cancelling(self) -> None:
        output.note(CANCELLING)

    def end(self, run: RunRow) -> None:
        if run.status is Status.FAILED:
            output.note(where_more_is(run.id, self._failed))

    def _show(self, event: EventRow) -> None:
        key = (event.step, event.iteration)
        name = name_of(event.step, event.iteration) or f"run {event.run}"
        status = Status(event.status)
        if event.event == "output":
            for words in event.detail.splitlines():
                output.say(visible(f"      {words}"))
        elif event.event == "warning":
            output.say(visible(f"  {'warning':<10}{event.detail}"))
        elif event.event == "retry":
            output.say(visible(f"  {'retrying':<10}{name}: {event.detail}"))
        elif status is Status.RUNNING:
            self._began[key] = event.time
            if not event.step:
                output.say(f"run {event.run} of {self._playbook}")
        else:
            if status is Status.FAILED:
                self._failed = self._failed or event.step
            detail = f": {event.detail}" if event.detail else ""
            behind = f"  {took(event.time - self._began[key])}" if key in self._began else ""
            said = f"{status.lower():<10}{name}{detail}{behind}"
            output.say(visible(f"  {said}" if event.step else said))


class _Tree:
    """The steps on a terminal, each where it stands."""

    def __init__(self, store: Store, names: RunNames) -> None:
        from gxo.cli.picture import Picture
        from gxo.cli.tree import Tree

        row = store.run(names.run)
        self._picture = Picture(names.run, names.playbook, steps_of(row) if row else ())
        for step in store.steps(names.run):
            self._picture.known(step.step, step.status)
        self._tree = Tree(self._picture)

    def show(self, events: Sequence[EventRow], streams: Sequence[StreamRow]) -> None:
        self._tree.show(events, streams)

    def cancelling(self) -> None:
        self._picture.cancelling = True

    def end(self, run: RunRow) -> None:
        self._tree.end()
        if run.status is Status.FAILED:
            output.note(where_more_is(run.id, self._picture.first_failed))


def _edge(row: StreamRow) -> Edge:
    return row.source, row.target

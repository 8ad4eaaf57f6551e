"""Loop: the pending calls and the signals of one bus, in a GLib main context of their own.

A library user's own GLib main loop is not touched, and does not run while this one waits.
"""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from time import monotonic
from typing import Any

from gxo.dataclass import replace
from gxo.systemd.bus import (
    ABSENCE,
    MANAGER,
    MANAGER_PATH,
    RETRY,
    SYSTEMD,
    Bus,
    BusError,
    Call,
    ConnectionLost,
    Done,
    SystemdError,
    Vanished,
)
from gxo.systemd.closing import Closing
from gxo.systemd.values import Variant, unpack

IN_FLIGHT = 64
"""The most calls without an answer: dbus-daemon refuses more than 128 per connection."""

_BEAT = 0.25
"""Seconds after which a wait checks that the connection is still open."""


class Loop(Closing):
    """Use as a context manager; leaving it drops its subscriptions. Not for two threads at once."""

    def __init__(self, bus: Bus) -> None:
        from gi.repository import GLib

        self.bus = bus
        self._context = GLib.MainContext()
        self._subscriptions: list[int] = []
        self._waiting: deque[tuple[Call, Done]] = deque()
        self._watched: list[Any] = []
        self._raised: Exception | None = None
        self.in_flight = 0

    def close(self) -> None:
        """Drop subscriptions and watches; answers still under way are no longer delivered."""
        while self._subscriptions:
            self.bus.connection.signal_unsubscribe(self._subscriptions.pop())
        while self._watched:
            self._watched.pop().destroy()

    @property
    def busy(self) -> bool:
        """Calls are waiting to be sent or answered."""
        return bool(self.in_flight or self._waiting)

    def subscribe(
        self, path: str, interface: str, signal: str, heard: Callable[[tuple[Any, ...]], None]
    ) -> None:
        """Call `heard` with each signal; the bus has the match before it gets any later call."""
        from gi.repository import Gio

        def fired(*told: Any) -> None:
            heard(unpack(told[-1]))

        # without pydbus, which takes 13 ms to load, in each of the two processes of a run
        with self._ours():
            self._subscriptions.append(
                self.bus.connection.signal_subscribe(
                    SYSTEMD, interface, signal, path, None, Gio.DBusSignalFlags.NONE, fired
                )
            )

    def ask_for_signals(self) -> None:
        """Make systemd send its signals to this connection, which it does only for subscribers."""
        try:
            self.bus.call(MANAGER_PATH, MANAGER, "Subscribe")
        except BusError as error:
            if error.name != f"{SYSTEMD}.AlreadySubscribed":
                raise

    def watch(self, descriptor: int, readable: Callable[[], bool]) -> Callable[[], None]:
        """Have `run` call `readable` whenever there is data or its end, until that returns False.

        Calling what is returned ends the watch too.

        The descriptor stays the caller's; it may be closed once `readable` has returned False.
        """
        from gi.repository import GLib

        condition = GLib.IOCondition.IN | GLib.IOCondition.HUP | GLib.IOCondition.ERR
        source = GLib.unix_fd_source_new(descriptor, condition)

        def ready(*_: object) -> bool:
            more = False
            try:
                more = readable()
            except Exception as error:  # noqa: BLE001 - GLib would print it and go on: `run` raises it
                self._raised = error
            if not more:
                self._watched.remove(source)
            return more

        def drop() -> None:
            self._watched.remove(source)
            source.destroy()

        source.set_callback(ready)
        source.attach(self._context)
        self._watched.append(source)
        return drop

    def submit(
        self,
        path: str,
        interface: str,
        method: str,
        args: Variant,
        done: Done,
        *,
        files: Sequence[int] = (),
    ) -> None:
        """Send a call, or queue it while too many are under way; `done` runs within `run`.

        Handles in `args` are numbers of `files`, which are copied: the caller may close its own.
        """
        from gi.repository import Gio

        handed = None
        if files:
            handed = Gio.UnixFDList.new()
            for descriptor in files:
                handed.append(descriptor)
        self._waiting.append((Call(path, interface, method, args, handed), done))
        self._send()

    def run(self, until: Callable[[], bool], timeout: float) -> bool:
        """Deliver answers and signals until `until()` holds (True) or the seconds are over (False).

        Raises Unreachable where the connection ends first, and what a watcher raised.
        """
        from gi.repository import GLib

        deadline = monotonic() + timeout
        tick = GLib.timeout_source_new(int(_BEAT * 1000))
        tick.set_callback(lambda *_: True)
        tick.attach(self._context)
        last = None
        try:
            with self._ours():
                while not until():
                    left = deadline - monotonic()
                    if left <= 0:
                        return False
                    if self.bus.closed and not self.in_flight:
                        raise ConnectionLost
                    if left < _BEAT and last is None:
                        last = GLib.timeout_source_new(int(left * 1000) + 1)
                        last.set_callback(lambda *_: False)
                        last.attach(self._context)
                    self._context.iteration(True)
                    if self._raised is not None:
                        raise self._raised
                return True
        finally:
            tick.destroy()
            if last is not None:
                last.destroy()

    def poll(self) -> None:
        """Deliver what has come already, without waiting; raises as `run` does."""
        with self._ours():
            for _ in range(IN_FLIGHT):
                if not self._context.iteration(False):
                    break
                if self._raised is not None:
                    raise self._raised
        if self.bus.closed and not self.in_flight:
            raise ConnectionLost

    def _send(self) -> None:
        while self._waiting and self.in_flight < IN_FLIGHT:
            call, done = self._waiting.popleft()
            self.in_flight += 1
            with self._ours():
                self.bus.send(call, self._landing(call, done))

    def _landing(self, call: Call, done: Done) -> Done:
        def landed(answer: Variant | None, error: SystemdError | None) -> None:
            if isinstance(error, Vanished) and call.asked * RETRY < ABSENCE:
                self._again(call, done)
                return
            self.in_flight -= 1
            self._send()
            done(answer, error)

        return landed

    def _again(self, call: Call, done: Done) -> None:
        """Send it once more in a moment; until then it counts as under way.

        systemd drops what it had not read. What it had carried out is asked for twice: starts and
        stops then find the unit as wanted, a transient unit is refused as taken.
        """
        from gi.repository import GLib

        def due(*_: object) -> bool:
            self.in_flight -= 1
            self._waiting.appendleft((replace(call, asked=call.asked + 1), done))
            self._send()
            return False

        moment = GLib.timeout_source_new(int(RETRY * 1000))
        moment.set_callback(due)
        moment.attach(self._context)

    @contextmanager
    def _ours(self) -> Iterator[None]:
        """Deliver answers and signals that are asked for in the block to our context."""
        self._context.push_thread_default()
        try:
            yield
        finally:
            self._context.pop_thread_default()

"""Bus: one private connection to a system bus, and what can go wrong on it as exceptions."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import cached_property
from threading import Timer
from time import monotonic, sleep
from typing import Any, Self

from gxo.dataclass import dataclass
from gxo.systemd.closing import Closing
from gxo.systemd.values import Variant, pack, unpack

SYSTEMD = "org.freedesktop.systemd1"
MANAGER = "org.freedesktop.systemd1.Manager"
MANAGER_PATH = "/org/freedesktop/systemd1"
PROPERTIES = "org.freedesktop.DBus.Properties"

DEFAULT_TIMEOUT = 25.0
"""Seconds a call waits for its answer; D-Bus' own default."""

ABSENCE = 5.0
"""Seconds in which a systemd that vanished is asked again: its upgrade is no failure of ours."""
RETRY = 0.1
"""Seconds between two such questions."""

_ERRORS = "org.freedesktop.DBus.Error."
_DENIED = ("AccessDenied", "AuthFailed", "InteractiveAuthorizationRequired")
_ABSENT = ("ServiceUnknown", "NameHasNoOwner", "NoServer", "Disconnected", "Spawn.")


class SystemdError(Exception):
    """Anything that keeps gxo from what it asked of systemd."""


class Unreachable(SystemdError):
    """There is no systemd to talk to, or no longer."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"cannot reach systemd: {reason}; try `gxo try`")
        self.reason = reason


class ConnectionLost(Unreachable):
    """The bus itself went away while it was in use."""

    def __init__(self) -> None:
        self.reason = "the connection to the bus was lost"
        Exception.__init__(self, f"cannot reach systemd any more: {self.reason}")


class BusError(SystemdError):
    """The answer was an error: `name` is D-Bus' own (`org.freedesktop.systemd1.NoSuchUnit`)."""

    def __init__(self, name: str, message: str) -> None:
        super().__init__(message)
        self.name = name
        self.message = message


class NotPermitted(BusError):
    """The bus or systemd refuses this caller."""


class TimedOut(BusError):
    """No answer within the call's time."""


class Vanished(TimedOut):
    """systemd left the bus before it answered, as it does for a moment at `daemon-reexec`."""


@dataclass(frozen=True, slots=True)
class Call:
    """A method call to systemd; `files` is the Gio.UnixFDList that handles in `args` point into.

    `asked` counts how often systemd vanished over it.
    """

    path: str
    interface: str
    method: str
    args: Variant
    files: Any = None
    asked: int = 0


Done = Callable[[Variant | None, SystemdError | None], None]
"""Called with the answer to a call, or with why there is none."""


class Bus(Closing):
    """A private connection: closing it disturbs nobody, and losing it does not end the process.

    Use as a context manager, or close(). A thread may use a Bus only one call at a time.
    """

    def __init__(self, connection: Any) -> None:
        self.connection = connection
        """The Gio.DBusConnection, for the rest of this room."""

    @classmethod
    def system(cls, *, timeout: float = DEFAULT_TIMEOUT) -> Self:
        """The system bus of this host. Raises Unreachable, NotPermitted."""
        try:
            from gi.repository import Gio, GLib
        except ImportError:
            raise _not_installed() from None
        try:
            address = Gio.dbus_address_get_for_bus_sync(Gio.BusType.SYSTEM, None)
        except GLib.Error as error:
            raise Unreachable(error.message) from None
        return cls.at(address, timeout=timeout)

    @classmethod
    def at(cls, address: str, *, timeout: float = DEFAULT_TIMEOUT) -> Self:
        """The bus at a D-Bus address (`unix:path=…`). Raises Unreachable, NotPermitted.

        `timeout` bounds the whole of connecting and saying hello, in seconds.
        """
        try:
            from gi.repository import Gio, GLib
        except ImportError:
            raise _not_installed() from None
        flags = Gio.DBusConnectionFlags
        cancel = Gio.Cancellable()
        # pydbus.connect() waits for ever where something listens but does not answer
        timer = Timer(timeout, cancel.cancel)
        timer.daemon = True
        timer.start()
        try:
            connection = Gio.DBusConnection.new_for_address_sync(
                address,
                flags.AUTHENTICATION_CLIENT | flags.MESSAGE_BUS_CONNECTION,
                None,
                cancel,
            )
        except GLib.Error as error:
            raise _not_connected(error, address, timeout) from None
        finally:
            timer.cancel()
        connection.set_exit_on_close(False)
        return cls(connection)

    def close(self) -> None:
        """Close the connection; closing twice is fine."""
        from gi.repository import GLib

        with suppress(GLib.Error):
            self.connection.close_sync(None)

    @cached_property
    def pydbus(self) -> Any:
        """The pydbus bus on this connection: proxies for rare calls, export of objects.

        Other calls and signals go without it: they need not load it. Raises Unreachable.
        """
        try:
            from pydbus.bus import Bus as PydbusBus
        except ImportError:
            raise _not_installed() from None
        return PydbusBus(self.connection)

    @property
    def closed(self) -> bool:
        return bool(self.connection.is_closed())

    def call(
        self,
        path: str,
        interface: str,
        method: str,
        signature: str = "",
        args: Sequence[object] = (),
        reply: str | None = None,
        *,
        timeout: float = DEFAULT_TIMEOUT,
        destination: str = SYSTEMD,
    ) -> tuple[Any, ...]:
        """Call a method and wait; the values of its answer as plain data (values.unpack).

        `signature` and `reply` list types without outer parentheses; an answer of
        another type than `reply` is an error. Raises BusError, NotPermitted, TimedOut, Unreachable.
        """
        answer = self.ask(
            path,
            interface,
            method,
            pack(signature, args),
            reply,
            timeout=timeout,
            destination=destination,
        )
        return unpack(answer)  # type: ignore[no-any-return]

    def call_by_proxy(
        self,
        path: str,
        interface: str,
        method: str,
        *args: object,
        timeout: float = DEFAULT_TIMEOUT,
    ) -> Any:
        """`call` by pydbus, which learns the signatures by introspection.

        That takes 20 ms the first time: too long for short commands and runs.
        """
        from gi.repository import GLib

        try:
            found = self.pydbus.get(SYSTEMD, path)[interface]
            return getattr(found, method)(*args, timeout=timeout)
        except GLib.Error as error:
            raise to_error(error, method) from None

    def ask(
        self,
        path: str,
        interface: str,
        method: str,
        args: Variant,
        reply: str | None = None,
        *,
        timeout: float = DEFAULT_TIMEOUT,
        destination: str = SYSTEMD,
    ) -> Variant:
        """`call` with variants in and out, for answers of which only a part is wanted."""
        from gi.repository import GLib

        last = monotonic() + ABSENCE
        while True:
            try:
                return self.connection.call_sync(
                    destination,
                    path,
                    interface,
                    method,
                    args,
                    None if reply is None else GLib.VariantType(f"({reply})"),
                    0,
                    int(timeout * 1000),
                    None,
                )
            except GLib.Error as error:
                found = to_error(error, method)
            if not isinstance(found, Vanished) or monotonic() > last:
                raise found
            sleep(RETRY)

    def get(self, path: str, interface: str, name: str) -> Any:
        """One property. Raises as `call` does."""
        return self.call(path, PROPERTIES, "Get", "ss", (interface, name), "v")[0]

    def send(self, call: Call, done: Done) -> None:
        """Call systemd without waiting; `done` runs in the current default main context."""
        from gi.repository import GLib

        def finish(connection: Any, result: Any) -> None:
            try:
                answer, _ = connection.call_with_unix_fd_list_finish(result)
            except GLib.Error as error:
                done(None, to_error(error, call.method))
            else:
                done(answer, None)

        self.connection.call_with_unix_fd_list(
            SYSTEMD,
            call.path,
            call.interface,
            call.method,
            call.args,
            None,
            0,
            int(DEFAULT_TIMEOUT * 1000),
            call.files,
            None,
            finish,
        )


def to_error(error: Any, method: str) -> SystemdError:
    """The exception for a GLib.Error that a call to `method` came back with."""
    from gi.repository import Gio

    name = Gio.dbus_error_get_remote_error(error)
    # GLib's strip_remote_error() changes only a copy of the error here
    message = error.message.removeprefix(f"GDBus.Error:{name}: ")
    if name is None:
        if error.matches(Gio.io_error_quark(), Gio.IOErrorEnum.TIMED_OUT):
            return TimedOut(f"{_ERRORS}Timeout", f"no answer to {method} in time")
        if error.matches(Gio.io_error_quark(), Gio.IOErrorEnum.CLOSED):
            return ConnectionLost()
        return Unreachable(message)
    kind = name.removeprefix(_ERRORS)
    if kind in _DENIED:
        return NotPermitted(name, f"not permitted: {message}")
    if name.startswith(_ERRORS) and kind.startswith(_ABSENT):
        return Unreachable(message)
    if kind == "NoReply" and "disconnected" in message:
        return Vanished(name, f"no answer to {method}: {message}")
    if kind in ("NoReply", "Timeout", "TimedOut"):
        return TimedOut(name, f"no answer to {method}: {message}")
    return BusError(name, message)


def _not_installed() -> Unreachable:
    return Unreachable("python3-pydbus is not installed (`apt install python3-pydbus`)")


def _not_connected(error: Any, address: str, timeout: float) -> SystemdError:
    from gi.repository import Gio

    quark = Gio.io_error_quark()
    if error.matches(quark, Gio.IOErrorEnum.CANCELLED):
        return Unreachable(f"the bus at {address} did not answer within {timeout:g} s")
    if error.matches(quark, Gio.IOErrorEnum.PERMISSION_DENIED):
        return NotPermitted(f"{_ERRORS}AccessDenied", f"not permitted: {error.message}")
    return Unreachable(error.message)

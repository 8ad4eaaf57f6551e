"""The alternative for `apply`: start units as fast as the bus takes them.

Reads them from stdin as a Python literal, [(unit, [(property, signature, value), …]), …], and ends
when all their jobs have.
"""

import ast
import sys
from itertools import islice

from gi.repository import Gio, GLib

AT_ONCE = 100
"""Jobs under way at once: with a thousand systemd loses its connection to the bus."""
SYSTEMD = "org.freedesktop.systemd1"


def main() -> None:
    units = ast.literal_eval(sys.stdin.read())
    bus = Gio.bus_get_sync(Gio.BusType.SYSTEM)
    loop = GLib.MainLoop()
    waiting: set[str] = set()
    ended: set[str] = set()
    failed: list[str] = []

    def removed(*signal: object) -> None:
        path = signal[5].unpack()[1]  # type: ignore[attr-defined]
        ended.add(path)
        start_next()
        quit_at_end()

    left = iter(units)

    def started(connection: Gio.DBusConnection, result: Gio.AsyncResult) -> None:
        try:
            waiting.add(connection.call_finish(result).unpack()[0])
        except GLib.Error as error:
            failed.append(str(error))
            loop.quit()
        quit_at_end()

    def quit_at_end() -> None:
        if len(waiting) >= len(units) and waiting <= ended:
            loop.quit()

    def start_next() -> None:
        for name, properties in islice(left, 1):
            packed = [(key, GLib.Variant(kind, value)) for key, kind, value in properties]
            arguments = GLib.Variant("(ssa(sv)a(sa(sv)))", (name, "fail", packed, []))
            call(bus, "StartTransientUnit", arguments, started)

    bus.signal_subscribe(
        SYSTEMD, f"{SYSTEMD}.Manager", "JobRemoved", None, None, Gio.DBusSignalFlags.NONE, removed
    )
    call(bus, "Subscribe", None, None)
    for _ in range(AT_ONCE):
        start_next()
    loop.run()
    if failed:
        sys.exit(failed[0])


def call(bus: Gio.DBusConnection, method: str, arguments: object, done: object) -> None:
    bus.call(
        SYSTEMD,
        "/org/freedesktop/systemd1",
        f"{SYSTEMD}.Manager",
        method,
        arguments,
        None,
        Gio.DBusCallFlags.NONE,
        60_000,
        None,
        done,
    )


main()

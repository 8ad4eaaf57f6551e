"""Tree: a run on a terminal, drawn anew a few times a second; its last picture stays."""

import signal
import time
from collections.abc import Sequence
from typing import IO

from rich.console import Console, OverflowMethod
from rich.live import Live
from rich.text import Text

from gxo.cli.picture import Line, Picture
from gxo.diagnostic.render import visible
from gxo.runtime import clock
from gxo.runtime.store import EventRow, StreamRow

_STYLES = {"32": "green", "33": "yellow", "31": "red", "2": "dim", "1": "bold"}
_FRAME = 0.1


class Tree:
    """Draws a picture on a terminal, stdout where no other is given."""

    def __init__(self, picture: Picture, file: IO[str] | None = None) -> None:
        self._picture = picture
        self._file = file
        self._due = 0.0
        self._stale = False
        self._anew()
        picture.plain = self._console.encoding != "utf-8"
        self._before = signal.signal(signal.SIGCONT, self._went_on)

    def show(self, events: Sequence[EventRow], streams: Sequence[StreamRow] = ()) -> None:
        """Take in what happened, and draw it unless the last picture is very new."""
        if streams:
            self._picture.flow(clock.now(), streams)
        for event in events:
            self._picture.see(event)
        if time.monotonic() >= self._due:
            self._draw()

    def end(self) -> None:
        """Draw the last picture and leave it there."""
        self._draw()
        self._live.stop()
        signal.signal(signal.SIGCONT, self._before)

    def _went_on(self, *_: object) -> None:
        self._stale = True

    def _anew(self) -> None:
        """Draw from here on below what is there: after a pause the shell has written to it."""
        self._stale = False
        self._console = Console(file=self._file, highlight=False, emoji=False, markup=False)
        self._live = Live(
            console=self._console,
            auto_refresh=False,
            redirect_stdout=False,
            redirect_stderr=False,
            vertical_overflow="crop",
        )
        self._live.start()
        # who is stopped or killed must not leave a terminal without one
        self._console.show_cursor(show=True)

    def _draw(self) -> None:
        if self._stale:
            self._anew()
        size = self._console.size
        lines = self._picture.lines(clock.now(), (size.width, size.height))
        cut: OverflowMethod = "crop" if self._picture.plain else "ellipsis"
        whole = Text("\n", no_wrap=True, overflow=cut).join(map(_text, lines))
        self._live.update(whole, refresh=True)
        self._due = time.monotonic() + _FRAME


def _text(line: Line) -> Text:
    parts = [(visible(cell.text), _STYLES.get(cell.colour, "")) for cell in line]
    return Text.assemble(*parts)

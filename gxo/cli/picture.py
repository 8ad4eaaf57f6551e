"""Picture: a run as a few lines for a terminal: what runs, what failed, a count of the rest."""

from collections import Counter
from collections.abc import Iterable, Sequence

from gxo.cli.flows import Flows, amount, pace
from gxo.cli.statuses import CANCELLING, colour_of, took
from gxo.cli.table import Cell, Colour, width
from gxo.dataclass import dataclass
from gxo.runtime.status import Status
from gxo.runtime.store import WHOLE, EventRow, StreamRow

Line = tuple[Cell, ...]

_SPINNER = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"
_MARKS = {
    Status.PENDING: "·",
    Status.PAUSED: "‖",
    Status.COMPLETED: "✓",
    Status.FAILED: "✗",
    Status.SKIPPED: "-",
    Status.CANCELLED: "!",
}
_PLAIN_SPINNER = "|/-\\"
_PLAIN = {Status.PENDING: ".", Status.PAUSED: "=", Status.COMPLETED: "+", Status.FAILED: "x"}
_FRAME = 100_000
"""Microseconds."""
_WORDS = 10
# a step that is as it should be needs no word beside its mark, nor one whose reason is given
_WORDLESS = (Status.PENDING, Status.RUNNING, Status.COMPLETED)


@dataclass(slots=True)
class _Node:
    """What is known of a step. `done` counts the items of its loop that have ended."""

    name: str
    place: int
    status: Status = Status.PENDING
    began: int = 0
    ended: int = 0
    done: int = 0
    detail: str = ""
    words: Sequence[str] = ()
    sources: Sequence[str] = ()

    @property
    def rows(self) -> int:
        return 1 + len(self.sources) + len(self.words)


class Picture:
    """A run as it stands. `plain`: without characters beyond ASCII, where a terminal lacks them."""

    def __init__(
        self, run: str, playbook: str, steps: Iterable[str], *, plain: bool = False
    ) -> None:
        self.run = run
        self.playbook = playbook
        self.plain = plain
        self.cancelling = False
        self.first_failed = ""
        self._warnings: list[str] = []
        self._whole = _Node("", 0)
        self._nodes = {name: _Node(name, place) for place, name in enumerate(steps)}
        self._flows = Flows()

    def see(self, event: EventRow) -> None:
        """Take in what happened."""
        node = self._node(event.step)
        status = Status(event.status)
        if event.event == "output":
            node.words = event.detail.splitlines()[-_WORDS:]
        elif event.event == "warning":
            self._warnings.append(event.detail)
        elif event.event == "retry":
            node.detail, node.words = event.detail, ()
        elif event.iteration != WHOLE:
            node.done += 1
            node.detail = "" if status is Status.COMPLETED else node.detail
        else:
            node.status, node.detail = status, event.detail
            if status is Status.RUNNING:
                node.began = event.time
            else:
                node.ended = event.time
            if status is Status.COMPLETED:
                node.words = ()  # of attempts before the last
            if status is Status.FAILED and not self.first_failed:
                self.first_failed = event.step

    def known(self, step: str, status: Status) -> None:
        """How a step stood before anything happened: it ended in another run, say."""
        self._node(step).status = status

    def flow(self, now: int, streams: Iterable[StreamRow]) -> None:
        """How far the streams have come at a time (microseconds)."""
        self._flows.see(now, streams)
        for node in self._nodes.values():
            node.sources = ()
        for source, target in self._flows.rows:
            node = self._node(target)
            node.sources = (*node.sources, source)

    def lines(self, now: int, size: tuple[int, int]) -> list[Line]:
        """The picture at a time (microseconds), for so many columns and rows."""
        columns, rows = size
        warnings = [(Cell(f"  warning: {text}", Colour.DOUBTFUL),) for text in self._warnings]
        shown = self._shown(max(rows - 3 - len(warnings), 1))
        wide = min(max((len(node.name) for node in shown), default=0), columns // 2)
        lines = [self._head(now), *warnings]
        for node in shown:
            lines.append(self._row(node, now, wide))
            lines += [self._stream(source, node.name) for source in node.sources]
            lines += [(Cell(f"      {text}", Colour.DIM),) for text in node.words]
        return [*lines, *self._counts(len(shown))]

    def _node(self, name: str) -> _Node:
        if not name:
            return self._whole
        return self._nodes.setdefault(name, _Node(name, len(self._nodes)))

    def _shown(self, room: int) -> list[_Node]:
        """The steps there is room for, in their order: all, or those that matter most.

        The failed may have half of it, the latest first; the longest running come next.
        """
        nodes = list(self._nodes.values())
        if sum(node.rows for node in nodes) <= room:
            return nodes
        bad = [n for n in nodes if n.status in (Status.FAILED, Status.CANCELLED, Status.PAUSED)]
        runs = [n for n in nodes if n.status is Status.RUNNING]
        over = [n for n in nodes if n.status in (Status.COMPLETED, Status.SKIPPED)]
        bad.sort(key=lambda node: -node.ended)
        runs.sort(key=lambda node: node.began)
        over.sort(key=lambda node: -node.ended)
        first = _fitting(bad, room // 2 if runs else room)
        left = room - sum(node.rows for node in first)
        second = _fitting(runs, left)
        left -= sum(node.rows for node in second)
        return sorted([*first, *second, *_fitting(over, left)], key=lambda node: node.place)

    def _head(self, now: int) -> Line:
        whole = self._whole
        words = f"run {self.run} of {self.playbook}"
        if whole.status in (Status.PENDING, Status.RUNNING):
            so_far = f"  {took(now - whole.began)}" if whole.began else ""
            told = f"  {CANCELLING}" if self.cancelling else ""
            return (Cell(words, Colour.BOLD), Cell(so_far), Cell(told, Colour.DOUBTFUL))
        status = Cell(f" {whole.status.lower()}", colour_of(whole.status))
        lasted = f"  {took(whole.ended - whole.began)}" if whole.began else ""
        detail = f"  {whole.detail}" if whole.detail else ""
        return (Cell(words, Colour.BOLD), status, Cell(f"{lasted}{detail}"))

    def _row(self, node: _Node, now: int, wide: int) -> Line:
        cut = "~" if self.plain else "…"
        text = node.name
        name = Cell(text if len(text) <= wide else f"{text[: max(wide - 1, 0)]}{cut}")
        gap = " " * max(wide - width(name), 0)
        end = now if node.status is Status.RUNNING else node.ended
        lasted = f"  {took(end - node.began):>7}" if node.began else ""
        told = node.status in _WORDLESS or (node.status is Status.FAILED and node.detail)
        said = [] if told else [node.status.lower()]
        said += [f"{node.done} items done"] if node.done else []
        said += [node.detail] if node.detail else []
        return (
            Cell("  "),
            Cell(self._mark(node.status, now), colour_of(node.status)),
            Cell(" "),
            name,
            Cell(f"{gap}{lasted}"),
            Cell(f"  {', '.join(said)}" if said else "", Colour.DIM),
        )

    def _stream(self, source: str, target: str) -> Line:
        """What a step has read of another."""
        edge = source, target
        arrow = "<=" if self.plain else "⇐"
        said = ", ".join(filter(None, (amount(self._flows.rows[edge]),
                                       pace(self._flows.speed(edge)))))  # fmt: skip
        return (Cell(f"      {arrow} {source}  {said}", Colour.DIM),)

    def _mark(self, status: Status, now: int) -> str:
        if status is Status.RUNNING:
            frames = _PLAIN_SPINNER if self.plain else _SPINNER
            return frames[now // _FRAME % len(frames)]
        return (_PLAIN if self.plain else _MARKS).get(status, _MARKS[status])

    def _counts(self, shown: int) -> list[Line]:
        """How many steps have which status, where not all are shown."""
        if shown == len(self._nodes):
            return []
        found = Counter(node.status for node in self._nodes.values())
        words = {status: status.lower() for status in Status}
        ended = self._whole.status.terminal
        words[Status.PENDING] = "never started" if ended else "waiting"
        said = [f"{found[status]} {words[status]}" for status in Status if found[status]]
        return [(Cell(f"  {', '.join(said)}"),)]


def _fitting(nodes: Iterable[_Node], room: int) -> list[_Node]:
    """As many of the first as there are rows for."""
    found = []
    for node in nodes:
        room -= node.rows
        if room < 0:
            break
        found.append(node)
    return found

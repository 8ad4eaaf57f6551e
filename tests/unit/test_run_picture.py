"""A run on a terminal: what runs and what failed is to be seen, however small it is."""

import io
import re
import signal
from collections.abc import Iterable, Sequence

import pytest

from gxo.cli.picture import Picture
from gxo.cli.tree import Tree
from gxo.runtime.status import Status
from gxo.runtime.store import WHOLE, EventRow
from tests.lab.screen import screen

RUN = "0141d9b3e1dd"


def event(
    at: float, step: str, status: str, kind: str = "step", n: int = WHOLE, detail: str = ""
) -> EventRow:
    return EventRow(
        time=round(at * 1e6), run=RUN, step=step, iteration=n, event=kind, status=status,
        detail=detail,
    )  # fmt: skip


BEGUN = event(1, "", "Running", "run")


def picture(steps: Iterable[str], events: Sequence[EventRow], *, plain: bool = False) -> Picture:
    shown = Picture(RUN, "build", steps, plain=plain)
    for seen in (BEGUN, *events):
        shown.see(seen)
    return shown


def drawn(shown: Picture, at: float, size: tuple[int, int] = (80, 24)) -> list[str]:
    lines = shown.lines(round(at * 1e6), size)
    return ["".join(cell.text for cell in line).rstrip() for line in lines]


def test_under_way() -> None:
    """Each step where it stands: its time, the items of its loop that ended, its failed attempt."""
    shown = picture(
        ["fetch", "each", "lint", "use"],
        [
            event(1, "fetch", "Running"),
            event(1, "each", "Running"),
            event(1, "lint", "Skipped"),
            event(2, "each", "Completed", "item", 0),
            event(3, "each", "Completed", "item", 1),
            event(3, "fetch", "Running", "retry", detail="it exited with status 7; attempt 2 …"),
        ],
    )
    assert drawn(shown, 4.5) == [
        "run 0141d9b3e1dd of build  3.50 s",
        "  ⠴ fetch   3.50 s  it exited with status 7; attempt 2 …",
        "  ⠴ each    3.50 s  2 items done",
        "  - lint   skipped",
        "  · use",
    ]


def test_a_warning() -> None:
    """It stands above the steps, and stays when the run has ended."""
    told = event(1, "", "Running", "warning", detail="a module runs all the same")
    shown = picture(["use"], [told, event(1, "use", "Running"), event(2, "use", "Completed"),
                              event(2, "", "Completed", "run")])  # fmt: skip
    assert drawn(shown, 3) == [
        "run 0141d9b3e1dd of build completed  1.00 s",
        "  warning: a module runs all the same",
        "  ✓ use   1.00 s",
    ]


def test_a_failure() -> None:
    """The last lines of the step that failed stand under it, and its reason behind it."""
    shown = picture(
        ["fetch", "use"],
        [
            event(1, "fetch", "Running"),
            event(2, "fetch", "Running", "output", detail="one\ntwo"),
            event(2, "fetch", "Failed", detail="it exited with status 7"),
            event(2, "", "Failed", "run"),
        ],
        plain=True,
    )
    assert drawn(shown, 70) == [
        "run 0141d9b3e1dd of build failed  1.00 s",
        "  x fetch   1.00 s  it exited with status 7",
        "      one",
        "      two",
        "  . use",
    ]
    assert shown.first_failed == "fetch"


def test_an_attempt_that_went_well_in_the_end() -> None:
    """What its failed attempts wrote is not shown any more."""
    shown = picture(
        ["a"],
        [
            event(1, "a", "Running"),
            event(2, "a", "Running", "output", detail="words"),
            event(65, "a", "Completed"),
        ],
    )
    assert drawn(shown, 70)[1:] == ["  ✓ a    1m04s"]


def test_cancelling() -> None:
    """It is said until the run has ended."""
    shown = picture(["a"], [event(1, "a", "Running")])
    shown.cancelling = True
    assert "cancelling: the steps under way are being stopped" in drawn(shown, 2)[0]
    shown.see(event(3, "", "Cancelled", "run"))
    assert drawn(shown, 3)[0] == "run 0141d9b3e1dd of build cancelled  2.00 s"


def thousand() -> Picture:
    """Half of them have ended, two failed, four run."""
    names = [f"s{n:03}" for n in range(1000)]
    events = []
    for n in range(500):
        events.append(event(1 + n, names[n], "Running"))
        if n in (10, 20):
            events.append(event(1.5 + n, names[n], "Running", "output", detail="why\nso"))
        end = "Failed" if n in (10, 20) else "Completed"
        events.append(event(2 + n, names[n], end, detail="bad" if end == "Failed" else ""))
    events += [event(501, names[n], "Running") for n in range(600, 604)]
    return picture(names, events)


def test_a_thousand_steps() -> None:
    """On a small screen: those that failed and that run, the latest of the rest, and counts."""
    assert drawn(thousand(), 511, (40, 15)) == [
        "run 0141d9b3e1dd of build  8m30s",
        "  ✗ s010   1.00 s  bad",
        "      why",
        "      so",
        "  ✗ s020   1.00 s  bad",
        "      why",
        "      so",
        "  ✓ s498   1.00 s",
        "  ✓ s499   1.00 s",
        "  ⠋ s600  10.00 s",
        "  ⠋ s601  10.00 s",
        "  ⠋ s602  10.00 s",
        "  ⠋ s603  10.00 s",
        "  496 waiting, 4 running, 498 completed, 2 failed",
    ]


@pytest.mark.parametrize("rows", [1, 2, 4, 7, 24, 1000])
def test_it_never_is_higher_than_the_screen(rows: int) -> None:
    """Nor does a screen of a few rows lose the counts."""
    lines = drawn(thousand(), 511, (80, rows))
    assert len(lines) <= max(rows, 3)
    assert lines[-1].startswith("  496 waiting")


def test_a_step_that_no_plan_has() -> None:
    """What happens to it is shown all the same; one that ended before is known to have."""
    shown = picture(["a"], [event(1, "more", "Running")])
    shown.known("a", Status.COMPLETED)
    assert drawn(shown, 2)[1:] == ["  ✓ a", "  ⠋ more   1.00 s"]


def test_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lines are cut to its width, and nothing that a step wrote drives it."""
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLUMNS", "30")
    monkeypatch.setenv("LINES", "10")
    monkeypatch.delenv("NO_COLOR", raising=False)
    file = Terminal()
    tree = Tree(picture(["long" * 20], []), file)
    hostile = "\x1b[2J\x1b]0;title\x07" + "w" * 100
    tree.show(
        [
            event(1, "long" * 20, "Running"),
            event(2, "long" * 20, "Running", "output", detail=hostile),
            event(3, "long" * 20, "Failed"),
        ]
    )
    tree.end()
    text = re.sub(r"\x1b\[[0-9;?]*[mhlKA]", "", file.getvalue())
    assert "\x1b" not in text
    assert "\x07" not in text
    lines = screen(file.getvalue().replace("\n", "\r\n"))
    assert [line[:7] for line in lines] == ["run 014", "  ✗ lon", "      \\", ""]
    assert [len(line) for line in lines if line.endswith("…")] == [30, 30, 30]
    assert lines[1].startswith("  ✗ longlonglonglo…")
    assert "\x1b[?25h" in file.getvalue()


def test_after_a_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-Z and `fg`: it is drawn anew below what the shell wrote, and not over that."""
    monkeypatch.setenv("TERM", "xterm-256color")
    file = Terminal()
    tree = Tree(picture(["a", "b"], [event(1, "a", "Running")]), file)
    tree.show(())
    signal.raise_signal(signal.SIGCONT)
    file.write("\n$ fg\n")
    tree.end()
    shown = [line.split("  4")[0] for line in screen(file.getvalue().replace("\n", "\r\n"))]
    first, again = shown[:3], shown[4:7]
    assert [first[0], first[2]] == ["run 0141d9b3e1dd of build", "  · b"]
    assert (shown[3], [again[0], again[2]]) == ("$ fg", [first[0], first[2]])


class Terminal(io.StringIO):
    """A file that says it is a terminal."""

    def isatty(self) -> bool:
        return True

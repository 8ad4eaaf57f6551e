"""Brief diffs: what differs is there whole, and what two long lines share is not."""

from hypothesis import given
from hypothesis import strategies as st

from gxo.cli.brief import brief

PROBE = "while kill -0 $MAINPID; do sleep 0.1; done; " * 4


def test_two_long_lines_are_cut_down_to_what_differs() -> None:
    """What stands around the difference shows where it is; short lines stay as they are."""
    diff = (
        "-ExecStart=server 8080",
        f"-ExecStartPost={PROBE}8080 10 localhost",
        "+ExecStart=server 8081",
        f"+ExecStartPost={PROBE}8081 10 localhost",
    )
    assert list(brief(diff)) == [
        "-ExecStart=server 8080",
        "-ExecStartPost=…0.1; done; 8080 10 localhost",
        "+ExecStart=server 8081",
        "+ExecStartPost=…0.1; done; 8081 10 localhost",
    ]


def test_what_is_new_altogether_is_shown_whole() -> None:
    """A line that has no counterpart is not cut, however long it is."""
    diff = (f"-Old={PROBE}", f"+New={PROBE}", f"+New={PROBE}1")
    assert tuple(brief(diff)) == diff


LINES = st.lists(
    st.tuples(st.sampled_from("-+"), st.sampled_from("AB"), st.text("abc", max_size=12)),
    max_size=6,
)


@given(LINES, st.text("xyz", max_size=200), st.text("xyz", max_size=200))
def test_what_differs_is_never_cut(
    lines: list[tuple[str, str, str]], before: str, after: str
) -> None:
    """However lines pair, each keeps its sign and name, and one piece of it, with what differs."""
    diff = [f"{sign}{name}={before}{middle}{after}" for sign, name, middle in lines]
    for whole, shown, (_, _, middle) in zip(diff, brief(diff), lines, strict=True):
        assert shown[:3] == whole[:3]
        assert shown[3:].strip("…") in whole
        assert middle in shown
